/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One step: edges in, energies and edge gradients out, onto LAMMPS's arrays. */

#include "pair_nequip.h"

#include "atom.h"
#include "comm.h"
#include "error.h"
#include "force.h"
#include "neigh_list.h"
#include "neighbor.h"

#include <algorithm>
#include <cmath>

using namespace LAMMPS_NS;

/* Whether the nodes are new. All ranks decide alike, because the plan of the exchange is made by
   all of them together. */
bool PairNequip::rebuild_nodes_if_needed(const lmp_thermo::NeighbourList &neighbours,
                                         const lmp_thermo::AtomArrays &atoms)
{
  if (!nodes_->stale && neighbor->ago != 0 && neighbor->ncalls == nodes_->ncalls) return false;
  if (!nodes_->builder.rebuild(neighbours, atoms))
    error->one(FLERR, "pair_style {}: the neighbour list holds an atom whose type is NULL in "
               "pair_coeff; use pair_style hybrid/overlay", style_name());
  if (comm->nprocs > 1 || nodes_ == &images_) plan_exchange();
  nodes_->stale = false;
  nodes_->ncalls = neighbor->ncalls;
  timing_.rebuilds++;
  return true;
}

void PairNequip::compute(int eflag, int vflag)
{
  ev_init(eflag, vflag);
  const double start = platform::walltime();
  const bool atomic_virial = vflag_atom || cvflag_atom;
  if (atomic_virial && !model_->info().atomic_virial)
    error->all(FLERR, "pair_style {}: per-atom virials (heat/flux, stress/atom) cannot be had from "
               "this compiled graph; use the model as .nequip.pth, or as the .nequip.pt2 of "
               "lmp-thermo potential export --compiled", style_name());
  const lmp_thermo::ModelInfo &info = model_->info();
  nodes_ = atomic_virial || info.needs_positions ? &images_ : &merged_;
  lmp_thermo::GraphBuilder &builder = nodes_->builder;
  const lmp_thermo::NeighbourList neighbours{list->inum, list->ilist, list->numneigh,
                                             list->firstneigh, NEIGHMASK};
  const lmp_thermo::AtomArrays atoms{atom->nlocal, atom->nghost, atom->tag, atom->type, atom->x};
  const bool rebuilt = rebuild_nodes_if_needed(neighbours, atoms);
  const bool form_edges = info.forms_edges && nodes_ == &merged_;
  if (form_edges) {
    if (rebuilt) builder.collect_candidates(neighbours);
  } else
    builder.update(neighbours, atoms);
  builder.want(eflag_atom != 0, vflag_global != 0);
  const lmp_thermo::Graph &graph = form_edges ? builder.graph_of_candidates(atoms)
      : nodes_ == &images_                    ? builder.graph_with_positions(atoms)
                                              : builder.graph();
  const double edges_done = platform::walltime();
  const double exchanged = timing_.exchange_s;

  lmp_thermo::Evaluation result;
  if (!model_->evaluate(graph, comm->nprocs > 1 || atomic_virial ? this : nullptr, result))
    error->one(FLERR, "pair_style {}: {}", style_name(), model_->error());
  const double model_done = platform::walltime();
  timing_.model_s += model_done - edges_done - (timing_.exchange_s - exchanged);
  gather_forces(graph, result);
  scatter(graph, result);
  if (vflag_global) tally_virial(graph, result);
  if (atomic_virial) tally_atomic_virial(graph, result);
  timing_.steps++;
  timing_.edges_s += edges_done - start;
  timing_.scatter_s += platform::walltime() - model_done;
}

void PairNequip::gather_forces(const lmp_thermo::Graph &graph,
                               const lmp_thermo::Evaluation &result)
{
  node_force_.assign(static_cast<std::size_t>(3 * graph.n_nodes), 0.0);
  if (result.forces) {
    std::copy_n(result.forces, 3 * graph.n_nodes, node_force_.begin());
    return;
  }
  for (int64_t e = 0; e < graph.n_edges; e++) {
    const double *g = result.edge_gradient + 3 * e;
    double *fi = node_force_.data() + 3 * graph.centre[e];
    double *fj = node_force_.data() + 3 * graph.neighbour[e];
    for (int k = 0; k < 3; k++) {
      fi[k] += g[k];
      fj[k] -= g[k];
    }
  }
}

void PairNequip::scatter(const lmp_thermo::Graph &graph, const lmp_thermo::Evaluation &result)
{
  const std::vector<int> &atom_of_node = nodes_->builder.atom_of_node();
  double check = result.total_energy;
  for (const double component : node_force_) check += component;
  if (!std::isfinite(check)) refuse_non_finite(graph, result);

  /* with newton off LAMMPS does not bring home what falls on ghosts */
  const bool bring_home = (comm->nprocs > 1 || nodes_ == &images_) && !force->newton_pair;
  if (bring_home) reverse(node_force_.data(), 3);
  double **f = atom->f;
  for (int64_t n = 0; n < (bring_home ? graph.n_local : graph.n_nodes); n++)
    for (int k = 0; k < 3; k++)
      f[atom_of_node[static_cast<std::size_t>(n)]][k] +=
          node_force_[static_cast<std::size_t>(3 * n + k)];
  if (eflag_global) eng_vdwl += result.total_energy;
  if (eflag_atom)
    for (int64_t n = 0; n < graph.n_local; n++)
      eatom[atom_of_node[static_cast<std::size_t>(n)]] += result.energy[n];
}

void PairNequip::tally_virial(const lmp_thermo::Graph &graph, const lmp_thermo::Evaluation &result)
{
  if (result.virial) {
    const int places[6] = {0, 4, 8, 1, 2, 5};
    for (int k = 0; k < 6; k++) virial[k] += result.virial[places[k]];
    return;
  }
  for (int64_t e = 0; e < graph.n_edges; e++) {
    const double *r = graph.vectors + 3 * e;
    const double *g = result.edge_gradient + 3 * e;
    virial[0] -= r[0] * g[0];
    virial[1] -= r[1] * g[1];
    virial[2] -= r[2] * g[2];
    virial[3] -= r[0] * g[1];
    virial[4] -= r[0] * g[2];
    virial[5] -= r[1] * g[2];
  }
}

/* W_j,ab = -sum_i (x_j - x_i)_a dU_i/dx_j,b: what a heat flux needs of a message-passing model.
   M. F. Langer et al., J. Chem. Phys. 159, 174105 (2023), doi:10.1063/5.0173517.
   An edge gives its neighbour -(x_n g - m) and its centre +(x_c g - m) with the moments
   m = sum_i x_i dU_i/dr; together -r g, the edge's part of the global virial. */
void PairNequip::tally_atomic_virial(const lmp_thermo::Graph &graph,
                                     const lmp_thermo::Evaluation &result)
{
  const std::vector<int> &atom_of_node = nodes_->builder.atom_of_node();
  node_virial_.assign(static_cast<std::size_t>(9 * graph.n_nodes), 0.0);
  for (int64_t e = 0; e < graph.n_edges; e++) {
    const double *r = graph.vectors + 3 * e;
    const double *g = result.edge_gradient + 3 * e;
    const double *x = graph.positions + 3 * graph.centre[e];
    double *at_centre = node_virial_.data() + 9 * graph.centre[e];
    double *at_neighbour = node_virial_.data() + 9 * graph.neighbour[e];
    for (int a = 0; a < 3; a++)
      for (int b = 0; b < 3; b++) {
        const double whole = -r[a] * g[b];
        const double centre = result.edge_moments
            ? x[a] * g[b] - result.edge_moments[3 * (a * graph.n_edges + e) + b]
            : 0.0;
        at_centre[3 * a + b] += centre;
        at_neighbour[3 * a + b] += whole - centre;
      }
  }
  reverse(node_virial_.data(), 9);
  const int places[9] = {0, 4, 8, 1, 2, 5, 3, 6, 7};  // xx yy zz xy xz yz yx zx zy
  for (int64_t n = 0; n < graph.n_local; n++) {
    const int i = atom_of_node[static_cast<std::size_t>(n)];
    const double *w = node_virial_.data() + 9 * n;
    if (cvflag_atom)
      for (int k = 0; k < 9; k++) cvatom[i][k] += w[places[k]];
    if (vflag_atom) {
      for (int k = 0; k < 3; k++) vatom[i][k] += w[places[k]];
      for (int k = 3; k < 6; k++) vatom[i][k] += 0.5 * (w[places[k]] + w[places[k + 3]]);
    }
  }
}

void PairNequip::refuse_non_finite(const lmp_thermo::Graph &graph,
                                   const lmp_thermo::Evaluation &result)
{
  const std::vector<int> &atom_of_node = nodes_->builder.atom_of_node();
  const auto stop = [&](int64_t node, const char *what) {
    const int i = atom_of_node[static_cast<std::size_t>(node)];
    error->one(FLERR, "pair_style {}: {} of atom {} at ({:.4f}, {:.4f}, {:.4f}) is not finite; "
               "look for overlapping atoms or a too long timestep", style_name(), what,
               atom->tag[i], atom->x[i][0], atom->x[i][1], atom->x[i][2]);
  };
  for (int64_t n = 0; result.energy && n < graph.n_local; n++)
    if (!std::isfinite(result.energy[n])) stop(n, "the energy");
  for (int64_t n = 0; n < graph.n_nodes; n++)
    for (int k = 0; k < 3; k++)
      if (!std::isfinite(node_force_[static_cast<std::size_t>(3 * n + k)])) stop(n, "the force");
  error->one(FLERR, "pair_style {}: the sum of energies or forces is not finite", style_name());
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whose the nodes are, by LAMMPS's ghost communication; then rows go straight to and fro. */

#include "pair_nequip.h"

#include "atom.h"
#include "comm.h"

#include <algorithm>

using namespace LAMMPS_NS;

void PairNequip::plan_exchange()
{
  const std::vector<int> &atom_of_node = nodes_->builder.atom_of_node();
  const auto n_local = static_cast<std::size_t>(nodes_->builder.graph().n_local);
  owner_of_atom_.assign(static_cast<std::size_t>(atom->nlocal + atom->nghost), {-1.0, -1.0});
  for (std::size_t n = 0; n < n_local; n++)
    owner_of_atom_[static_cast<std::size_t>(atom_of_node[n])] = {static_cast<double>(comm->me),
                                                                 static_cast<double>(n)};
  comm->forward_comm(this);
  std::vector<lmp_thermo::NodeExchange::Owner> owners;
  for (std::size_t n = n_local; n < atom_of_node.size(); n++) {
    const auto &[rank, node] = owner_of_atom_[static_cast<std::size_t>(atom_of_node[n])];
    owners.push_back({static_cast<int>(rank), static_cast<int>(node)});
  }
  nodes_->exchange.plan(world, static_cast<int>(n_local), owners);
}

int PairNequip::pack_forward_comm(int n, int *atoms, double *buffer, int, int *)
{
  double *end = buffer;
  for (int i = 0; i < n; i++)
    end = std::copy_n(owner_of_atom_[static_cast<std::size_t>(atoms[i])].data(), 2, end);
  return static_cast<int>(end - buffer);
}

void PairNequip::unpack_forward_comm(int n, int first, double *buffer)
{
  for (int i = first; i < first + n; i++, buffer += 2)
    std::copy_n(buffer, 2, owner_of_atom_[static_cast<std::size_t>(i)].data());
}

void PairNequip::forward(double *rows, int width)
{
  const double start = platform::walltime();
  nodes_->exchange.forward(rows, width);
  timing_.exchange_s += platform::walltime() - start;
}

void PairNequip::forward(float *rows, int width)
{
  const double start = platform::walltime();
  nodes_->exchange.forward(rows, width);
  timing_.exchange_s += platform::walltime() - start;
}

void PairNequip::reverse(double *rows, int width)
{
  const double start = platform::walltime();
  nodes_->exchange.reverse(rows, width);
  timing_.exchange_s += platform::walltime() - start;
}

void PairNequip::reverse(float *rows, int width)
{
  const double start = platform::walltime();
  nodes_->exchange.reverse(rows, width);
  timing_.exchange_s += platform::walltime() - start;
}

void PairNequip::reverse_moments(double *rows, int width)
{
  const lmp_thermo::Graph &graph = nodes_->builder.graph();
  const std::vector<int> &atom_of_node = nodes_->builder.atom_of_node();
  /* where the owners are: an image that lies L away sees every x_i shifted by L */
  std::vector<double> owner(static_cast<std::size_t>(3 * graph.n_nodes));
  for (int64_t n = 0; n < graph.n_local; n++)
    std::copy_n(atom->x[atom_of_node[static_cast<std::size_t>(n)]], 3, owner.data() + 3 * n);
  forward(owner.data(), 3);
  for (int64_t n = graph.n_local; n < graph.n_nodes; n++) {
    const double *gradient = rows + 4 * n * width;
    for (int a = 0; a < 3; a++) {
      const double shift = atom->x[atom_of_node[static_cast<std::size_t>(n)]][a] - owner[3 * n + a];
      double *moment = rows + (4 * n + a + 1) * width;
      for (int k = 0; k < width; k++) moment[k] -= shift * gradient[k];
    }
  }
  reverse(rows, 4 * width);
}

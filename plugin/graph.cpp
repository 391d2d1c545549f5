/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "graph.h"

#include <cmath>
#include <unordered_map>
#include <utility>

namespace lmp_thermo {

void GraphBuilder::set_types(std::vector<int> type_to_model, std::vector<double> pair_cutoff)
{
  type_to_model_ = std::move(type_to_model);
  n_types_ = static_cast<int>(std::lround(std::sqrt(static_cast<double>(pair_cutoff.size()))));
  cutoff_sq_ = std::move(pair_cutoff);
  for (double &cutoff : cutoff_sq_) cutoff *= cutoff;
}

bool GraphBuilder::rebuild(const NeighbourList &list, const AtomArrays &atoms)
{
  const int n_all = atoms.n_local + atoms.n_ghost;
  node_of_atom_.assign(static_cast<std::size_t>(n_all), -1);
  atom_of_node_.clear();
  types_.clear();
  std::unordered_map<AtomTag, int> node_of_tag;
  node_of_tag.reserve(static_cast<std::size_t>(list.n_centres) * 2);

  const auto add_node = [&](int i) {
    const int model_type = type_to_model_[static_cast<std::size_t>(atoms.type[i])];
    if (model_type < 0) return -1;
    const int node = static_cast<int>(atom_of_node_.size());
    node_of_atom_[static_cast<std::size_t>(i)] = node;
    atom_of_node_.push_back(i);
    types_.push_back(model_type);
    if (!images_) node_of_tag[atoms.tag[i]] = node;
    return node;
  };

  for (int ii = 0; ii < list.n_centres; ii++)
    if (add_node(list.centres[ii]) < 0) return false;

  max_edges_ = 0;
  for (int ii = 0; ii < list.n_centres; ii++) {
    const int i = list.centres[ii];
    max_edges_ += static_cast<std::size_t>(list.counts[i]);
    for (int jj = 0; jj < list.counts[i]; jj++) {
      const int j = list.neighbours[i][jj] & list.mask;
      int &node = node_of_atom_[static_cast<std::size_t>(j)];
      if (node >= 0) continue;
      const auto known = images_ ? node_of_tag.end() : node_of_tag.find(atoms.tag[j]);
      if (known != node_of_tag.end())
        node = known->second;
      else if (add_node(j) < 0)
        return false;
    }
  }
  graph_.n_local = list.n_centres;
  graph_.n_nodes = static_cast<int64_t>(atom_of_node_.size());
  graph_.types = types_.data();
  return true;
}

void GraphBuilder::collect_candidates(const NeighbourList &list)
{
  candidate_centre_.clear();
  candidate_neighbour_.clear();
  candidate_centre_.reserve(max_edges_);
  candidate_neighbour_.reserve(max_edges_);
  for (int ii = 0; ii < list.n_centres; ii++) {
    const int i = list.centres[ii];
    for (int jj = 0; jj < list.counts[i]; jj++) {
      candidate_centre_.push_back(ii);
      candidate_neighbour_.push_back(list.neighbours[i][jj] & list.mask);
    }
  }
  candidates_.build++;
  candidates_.n = static_cast<int64_t>(candidate_centre_.size());
  candidates_.centre = candidate_centre_.data();
  candidates_.neighbour = candidate_neighbour_.data();
  candidates_.n_atoms = static_cast<int64_t>(node_of_atom_.size());
  candidates_.node_of_atom = node_of_atom_.data();
  candidates_.atom_of_node = atom_of_node_.data();
  graph_.n_edges = 0;
}

void GraphBuilder::update(const NeighbourList &list, const AtomArrays &atoms)
{
  if (centre_.size() < max_edges_) {
    centre_.resize(max_edges_);
    neighbour_.resize(max_edges_);
    vectors_.resize(3 * max_edges_);
  }
  std::size_t edge = 0;
  for (int ii = 0; ii < list.n_centres; ii++) {
    const int i = list.centres[ii];
    const double *xi = atoms.x[i];
    const double *cutoff_sq =
        cutoff_sq_.data() + types_[static_cast<std::size_t>(ii)] * static_cast<int64_t>(n_types_);
    for (int jj = 0; jj < list.counts[i]; jj++) {
      const int j = list.neighbours[i][jj] & list.mask;
      const double dx = atoms.x[j][0] - xi[0];
      const double dy = atoms.x[j][1] - xi[1];
      const double dz = atoms.x[j][2] - xi[2];
      const int node = node_of_atom_[static_cast<std::size_t>(j)];
      /* edges beyond the cutoff contribute exactly zero: dropping them saves time only */
      if (dx * dx + dy * dy + dz * dz >= cutoff_sq[types_[static_cast<std::size_t>(node)]])
        continue;
      centre_[edge] = ii;
      neighbour_[edge] = node;
      vectors_[3 * edge] = dx;
      vectors_[3 * edge + 1] = dy;
      vectors_[3 * edge + 2] = dz;
      edge++;
    }
  }
  graph_.n_edges = static_cast<int64_t>(edge);
  graph_.centre = centre_.data();
  graph_.neighbour = neighbour_.data();
  graph_.vectors = vectors_.data();
}

const Graph &GraphBuilder::graph_with_positions(const AtomArrays &atoms)
{
  /* never null, also where there are no nodes: it tells what is asked for */
  positions_.resize(static_cast<std::size_t>(3 * graph_.n_nodes + 1));
  for (int64_t n = 0; n < graph_.n_nodes; n++)
    for (int k = 0; k < 3; k++)
      positions_[static_cast<std::size_t>(3 * n + k)] =
          atoms.x[atom_of_node_[static_cast<std::size_t>(n)]][k];
  graph_.positions = positions_.data();
  return graph_;
}

const Graph &GraphBuilder::graph_of_candidates(const AtomArrays &atoms)
{
  candidates_.x = candidates_.n_atoms > 0 ? atoms.x[0] : nullptr;
  graph_.candidates = &candidates_;
  return graph_;
}

void GraphBuilder::want(bool energies, bool virial)
{
  graph_.wants_energies = energies;
  graph_.wants_virial = virial;
}

}  // namespace lmp_thermo

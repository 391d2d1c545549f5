/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a full neighbour list to the nodes and edges of a model; plain arrays only. */

#ifndef LMP_THERMO_GRAPH_H
#define LMP_THERMO_GRAPH_H

#include "model.h"

#include <cstdint>
#include <vector>

namespace lmp_thermo {

#ifdef LAMMPS_BIGBIG
using AtomTag = int64_t;
#else
using AtomTag = int;
#endif

struct NeighbourList {
  int n_centres = 0;
  const int *centres = nullptr;
  const int *counts = nullptr;
  int *const *neighbours = nullptr;
  int mask = 0;  // strips the bond bits from a neighbour index
};

struct AtomArrays {
  int n_local = 0;
  int n_ghost = 0;
  const AtomTag *tag = nullptr;
  const int *type = nullptr;  // 1-based, as in the input
  const double *const *x = nullptr;
};

class GraphBuilder {
 public:
  /* images: every periodic image is a node of its own, as per-atom virials need it. */
  explicit GraphBuilder(bool images) : images_(images) {}

  /* type_to_model[0] is unused; -1 for a type that the model does not see. */
  void set_types(std::vector<int> type_to_model, std::vector<double> pair_cutoff);

  /* After each neighbour-list build: number the nodes.
     False: a centre or a neighbour has a type that the model does not see. */
  bool rebuild(const NeighbourList &list, const AtomArrays &atoms);

  /* Each step: edges within the cutoff of their pair of types, in list order. */
  void update(const NeighbourList &list, const AtomArrays &atoms);

  /* After a rebuild: the pairs of the list, for a model that forms its edges itself. */
  void collect_candidates(const NeighbourList &list);

  const Graph &graph() const { return graph_; }
  /* Lets the graph hold the positions of its nodes, for this step. */
  const Graph &graph_with_positions(const AtomArrays &atoms);
  /* Lets the graph hold the candidates and the positions of all atoms, for this step. */
  const Graph &graph_of_candidates(const AtomArrays &atoms);
  void want(bool energies, bool virial);
  /* The atom index (local, or one ghost image) that stands for each node. */
  const std::vector<int> &atom_of_node() const { return atom_of_node_; }

 private:
  bool images_;
  std::vector<int> type_to_model_;
  std::vector<double> cutoff_sq_;
  int n_types_ = 0;
  std::vector<int> node_of_atom_;
  std::vector<int> atom_of_node_;
  std::vector<int64_t> types_, centre_, neighbour_;
  std::vector<double> vectors_, positions_;
  std::size_t max_edges_ = 0;
  std::vector<int> candidate_centre_, candidate_neighbour_;
  Candidates candidates_;
  Graph graph_;
};

}  // namespace lmp_thermo

#endif

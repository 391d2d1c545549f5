/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Edges formed where the model runs: between two builds of the neighbour list only positions go
   there, and only forces come back. */

#ifndef LMP_THERMO_RESIDENT_EDGES_H
#define LMP_THERMO_RESIDENT_EDGES_H

#include "torch_model.h"

namespace lmp_thermo {

class ResidentEdges {
 public:
  /* The edges within the cutoffs of their pairs of types, in the order of the candidates. */
  GraphTensors tensors(const Graph &graph, const ModelInfo &info, at::Device device,
                       int64_t least_nodes, int64_t least_edges);

  struct Gathered {
    at::Tensor forces;  // [n_nodes][3]: + g on the centre, - g on the neighbour
    at::Tensor virial;  // [3][3]: - sum r_a g_b
  };
  static Gathered gather(const Graph &graph, const GraphTensors &tensors, const at::Tensor &gradient);

 private:
  uint64_t build_ = 0;
  at::Tensor types_;                        // [>= n_nodes]
  at::Tensor centre_, neighbour_;           // [n] nodes
  at::Tensor centre_atom_, neighbour_atom_; // [n] rows of x
  at::Tensor cutoff_sq_;                    // [n]

  void upload(const Graph &graph, const ModelInfo &info, at::Device device, int64_t least_nodes);
};

}  // namespace lmp_thermo

#endif

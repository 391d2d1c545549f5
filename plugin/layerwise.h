/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exact message passing over several ranks with an unchanged NequIP model.

   Forward, between two convolutions, the rows of other ranks' atoms are overwritten with what
   their owners computed; backward, the gradients of those rows go home and are added there.
   Each segment between two exchanges has its own autograd graph, differentiated on the calling
   thread: MPI must not be called from autograd's threads.

   Per-atom virials need, for each edge, not only g = sum_i dU_i/dr but also the first moments
   sum_i x_ia dU_i/dr, which tell whose energy it was (M. F. Langer et al., J. Chem. Phys. 159,
   174105 (2023), doi:10.1063/5.0173517): three more backward passes with x_ia for weights. */

#ifndef LMP_THERMO_LAYERWISE_H
#define LMP_THERMO_LAYERWISE_H

#include "model.h"

#include <torch/script.h>

#include <optional>
#include <vector>

namespace lmp_thermo {

using TensorDict = c10::Dict<std::string, at::Tensor>;

class LayerwiseNetwork {
 public:
  /* Convolutions of a scripted model; 0 for one that passes no messages. */
  static int count_convolutions(const torch::jit::Module &model);

  /* The parts of a scripted model, or nothing where its structure is another. */
  static std::optional<LayerwiseNetwork> split(const torch::jit::Module &model);

  struct Result {
    at::Tensor energy;         // [n_local]
    at::Tensor edge_gradient;  // [n_edges][3]
    at::Tensor edge_moments;   // [3][n_edges][3], where the graph has positions
  };
  Result run(TensorDict data, const Graph &graph, Exchange *exchange);

 private:
  std::vector<torch::jit::Module> embedding_, convolutions_, readout_;
};

}  // namespace lmp_thermo

#endif

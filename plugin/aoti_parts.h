/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A message-passing model in compiled parts, cut where features go between ranks.

   A compiled graph has no autograd: backward parts are graphs too, and take from forward ones what
   they need. lmp_thermo/potential/parts.py makes them and names their values. */

#ifndef LMP_THERMO_AOTI_PARTS_H
#define LMP_THERMO_AOTI_PARTS_H

#include "torch_model.h"

#include <torch/csrc/inductor/aoti_package/model_package_loader.h>

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace lmp_thermo {

class AotiParts {
 public:
  /* Throws where the file lacks one of the 2 convolutions - 1 parts. */
  AotiParts(const std::string &path, int convolutions, at::Device device);

  struct Result {
    at::Tensor energy;         // [>= n_local]
    at::Tensor edge_gradient;  // [>= n_edges][3]
    at::Tensor edge_moments;   // [3][>= n_edges][3], where the graph has positions
  };
  Result run(const Graph &graph, const GraphTensors &tensors, Exchange *exchange);

 private:
  using Values = std::unordered_map<std::string, at::Tensor>;
  struct Part {
    std::unique_ptr<torch::inductor::AOTIModelPackageLoader> loader;
    std::vector<std::string> inputs, outputs;
    std::vector<bool> last_use;  // of an input: no later part reads it
  };
  int convolutions_;
  std::vector<Part> parts_;

  void run_part(int index, Values &values);
};

}  // namespace lmp_thermo

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `.nequip.pth`: TorchScript models, whole on one rank, layer by layer on several. */

#ifndef LMP_THERMO_TORCHSCRIPT_H
#define LMP_THERMO_TORCHSCRIPT_H

#include "layerwise.h"
#include "torch_model.h"

#include <torch/script.h>

#include <optional>

namespace lmp_thermo {

class TorchScriptModel final : public TorchModel {
 public:
  explicit TorchScriptModel(const ModelOptions &options);

 protected:
  Result run(const Graph &graph, const GraphTensors &tensors, Exchange *exchange) override;

 private:
  bool many_ranks_;
  torch::jit::Module whole_;
  std::optional<LayerwiseNetwork> layers_;
};

}  // namespace lmp_thermo

#endif

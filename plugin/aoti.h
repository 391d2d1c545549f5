/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `.nequip.pt2`: models compiled ahead of time by nequip-compile. */

#ifndef LMP_THERMO_AOTI_H
#define LMP_THERMO_AOTI_H

#include "torch_model.h"

#include <torch/csrc/inductor/aoti_package/model_package_loader.h>

#include <memory>

namespace lmp_thermo {

class AotiModel final : public TorchModel {
 public:
  explicit AotiModel(const ModelOptions &options);

 protected:
  Result run(const Graph &graph, const GraphTensors &tensors, Exchange *exchange) override;
  /* graphs are compiled for two nodes and two edges or more */
  int64_t least_size() const override { return 2; }

 private:
  std::unique_ptr<torch::inductor::AOTIModelPackageLoader> loader_;
  std::vector<std::string> inputs_, outputs_;
};

}  // namespace lmp_thermo

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `.nequip.pt2`: models compiled ahead of time, by nequip-compile or by our own export, whose files
   have parts for several ranks beside the whole graph. */

#ifndef LMP_THERMO_AOTI_H
#define LMP_THERMO_AOTI_H

#include "aoti_parts.h"
#include "torch_model.h"

#include <torch/csrc/inductor/aoti_package/model_package_loader.h>

#include <memory>
#include <optional>

namespace lmp_thermo {

class AotiModel final : public TorchModel {
 public:
  explicit AotiModel(const ModelOptions &options);

 protected:
  Result run(const Graph &graph, const GraphTensors &tensors, Exchange *exchange) override;
  /* graphs are compiled for two nodes and two edges or more */
  int64_t least_size() const override { return 2; }

 private:
  std::string path_;
  bool many_ranks_;
  std::unique_ptr<torch::inductor::AOTIModelPackageLoader> whole_;
  std::optional<AotiParts> parts_;
  std::vector<std::string> inputs_, outputs_;

  Result run_whole(const Graph &graph, const GraphTensors &tensors);
};

}  // namespace lmp_thermo

#endif

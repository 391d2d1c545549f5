/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "torchscript.h"

#include <stdexcept>

namespace lmp_thermo {

TorchScriptModel::TorchScriptModel(const ModelOptions &options)
    : TorchModel(options), many_ranks_(options.many_ranks)
{
  torch::jit::ExtraFilesMap files;
  for (const char *key :
       {"r_max", "type_names", "model_dtype", "per_edge_type_cutoff", "allow_tf32"})
    files[key] = "";
  try {
    whole_ = torch::jit::load(options.path, device_, files);
  } catch (const c10::Error &failure) {
    throw std::runtime_error("model file " + options.path +
                             " is truncated or not a TorchScript file (" +
                             first_line(failure.what_without_backtrace()) + "); export it again");
  }
  read_metadata(Metadata(files.begin(), files.end()), options.path);
  info_.format = "TorchScript";
  if (!device_.is_cpu()) {
    /* Kernels for any number of atoms and edges at once, as nequip asks for in Python: otherwise
       torch compiles for the first two sizes that it meets, and the edges change in every step. */
    torch::jit::FusionStrategy any_size{{torch::jit::FusionBehavior::DYNAMIC, 10}};
    torch::jit::setFusionStrategy(any_size);
  }
  whole_.eval();
  for (auto parameter : whole_.parameters()) parameter.set_requires_grad(false);

  info_.convolutions = LayerwiseNetwork::count_convolutions(whole_);
  /* a single convolution needs no more of other ranks' atoms than their types */
  if (info_.convolutions > 1) layers_ = LayerwiseNetwork::split(whole_);
  info_.many_ranks = info_.atomic_virial = info_.convolutions < 2 || layers_.has_value();
  info_.many_ranks_remedy = "its layers are not those of a NequIP model; use one MPI rank";
  whole_ = torch::jit::freeze(whole_);
}

TorchModel::Result TorchScriptModel::run(const Graph &graph, const GraphTensors &tensors,
                                         Exchange *exchange)
{
  TensorDict data;
  data.insert("atom_types", tensors.types);
  data.insert("edge_index", tensors.edges);
  data.insert("edge_vectors", tensors.vectors);
  if (layers_ && (many_ranks_ || graph.positions)) {
    const LayerwiseNetwork::Result result = layers_->run(data, graph, exchange);
    return {result.energy, result.edge_gradient, result.edge_moments, {}, {}};
  }
  const auto output = c10::impl::toTypedDict<std::string, at::Tensor>(
      whole_.forward({data}).toGenericDict());
  if (!output.contains("edge_forces"))
    throw std::runtime_error("it gives no edge gradients; export the model again with nequip 0.9 "
                             "or newer");
  return {output.at("atomic_energy"), output.at("edge_forces"), {}, {}, {}};
}

}  // namespace lmp_thermo

/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "aoti.h"

#include <algorithm>
#include <stdexcept>

namespace lmp_thermo {

namespace {

using Loader = torch::inductor::AOTIModelPackageLoader;

/* Where the file is one of ours: how many convolutions it has parts for; -1 where it is not. */
int convolutions_in_parts(const std::string &text)
{
  const bool number = !text.empty() && text.size() < 3 &&
      text.find_first_not_of("0123456789") == std::string::npos;
  return number ? std::stoi(text) : -1;
}

}  // namespace

AotiModel::AotiModel(const ModelOptions &options)
    : TorchModel(options), path_(options.path), many_ranks_(options.many_ranks)
{
  std::unordered_map<std::string, std::string> metadata;
  try {
    metadata = Loader::load_metadata_from_package(options.path, "model");
  } catch (const std::exception &failure) {
    throw std::runtime_error("model file " + options.path +
                             " is truncated or not an AOTInductor package (" +
                             first_line(failure.what()) + "); export it again");
  }
  read_metadata(Metadata(metadata.begin(), metadata.end()), options.path);
  const std::string compiled_for = metadata["AOTI_DEVICE_KEY"];
  if (at::Device(compiled_for).type() != device_.type())
    throw std::runtime_error("model file " + options.path + " was compiled for " + compiled_for +
                             ", but device is " + device_.str() + "; compile it for this device");
  inputs_ = words(metadata["nequip_aoti_inputs"]);
  outputs_ = words(metadata["nequip_aoti_outputs"]);
  if (inputs_.empty() || outputs_.empty())
    throw std::runtime_error("model file " + options.path +
                             " does not name its inputs; compile it again with nequip 0.17 or newer "
                             "and --target pair_nequip");
  info_.format = "AOTInductor";
  /* The graph of a message-passing model asks for the cell. One that does not is strictly local,
     wants the positions of all images, and is exact on any number of ranks. */
  info_.needs_positions = std::find(inputs_.begin(), inputs_.end(), "cell") == inputs_.end();
  info_.convolutions =
      info_.needs_positions ? 0 : convolutions_in_parts(metadata["lmp_thermo_convolutions"]);
  info_.atomic_virial = info_.convolutions > 0;
  info_.many_ranks = info_.needs_positions || info_.convolutions > 0;
  info_.many_ranks_remedy =
      "a stock .nequip.pt2 passes messages within one rank; use one MPI rank, or export the "
      "checkpoint with lmp-thermo potential export --compiled, whose file has parts for several";
  if (many_ranks_ && info_.convolutions > 0)
    parts_.emplace(path_, info_.convolutions, device_);
  else
    whole_ = std::make_unique<Loader>(path_, "model", false, 1,
                                      device_.is_cuda() ? device_.index() : -1);
}

TorchModel::Result AotiModel::run(const Graph &graph, const GraphTensors &tensors,
                                  Exchange *exchange)
{
  const bool in_parts = info_.convolutions > 0 && (many_ranks_ || graph.positions);
  if (!in_parts) return run_whole(graph, tensors);
  if (!parts_) parts_.emplace(path_, info_.convolutions, device_);
  const AotiParts::Result result = parts_->run(graph, tensors, exchange);
  return {result.energy, result.edge_gradient, result.edge_moments, {}, {}};
}

TorchModel::Result AotiModel::run_whole(const Graph &graph, const GraphTensors &tensors)
{
  /* The compiled graph forms r = x_j - x_i + shift . cell. With all x = 0, the unit cell, and
     r itself for the shift it sees our edges, and its forces and virial are still those of r. */
  const at::TensorOptions real = tensors.vectors.options().requires_grad(false);
  at::Tensor types = tensors.types, edges = tensors.edges;
  at::Tensor positions = at::zeros({types.size(0), 3}, real);
  if (info_.needs_positions) {
    if (graph.positions)  // not when warming up
      positions.narrow(0, 0, graph.n_nodes)
          .copy_(at::from_blob(const_cast<double *>(graph.positions), {graph.n_nodes, 3},
                               at::TensorOptions().dtype(at::kDouble)));
    if (graph.n_edges < edges.size(1)) {
      /* what fills up the edges joins two nodes of its own, out of each other's sight */
      const int64_t first = types.size(0);
      edges = edges.clone();
      edges.narrow(1, graph.n_edges, edges.size(1) - graph.n_edges)
          .copy_(at::arange(first, first + 2, edges.options()).unsqueeze(1));
      types = at::cat({types, at::zeros({2}, types.options())});
      positions = at::cat({positions, 2.0 * info_.r_max * at::eye(2, 3, real)});
    }
  }
  std::vector<at::Tensor> arguments;
  for (const auto &name : inputs_) {
    if (name == "pos")
      arguments.push_back(positions);
    else if (name == "edge_index")
      arguments.push_back(edges);
    else if (name == "atom_types")
      arguments.push_back(types);
    else if (name == "cell")
      arguments.push_back(at::eye(3, real).view({1, 3, 3}));
    else if (name == "edge_cell_shift")
      arguments.push_back(tensors.vectors);
    else
      throw std::runtime_error("it asks for the input " + name +
                               ", which a pair style does not have; compile it with "
                               "--target pair_nequip");
  }
  const std::vector<at::Tensor> values = whole_->run(arguments);
  Result result;
  for (std::size_t k = 0; k < outputs_.size() && k < values.size(); k++) {
    if (outputs_[k] == "atomic_energy") result.energy = values[k];
    if (outputs_[k] == "forces") result.forces = values[k];
    if (outputs_[k] == "virial") result.virial = values[k];
  }
  if (!result.energy.defined() || !result.forces.defined() || !result.virial.defined())
    throw std::runtime_error("it does not give atomic_energy, forces and virial; compile it with "
                             "--target pair_nequip");
  result.forces = result.forces.narrow(0, 0, graph.n_nodes);
  return result;
}

}  // namespace lmp_thermo

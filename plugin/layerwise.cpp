/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "layerwise.h"

#include "remote_rows.h"

#include <torch/csrc/autograd/autograd.h>

#include <string>

namespace lmp_thermo {

namespace {

/* model -> (derivatives) -> the sequence of modules that computes the energy */
std::optional<torch::jit::Module> energy_sequence(const torch::jit::Module &model)
{
  if (!model.hasattr("model")) return std::nullopt;
  const torch::jit::Module derivatives = model.attr("model").toModule();
  if (!derivatives.hasattr("func")) return std::nullopt;
  return derivatives.attr("func").toModule();
}

bool is_convolution(const std::string &name)
{
  return name.rfind("layer", 0) == 0 && name.find("_convnet") != std::string::npos;
}

TensorDict call(torch::jit::Module &module, const TensorDict &data)
{
  return c10::impl::toTypedDict<std::string, at::Tensor>(module.forward({data}).toGenericDict());
}

}  // namespace

int LayerwiseNetwork::count_convolutions(const torch::jit::Module &model)
{
  int count = 0;
  if (const auto sequence = energy_sequence(model))
    for (const auto &child : sequence->named_children()) count += is_convolution(child.name);
  return count;
}

std::optional<LayerwiseNetwork> LayerwiseNetwork::split(const torch::jit::Module &model)
{
  const auto sequence = energy_sequence(model);
  if (!sequence) return std::nullopt;
  LayerwiseNetwork parts;
  for (const auto &child : sequence->named_children()) {
    if (is_convolution(child.name)) {
      if (!parts.readout_.empty()) return std::nullopt;
      parts.convolutions_.push_back(child.value);
    } else
      (parts.convolutions_.empty() ? parts.embedding_ : parts.readout_).push_back(child.value);
  }
  if (parts.convolutions_.empty() || parts.embedding_.empty() || parts.readout_.empty())
    return std::nullopt;
  return parts;
}

LayerwiseNetwork::Result LayerwiseNetwork::run(TensorDict data, const Graph &graph,
                                               Exchange *exchange)
{
  const std::string features = "node_features";
  at::Tensor vectors = data.at("edge_vectors").requires_grad_(true);
  for (auto &module : embedding_) data = call(module, data);

  /* what the layers read of an edge: leaves, so that each layer is differentiated alone */
  std::vector<at::Tensor> edge_outputs, leaves;
  std::vector<std::string> keys;
  for (const auto &entry : data)
    if (entry.value().requires_grad() && !entry.value().is_leaf()) keys.push_back(entry.key());
  for (const auto &key : keys) {
    edge_outputs.push_back(data.at(key));
    data.insert_or_assign(key, data.at(key).detach().requires_grad_(true));
    leaves.push_back(data.at(key));
  }
  leaves.push_back(vectors);

  std::vector<at::Tensor> segment_input, segment_output;
  for (std::size_t layer = 0; layer < convolutions_.size(); layer++) {
    if (layer > 0) {
      segment_output.push_back(data.at(features));
      const at::Tensor input =
          with_remote_rows(segment_output.back().detach(), exchange).requires_grad_(true);
      segment_input.push_back(input);
      data.insert_or_assign(features, input);
    }
    data = call(convolutions_[layer], data);
  }
  for (auto &module : readout_) data = call(module, data);
  const at::Tensor energy = data.at("atomic_energy").view(-1);
  const at::Tensor local_sum = energy.narrow(0, 0, graph.n_local).sum();

  /* pass 0 differentiates sum_i U_i, passes 1 to 3 sum_i x_ia U_i */
  std::vector<at::Tensor> outputs{local_sum};
  if (graph.positions) {
    const at::Tensor positions =
        at::from_blob(const_cast<double *>(graph.positions), {graph.n_local, 3},  // the first rows
                      at::TensorOptions().dtype(at::kDouble)).to(energy.options());
    for (int a = 0; a < 3; a++)
      outputs.push_back((energy.narrow(0, 0, graph.n_local) * positions.select(1, a)).sum());
  }
  const std::size_t passes = outputs.size();
  std::vector<at::Tensor> weights;
  for (const auto &output : outputs) weights.push_back(at::ones_like(output));

  std::vector<std::vector<at::Tensor>> sums(passes, std::vector<at::Tensor>(leaves.size()));
  /* one segment, all passes; returns the gradients of the segment's input where it has one */
  const auto differentiate = [&](const at::Tensor *input) {
    std::vector<at::Tensor> inputs = leaves, of_input;
    if (input) inputs.push_back(*input);
    for (std::size_t pass = 0; pass < passes; pass++) {
      const auto gradients = torch::autograd::grad({outputs[pass]}, inputs, {weights[pass]},
                                                   pass + 1 < passes, false, true);
      for (std::size_t k = 0; k < leaves.size(); k++) {
        at::Tensor &sum = sums[pass][k];
        if (gradients[k].defined()) sum = sum.defined() ? sum + gradients[k] : gradients[k];
      }
      if (input) of_input.push_back(gradients.back());
    }
    return of_input;
  };
  for (std::size_t layer = convolutions_.size(); layer-- > 1;) {
    weights = with_remote_gradients(differentiate(&segment_input[layer - 1]), graph, exchange);
    outputs.assign(passes, segment_output[layer - 1]);
  }
  differentiate(nullptr);

  std::vector<at::Tensor> of_edges;
  for (std::size_t pass = 0; pass < passes; pass++) {
    std::vector<at::Tensor> edge_weights, used;
    for (std::size_t k = 0; k < edge_outputs.size(); k++) {
      if (!sums[pass][k].defined()) continue;
      used.push_back(edge_outputs[k]);
      edge_weights.push_back(sums[pass][k]);
    }
    at::Tensor gradient =
        torch::autograd::grad(used, {vectors}, edge_weights, pass + 1 < passes)[0];
    if (sums[pass].back().defined()) gradient = gradient + sums[pass].back();
    of_edges.push_back(gradient);
  }
  Result result{energy, of_edges[0], {}};
  if (passes > 1) result.edge_moments = at::stack({of_edges[1], of_edges[2], of_edges[3]});
  return result;
}

}  // namespace lmp_thermo

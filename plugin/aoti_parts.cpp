/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "aoti_parts.h"

#include "remote_rows.h"

#include <set>
#include <stdexcept>
#include <utility>

namespace lmp_thermo {

namespace {

/* graphs are compiled for two local nodes, two remote ones and two edges or more */
constexpr int64_t least = 2;

/* New memory: on a GPU a graph counts on the alignment of its inputs, which a slice may lack. */
at::Tensor with_least_rows(const at::Tensor &rows)
{
  if (rows.size(0) >= least) return rows.clone(at::MemoryFormat::Contiguous);
  std::vector<int64_t> more = rows.sizes().vec();
  more[0] = least - rows.size(0);
  return at::cat({rows, at::zeros(more, rows.options())});
}

std::string numbered(const char *name, int k) { return name + std::to_string(k); }

}  // namespace

AotiParts::AotiParts(const std::string &path, int convolutions, at::Device device)
    : convolutions_(convolutions)
{
  for (int index = 0; index < 2 * convolutions - 1; index++) {
    const std::string name = (index < 10 ? "part0" : "part") + std::to_string(index);
    try {
      Part part;
      part.loader = std::make_unique<torch::inductor::AOTIModelPackageLoader>(
          path, name, false, 1, device.is_cuda() ? device.index() : -1);
      auto metadata = part.loader->get_metadata();
      part.inputs = words(metadata["lmp_thermo_inputs"]);
      part.outputs = words(metadata["lmp_thermo_outputs"]);
      parts_.push_back(std::move(part));
    } catch (const std::exception &failure) {
      throw std::runtime_error("model file " + path + " has no " + name + " for several ranks (" +
                               first_line(failure.what()) + "); export it again");
    }
  }
  std::set<std::string> needed;
  for (auto part = parts_.rbegin(); part != parts_.rend(); ++part)
    for (const auto &name : part->inputs) part->last_use.push_back(needed.insert(name).second);
}

void AotiParts::run_part(int index, Values &values)
{
  const Part &part = parts_[static_cast<std::size_t>(index)];
  std::vector<at::Tensor> inputs;
  for (std::size_t k = 0; k < part.inputs.size(); k++) {
    const auto found = values.find(part.inputs[k]);
    if (found == values.end())
      throw std::runtime_error("no part of it gives " + part.inputs[k] + "; export it again");
    inputs.push_back(found->second);
    if (part.last_use[k]) values.erase(found);
  }
  std::vector<at::Tensor> outputs = part.loader->boxed_run(std::move(inputs));
  for (std::size_t k = 0; k < part.outputs.size(); k++)
    values[part.outputs[k]] = outputs.at(k);
}

AotiParts::Result AotiParts::run(const Graph &graph, const GraphTensors &tensors,
                                 Exchange *exchange)
{
  const int64_t n_local = graph.n_local, n_remote = graph.n_nodes - graph.n_local;
  Values values;
  values["types_local"] = with_least_rows(tensors.types.narrow(0, 0, n_local));
  values["types_remote"] = with_least_rows(tensors.types.narrow(0, n_local, n_remote));
  values["edge_vectors"] = tensors.vectors;
  values["edge_index"] = tensors.edges;
  if (n_local < least) {  // remote nodes come after the padding
    const at::Tensor neighbour = tensors.edges.select(0, 1);
    values["edge_index"] = at::stack(
        {tensors.edges.select(0, 0), neighbour + (neighbour >= n_local) * (least - n_local)});
  }

  for (int k = 1; k < convolutions_; k++) {
    run_part(k - 1, values);
    const at::Tensor sent = values.at(numbered("send", k)).narrow(0, 0, n_local);
    const at::Tensor rows = with_remote_rows(
        at::cat({sent, at::zeros({n_remote, sent.size(1)}, sent.options())}), exchange);
    values[numbered("remote", k)] = with_least_rows(rows.narrow(0, n_local, n_remote));
  }

  /* pass 0 differentiates sum_i U_i, passes 1 to 3 sum_i x_ia U_i */
  const at::TensorOptions real = tensors.vectors.options();
  std::vector<Values> passes(graph.positions ? 4 : 1, values);
  values.clear();
  passes[0]["weights"] = with_least_rows(at::ones({n_local}, real));
  if (graph.positions) {
    const at::Tensor positions =
        at::from_blob(const_cast<double *>(graph.positions), {n_local, 3},  // the first rows
                      at::TensorOptions().dtype(at::kDouble)).to(real);
    for (int a = 0; a < 3; a++)
      passes[static_cast<std::size_t>(a) + 1]["weights"] =
          with_least_rows(positions.select(1, a));
  }
  for (Values &pass : passes) run_part(convolutions_ - 1, pass);
  Result result{passes[0].at("energy"), {}, {}};

  for (int k = convolutions_ - 1; k > 0; k--) {
    std::vector<at::Tensor> gradients;
    for (Values &pass : passes) {
      const at::Tensor remote = pass.at(numbered("gradient", k)).narrow(0, 0, n_remote);
      gradients.push_back(
          at::cat({at::zeros({n_local, remote.size(1)}, remote.options()), remote}));
    }
    gradients = with_remote_gradients(gradients, graph, exchange);
    for (std::size_t pass = 0; pass < passes.size(); pass++) {
      passes[pass][numbered("home", k)] =
          with_least_rows(gradients[pass].narrow(0, 0, n_local));
      run_part(2 * convolutions_ - 1 - k, passes[pass]);
    }
  }
  result.edge_gradient = passes[0].at("edge_gradient");
  if (graph.positions)
    result.edge_moments =
        at::stack({passes[1].at("edge_gradient"), passes[2].at("edge_gradient"),
                   passes[3].at("edge_gradient")});
  return result;
}

}  // namespace lmp_thermo

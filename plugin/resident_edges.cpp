/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "resident_edges.h"

#include <algorithm>

namespace lmp_thermo {

void ResidentEdges::upload(const Graph &graph, const ModelInfo &info, at::Device device,
                           int64_t least_nodes)
{
  const Candidates &pairs = *graph.candidates;
  const auto indices = [&](const int *data, int64_t n) {
    return view_of(data, {n}, at::kInt).to(device, at::kLong);
  };
  types_ = at::zeros({std::max(graph.n_nodes, least_nodes)},
                     at::TensorOptions().dtype(at::kLong).device(device));
  types_.narrow(0, 0, graph.n_nodes).copy_(view_of(graph.types, {graph.n_nodes}, at::kLong));
  centre_ = indices(pairs.centre, pairs.n);
  centre_atom_ = indices(pairs.atom_of_node, graph.n_nodes).index_select(0, centre_);
  neighbour_atom_ = indices(pairs.neighbour, pairs.n);
  neighbour_ = indices(pairs.node_of_atom, pairs.n_atoms).index_select(0, neighbour_atom_);
  const auto n_types = static_cast<int64_t>(info.type_names.size());
  cutoff_sq_ = view_of(info.pair_cutoff.data(), {n_types * n_types}, at::kDouble)
                   .to(device)
                   .square()
                   .index_select(0, types_.index_select(0, centre_) * n_types +
                                        types_.index_select(0, neighbour_));
  build_ = pairs.build;
}

GraphTensors ResidentEdges::tensors(const Graph &graph, const ModelInfo &info, at::Device device,
                                    int64_t least_nodes, int64_t least_edges)
{
  const Candidates &pairs = *graph.candidates;
  if (pairs.build != build_) upload(graph, info, device, least_nodes);
  const at::Tensor x = view_of(pairs.x, {pairs.n_atoms, 3}, at::kDouble).to(device);
  const at::Tensor vectors = x.index_select(0, neighbour_atom_) - x.index_select(0, centre_atom_);
  const at::Tensor within = at::nonzero(vectors.square().sum(1) < cutoff_sq_).view(-1);

  const int64_t missing = std::max<int64_t>(least_edges - within.size(0), 0);
  const at::Tensor beyond = at::full({missing, 3}, 2.0 * info.r_max, vectors.options());
  const at::Tensor first_node = at::zeros({2, missing}, centre_.options());
  const at::Tensor edges =
      at::stack({centre_.index_select(0, within), neighbour_.index_select(0, within)});
  return {types_, missing > 0 ? at::cat({edges, first_node}, 1) : edges,
          at::cat({vectors.index_select(0, within), beyond})};
}

ResidentEdges::Gathered ResidentEdges::gather(const Graph &graph, const GraphTensors &tensors,
                                              const at::Tensor &gradient)
{
  const at::Tensor vectors = tensors.vectors.detach();
  at::Tensor forces = at::zeros({tensors.types.size(0), 3}, vectors.options());
  forces.index_add_(0, tensors.edges[0], gradient);
  forces.index_add_(0, tensors.edges[1], gradient, -1);
  return {forces.narrow(0, 0, graph.n_nodes), -vectors.t().mm(gradient)};
}

}  // namespace lmp_thermo

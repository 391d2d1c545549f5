/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "remote_rows.h"

#include <ATen/Dispatch.h>

namespace lmp_thermo {

namespace {

at::Tensor on_host_to_change(const at::Tensor &values)
{
  return values.to(at::TensorOptions().device(at::kCPU), false, true,
                   at::MemoryFormat::Contiguous);
}

}  // namespace

at::Tensor with_remote_rows(const at::Tensor &features, Exchange *exchange)
{
  if (!exchange) return features.clone();
  at::Tensor rows = on_host_to_change(features);
  AT_DISPATCH_FLOATING_TYPES(rows.scalar_type(), "with_remote_rows", [&] {
    exchange->forward(rows.mutable_data_ptr<scalar_t>(), static_cast<int>(rows.size(1)));
  });
  return rows.to(features.options());
}

std::vector<at::Tensor> with_remote_gradients(const std::vector<at::Tensor> &gradients,
                                              const Graph &graph, Exchange *exchange)
{
  if (!exchange) return gradients;
  const int width = static_cast<int>(gradients[0].size(1));
  at::Tensor rows;
  if (gradients.size() == 1) {
    rows = on_host_to_change(gradients[0]);
    AT_DISPATCH_FLOATING_TYPES(rows.scalar_type(), "with_remote_gradients", [&] {
      exchange->reverse(rows.mutable_data_ptr<scalar_t>(), width);
    });
  } else {
    rows = on_host_to_change(at::cat(gradients, 1).to(at::kDouble));
    exchange->reverse_moments(rows.mutable_data_ptr<double>(), width);
  }
  if (graph.n_nodes > graph.n_local)
    rows.narrow(0, graph.n_local, graph.n_nodes - graph.n_local).zero_();
  return rows.to(gradients[0].options()).split(width, 1);
}

}  // namespace lmp_thermo

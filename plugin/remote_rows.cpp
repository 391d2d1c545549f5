/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "remote_rows.h"

namespace lmp_thermo {

at::Tensor with_remote_rows(const at::Tensor &features, Exchange *exchange)
{
  at::Tensor rows = features.to(at::kCPU, at::kDouble, false, true).contiguous();
  if (exchange)
    exchange->forward(rows.mutable_data_ptr<double>(), static_cast<int>(rows.size(1)));
  return rows.to(features.options());
}

std::vector<at::Tensor> with_remote_gradients(const std::vector<at::Tensor> &gradients,
                                              const Graph &graph, Exchange *exchange)
{
  if (!exchange) return gradients;
  const int width = static_cast<int>(gradients[0].size(1));
  at::Tensor rows = at::cat(gradients, 1).to(at::kCPU, at::kDouble, false, true).contiguous();
  if (gradients.size() == 1)
    exchange->reverse(rows.mutable_data_ptr<double>(), width);
  else
    exchange->reverse_moments(rows.mutable_data_ptr<double>(), width);
  if (graph.n_nodes > graph.n_local)
    rows.narrow(0, graph.n_local, graph.n_nodes - graph.n_local).zero_();
  return rows.to(gradients[0].options()).split(width, 1);
}

}  // namespace lmp_thermo

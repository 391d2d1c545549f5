/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tensors of node rows through the exchange between ranks. */

#ifndef LMP_THERMO_REMOTE_ROWS_H
#define LMP_THERMO_REMOTE_ROWS_H

#include "model.h"

#include <ATen/ATen.h>

#include <vector>

namespace lmp_thermo {

/* A copy of [n_nodes][width] features whose remote rows are what their owners have. */
at::Tensor with_remote_rows(const at::Tensor &features, Exchange *exchange);

/* Gradients [n_nodes][width], one or one and its three moments, after those of remote rows have
   gone home. Remote rows of the result are zero: they were overwritten before they were used. */
std::vector<at::Tensor> with_remote_gradients(const std::vector<at::Tensor> &gradients,
                                              const Graph &graph, Exchange *exchange);

}  // namespace lmp_thermo

#endif

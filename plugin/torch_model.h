/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What every torch model of ours shares: device, threads, tensors from a graph, no exception out. */

#ifndef LMP_THERMO_TORCH_MODEL_H
#define LMP_THERMO_TORCH_MODEL_H

#include "model.h"

#include <ATen/ATen.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace lmp_thermo {

/* Errors of torch carry a stack of many lines: the first says it. */
std::string first_line(const std::string &text);
std::vector<std::string> words(const std::string &text);

/* Memory of the host as a tensor; nothing is copied. */
template <class T>
at::Tensor view_of(const T *data, at::IntArrayRef size, at::ScalarType type)
{
  return at::from_blob(const_cast<T *>(data), size, at::TensorOptions().dtype(type));
}

/* Tensors of a graph on the device. A graph without nodes gets one node and a graph without
   edges one edge beyond the cutoff, which contributes exactly zero: kernels and compiled graphs
   refuse empty tensors. */
struct GraphTensors {
  at::Tensor types;    // [n_nodes] int64
  at::Tensor edges;    // [2][n_edges] int64
  at::Tensor vectors;  // [n_edges][3] float64
};
GraphTensors graph_tensors(const Graph &graph, double r_max, at::Device device,
                           int64_t least_nodes = 1, int64_t least_edges = 1);

class ResidentEdges;

class TorchModel : public Model {
 public:
  explicit TorchModel(const ModelOptions &options);
  ~TorchModel() override;

  const ModelInfo &info() const override { return info_; }
  const std::string &error() const override { return error_; }
  bool warm_up() override;
  bool evaluate(const Graph &graph, Exchange *exchange, Evaluation &out) override;

 protected:
  at::Device device_;
  ModelInfo info_;

  using Metadata = std::map<std::string, std::string>;
  /* r_max, type names, cutoffs, precision; throws where `path` is no model of ours. */
  void read_metadata(const Metadata &metadata, const std::string &path);

  struct Result {
    at::Tensor energy;         // [>= n_local] any precision
    at::Tensor edge_gradient;  // [>= n_edges][3], with
    at::Tensor edge_moments;   // [3][>= n_edges][3] where the graph has positions; or instead
    at::Tensor forces;         // [n_nodes][3] and
    at::Tensor virial;         // [3][3] -dE/d(strain)
  };
  virtual Result run(const Graph &graph, const GraphTensors &tensors, Exchange *exchange) = 0;
  virtual int64_t least_size() const { return 1; }

 private:
  std::string error_;
  bool warm_ = false;
  std::optional<c10::Stream> stream_;  // of this rank, on a GPU
  std::unique_ptr<ResidentEdges> resident_;
  at::Tensor energy_, gradient_, moments_, forces_, virial_;
};

}  // namespace lmp_thermo

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "torch_model.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <sstream>
#include <stdexcept>

namespace lmp_thermo {

namespace {

/* Torch brings its own OpenMP library: LAMMPS cannot limit its threads. */
void set_threads(int threads)
{
  at::set_num_threads(threads);
  try {
    at::set_num_interop_threads(1);
  } catch (const c10::Error &) {
    /* only the first call in a process counts; ours or that of a Python program around us */
  }
}

const at::TensorOptions int64_options = at::TensorOptions().dtype(at::kLong);
const at::TensorOptions double_options = at::TensorOptions().dtype(at::kDouble);

template <class T>
at::Tensor view_of(const T *data, at::IntArrayRef size, const at::TensorOptions &options)
{
  return at::from_blob(const_cast<T *>(data), size, options);
}

/* `kept` holds the memory until the next call. */
const double *on_host(const at::Tensor &values, at::Tensor &kept)
{
  kept = values.detach().to(at::kCPU, at::kDouble).contiguous();
  return kept.const_data_ptr<double>();
}

}  // namespace

std::string first_line(const std::string &text) { return text.substr(0, text.find('\n')); }

std::vector<std::string> words(const std::string &text)
{
  std::istringstream stream(text);
  std::vector<std::string> list;
  for (std::string word; stream >> word;) list.push_back(word);
  return list;
}

at::Device choose_device(const ModelOptions &options)
{
  const int count = at::globalContext().hasCUDA() ? at::detail::getCUDAHooks().deviceCount() : 0;
  if (options.device == "cpu" || (options.device == "auto" && count == 0)) return at::kCPU;
  if (count == 0)
    throw std::runtime_error("device " + options.device +
                             " asked for, but torch sees no CUDA GPU here; use device cpu");
  if (options.device.rfind("cuda:", 0) != 0)
    return at::Device(at::kCUDA, static_cast<c10::DeviceIndex>(options.node_rank % count));
  const int index = std::stoi(options.device.substr(5));
  if (index >= count)
    throw std::runtime_error("device " + options.device + " asked for, but torch sees " +
                             std::to_string(count) + " GPU(s); use device cuda");
  return at::Device(at::kCUDA, static_cast<c10::DeviceIndex>(index));
}

GraphTensors graph_tensors(const Graph &graph, double r_max, at::Device device,
                           int64_t least_nodes, int64_t least_edges)
{
  const int64_t nodes = std::max(graph.n_nodes, least_nodes);
  const int64_t edges = std::max(graph.n_edges, least_edges);
  GraphTensors tensors;
  tensors.types = at::zeros({nodes}, int64_options);
  if (graph.n_nodes > 0)
    tensors.types.narrow(0, 0, graph.n_nodes)
        .copy_(view_of(graph.types, {graph.n_nodes}, int64_options));
  tensors.edges = at::zeros({2, edges}, int64_options);
  if (graph.n_edges == edges)
    tensors.vectors = view_of(graph.vectors, {edges, 3}, double_options);
  else
    tensors.vectors = at::full({edges, 3}, 2.0 * r_max, double_options);
  if (graph.n_edges > 0) {
    const int64_t n = graph.n_edges;
    tensors.edges[0].narrow(0, 0, n).copy_(view_of(graph.centre, {n}, int64_options));
    tensors.edges[1].narrow(0, 0, n).copy_(view_of(graph.neighbour, {n}, int64_options));
    if (n != edges)
      tensors.vectors.narrow(0, 0, n).copy_(view_of(graph.vectors, {n, 3}, double_options));
  }
  tensors.types = tensors.types.to(device);
  tensors.edges = tensors.edges.to(device);
  tensors.vectors = tensors.vectors.to(device);
  return tensors;
}

TorchModel::TorchModel(const ModelOptions &options) : device_(choose_device(options))
{
  set_threads(options.threads);
  info_.device = device_.str();
}

void TorchModel::read_metadata(const Metadata &metadata, const std::string &path)
{
  const auto get = [&](const char *key) {
    const auto found = metadata.find(key);
    return found == metadata.end() ? std::string() : found->second;
  };
  if (get("r_max").empty() || get("type_names").empty())
    throw std::runtime_error(path + " is not a NequIP or Allegro model (no r_max and type_names "
                             "inside); export the model again");
  info_.dtype = get("model_dtype");
  info_.r_max = std::stod(get("r_max"));
  info_.type_names = words(get("type_names"));
  const auto n = info_.type_names.size();
  info_.pair_cutoff.assign(n * n, info_.r_max);
  const std::vector<std::string> cutoffs = words(get("per_edge_type_cutoff"));
  if (cutoffs.size() == n * n)
    for (std::size_t k = 0; k < n * n; k++) info_.pair_cutoff[k] = std::stod(cutoffs[k]);
  const bool tf32 = get("allow_tf32") == "1";
  at::globalContext().setAllowTF32CuBLAS(tf32);
  at::globalContext().setAllowTF32CuDNN(tf32);
}

bool TorchModel::warm_up()
{
  if (warm_) return true;
  /* the profiling executor optimises forward and backward during the first calls */
  const std::array<int64_t, 2> types{0, 0}, centre{0, 1}, neighbour{1, 0};
  const double d = 0.5 * info_.r_max;
  const std::array<double, 6> vectors{d, 0.0, 0.0, -d, 0.0, 0.0};
  const Graph pair{2, 2, 2, types.data(), centre.data(), neighbour.data(), vectors.data(), nullptr};
  Evaluation unused;
  for (int call = 0; call < 3; call++)
    if (!evaluate(pair, nullptr, unused)) return false;
  return warm_ = true;
}

bool TorchModel::evaluate(const Graph &graph, Exchange *exchange, Evaluation &out)
{
  try {
    const GraphTensors tensors =
        graph_tensors(graph, info_.r_max, device_, least_size(), least_size());
    const Result result = run(graph, tensors, exchange);
    out = Evaluation{};
    out.energy = on_host(result.energy, energy_);
    if (result.edge_gradient.defined()) {
      out.edge_gradient = on_host(result.edge_gradient, gradient_);
      if (result.edge_moments.defined())
        out.edge_moments = on_host(result.edge_moments.narrow(1, 0, graph.n_edges), moments_);
    } else {
      out.forces = on_host(result.forces, forces_);
      out.virial = on_host(result.virial, virial_);
    }
    return true;
  } catch (const std::exception &failure) {
    error_ = "the model cannot be evaluated: " + first_line(failure.what());
    return false;
  }
}

}  // namespace lmp_thermo

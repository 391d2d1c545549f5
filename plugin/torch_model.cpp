/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "torch_model.h"

#include "device_choice.h"
#include "resident_edges.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <dlfcn.h>
#include <malloc.h>

#include <algorithm>
#include <array>
#include <cmath>
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

/* Tensors of several MB come and go in every step. By default glibc takes each from the kernel,
   which clears its pages, and gives it back: a fifth of a step with 4000 atoms. */
void keep_freed_memory()
{
#ifdef __GLIBC__
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, -1);
#endif
}

at::Device device_for(const ModelOptions &options)
{
  const int gpus = at::globalContext().hasCUDA() ? at::detail::getCUDAHooks().deviceCount() : 0;
  const DeviceChoice choice = choose_device(options.device, gpus, options.node_rank);
  if (!choice.error.empty()) throw std::runtime_error(choice.error);
  if (choice.gpu < 0) return at::kCPU;
  return {at::kCUDA, static_cast<c10::DeviceIndex>(choice.gpu)};
}

/* The index alone will not do: every rank may see one GPU only, each another. The CUDA runtime
   came with libtorch_cuda; its headers need not be here. */
std::string name_of_gpu(int index)
{
  using PciBusId = int (*)(char *, int, int);
  const auto pci_bus_id = reinterpret_cast<PciBusId>(dlsym(RTLD_DEFAULT, "cudaDeviceGetPCIBusId"));
  char name[64] = "";
  if (pci_bus_id && pci_bus_id(name, sizeof name, index) == 0) return name;
  return "cuda:" + std::to_string(index);
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

GraphTensors graph_tensors(const Graph &graph, double r_max, at::Device device,
                           int64_t least_nodes, int64_t least_edges)
{
  const int64_t nodes = std::max(graph.n_nodes, least_nodes);
  const int64_t edges = std::max(graph.n_edges, least_edges);
  GraphTensors tensors;
  tensors.types = at::zeros({nodes}, at::kLong);
  if (graph.n_nodes > 0)
    tensors.types.narrow(0, 0, graph.n_nodes)
        .copy_(view_of(graph.types, {graph.n_nodes}, at::kLong));
  tensors.edges = at::zeros({2, edges}, at::kLong);
  if (graph.n_edges == edges)
    tensors.vectors = view_of(graph.vectors, {edges, 3}, at::kDouble);
  else
    tensors.vectors = at::full({edges, 3}, 2.0 * r_max, at::kDouble);
  if (graph.n_edges > 0) {
    const int64_t n = graph.n_edges;
    tensors.edges[0].narrow(0, 0, n).copy_(view_of(graph.centre, {n}, at::kLong));
    tensors.edges[1].narrow(0, 0, n).copy_(view_of(graph.neighbour, {n}, at::kLong));
    if (n != edges)
      tensors.vectors.narrow(0, 0, n).copy_(view_of(graph.vectors, {n, 3}, at::kDouble));
  }
  tensors.types = tensors.types.to(device);
  tensors.edges = tensors.edges.to(device);
  tensors.vectors = tensors.vectors.to(device);
  return tensors;
}

TorchModel::TorchModel(const ModelOptions &options) : device_(device_for(options))
{
  set_threads(options.threads);
  info_.device = device_.str();
  info_.forms_edges = options.edges == "device" || (options.edges == "auto" && !device_.is_cpu());
  if (device_.is_cpu())
    keep_freed_memory();
  else {
    info_.gpu = name_of_gpu(device_.index());
    stream_ = c10::impl::VirtualGuardImpl(device_.type()).getStreamFromGlobalPool(device_);
  }
}

TorchModel::~TorchModel() = default;

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
  /* The profiling executor optimises forward and backward during the first calls. Sizes that are
     equal here it may take for one, so no two are, nor like any of a model's. */
  constexpr int64_t nodes = 23, edges = 59;
  std::array<int64_t, nodes> types{};
  std::array<int64_t, edges> centre, neighbour;
  std::array<double, 3 * edges> vectors;
  for (std::size_t k = 0; k < edges; k++) {
    const auto turn = static_cast<double>(k);
    centre[k] = static_cast<int64_t>(k) % nodes;
    neighbour[k] = static_cast<int64_t>(7 * k + 1) % nodes;
    vectors[3 * k] = 0.4 * info_.r_max * std::cos(turn);
    vectors[3 * k + 1] = 0.4 * info_.r_max * std::sin(turn);
    vectors[3 * k + 2] = 0.3 * info_.r_max * std::cos(3.0 * turn);
  }
  const Graph cluster{nodes, nodes, edges, types.data(), centre.data(), neighbour.data(),
                      vectors.data()};
  Evaluation unused;
  for (int call = 0; call < 3; call++)
    if (!evaluate(cluster, nullptr, unused)) return false;
  return warm_ = true;
}

bool TorchModel::evaluate(const Graph &graph, Exchange *exchange, Evaluation &out)
{
  try {
    const c10::OptionalStreamGuard on_our_stream(stream_);
    /* the model was loaded on the default stream */
    if (stream_ && !warm_)
      c10::impl::VirtualGuardImpl(device_.type()).synchronizeDevice(device_.index());
    if (graph.candidates && !resident_) resident_ = std::make_unique<ResidentEdges>();
    const GraphTensors tensors = graph.candidates
        ? resident_->tensors(graph, info_, device_, least_size(), least_size())
        : graph_tensors(graph, info_.r_max, device_, least_size(), least_size());
    Result result = run(graph, tensors, exchange);
    if (graph.candidates && result.edge_gradient.defined()) {
      const auto gathered = ResidentEdges::gather(graph, tensors, result.edge_gradient);
      result = {result.energy, {}, {}, gathered.forces, gathered.virial};
    }
    out = Evaluation{};
    const at::Tensor energy = result.energy.detach().narrow(0, 0, graph.n_local);
    out.total_energy = energy.sum(at::kDouble).item<double>();
    if (graph.wants_energies || !std::isfinite(out.total_energy))
      out.energy = on_host(energy, energy_);
    if (result.edge_gradient.defined()) {
      out.edge_gradient = on_host(result.edge_gradient, gradient_);
      if (result.edge_moments.defined())
        out.edge_moments = on_host(result.edge_moments.narrow(1, 0, graph.n_edges), moments_);
    } else {
      out.forces = on_host(result.forces, forces_);
      if (graph.wants_virial) out.virial = on_host(result.virial, virial_);
    }
    return true;
  } catch (const std::exception &failure) {
    error_ = "the model cannot be evaluated: " + first_line(failure.what());
    return false;
  }
}

}  // namespace lmp_thermo

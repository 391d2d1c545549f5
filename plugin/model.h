/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a pair style sees of a model: plain numbers in, plain numbers out.
   Knows neither LAMMPS nor torch, so that either side can be replaced.

   Sign convention: an edge runs from its centre i to its neighbour j,
   r = x_j - x_i, and `edge_gradient` holds g = dE/dr. Hence
       f_i += g,  f_j -= g,  virial_ab = -sum_edges r_a g_b.  */

#ifndef LMP_THERMO_MODEL_H
#define LMP_THERMO_MODEL_H

#include <cstdint>
#include <string>
#include <vector>

namespace lmp_thermo {

struct ModelOptions {
  std::string path;             // file on disk, already checked for its extension
  std::string device = "auto";  // auto, cpu, cuda, cuda:N
  int node_rank = 0;            // rank on this node, for the choice of a GPU
  int threads = 1;              // intra-operator threads of this rank
  bool many_ranks = false;      // whether atoms will live on several ranks
  std::string edges = "auto";   // who makes the edges: host, device (the model), auto
};

struct ModelInfo {
  std::string format;                   // "TorchScript", "AOTInductor"
  std::string device;                   // where the model runs
  std::string gpu;                      // the same for all ranks on one GPU of a node; empty: CPU
  std::string dtype;                    // float32 or float64
  double r_max = 0.0;                   // Å
  std::vector<std::string> type_names;  // index in this list = model type
  std::vector<double> pair_cutoff;      // Å, row-major [centre type][neighbour type]
  int convolutions = 0;                 // message-passing layers; 0: strictly local, -1: unknown
  bool many_ranks = false;              // exact when atoms live on several ranks
  std::string many_ranks_remedy;        // what to do where it is not
  bool atomic_virial = false;           // whether per-atom virials can be had
  bool needs_positions = false;         // every graph must have positions
  bool forms_edges = false;             // graphs without positions come as candidates
};

/* The pairs of a neighbour list, for a model that forms its edges where it runs: between two
   builds of the list only `x` changes. */
struct Candidates {
  uint64_t build = 0;  // another number, another list
  int64_t n = 0;
  const int *centre = nullptr;     // [n] nodes
  const int *neighbour = nullptr;  // [n] atoms, which are rows of x
  int64_t n_atoms = 0;
  const int *node_of_atom = nullptr;  // [n_atoms] -1: not seen
  const int *atom_of_node = nullptr;  // [n_nodes]
  const double *x = nullptr;          // [n_atoms][3] Å
};

/* Nodes: first the atoms of this rank, then the distinct atoms of other ranks
   that are neighbours of one of them. Periodic images are the same node. */
struct Graph {
  int64_t n_local = 0;
  int64_t n_nodes = 0;
  int64_t n_edges = 0;
  const int64_t *types = nullptr;       // [n_nodes] model types
  const int64_t *centre = nullptr;      // [n_edges] always < n_local
  const int64_t *neighbour = nullptr;   // [n_edges]
  const double *vectors = nullptr;      // [n_edges][3] Å
  /* Only for per-atom virials and for models that ask for positions; each periodic image is then
     a node of its own. */
  const double *positions = nullptr;    // [n_nodes][3] Å
  /* Instead of edges, for a model that forms them. */
  const Candidates *candidates = nullptr;
  bool wants_energies = true;  // of single atoms
  bool wants_virial = true;    // where forces are given
};

/* Rows of node data between the ranks; rows are n_nodes x width. */
class Exchange {
 public:
  virtual void forward(double *rows, int width) = 0;  // remote rows <- their owners'
  virtual void forward(float *rows, int width) = 0;
  virtual void reverse(double *rows, int width) = 0;  // owners' rows += remote rows
  virtual void reverse(float *rows, int width) = 0;
  /* Rows of four parts of `width`: gradients G = sum_i dU_i/dh and their first moments
     M_a = sum_i x_ia dU_i/dh. An image that lies L away from its owner brings home M_a - L_a G. */
  virtual void reverse_moments(double *rows, int width) = 0;

 protected:
  ~Exchange() = default;
};

struct Evaluation {
  double total_energy = 0.0;              // of the local nodes, eV
  const double *energy = nullptr;         // [n_local] eV; also where the total is not finite
  const double *edge_gradient = nullptr;  // [n_edges][3] eV/Å
  /* sum_i x_ia dU_i/dr, where positions were given; nullptr where only the centre's energy
     depends on r (then it is x_ca g). */
  const double *edge_moments = nullptr;  // [3][n_edges][3] eV
  /* instead of edge gradients, where the model has none: */
  const double *forces = nullptr;  // [n_nodes][3] eV/Å
  const double *virial = nullptr;  // [3][3] eV
};

/* No exception crosses this interface: false means that error() says why. */
class Model {
 public:
  virtual ~Model() = default;
  virtual const ModelInfo &info() const = 0;
  virtual const std::string &error() const = 0;
  virtual bool warm_up() = 0;
  /* exchange == nullptr: every node is local. The arrays stay valid until the
     next call. Ranks without atoms must call too: the exchange is collective. */
  virtual bool evaluate(const Graph &graph, Exchange *exchange, Evaluation &out) = 0;
};

}  // namespace lmp_thermo

/* The one symbol of the library that holds the torch side. */
extern "C" lmp_thermo::Model *lmp_thermo_load_model(const lmp_thermo::ModelOptions *options,
                                                    std::string *error);
using lmp_thermo_load_model_t = decltype(&lmp_thermo_load_model);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The LAMMPS side of pair_style nequip and allegro: input, checks, exchange, scatter. */

#ifndef LMP_PAIR_NEQUIP_H
#define LMP_PAIR_NEQUIP_H

#include "pair.h"

#include "graph.h"
#include "node_exchange.h"

#include <array>
#include <memory>

namespace LAMMPS_NS {

class PairNequip final : public Pair, private lmp_thermo::Exchange {
 public:
  enum class Style { NEQUIP, ALLEGRO };

  PairNequip(LAMMPS *, Style);
  ~PairNequip() override;

  void settings(int, char **) override;
  void coeff(int, char **) override;
  void init_style() override;
  double init_one(int, int) override;
  void setup() override;
  void compute(int, int) override;
  void finish() override;
  double memory_usage() override;

  int pack_forward_comm(int, int *, double *, int, int *) override;
  void unpack_forward_comm(int, int, double *) override;

 private:
  Style style_;
  std::string device_, edges_;
  std::unique_ptr<lmp_thermo::Model> model_;

  /* the nodes of this rank, whose owners they are, and from which neighbour list they come */
  struct Nodes {
    lmp_thermo::GraphBuilder builder;
    lmp_thermo::NodeExchange exchange;
    bool stale = true;
    bigint ncalls = -1;
  };
  Nodes merged_{lmp_thermo::GraphBuilder(false), {}};  // periodic images of an atom are one node
  Nodes images_{lmp_thermo::GraphBuilder(true), {}};   // on steps that ask for per-atom virials
  Nodes *nodes_ = &merged_;
  std::vector<int> type_to_model_;  // [ntypes + 1], -1: not seen
  double reach_ = 0.0;              // longest cutoff of the types in use, Angstrom

  std::vector<std::array<double, 2>> owner_of_atom_;  // rank and node there, while it travels
  std::vector<double> node_force_, node_virial_;

  struct Timing {
    bigint steps = 0, rebuilds = 0, sent_bytes_before = 0;
    double model_s = 0.0, edges_s = 0.0, exchange_s = 0.0, scatter_s = 0.0;
  };
  Timing timing_;  // of this run

  const char *style_name() const;
  void allocate();
  void check_atoms_and_units();
  void warn_of_exclusions();
  void warn_of_shared_gpus();
  bool rebuild_nodes_if_needed(const lmp_thermo::NeighbourList &, const lmp_thermo::AtomArrays &);
  void plan_exchange();
  void gather_forces(const lmp_thermo::Graph &, const lmp_thermo::Evaluation &);
  void scatter(const lmp_thermo::Graph &, const lmp_thermo::Evaluation &);
  void tally_virial(const lmp_thermo::Graph &, const lmp_thermo::Evaluation &);
  void tally_atomic_virial(const lmp_thermo::Graph &, const lmp_thermo::Evaluation &);
  void refuse_non_finite(const lmp_thermo::Graph &, const lmp_thermo::Evaluation &);
  /* Every rank calls; stops all of them with the message of the first that failed. */
  void agree(bool ok, const std::string &message);

  void forward(double *, int) override;
  void forward(float *, int) override;
  void reverse(double *, int) override;
  void reverse(float *, int) override;
  void reverse_moments(double *, int) override;
};

}  // namespace LAMMPS_NS

#endif

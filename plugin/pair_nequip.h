/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The LAMMPS side of pair_style nequip and allegro: input, checks, exchange, scatter. */

#ifndef LMP_PAIR_NEQUIP_H
#define LMP_PAIR_NEQUIP_H

#include "pair.h"

#include "graph.h"

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
  int pack_reverse_comm(int, int, double *) override;
  void unpack_reverse_comm(int, int *, double *) override;

 private:
  Style style_;
  std::string device_;
  std::unique_ptr<lmp_thermo::Model> model_;
  lmp_thermo::GraphBuilder merged_{false};  // periodic images of an atom are one node
  lmp_thermo::GraphBuilder images_{true};   // on steps that ask for per-atom virials
  lmp_thermo::GraphBuilder *builder_ = &merged_;
  std::vector<int> type_to_model_;  // [ntypes + 1], -1: not seen
  double reach_ = 0.0;              // longest cutoff of the types in use, Angstrom

  /* what the node numbering was made from */
  struct Numbering {
    bool stale = true;
    bigint ncalls = -1;
    int nlocal = -1, nghost = -1;
  };
  Numbering merged_from_, images_from_;

  /* rows of all atoms, local and ghost, while they travel between the ranks */
  std::vector<double> rows_;
  std::vector<double> node_force_, node_virial_;
  int row_width_ = 0, slice_begin_ = 0, slice_width_ = 0;

  struct Timing {
    bigint steps = 0, rebuilds = 0, exchanged_bytes = 0;
    double model_s = 0.0, edges_s = 0.0, exchange_s = 0.0, scatter_s = 0.0;
  };
  Timing timing_;  // of this run

  const char *style_name() const;
  void allocate();
  void check_atoms_and_units();
  void rebuild_graph_if_needed(const lmp_thermo::NeighbourList &, const lmp_thermo::AtomArrays &,
                               Numbering &);
  void gather_forces(const lmp_thermo::Graph &, const lmp_thermo::Evaluation &);
  void scatter(const lmp_thermo::Graph &, const lmp_thermo::Evaluation &);
  void tally_virial(const lmp_thermo::Graph &, const lmp_thermo::Evaluation &);
  void tally_atomic_virial(const lmp_thermo::Graph &, const lmp_thermo::Evaluation &);
  void refuse_non_finite(const lmp_thermo::Graph &, const lmp_thermo::Evaluation &);
  /* Every rank calls; stops all of them with the message of the first that failed. */
  void agree(bool ok, const std::string &message);

  void forward(double *, int) override;
  void reverse(double *, int) override;
  void reverse_moments(double *, int) override;
};

}  // namespace LAMMPS_NS

#endif

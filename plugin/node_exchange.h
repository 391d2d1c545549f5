/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Node rows from owner to user and back: only rows that are used travel, in the model's precision.
   Knows MPI, neither LAMMPS nor torch. */

#ifndef LMP_THERMO_NODE_EXCHANGE_H
#define LMP_THERMO_NODE_EXCHANGE_H

#include <mpi.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace lmp_thermo {

class NodeExchange {
 public:
  struct Owner {
    int rank;
    int node;  // its number there
  };

  /* owners[k] has node n_local + k of this rank. Every rank calls. */
  void plan(MPI_Comm world, int n_local, const std::vector<Owner> &owners);

  /* Rows are n_nodes x width. Every rank calls, with the same width. */
  template <class Real> void forward(Real *rows, int width);  // remote rows <- their owners'
  template <class Real> void reverse(Real *rows, int width);  // owners' rows += remote rows

  int64_t sent_bytes() const { return sent_bytes_; }
  std::size_t memory() const;

 private:
  struct Peer {
    int rank;
    std::vector<int> owned;   // nodes of ours that it uses
    std::vector<int> remote;  // nodes of ours that it owns
  };
  MPI_Comm world_ = MPI_COMM_NULL;
  std::vector<Peer> peers_;  // by rank; this rank too, where periodic images are nodes
  std::vector<std::byte> out_, in_;
  int64_t sent_bytes_ = 0;

  /* Packs `send` of every peer, and what arrives for `receive` lies in in_, peer by peer. */
  template <class Real>
  const Real *swap(const Real *rows, int width, std::vector<int> Peer::*send,
                   std::vector<int> Peer::*receive);
};

}  // namespace lmp_thermo

#endif

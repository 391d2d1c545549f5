/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Node rows between the ranks, through LAMMPS's own ghost communication. */

#include "pair_nequip.h"

#include "atom.h"
#include "comm.h"

#include <algorithm>

using namespace LAMMPS_NS;

void PairNequip::forward(double *rows, int width)
{
  const double start = platform::walltime();
  const lmp_thermo::Graph &graph = builder_->graph();
  const std::vector<int> &atom_of_node = builder_->atom_of_node();
  const auto w = static_cast<std::size_t>(width);
  row_width_ = width;
  rows_.resize(static_cast<std::size_t>(atom->nlocal + atom->nghost) * w);
  for (int64_t n = 0; n < graph.n_local; n++)
    std::copy_n(rows + static_cast<std::size_t>(n) * w, w,
                rows_.data() + static_cast<std::size_t>(atom_of_node[static_cast<std::size_t>(n)]) * w);
  for (slice_begin_ = 0; slice_begin_ < width; slice_begin_ += slice_width_) {
    slice_width_ = std::min(width - slice_begin_, comm_forward);
    comm->forward_comm(this, slice_width_);
  }
  for (int64_t n = graph.n_local; n < graph.n_nodes; n++)
    std::copy_n(rows_.data() + static_cast<std::size_t>(atom_of_node[static_cast<std::size_t>(n)]) * w,
                w, rows + static_cast<std::size_t>(n) * w);
  timing_.exchange_s += platform::walltime() - start;
}

void PairNequip::reverse(double *rows, int width)
{
  const double start = platform::walltime();
  const lmp_thermo::Graph &graph = builder_->graph();
  const std::vector<int> &atom_of_node = builder_->atom_of_node();
  const auto w = static_cast<std::size_t>(width);
  row_width_ = width;
  /* one image stands for a remote node; the others must bring nothing home */
  rows_.assign(static_cast<std::size_t>(atom->nlocal + atom->nghost) * w, 0.0);
  for (int64_t n = 0; n < graph.n_nodes; n++)
    std::copy_n(rows + static_cast<std::size_t>(n) * w, w,
                rows_.data() + static_cast<std::size_t>(atom_of_node[static_cast<std::size_t>(n)]) * w);
  for (slice_begin_ = 0; slice_begin_ < width; slice_begin_ += slice_width_) {
    slice_width_ = std::min(width - slice_begin_, comm_reverse);
    comm->reverse_comm(this, slice_width_);
  }
  for (int64_t n = 0; n < graph.n_local; n++)
    std::copy_n(rows_.data() + static_cast<std::size_t>(atom_of_node[static_cast<std::size_t>(n)]) * w,
                w, rows + static_cast<std::size_t>(n) * w);
  timing_.exchange_s += platform::walltime() - start;
}

void PairNequip::reverse_moments(double *rows, int width)
{
  const lmp_thermo::Graph &graph = builder_->graph();
  const std::vector<int> &atom_of_node = builder_->atom_of_node();
  /* where the owners are: an image that lies L away sees every x_i shifted by L */
  std::vector<double> owner(static_cast<std::size_t>(3 * graph.n_nodes));
  for (int64_t n = 0; n < graph.n_local; n++)
    std::copy_n(atom->x[atom_of_node[static_cast<std::size_t>(n)]], 3, owner.data() + 3 * n);
  forward(owner.data(), 3);
  for (int64_t n = graph.n_local; n < graph.n_nodes; n++) {
    const double *gradient = rows + 4 * n * width;
    for (int a = 0; a < 3; a++) {
      const double shift = atom->x[atom_of_node[static_cast<std::size_t>(n)]][a] - owner[3 * n + a];
      double *moment = rows + (4 * n + a + 1) * width;
      for (int k = 0; k < width; k++) moment[k] -= shift * gradient[k];
    }
  }
  reverse(rows, 4 * width);
}

int PairNequip::pack_forward_comm(int n, int *atoms, double *buffer, int, int *)
{
  double *end = buffer;
  for (int i = 0; i < n; i++)
    end = std::copy_n(rows_.data() + static_cast<std::size_t>(atoms[i]) * row_width_ + slice_begin_,
                      slice_width_, end);
  timing_.exchanged_bytes += static_cast<bigint>((end - buffer) * sizeof(double));
  return static_cast<int>(end - buffer);
}

void PairNequip::unpack_forward_comm(int n, int first, double *buffer)
{
  for (int i = first; i < first + n; i++, buffer += slice_width_)
    std::copy_n(buffer, slice_width_,
                rows_.data() + static_cast<std::size_t>(i) * row_width_ + slice_begin_);
}

int PairNequip::pack_reverse_comm(int n, int first, double *buffer)
{
  double *end = buffer;
  for (int i = first; i < first + n; i++)
    end = std::copy_n(rows_.data() + static_cast<std::size_t>(i) * row_width_ + slice_begin_,
                      slice_width_, end);
  timing_.exchanged_bytes += static_cast<bigint>((end - buffer) * sizeof(double));
  return static_cast<int>(end - buffer);
}

void PairNequip::unpack_reverse_comm(int n, int *atoms, double *buffer)
{
  for (int i = 0; i < n; i++, buffer += slice_width_) {
    double *row = rows_.data() + static_cast<std::size_t>(atoms[i]) * row_width_ + slice_begin_;
    for (int k = 0; k < slice_width_; k++) row[k] += buffer[k];
  }
}

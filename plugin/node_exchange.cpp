/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "node_exchange.h"

#include <algorithm>
#include <type_traits>

namespace lmp_thermo {

namespace {
constexpr int tag = 1;
}

void NodeExchange::plan(MPI_Comm world, int n_local, const std::vector<Owner> &owners)
{
  world_ = world;
  int ranks = 1;
  MPI_Comm_size(world, &ranks);
  const auto n = static_cast<std::size_t>(ranks);
  std::vector<std::vector<int>> remote(n), asked(n);
  for (std::size_t k = 0; k < owners.size(); k++) {
    const auto owner = static_cast<std::size_t>(owners[k].rank);
    remote[owner].push_back(n_local + static_cast<int>(k));
    asked[owner].push_back(owners[k].node);
  }

  std::vector<int> n_asked(n), n_owned(n), from_asked(n + 1, 0), from_owned(n + 1, 0), all_asked;
  for (std::size_t r = 0; r < n; r++) {
    n_asked[r] = static_cast<int>(asked[r].size());
    all_asked.insert(all_asked.end(), asked[r].begin(), asked[r].end());
  }
  MPI_Alltoall(n_asked.data(), 1, MPI_INT, n_owned.data(), 1, MPI_INT, world);
  for (std::size_t r = 0; r < n; r++) {
    from_asked[r + 1] = from_asked[r] + n_asked[r];
    from_owned[r + 1] = from_owned[r] + n_owned[r];
  }
  std::vector<int> all_owned(static_cast<std::size_t>(from_owned[n]));
  MPI_Alltoallv(all_asked.data(), n_asked.data(), from_asked.data(), MPI_INT, all_owned.data(),
                n_owned.data(), from_owned.data(), MPI_INT, world);

  peers_.clear();
  for (std::size_t r = 0; r < n; r++) {
    if (n_owned[r] == 0 && n_asked[r] == 0) continue;
    peers_.push_back({static_cast<int>(r),
                      {all_owned.begin() + from_owned[r], all_owned.begin() + from_owned[r + 1]},
                      std::move(remote[r])});
  }
}

template <class Real>
const Real *NodeExchange::swap(const Real *rows, int width, std::vector<int> Peer::*send,
                               std::vector<int> Peer::*receive)
{
  const auto w = static_cast<std::size_t>(width);
  std::size_t n_out = 0, n_in = 0;
  for (const Peer &peer : peers_) {
    n_out += (peer.*send).size() * w;
    n_in += (peer.*receive).size() * w;
  }
  out_.resize(std::max(out_.size(), n_out * sizeof(Real)));
  in_.resize(std::max(in_.size(), n_in * sizeof(Real)));
  Real *out = reinterpret_cast<Real *>(out_.data());
  Real *in = reinterpret_cast<Real *>(in_.data());

  const MPI_Datatype real = std::is_same_v<Real, float> ? MPI_FLOAT : MPI_DOUBLE;
  int me = 0;
  MPI_Comm_rank(world_, &me);
  std::vector<MPI_Request> requests;
  requests.reserve(2 * peers_.size());
  Real *own_in = nullptr;
  Real *arriving = in;
  for (const Peer &peer : peers_) {
    const std::size_t count = (peer.*receive).size() * w;
    if (peer.rank == me)
      own_in = arriving;
    else if (count > 0)
      MPI_Irecv(arriving, static_cast<int>(count), real, peer.rank, tag, world_,
                &requests.emplace_back());
    arriving += count;
  }
  for (const Peer &peer : peers_) {
    Real *leaving = peer.rank == me ? own_in : out;
    Real *end = leaving;
    for (const int node : peer.*send)
      end = std::copy_n(rows + static_cast<std::size_t>(node) * w, w, end);
    if (peer.rank == me) continue;
    const auto count = end - leaving;
    if (count > 0)
      MPI_Isend(leaving, static_cast<int>(count), real, peer.rank, tag, world_,
                &requests.emplace_back());
    sent_bytes_ += static_cast<int64_t>(count * static_cast<std::ptrdiff_t>(sizeof(Real)));
    out = end;
  }
  MPI_Waitall(static_cast<int>(requests.size()), requests.data(), MPI_STATUSES_IGNORE);
  return in;
}

template <class Real> void NodeExchange::forward(Real *rows, int width)
{
  const auto w = static_cast<std::size_t>(width);
  const Real *from = swap(rows, width, &Peer::owned, &Peer::remote);
  for (const Peer &peer : peers_)
    for (const int node : peer.remote) {
      std::copy_n(from, w, rows + static_cast<std::size_t>(node) * w);
      from += w;
    }
}

template <class Real> void NodeExchange::reverse(Real *rows, int width)
{
  const auto w = static_cast<std::size_t>(width);
  const Real *from = swap(rows, width, &Peer::remote, &Peer::owned);
  for (const Peer &peer : peers_)
    for (const int node : peer.owned) {
      Real *row = rows + static_cast<std::size_t>(node) * w;
      for (std::size_t k = 0; k < w; k++) row[k] += from[k];
      from += w;
    }
}

std::size_t NodeExchange::memory() const
{
  std::size_t nodes = 0;
  for (const Peer &peer : peers_) nodes += peer.owned.capacity() + peer.remote.capacity();
  return nodes * sizeof(int) + out_.capacity() + in_.capacity();
}

template void NodeExchange::forward(float *, int);
template void NodeExchange::forward(double *, int);
template void NodeExchange::reverse(float *, int);
template void NodeExchange::reverse(double *, int);

}  // namespace lmp_thermo

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the time of the pair style went, printed at the end of a run. */

#include "pair_nequip.h"

#include "comm.h"

#include <sys/resource.h>

#include <algorithm>

using namespace LAMMPS_NS;

void PairNequip::finish()
{
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const bigint sent = merged_.exchange.sent_bytes() + images_.exchange.sent_bytes() -
      timing_.sent_bytes_before;
  const double mine[] = {timing_.model_s,
                         timing_.edges_s,
                         timing_.exchange_s,
                         timing_.scatter_s,
                         static_cast<double>(sent) / 1048576.0,
                         static_cast<double>(usage.ru_maxrss) / 1024.0};
  constexpr int n = static_cast<int>(sizeof mine / sizeof mine[0]);
  double least[n], most[n], sum[n];
  MPI_Reduce(mine, least, n, MPI_DOUBLE, MPI_MIN, 0, world);
  MPI_Reduce(mine, most, n, MPI_DOUBLE, MPI_MAX, 0, world);
  MPI_Reduce(mine, sum, n, MPI_DOUBLE, MPI_SUM, 0, world);
  if (comm->me != 0 || timing_.steps == 0) return;

  const char *const names[] = {"model (s)",   "edges (s)",      "exchange (s)",
                               "scatter (s)", "sent (MB)", "peak memory (MB)"};
  std::string table = fmt::format("\npair_style {}: {} evaluations, {} node rebuilds\n"
                                  "{:<18}| {:>10} | {:>10} | {:>10}\n",
                                  style_name(), timing_.steps, timing_.rebuilds, "per rank", "min",
                                  "avg", "max");
  for (int k = 0; k < n; k++)
    table += fmt::format("{:<18}| {:>10.4g} | {:>10.4g} | {:>10.4g}\n", names[k], least[k],
                         sum[k] / comm->nprocs, most[k]);
  utils::logmesg(lmp, table);
}

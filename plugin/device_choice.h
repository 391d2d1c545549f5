/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which rank computes where; plain values, so that it is tested on machines without a GPU. */

#ifndef LMP_THERMO_DEVICE_CHOICE_H
#define LMP_THERMO_DEVICE_CHOICE_H

#include <string>
#include <vector>

namespace lmp_thermo {

struct DeviceChoice {
  int gpu = -1;       // index of a visible GPU; -1: the CPU
  std::string error;  // not empty: what was asked for does not exist
};

/* asked: auto, cpu, cuda or cuda:N; gpus: how many torch sees; node_rank: this rank's number among
   the ranks of its node. Ranks of a node take its GPUs in turn. */
DeviceChoice choose_device(const std::string &asked, int gpus, int node_rank);

/* gpu_of_rank: one name for each rank, the same for ranks on one GPU; empty for a rank on the CPU.
   One line where ranks share GPUs, else nothing. */
std::string sharing_warning(const std::vector<std::string> &gpu_of_rank);

}  // namespace lmp_thermo

#endif

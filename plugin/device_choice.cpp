/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "device_choice.h"

#include <algorithm>
#include <map>

namespace lmp_thermo {

DeviceChoice choose_device(const std::string &asked, int gpus, int node_rank)
{
  if (asked == "cpu" || (asked == "auto" && gpus == 0)) return {};
  if (gpus == 0)
    return {-1, "device " + asked + " asked for, but torch sees no CUDA GPU here; use device cpu"};
  const std::string numbered = "cuda:";
  if (asked.compare(0, numbered.size(), numbered) != 0) return {node_rank % gpus, ""};
  const std::string digits = asked.substr(numbered.size());
  /* a number too long for an int is no GPU either */
  const int index = digits.size() > 6 ? gpus : std::stoi(digits);
  if (index >= gpus)
    return {-1, "device " + asked + " asked for, but torch sees " + std::to_string(gpus) +
                    " GPU(s); use device cuda"};
  return {index, ""};
}

std::string sharing_warning(const std::vector<std::string> &gpu_of_rank)
{
  std::map<std::string, int> ranks_on;
  int ranks = 0, most = 0;
  for (const std::string &gpu : gpu_of_rank) {
    if (gpu.empty()) continue;
    ranks++;
    most = std::max(most, ++ranks_on[gpu]);
  }
  if (most < 2) return "";
  return std::to_string(ranks) + " ranks share " + std::to_string(ranks_on.size()) +
      " GPU(s), up to " + std::to_string(most) +
      " on one; start as many ranks as there are GPUs, or give each rank its own";
}

}  // namespace lmp_thermo

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loads the torch side when a style is first used, and only the torch it was built for. */

#ifndef LMP_THERMO_TORCH_LOADER_H
#define LMP_THERMO_TORCH_LOADER_H

#include "model.h"

#include <string>

namespace lmp_thermo {

/* nullptr and one line in `error` where torch or our library cannot be had. */
lmp_thermo_load_model_t torch_side(std::string &error);

}  // namespace lmp_thermo

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The one entry into the torch side: which class evaluates which file. */

#include "model.h"

#include "aoti.h"
#include "torchscript.h"

#include <exception>

extern "C" __attribute__((visibility("default"))) lmp_thermo::Model *
lmp_thermo_load_model(const lmp_thermo::ModelOptions *options, std::string *error)
{
  try {
    const std::string &path = options->path;
    if (path.size() > 4 && path.compare(path.size() - 4, 4, ".pt2") == 0)
      return new lmp_thermo::AotiModel(*options);
    return new lmp_thermo::TorchScriptModel(*options);
  } catch (const std::exception &failure) {
    *error = lmp_thermo::first_line(failure.what());
  }
  return nullptr;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "torch_loader.h"

#include <dlfcn.h>
#include <link.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <vector>

namespace lmp_thermo {

namespace {

const char *const built_for_torch = LMP_THERMO_TORCH_VERSION;
const char *const torch_lib_at_build = LMP_THERMO_TORCH_LIB;

std::string folder_of(const std::string &path)
{
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

/* The folder of this shared object, wherever it was installed. */
std::string own_folder()
{
  Dl_info info;
  if (!dladdr(reinterpret_cast<void *>(&torch_side), &info)) return ".";
  return folder_of(info.dli_fname);
}

/* libtorch may be in the process already, when LAMMPS runs inside Python. */
std::string loaded_torch_lib()
{
  void *handle = dlopen("libtorch_cpu.so", RTLD_LAZY | RTLD_NOLOAD);
  if (!handle) return "";
  link_map *map = nullptr;
  std::string folder;
  if (dlinfo(handle, RTLD_DI_LINKMAP, &map) == 0 && map) folder = folder_of(map->l_name);
  dlclose(handle);
  return folder;
}

bool readable(const std::string &path) { return access(path.c_str(), R_OK) == 0; }

/* `__version__ = '2.13.0+cpu'` of torch/version.py, or the build-version of a libtorch zip. */
std::string version_of(const std::string &lib)
{
  std::ifstream module(lib + "/../version.py");
  for (std::string line; std::getline(module, line);) {
    if (line.rfind("__version__", 0) != 0) continue;
    const auto first = line.find_first_of("'\"");
    const auto last = line.find_last_of("'\"");
    if (first != std::string::npos && last > first) return line.substr(first + 1, last - first - 1);
  }
  std::ifstream archive(lib + "/../build-version");
  std::string version;
  std::getline(archive, version);
  return version;
}

/* CPU and CUDA builds of one release share their C++ interface; releases do not. */
std::string release(const std::string &version) { return version.substr(0, version.find('+')); }

bool open_all(const std::string &folder, std::string &error)
{
  /* RTLD_GLOBAL: the CUDA backend registers itself with the CPU library's dispatcher. libtorch.so
     holds nothing, but the machine code of a .nequip.pt2 asks for it by name */
  for (const char *name : {"libc10.so", "libtorch_cpu.so", "libc10_cuda.so", "libtorch_cuda.so",
                           "libtorch.so"}) {
    const std::string path = folder + "/" + name;
    if (!readable(path)) continue;
    if (!dlopen(path.c_str(), RTLD_LAZY | RTLD_GLOBAL)) {
      error = std::string("torch cannot be loaded: ") + dlerror() +
          "; install torch==" + release(built_for_torch) + " again";
      return false;
    }
  }
  return true;
}

}  // namespace

lmp_thermo_load_model_t torch_side(std::string &error)
{
  static lmp_thermo_load_model_t entry = nullptr;
  if (entry) return entry;

  const std::string here = own_folder();
  std::vector<std::string> candidates{loaded_torch_lib()};
  if (const char *chosen = std::getenv("LMP_THERMO_TORCH_LIB")) candidates.push_back(chosen);
  candidates.push_back(here + "/../../torch/lib");
  candidates.push_back(torch_lib_at_build);
  std::string found;
  for (const std::string &folder : candidates) {
    if (folder.empty() || !readable(folder + "/libtorch_cpu.so")) continue;
    found = folder;
    break;
  }
  const std::string need = "torch==" + release(built_for_torch);
  if (found.empty()) {
    error = "no libtorch_cpu.so found beside the plugin or where it was built; install " + need +
        " or set LMP_THERMO_TORCH_LIB to the lib folder of torch";
    return nullptr;
  }
  const std::string version = version_of(found);
  if (release(version) != release(built_for_torch)) {
    error = "found torch " + (version.empty() ? std::string("of unknown version") : version) +
        " in " + found + ", but this plugin was built for torch " + built_for_torch +
        "; install " + need + " or build the plugin again";
    return nullptr;
  }
  if (!open_all(found, error)) return nullptr;

  const std::string library = here + "/liblmp_thermo_torch.so";
  void *handle = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  void *symbol = handle ? dlsym(handle, "lmp_thermo_load_model") : nullptr;
  if (!symbol) {
    const char *why = dlerror();
    error = std::string("the torch side of the plugin cannot be loaded: ") +
        (why ? why : "unknown cause") + "; build the plugin again";
    return nullptr;
  }
  entry = reinterpret_cast<lmp_thermo_load_model_t>(symbol);
  return entry;
}

}  // namespace lmp_thermo

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Registers the styles with the LAMMPS that loads this file. Loaded at the start of every
   deck in the environment, so it pulls in nothing beyond the C++ library. */

#include "pair_nequip.h"

#include "force.h"
#include "library.h"

#include <string>

using namespace LAMMPS_NS;

namespace {

/* The public structure of LAMMPS plugins (LAMMPS manual, "Writing plugins"). */
struct PluginRecord {
  const char *version;
  const char *style;
  const char *name;
  const char *info;
  const char *author;
  union {
    void *(*one)(void *);
    void *(*three)(void *, int, char **);
  } creator;
  void *handle;
};
using RegisterFunction = void (*)(PluginRecord *, void *);

Pair *make_nequip(LAMMPS *lmp) { return new PairNequip(lmp, PairNequip::Style::NEQUIP); }
Pair *make_allegro(LAMMPS *lmp) { return new PairNequip(lmp, PairNequip::Style::ALLEGRO); }

/* What this was built for against what runs; empty where they are one. */
std::string difference(void *lmp)
{
  if (lammps_version(lmp) != LMP_THERMO_LAMMPS_VERSION)
    return "LAMMPS " + std::to_string(LMP_THERMO_LAMMPS_VERSION) + ", but this is LAMMPS " +
        std::to_string(lammps_version(lmp));
  const int id_bits = 8 * lammps_extract_setting(lmp, "tagint");
  if (id_bits != 8 * static_cast<int>(sizeof(tagint)))
    return "a LAMMPS with atom IDs of " + std::to_string(8 * sizeof(tagint)) +
        " bits, but this one has " + std::to_string(id_bits) + " (LMP_THERMO_LAMMPS_SIZES)";
  return "";
}

/* Objects of another LAMMPS have another layout: nothing but its C functions may be used. */
Pair *refuse(LAMMPS *lmp)
{
  const std::string text = "pair_style nequip/allegro of lmp_thermo was built for " +
      difference(lmp) + "; build the plugin against this LAMMPS";
  lammps_error(lmp, LMP_ERROR_ALL | LMP_ERROR_WORLD, text.c_str());
  return nullptr;
}

}  // namespace

extern "C" __attribute__((visibility("default"))) void lammpsplugin_init(void *lmp, void *handle,
                                                                         void *regfunc)
{
  const bool fits = difference(lmp).empty();
  struct {
    const char *name;
    const char *info;
    Pair *(*create)(LAMMPS *);
  } const styles[] = {
      {"nequip", "NequIP models, any number of ranks (lmp_thermo)", make_nequip},
      {"allegro", "Allegro models (lmp_thermo)", make_allegro},
  };
  for (const auto &style : styles) {
    PluginRecord record{};
    record.version = fits ? static_cast<LAMMPS *>(lmp)->version : LMP_THERMO_LAMMPS_DATE;
    record.style = "pair";
    record.name = style.name;
    record.info = style.info;
    record.author = "lmp_thermo developers";
    record.creator.one = reinterpret_cast<void *(*) (void *)>(fits ? style.create : refuse);
    record.handle = handle;
    reinterpret_cast<RegisterFunction>(regfunc)(&record, lmp);
    /* a second LAMMPS in one process: the registry knows the plugin, its style map does not */
    if (fits) static_cast<LAMMPS *>(lmp)->force->pair_map->emplace(style.name, style.create);
  }
}

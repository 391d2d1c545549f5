/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Registers the styles with the LAMMPS that loads this file. Loaded at the start of every
   deck in the environment, so it pulls in nothing beyond the C++ library. */

#include "pair_nequip.h"

#include "force.h"
#include "library.h"

#include <cstdio>

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

/* Objects of another LAMMPS have another layout: nothing but its C functions may be used. */
Pair *refuse(LAMMPS *lmp)
{
  char text[256];
  std::snprintf(text, sizeof text,
                "pair_style nequip/allegro of lmp_thermo was built for LAMMPS %d, but this is "
                "LAMMPS %d; build the plugin against this LAMMPS",
                LMP_THERMO_LAMMPS_VERSION, lammps_version(lmp));
  lammps_error(lmp, LMP_ERROR_ALL | LMP_ERROR_WORLD, text);
  return nullptr;
}

}  // namespace

extern "C" __attribute__((visibility("default"))) void lammpsplugin_init(void *lmp, void *handle,
                                                                         void *regfunc)
{
  const bool fits = lammps_version(lmp) == LMP_THERMO_LAMMPS_VERSION;
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

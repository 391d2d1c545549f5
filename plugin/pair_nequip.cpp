/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "pair_nequip.h"

#include "device_choice.h"
#include "model.h"
#include "torch_loader.h"

#include "atom.h"
#include "citeme.h"
#include "comm.h"
#include "error.h"
#include "force.h"
#include "group.h"
#include "memory.h"
#include "neighbor.h"
#include "update.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

using namespace LAMMPS_NS;

namespace {

const char cite_nequip[] =
    "pair_style nequip: doi:10.1038/s41467-022-29939-5\n\n"
    "@Article{Batzner2022,\n"
    " author = {S. Batzner and A. Musaelian and L. Sun and M. Geiger and J. P. Mailoa and\n"
    "           M. Kornbluth and N. Molinari and T. E. Smidt and B. Kozinsky},\n"
    " title = {E(3)-equivariant graph neural networks for data-efficient and accurate\n"
    "          interatomic potentials},\n"
    " journal = {Nature Communications},\n volume = 13,\n pages = 2453,\n year = 2022\n}\n\n";

const char cite_allegro[] =
    "pair_style allegro: doi:10.1038/s41467-023-36329-y\n\n"
    "@Article{Musaelian2023,\n"
    " author = {A. Musaelian and S. Batzner and A. Johansson and L. Sun and C. J. Owen and\n"
    "           M. Kornbluth and B. Kozinsky},\n"
    " title = {Learning local equivariant representations for large-scale atomistic dynamics},\n"
    " journal = {Nature Communications},\n volume = 14,\n pages = 579,\n year = 2023\n}\n\n";

bool ends_with(const std::string &text, const std::string &end)
{
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

std::string joined(const std::vector<std::string> &names)
{
  std::string text;
  for (const auto &name : names) text += (text.empty() ? "" : " ") + name;
  return text;
}

}  // namespace

PairNequip::PairNequip(LAMMPS *lmp, Style style)
    : Pair(lmp), style_(style), device_("auto"), edges_("auto")
{
  single_enable = 0;
  restartinfo = 0;
  one_coeff = 1;
  manybody_flag = 1;
  respa_enable = 0;
  /* we tally the virial: without this LAMMPS would expect forces on every periodic image */
  no_virial_fdotr_compute = 1;
  centroidstressflag = CENTROID_AVAIL;
  comm_forward = 2;  // an owner's rank and node; rows of nodes travel by node_exchange.cpp
  if (lmp->citeme) lmp->citeme->add(style_ == Style::NEQUIP ? cite_nequip : cite_allegro);
}

PairNequip::~PairNequip()
{
  if (copymode) return;
  if (allocated) {
    memory->destroy(setflag);
    memory->destroy(cutsq);
  }
}

const char *PairNequip::style_name() const
{
  return style_ == Style::NEQUIP ? "nequip" : "allegro";
}

void PairNequip::agree(bool ok, const std::string &message)
{
  const int mine = ok ? comm->nprocs : comm->me;
  int first = comm->nprocs;
  MPI_Allreduce(&mine, &first, 1, MPI_INT, MPI_MIN, world);
  if (first == comm->nprocs) return;
  int length = static_cast<int>(message.size());
  MPI_Bcast(&length, 1, MPI_INT, first, world);
  std::string text = message;
  text.resize(static_cast<std::size_t>(length));
  MPI_Bcast(text.data(), length, MPI_CHAR, first, world);
  error->all(FLERR, "pair_style {}: {}", style_name(), text);
}

void PairNequip::warn_of_shared_gpus()
{
  constexpr int length = 2 * MPI_MAX_PROCESSOR_NAME;
  std::array<char, length> mine{};
  const std::string &gpu = model_->info().gpu;
  if (!gpu.empty()) {
    std::array<char, MPI_MAX_PROCESSOR_NAME> host{};
    int unused = 0;
    MPI_Get_processor_name(host.data(), &unused);
    std::snprintf(mine.data(), length, "%s %s", host.data(), gpu.c_str());
  }
  std::vector<char> all(comm->me == 0 ? static_cast<std::size_t>(length) * comm->nprocs : 0);
  MPI_Gather(mine.data(), length, MPI_CHAR, all.data(), length, MPI_CHAR, 0, world);
  if (comm->me != 0) return;
  std::vector<std::string> gpu_of_rank;
  for (int rank = 0; rank < comm->nprocs; rank++)
    gpu_of_rank.emplace_back(all.data() + static_cast<std::size_t>(length) * rank);
  const std::string warning = lmp_thermo::sharing_warning(gpu_of_rank);
  if (!warning.empty()) error->warning(FLERR, "pair_style {}: {}", style_name(), warning);
}

void PairNequip::allocate()
{
  if (allocated) return;
  allocated = 1;
  const int n = atom->ntypes;
  memory->create(setflag, n + 1, n + 1, "pair:setflag");
  memory->create(cutsq, n + 1, n + 1, "pair:cutsq");
  for (int i = 1; i <= n; i++)
    for (int j = i; j <= n; j++) setflag[i][j] = 0;
}

void PairNequip::settings(int narg, char **arg)
{
  device_ = edges_ = "auto";
  for (int i = 0; i < narg; i += 2) {
    const std::string key = arg[i];
    if (i + 1 == narg)
      error->all(FLERR, "pair_style {}: keyword {} needs a value", style_name(), key);
    const std::string value = arg[i + 1];
    if (key == "device") {
      if (value != "auto" && value != "cpu" && value != "cuda" &&
          !utils::strmatch(value, "^cuda:\\d+$"))
        error->all(FLERR, "pair_style {}: device {} is not one of auto, cpu, cuda, cuda:N",
                   style_name(), value);
      device_ = value;
    } else if (key == "engine") {
      if (value != "auto" && value != "torch")
        error->all(FLERR, "pair_style {}: engine {} is not one of auto, torch", style_name(),
                   value);
    } else if (key == "edges") {
      if (value != "auto" && value != "host" && value != "device")
        error->all(FLERR, "pair_style {}: edges {} is not one of auto, host, device",
                   style_name(), value);
      edges_ = value;
    } else
      error->all(FLERR, "pair_style {}: unknown keyword {}; known are device, edges, engine",
                 style_name(), key);
  }
}

void PairNequip::coeff(int narg, char **arg)
{
  const int ntypes = atom->ntypes;
  if (narg < 3)  // LAMMPS itself sees to the "* *" of a style with one_coeff
    error->all(FLERR, "pair_style {}: expected pair_coeff * * FILE followed by {} model type "
               "name(s)", style_name(), ntypes);
  const std::string path = arg[2];
  if (!ends_with(path, ".nequip.pth") && !ends_with(path, ".nequip.pt2"))
    error->all(FLERR, "pair_style {}: {} ends neither in .nequip.pth nor in .nequip.pt2; export "
               "the model with nequip-compile or lmp-thermo potential export", style_name(), path);
  if (narg - 3 != ntypes)
    error->all(FLERR, "pair_style {}: pair_coeff names {} model type(s), but the system has {} "
               "atom type(s); give one name (or NULL) for each", style_name(), narg - 3, ntypes);
  allocate();

  lmp_thermo::ModelOptions options;
  options.path = path;
  options.device = device_;
  options.threads = comm->nthreads;
  options.many_ranks = comm->nprocs > 1;
  options.edges = edges_;
  /* before anything that may fail on one rank alone: all ranks take part in the split */
  MPI_Comm node;
  MPI_Comm_split_type(world, MPI_COMM_TYPE_SHARED, comm->me, MPI_INFO_NULL, &node);
  MPI_Comm_rank(node, &options.node_rank);
  MPI_Comm_free(&node);
  std::string message;
  if (!platform::file_is_readable(path))
    message = "model file " + path + " is missing or cannot be read; check the path in pair_coeff";
  lmp_thermo_load_model_t load = message.empty() ? lmp_thermo::torch_side(message) : nullptr;
  if (load) model_.reset(load(&options, &message));
  agree(model_ != nullptr && message.empty(), message);
  warn_of_shared_gpus();

  const lmp_thermo::ModelInfo &info = model_->info();
  if (style_ == Style::ALLEGRO && info.convolutions != 0)
    error->all(FLERR, "pair_style allegro: {} is a message-passing model; use pair_style nequip",
               path);
  type_to_model_.assign(static_cast<std::size_t>(ntypes) + 1, -1);
  for (int type = 1; type <= ntypes; type++) {
    const std::string name = arg[2 + type];
    if (name == "NULL") {
      if (!utils::strmatch(force->pair_style, "^hybrid"))
        error->all(FLERR, "pair_style {}: NULL for atom type {} leaves it without interactions; "
                   "use pair_style hybrid/overlay", style_name(), type);
      continue;
    }
    const auto known = std::find(info.type_names.begin(), info.type_names.end(), name);
    if (known == info.type_names.end())
      error->all(FLERR, "pair_style {}: type name {} is not in the model; it has {}", style_name(),
                 name, joined(info.type_names));
    type_to_model_[static_cast<std::size_t>(type)] =
        static_cast<int>(known - info.type_names.begin());
  }
  int count = 0;
  for (int i = 1; i <= ntypes; i++)
    for (int j = i; j <= ntypes; j++)
      if (type_to_model_[static_cast<std::size_t>(i)] >= 0 &&
          type_to_model_[static_cast<std::size_t>(j)] >= 0) {
        setflag[i][j] = 1;
        count++;
      }
  if (count == 0)
    error->all(FLERR, "pair_style {}: every name in pair_coeff is NULL; name at least one model "
               "type", style_name());
  for (Nodes *nodes : {&merged_, &images_}) {
    nodes->builder.set_types(type_to_model_, info.pair_cutoff);
    nodes->stale = true;
  }
  if (comm->me == 0)
    utils::logmesg(lmp, "pair_style {}: {} model, {}, {}, r_max {} A, types {}, {} convolution(s)\n",
                   style_name(), info.format, info.dtype, info.device, info.r_max,
                   joined(info.type_names),
                   info.convolutions < 0 ? "an unknown number of"
                                         : std::to_string(info.convolutions));
}

void PairNequip::check_atoms_and_units()
{
  if (std::strcmp(update->unit_style, "metal") != 0)
    error->all(FLERR, "pair_style {}: units are {}, but models are in eV and Angstrom; use units "
               "metal", style_name(), update->unit_style);
  if (!atom->tag_enable)
    error->all(FLERR, "pair_style {}: atoms have no IDs; remove atom_modify id no", style_name());
  if (utils::strmatch(update->integrate_style, "^respa"))
    error->all(FLERR, "pair_style {}: run_style respa is not supported; use run_style verlet",
               style_name());
  /* a zero weight drops bonded pairs from the list, and with them edges of the model */
  if (atom->molecular != Atom::ATOMIC && atom->nbonds > 0)
    for (int k = 1; k <= 3; k++)
      if (force->special_lj[k] == 0.0 && force->special_coul[k] == 0.0)
        error->all(FLERR, "pair_style {}: special_bonds removes bonded neighbours from the model; "
                   "use special_bonds lj/coul 1.0 1.0 1.0 or delete the bonds", style_name());
}

/* Not refused: pairs deep within a frozen part may well be left out to save time. */
void PairNequip::warn_of_exclusions()
{
  const auto seen = [&](int type) { return type_to_model_[static_cast<std::size_t>(type)] >= 0; };
  bool affects = false;
  for (int k = 0; k < neighbor->nex_type; k++)
    affects = affects || (seen(neighbor->ex1_type[k]) && seen(neighbor->ex2_type[k]));
  int bits = 0;  // not ex1_bit: LAMMPS makes those after the pair styles are ready
  for (int k = 0; k < neighbor->nex_group; k++)
    bits |= group->bitmask[neighbor->ex1_group[k]] | group->bitmask[neighbor->ex2_group[k]];
  for (int k = 0; k < neighbor->nex_mol; k++) bits |= group->bitmask[neighbor->ex_mol_group[k]];
  int in_groups = 0;
  for (int i = 0; i < atom->nlocal; i++)
    if (seen(atom->type[i]) && (atom->mask[i] & bits)) in_groups = 1;
  int in_any = 0;
  MPI_Allreduce(&in_groups, &in_any, 1, MPI_INT, MPI_MAX, world);
  if ((affects || in_any) && comm->me == 0)
    error->warning(FLERR, "pair_style {}: neigh_modify exclude hides neighbours from the model, "
                   "which changes the energy of every atom within its reach of them; exclude only "
                   "pairs that lie deep within a frozen part", style_name());
}

void PairNequip::init_style()
{
  check_atoms_and_units();
  if (neighbor->exclude) warn_of_exclusions();
  const lmp_thermo::ModelInfo &info = model_->info();
  if (comm->nprocs > 1 && !info.many_ranks)
    error->all(FLERR, "pair_style {}: this model runs on one rank only; {}", style_name(),
               info.many_ranks_remedy);
  neighbor->add_request(this, NeighConst::REQ_FULL);
  reach_ = 0.0;
  merged_.stale = images_.stale = true;
}

double PairNequip::init_one(int i, int j)
{
  const lmp_thermo::ModelInfo &info = model_->info();
  const int a = type_to_model_[static_cast<std::size_t>(i)];
  const int b = type_to_model_[static_cast<std::size_t>(j)];
  if (a < 0 || b < 0) return 0.0;
  const auto n = info.type_names.size();
  const auto cut = [&](int from, int to) {
    return info.pair_cutoff[static_cast<std::size_t>(from) * n + static_cast<std::size_t>(to)];
  };
  const double longest = std::max(cut(a, b), cut(b, a));
  reach_ = std::max(reach_, longest);
  return longest;
}

void PairNequip::setup()
{
  /* not cutforce: LAMMPS leaves that of a style within hybrid undefined */
  if (comm->get_comm_cutoff() < reach_)
    error->all(FLERR, "pair_style {}: ghost atoms reach to {} A, but the model sees {} A; raise "
               "comm_modify cutoff", style_name(), comm->get_comm_cutoff(), reach_);
  agree(model_->warm_up(), model_->error());
  timing_ = Timing{};
  timing_.sent_bytes_before = merged_.exchange.sent_bytes() + images_.exchange.sent_bytes();
}

double PairNequip::memory_usage()
{
  return Pair::memory_usage() +
      static_cast<double>(merged_.exchange.memory() + images_.exchange.memory() +
                          (node_force_.capacity() + node_virial_.capacity()) * sizeof(double));
}

"""Sections of a study file, with the unit of every quantity in its key."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from lmp_thermo.comparison import Curriculum
from lmp_thermo.reading import Arguments, Name, NonNegative, Positive, Section


class Molecule(Section):
    """One kind of molecule of the fluid."""

    name: Name
    formula: str | None = Field(None, description="a molecule or atom that ASE knows, e.g. CH4")
    geometry: str | None = Field(None, description="XYZ file beside the study file, instead")
    proportion: int = Field(1, ge=1, description="how many for each repeat unit of the mixture")

    @model_validator(mode="after")
    def _one_source(self) -> "Molecule":
        if (self.formula is None) == (self.geometry is None):
            raise ValueError("expected one of formula and geometry; give exactly one")
        return self


class Fluid(Section):
    """Molecules and their proportions."""

    molecules: list[Molecule] = Field(min_length=1)


class GridBlock(Section):
    """Every density at every temperature of the block."""

    densities_g_cm3: list[Positive] = Field(min_length=1)
    temperatures_K: list[Positive] = Field(min_length=1)


class LammpsForceField(Section):
    """A reference that is a LAMMPS force field, given by its commands in metal units."""

    pair_commands: list[str] = Field(min_length=1)
    cutoff_A: Positive = Field(description="the largest distance at which atoms interact")
    files: list[str] = Field(
        default_factory=list,
        description="that the pair commands name: below the study file's folder, or among those "
        "that come with LAMMPS",
    )
    molecules: list[str] = Field(
        default_factory=list,
        description="LAMMPS data files of one molecule each, atom_style full, below the study "
        "file's folder: for force fields with charges and bonded terms",
    )
    bonded_commands: list[str] = Field(
        default_factory=list,
        description="what the types of bonds, angles, dihedrals and impropers in them are",
    )

    @model_validator(mode="after")
    def _bonded_terms_have_atoms(self) -> "LammpsForceField":
        if self.bonded_commands and not self.molecules:
            raise ValueError("bonded_commands without molecules; name their data files")
        return self


class AseCalculator(Section):
    """A reference that is an ASE calculator, given by its dotted path."""

    calculator: str = Field(pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)+$")
    arguments: Arguments = Field(default_factory=dict)
    reach_A: Positive | None = Field(
        None, description="range of direct interactions; label boxes must be twice as long"
    )
    alone_box_A: Positive | None = Field(
        None,
        description="edge of a periodic box for molecules alone, for calculators that know "
        "periodic boxes only",
    )


class Reference(Section):
    """Where energies come from."""

    name: Name
    lammps: LammpsForceField | None = None
    ase: AseCalculator | None = None
    min_box_A: Positive = Field(10.0, description="no label box may be shorter along any edge")
    max_force_eV_A: Positive = Field(50.0, description="a frame with a larger force is refused")
    energy_tolerance_eV: Positive = Field(
        1e-5, description="a reference is refused if two labels of one frame differ by more"
    )

    @model_validator(mode="after")
    def _one_kind(self) -> "Reference":
        if (self.lammps is None) == (self.ase is None):
            raise ValueError("expected one of lammps and ase; give exactly one")
        return self


class Dynamics(Section):
    """A LAMMPS run that draws frames."""

    timestep_fs: Positive = Field(le=20)
    equilibration_ps: Positive
    production_ps: Positive
    spacing_ps: Positive | None = Field(
        None,
        description="least time between frames that are drawn; a run is lengthened where "
        "production_ps is too short for it",
    )


class Sampling(Section):
    """How the labelling budget is spent over the grid."""

    design: Literal["none", "temperature", "density", "grid", "adaptive"] = "grid"
    density_g_cm3: Positive | None = Field(None, description="for designs none and temperature")
    temperature_K: Positive | None = Field(None, description="for designs none and density")
    budget_frames: int | None = Field(
        None,
        gt=0,
        description="labelled frames to train on, over all rounds; of a comparison, over the "
        "rounds before the one that draws the pool",
    )
    curriculum: Curriculum | None = Field(
        None,
        description="for design adaptive: how it spends the last round's share of the budget; only "
        "what it buys is labelled",
    )
    held_out_per_cell: int = Field(3, ge=1, description="labelled frames a cell that only judge")
    rounds: int = Field(1, ge=1, le=20)
    molecules: int = Field(ge=1, description="molecules in a label box")
    molecule_frames: int = Field(
        0, ge=0, description="labelled frames of single molecules, in addition"
    )
    dynamics: Dynamics


class Training(Section):
    """How models are trained."""

    recipe: Literal["scratch"] = "scratch"
    architecture: Literal["nequip"] = "nequip"
    r_max_A: Positive = 5.0
    pair_r_max_A: dict[str, Positive] = Field(
        default_factory=dict, description="shorter cutoffs of single pairs, such as H-H"
    )
    layers: int = Field(2, ge=1, le=6)
    l_max: int = Field(1, ge=0, le=3)
    parity: bool = True
    features: int = Field(16, ge=1, le=256)
    num_bessels: int = Field(
        8,
        ge=1,
        le=64,
        description="radial basis functions; one pair of elements that makes both stiff bonds and "
        "far contacts needs more, see docs/designs.md",
    )
    radial_mlp_width: int = Field(64, ge=1, le=1024)
    dtype: Literal["float32", "float64"] = "float32"
    batch_size: int = Field(2, ge=1)
    learning_rate: Positive = 0.01
    apart_share: Annotated[float, Field(ge=0, le=1)] = Field(
        0.3,
        description="share of the training frames that stand a second time with their molecules "
        "apart",
    )
    packed_frames: Literal["first-round", "all"] = Field(
        "first-round",
        description="whether the frames packed for the first round train its model only, or all",
    )
    updates: list[int] | None = Field(None, description="updates in each round")
    minutes: list[Positive] | None = Field(
        None, description="wall time in each round, instead; not reproducible"
    )
    threads: int = Field(1, ge=1)
    device: Literal["cpu", "cuda"] = Field(
        "cpu",
        description="where models are trained; what is trained stays current when it changes",
    )
    compiled: bool = Field(
        False,
        description="whether torch compiles the model for training: needs a C++ compiler, and a "
        "minute or two for a study's first model, and makes updates faster",
    )
    energy_weight: NonNegative = Field(200.0, description="of the energy per atom, (eV/atom)^2")
    force_weight: NonNegative = Field(5.0, description="of force components, (eV/Å)^2")
    stress_weight: NonNegative = Field(20.0, description="of the virial per atom, (eV/atom)^2")
    net_force_weight: NonNegative = Field(
        10.0, description="of the net force on each molecule, (eV/Å)^2; drops out for atoms"
    )
    torque_weight: NonNegative = Field(
        5.0, description="of the torque on each molecule, eV^2; drops out for atoms"
    )
    molecular_virial_weight: NonNegative = Field(
        30.0, description="of the molecular virial per molecule, eV^2; drops out for atoms"
    )
    references: dict[str, float] | Literal["isolated-molecules", "isolated-atoms", "fit"] = Field(
        "isolated-molecules",
        description="per-element energies: given, fitted on molecules alone, of isolated atoms, or "
        "fitted on the training frames",
    )
    overrides: Arguments = Field(default_factory=dict, description="any key of nequip")

    @model_validator(mode="after")
    def _one_limit(self) -> "Training":
        if (self.updates is None) == (self.minutes is None):
            raise ValueError("expected one of updates and minutes; give exactly one")
        if any(u < 1 for u in self.updates or []):
            raise ValueError("updates: expected numbers above 0")
        if self.force_weight == 0 and self.energy_weight == 0:
            raise ValueError("expected energy_weight or force_weight above 0")
        return self


class Guards(Section):
    """Limits at which a run stops."""

    temperature_factor: Positive = Field(4.0, gt=1, description="times the asked temperature")
    min_distance_A: Positive = 0.6
    energy_rise_eV_atom: Positive = 1.0


class Production(Section):
    """The runs with the finished potential, one at each state point."""

    molecules: int = Field(ge=1)
    timestep_fs: Positive = Field(le=20)
    equilibration_ps: Positive
    production_ps: Positive
    gas_production_ps: Positive | None = Field(
        None, description="instead of production_ps where the gas thermostat is used"
    )
    nve_ps: NonNegative = 0.0
    trajectory_every_fs: Positive = 100.0
    thermo_every_fs: Positive = 10.0
    segment_ps: Positive = 1.0
    thermostat: Literal["langevin", "csvr", "nose-hoover"] = Field(
        "langevin",
        description="csvr and nose-hoover act on the whole box and leave it to collisions to share "
        "energy between the motion of molecules and their vibrations, which takes longer than most "
        "runs; for atoms all three do",
    )
    gas_thermostat: Literal["langevin", "csvr", "nose-hoover"] = "langevin"
    gas_below_g_cm3: NonNegative = Field(
        0.0, description="at and below this density the gas thermostat is used"
    )
    thermostat_damping_ps: Positive = 0.1
    compiled: bool = Field(
        False,
        description="whether runs read models compiled ahead of time for this machine's processor "
        "(.nequip.pt2): needs a C++ compiler and two minutes for each potential, and makes steps "
        "two to four times as fast; for decks that other machines run, leave it out",
    )
    guards: Guards = Guards()


class Gates(Section):
    """What a cell must meet; see `lmp_thermo.validation`."""

    net_force_relative: Positive = 0.25
    net_force_floor_meV_A: Positive = 10.0
    interaction_energy_relative: Positive = 0.10
    interaction_energy_floor_meV_atom: Positive = 0.2
    pressure_ideal_relative: Positive = 0.05
    pressure_relative: Positive = 0.03
    pressure_bar: Positive = Field(150.0, description="granted only in the liquid")
    liquid_above_g_cm3: NonNegative = 0.0


class Validation(Section):
    """How the potential's own runs are judged."""

    frames_per_cell: int = Field(6, ge=2, description="frames relabelled by the reference")
    reference_runs: bool = Field(
        False, description="carry out the same runs with the reference (LAMMPS force field)"
    )
    gates: Gates = Gates()

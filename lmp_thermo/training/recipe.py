"""What a training is asked to do: architecture, loss, limit, recipe."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from lmp_thermo.errors import TrainingError

Dtype = Literal["float32", "float64"]
Recipe = Literal["scratch", "fine-tune"]
Device = Literal["cpu", "cuda"]

RAMP_START = 1e-3
"""Share of their weight with which the terms of the loss begin, see `TrainingPlan.ramp`."""

RADIAL_START = 0.3
"""Factor of the radial basis at the start of a training, see `callbacks.RadialStart`."""


@dataclass(frozen=True)
class Architecture:
    """Size of a NequIP model.

    Args:
        r_max_A: cutoff of an edge, Å.
        pair_r_max_A: shorter cutoffs of single pairs of species, Å, by names such as ``H-H``; most
            edges of a molecular fluid are between its many light atoms, and an edge costs the
            same whatever it tells.
        layers: message-passing layers; the model sees as far as ``layers * r_max_A``.
        l_max: highest rotation order of the features.
        parity: whether features of both parities are kept for each order.
        features: multiplicity of each order.
        radial_mlp_depth: hidden layers of the function of edge length.
        radial_mlp_width: neurons in each of them.
        num_bessels: radial basis functions.
        cutoff_power: exponent of the polynomial envelope; smaller decays earlier.
        dtype: precision inside the model.
    """

    r_max_A: float
    layers: int = 2
    l_max: int = 1
    parity: bool = False
    features: int = 32
    radial_mlp_depth: int = 1
    radial_mlp_width: int = 64
    num_bessels: int = 8
    cutoff_power: int = 6
    dtype: Dtype = "float32"
    pair_r_max_A: Mapping[str, float] = field(default_factory=dict)

    def cutoffs(self, species: Sequence[str]) -> dict[str, dict[str, float]]:
        """Cutoff of each pair of species, Å, both ways.

        Raises:
            TrainingError: a pair is unknown, or its cutoff is not in (0, r_max_A].
        """
        cutoffs = {a: dict.fromkeys(species, self.r_max_A) for a in species}
        for pair, cutoff in self.pair_r_max_A.items():
            a, _, b = pair.partition("-")
            if a not in cutoffs or b not in cutoffs or not 0 < cutoff <= self.r_max_A:
                raise TrainingError(
                    f"pair_r_max_A: {pair} = {cutoff}, expected two of {', '.join(species)} joined "
                    f"by a hyphen and a cutoff above 0, at most r_max_A = {self.r_max_A}; mend it"
                )
            cutoffs[a][b] = cutoffs[b][a] = float(cutoff)
        return cutoffs


@dataclass(frozen=True)
class LossWeights:
    """Weights of the mean squared errors that are minimised; nequip scales them to sum one.

    Args:
        energy: of the energy per atom, (eV/atom)^2.
        force: of force components, (eV/Å)^2.
        stress: of the components of the virial per atom, ``-V * stress / n_atoms``, (eV/atom)^2.
        net_force: of the components of the net force on each molecule, (eV/Å)^2.
        torque: of the components of the torque on each molecule about its centre of mass, eV^2.
        molecular_virial: of the components of the molecular virial per molecule, eV^2.
    """

    energy: float = 1.0
    force: float = 1.0
    stress: float = 0.0
    net_force: float = 0.0
    torque: float = 0.0
    molecular_virial: float = 0.0

    def __post_init__(self) -> None:
        for name, weight in vars(self).items():
            if not 0.0 <= weight < float("inf"):
                raise TrainingError(
                    f"loss weight {name} = {weight}, expected a finite number not below 0; mend it"
                )
        if not any(vars(self).values()):
            raise TrainingError("loss weights are all 0, expected one above 0; set energy or force")


@dataclass(frozen=True)
class Limit:
    """When training stops: after a number of updates, or after minutes of wall time."""

    updates: int | None = None
    minutes: float | None = None

    def __post_init__(self) -> None:
        given = [v for v in (self.updates, self.minutes) if v is not None]
        if len(given) != 1 or not 0 < given[0] < float("inf"):
            raise TrainingError(
                f"limit of training: got updates = {self.updates}, minutes = {self.minutes}; "
                "expected one of them, above 0"
            )

    @property
    def reproducible(self) -> bool:
        """Whether the same inputs give the same model (with one thread)."""
        return self.updates is not None


@dataclass(frozen=True)
class TrainingPlan:
    """One training.

    Args:
        architecture: size of the model; of the earlier model where `recipe` is ``fine-tune``.
        limit: when it stops.
        loss: weights of the loss.
        recipe: ``scratch``, or ``fine-tune`` to go on from an earlier model's weights with a new
            optimiser and schedule.
        seed: of the initial weights and of the order of frames.
        threads: of torch.
        device: ``cpu`` or ``cuda``.
        compiled: whether torch compiles the model for training.
        batch_size: frames in an update.
        apart_share: share of the frames of molecules that stand in the training set a second time
            with their molecules apart, see `lmp_thermo.training.apart`.
        learning_rate: highest rate of Adam; warm-up, plateau and decay follow the share of the
            limit that is used.
        warm_up: share of the limit in which the rate rises from 0.
        ramp: share of the limit in which every weight but the forces' rises to its value, from
            `RAMP_START` of it. Without it a model can settle where it predicts no force at all:
            net forces, torques and molecular virials are then nearly right, since they are small
            beside the forces within molecules. Not used by ``fine-tune``.
        decay_from: share of the limit at which the rate begins to fall.
        final_rate: rate at the end, as a share of `learning_rate`.
        ema_decay: of the moving average of the weights, which is what is kept.
        clip_gradient: largest norm of a gradient; None for no limit.
        updates_per_epoch: updates between two looks at the clock for validation and checkpoints.
        validate_every: epochs between validations.
        checkpoint_seconds: wall time between checkpoints; 0 for one at each epoch.
    """

    architecture: Architecture
    limit: Limit
    loss: LossWeights = field(default_factory=LossWeights)
    recipe: Recipe = "scratch"
    seed: int = 1
    threads: int = 1
    device: Device = "cpu"
    compiled: bool = False
    batch_size: int = 2
    apart_share: float = 0.3
    learning_rate: float = 0.01
    warm_up: float = 0.02
    ramp: float = 0.3
    decay_from: float = 0.3
    final_rate: float = 0.01
    ema_decay: float = 0.99
    clip_gradient: float | None = None
    updates_per_epoch: int = 50
    validate_every: int = 4
    checkpoint_seconds: float = 30.0

    def __post_init__(self) -> None:
        wrong = [
            name
            for name, right in (
                ("threads", self.threads >= 1),
                ("batch_size", self.batch_size >= 1),
                ("apart_share", 0 <= self.apart_share <= 1),
                ("learning_rate", 0 < self.learning_rate < float("inf")),
                ("warm_up", 0 <= self.warm_up < 1),
                ("ramp", 0 <= self.ramp < 1),
                ("decay_from", self.warm_up <= self.decay_from < 1),
                ("final_rate", 0 < self.final_rate <= 1),
                ("ema_decay", 0 <= self.ema_decay < 1),
                ("updates_per_epoch", self.updates_per_epoch >= 1),
                ("validate_every", self.validate_every >= 1),
                ("checkpoint_seconds", self.checkpoint_seconds >= 0),
            )
            if not right
        ]
        if wrong:
            raise TrainingError(
                f"training plan: {wrong[0]} = {getattr(self, wrong[0])} is out of range; mend it"
            )

    @property
    def reproducible(self) -> bool:
        """Whether the same frames give the same model bit for bit on one kind of machine."""
        return self.limit.reproducible and self.threads == 1 and self.device == "cpu"

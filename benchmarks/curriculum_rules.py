"""Rules of spending a few labels, for `curriculum_trials.py`.

- even: the grid design. density, temperature, none: those designs.
- worth: the next label goes where most cells get something of it, as guessed beforehand for steps
  of the grid.
- committee-N: the curriculum as the package carries it out, with members of N updates.
- information: the next label is the one that lowers the mean of the cells' expected errors most,
  by the posterior variance of a sum over pairs of sites (splines) that has seen the labels' frames.
- frames: the same, with every frame of a cell to choose from and what was bought fitted again
  before each choice; the richest frames of the densest and of the thinnest cell come first.
- gradient-N: the curriculum's start and its first committee; then, for all the rest at once, the
  frames whose labels would move the members most: the expected length of the gradient of the loss
  (Settles, Craven and Ray, NIPS 2007) where each member's word is the label for the others.
- coverage: the frame that is farthest from all chosen ones, by the same sums over pairs, for all
  labels; as the curriculum starts, but without its floor for the gas and its bound for a cell.
"""

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pair_sums import ENERGY_EV, FORCE_EV_A, PairBasis, Rows, fitted

from lmp_thermo.comparison import Arm, Curriculum
from lmp_thermo.errors import StudyError
from lmp_thermo.frames import Frame
from lmp_thermo.potential.card import MODEL
from lmp_thermo.potential.evaluate import Evaluator, _tensors
from lmp_thermo.products import read_json
from lmp_thermo.sampling.designs import cells_of, pool_order, spend
from lmp_thermo.sampling.pair_sums import FarthestFirst
from lmp_thermo.stages import curriculum
from lmp_thermo.stages.candidates import buyers, settings
from lmp_thermo.stages.context import Context
from lmp_thermo.stages.pool import Selection, comparison_of, costs, pool
from lmp_thermo.stages.workspace import Workspace
from lmp_thermo.states import StatePoint
from lmp_thermo.training.recipe import Architecture
from lmp_thermo.units import ideal_gas_pressure_bar

Array = NDArray[np.float64]
Rule = Callable[[Context, int, int], Selection]

LOOKED_AT = 10
"""Frames of a cell by which its expected error is computed, and that may be chosen from it."""

ALONG_DENSITY = 0.5
"""What a label is worth one density of the grid further on, by the rule of worth."""

COOLER, HOTTER = 0.8, 0.35
"""What it is worth one temperature of the grid below its own, and above it."""

SHARPNESS = 4.0
"""Power of the mean by which expected scores are summed up: near to the largest, and smooth."""

PRIOR = 1e-6
"""Stiffness of the splines before any label, over the information of one frame."""


def ideal_bar(frame: Frame) -> float:
    """N k_B T / V of a frame's molecules."""
    volume = float(frame.atoms.get_volume())
    return ideal_gas_pressure_bar(frame.n_molecules, frame.tags.temperature_K, volume)


def fixed(context: Context, seed: int, labels: int, design: Any) -> Selection:
    """A fixed design."""
    arm = Arm(design, "intermolecular", seed, float(labels))
    grid, price = context.study.states, costs(context)
    return spend(arm, comparison_of(context), grid, price, context.study.seed)


def spendable(context: Context) -> list[StatePoint]:
    """Cells on which labels may be spent."""
    known = pool(context)
    comparison, grid = comparison_of(context), context.study.states
    return [s for s in cells_of("adaptive", comparison, grid) if s in known]


def in_order(context: Context, seed: int, state: StatePoint) -> list[int]:
    """A cell's frames in the order in which arms of a seed take them."""
    return pool_order(context.study.seed, seed, state, len(pool(context)[state]))


def worth(context: Context, seed: int, labels: int) -> Selection:
    """The label that counts for most cells, each cell's error falling as the inverse root of those
    that count for it: its own, and others at less worth, the less the farther on the grid."""
    states = spendable(context)
    density, temperature = (
        np.unique([getattr(s, name) for s in states], return_inverse=True)[1].astype(float)
        for name in ("density_g_cm3", "temperature_K")
    )
    warmer = temperature[:, None] - temperature[None, :]
    helps = (
        ALONG_DENSITY ** np.abs(density[:, None] - density[None, :])
        * COOLER ** np.maximum(warmer, 0.0)
        * HOTTER ** np.maximum(-warmer, 0.0)
    )
    most, given = math.ceil(0.25 * labels), np.zeros(len(states), dtype=int)
    for number in range(labels):
        counts = 1.0 + given @ helps
        now = np.mean(np.sqrt(1.0 / counts) ** SHARPNESS)
        gain = now - np.mean(np.sqrt(1.0 / (counts + helps)) ** SHARPNESS, axis=1)
        open_ones = given < np.minimum(most, [len(pool(context)[s]) for s in states])
        if number < math.ceil(0.05 * labels):  # the gas first
            open_ones &= density == 0
        given[int(np.argmax(np.where(open_ones, gain, -math.inf)))] += 1
    wanted = {s: int(n) for s, n in zip(states, given, strict=True) if n}
    return {s: in_order(context, seed, s)[:count] for s, count in wanted.items()}


def committee(context: Context, seed: int, labels: int, updates: int, out: Path) -> Selection:
    """The curriculum as the package carries it out."""
    own = carried_out(context, seed, labels, updates, out / f"committee-{updates}-{labels}")
    return curriculum.selection(own, buyers(own)[0])


def gradient(context: Context, seed: int, labels: int, updates: int, out: Path) -> Selection:
    """The curriculum's start, then the frames with the longest expected gradients."""
    own, arm = with_committee(context, seed, labels, updates, out)
    start = read_json(curriculum.product(own, arm, 0).folder / curriculum.SELECTION)["selection"]
    bought: Selection = {own.study.states.named(name): list(i) for name, i in start.items()}
    folders = [own.workspace.committee(arm.name, 1, k) for k in range(settings(own).committee)]
    if not all(folder.is_dir() for folder in folders):
        raise StudyError(f"gradient with {labels} labels: the start spends all of them; give more")
    members = [Member(folder / MODEL) for folder in folders]
    most = math.ceil(settings(own).most_of(len(spendable(context))) * labels)
    lengths = {
        (state, index): expected_length(members, pool(context)[state][index])
        for state in spendable(context)
        for index in in_order(context, seed, state)[: 2 * LOOKED_AT]
        if index not in bought.get(state, [])
    }
    for state, index in sorted(lengths, key=lambda place: -lengths[place]):
        if sum(map(len, bought.values())) == labels:
            break
        if len(bought.get(state, [])) < most:
            bought.setdefault(state, []).append(index)
    if sum(map(len, bought.values())) < labels:
        raise StudyError(f"gradient with {labels} labels: no cell may have more; give fewer")
    return bought


class Member:
    """A model of a committee, with its weights."""

    def __init__(self, model: Path) -> None:
        self.graphs = Evaluator(model, threads=1)
        self.module = torch.jit.load(str(model))
        self.module.train()  # else forces have no gradient
        self.weights = [weight.requires_grad_() for weight in self.module.parameters()]

    def says(self, frame: Frame) -> torch.Tensor:
        """(1 + 3 n_molecules,) interaction energy per atom and net forces, in units of errors that
        count the same."""
        out = self.module(_tensors(self.graphs._graph(frame.atoms)))
        alone = self.module(_tensors(self.graphs._alone_graph(frame)))
        energy = (out["total_energy"] - alone["total_energy"]).view(1) / len(frame.atoms)
        net = torch.zeros(frame.n_molecules, 3, dtype=out["forces"].dtype)
        net = net.index_add(0, torch.from_numpy(frame.molecule), out["forces"]).view(-1)
        return torch.cat([energy / ENERGY_EV, net / FORCE_EV_A / math.sqrt(net.numel())])


def expected_length(members: Sequence[Member], frame: Frame) -> float:
    """Mean length of the gradients of the members' losses, each with the others' words as label."""
    said = [member.says(frame) for member in members]
    lengths = []
    for (one, own), (_, other) in itertools.permutations(zip(members, said, strict=True), 2):
        loss = ((own - other.detach()) ** 2).sum()
        slopes = torch.autograd.grad(loss, one.weights, retain_graph=True, allow_unused=True)
        lengths.append(
            math.sqrt(sum(float((s.detach() ** 2).sum()) for s in slopes if s is not None))
        )
    return sum(lengths) / len(lengths)


def with_committee(
    context: Context, seed: int, labels: int, updates: int, out: Path
) -> tuple[Context, Arm]:
    """An adaptive arm whose first committee is trained: the study's, where it has spent as many
    labels with as many updates, or one of a curriculum of one round."""
    for arm in buyers(context) if comparison_of(context).curriculum is not None else []:
        asked = (arm.seed, arm.budget, arm.loss, settings(context).updates)
        if asked == (seed, labels, "intermolecular", updates) and all(
            curriculum.product(context, arm, number).state == "current" for number in (0, 1)
        ):
            return context, arm
    folder = out / f"gradient-{updates}-{labels}"
    own = carried_out(context, seed, labels, updates, folder, rounds=1)
    return own, buyers(own)[0]


def carried_out(
    context: Context, seed: int, labels: int, updates: int, folder: Path, rounds: int = 2
) -> Context:
    """The study with the curriculum carried out in a workspace of its own."""
    (folder / "models").mkdir(parents=True, exist_ok=True)
    for part in ("frames", "labels", f"models/{context.own_model}"):  # that drew the pool
        there = context.workspace.path / part
        if there.exists() and not (folder / part).exists():
            (folder / part).symlink_to(there.resolve())
    known = comparison_of(context)
    asked = known.model_copy(  # as the study asks, for its pool must stay what it is
        update={
            "designs": list(dict.fromkeys([*known.designs, "adaptive"])),
            "seeds": [seed],
            "runs": None,
            "curriculum": Curriculum(
                updates=updates, rounds=rounds, budgets=[float(labels)], target=1e-6
            ),
        }
    )
    study = context.study.model_copy(update={"comparison": asked})
    own = replace(context, study=study, workspace=Workspace(folder), memory={})
    if own.plan(own.last_round) != context.plan(context.last_round):
        raise StudyError(
            f"committee with {labels} labels: asks for another pool than the study's, expected the "
            "same; give the study pool_frames, or the trial as many labels as its curriculum has"
        )
    curriculum.make(own)
    own.memory.clear()
    return own


def information(context: Context, seed: int, labels: int) -> Selection:
    """One label at each density where it is hottest, then the label that tells most."""
    outlook = Outlook(context, seed)
    for density in {s.density_g_cm3 for s in outlook.states}:
        outlook.buy(max(s for s in outlook.states if s.density_g_cm3 == density), 0)
    coefficients = outlook.fit()
    while outlook.bought < labels:
        nexts = [(s, len(own)) for s, own in outlook.taken.items() if len(own) < LOOKED_AT]
        outlook.buy(*outlook.best(nexts, coefficients))
    return outlook.selection()


def best_frames(context: Context, seed: int, labels: int) -> Selection:
    """The frame that tells most, fitted again after each, from two rich ones on."""
    outlook = Outlook(context, seed)
    for state in (max(outlook.states), min(outlook.states)):
        outlook.buy(state, outlook.richest(state))
    while outlook.bought < labels:
        left = [
            (s, k) for s, own in outlook.taken.items() for k in range(LOOKED_AT) if k not in own
        ]
        outlook.buy(*outlook.best(left, outlook.fit()))
    return outlook.selection()


class Outlook:
    """What is expected of every cell's errors, given the labels that were bought."""

    def __init__(self, context: Context, seed: int) -> None:
        self.context = context
        self.states = spendable(context)
        self.basis = basis_of(context)
        self.order = {s: in_order(context, seed, s) for s in self.states}
        self.frames = {s: [pool(context)[s][i] for i in own] for s, own in self.order.items()}
        self.rows = {
            s: [self.basis.rows(f) for f in own[:LOOKED_AT]] for s, own in self.frames.items()
        }
        self.taken: dict[StatePoint, list[int]] = {s: [] for s in self.states}
        traces = [np.trace(own[0].information) for own in self.rows.values()]
        unit = float(np.mean(traces)) / self.basis.size
        self.precision = PRIOR * unit * self.basis.stiffness

    @property
    def bought(self) -> int:
        """Labels so far."""
        return sum(map(len, self.taken.values()))

    def buy(self, state: StatePoint, place: int) -> None:
        """The frame at a place of the seed's order."""
        self.taken[state].append(place)
        self.precision = self.precision + self.rows[state][place].information

    def richest(self, state: StatePoint) -> int:
        """Place of the cell's frame that tells most by itself."""
        return int(np.argmax([np.trace(own.information) for own in self.rows[state]]))

    def fit(self) -> Array:
        """Coefficients of all labels so far."""
        known = [(self.rows[s][k], self.frames[s][k]) for s, own in self.taken.items() for k in own]
        return fitted(known, self.basis.stiffness)

    def best(
        self, places: Sequence[tuple[StatePoint, int]], coefficients: Array
    ) -> tuple[StatePoint, int]:
        """The place that lowers the mean of a high power of the cells' expected scores most."""
        expected = [
            np.array(per_limit(self.context, s, self.frames[s][0], self.rows[s], coefficients))
            for s in self.states
        ]

        def aim(place: tuple[StatePoint, int]) -> float:
            own = self.rows[place[0]][place[1]].information
            variance = np.linalg.inv(self.precision + own)
            squares = [np.einsum("ij,kij->k", variance, forms).max() for forms in expected]
            return float(np.mean(np.power(squares, SHARPNESS / 2)))

        return min(places, key=aim)

    def selection(self) -> Selection:
        """What was bought, as indices into the pool."""
        return {s: [self.order[s][k] for k in own] for s, own in self.taken.items() if own}


def coverage(context: Context, seed: int, labels: int) -> Selection:
    """Farthest first, in the sums over pairs of each frame."""
    basis = basis_of(context)
    places = [
        (state, index)
        for state in spendable(context)
        for index in in_order(context, seed, state)[: 2 * LOOKED_AT]
    ]
    spread = FarthestFirst([basis.of(pool(context)[state][index]) for state, index in places])
    found: Selection = {}
    left = list(range(len(places)))
    for _ in range(labels):
        best = spread.best(left)
        spread.take(best)
        left.remove(best)
        state, index = places[best]
        found.setdefault(state, []).append(index)
    return found


def basis_of(context: Context) -> PairBasis:
    """Sums over pairs as far as the study's model sees them."""
    training = context.study.training
    architecture = Architecture(training.r_max_A, pair_r_max_A=training.pair_r_max_A)
    return PairBasis(architecture.cutoffs(context.species))


def per_limit(
    context: Context, state: StatePoint, frame: Frame, rows: Sequence[Rows], coefficients: Array
) -> list[Array]:
    """(n, n) forms whose product with the coefficients' covariance is a squared score, by gate."""
    gates = context.study.validation.gates
    ideal = ideal_bar(frame)
    energies = np.array([own.energy for own in rows])
    forces = np.concatenate([own.net_force for own in rows])
    pressure = np.mean([own.pressure for own in rows], axis=0)
    energy_rms = 1e3 * math.sqrt(np.mean((energies @ coefficients) ** 2))
    energy_limit = max(
        gates.interaction_energy_relative * energy_rms, gates.interaction_energy_floor_meV_atom
    )
    limits = [
        gates.pressure_ideal_relative * ideal,
        gates.pressure_relative * abs(ideal + float(pressure @ coefficients)),
    ]
    if state.density_g_cm3 >= gates.liquid_above_g_cm3:
        limits.append(gates.pressure_bar)
    found = [
        energies.T @ energies / len(energies) / (1e-3 * energy_limit) ** 2,
        np.outer(pressure, pressure) / max(limits) ** 2,
    ]
    force_rms = math.sqrt(np.mean((forces @ coefficients) ** 2))
    if 1e3 * force_rms > gates.net_force_floor_meV_A:
        found.append(forces.T @ forces / len(forces) / (gates.net_force_relative * force_rms) ** 2)
    return found


DESIGNS = {"even": "grid", "density": "density", "temperature": "temperature", "none": "none"}
RULES: dict[str, Rule] = {
    "worth": worth,
    "information": information,
    "frames": best_frames,
    "coverage": coverage,
}

"""Terms of the loss, computed by torch on batches, against numpy on single frames."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from lmp_thermo.frames import Frame, read_frames, write_frames
from lmp_thermo.potential.intermolecular import labelled_quantities, molecular_virial
from lmp_thermo.units import voigt_to_tensor
from tests.tolerances import ROUND_OFF
from tests.unit.potential.fluid_frames import known_fluid

torch = pytest.importorskip("torch")
pytest.importorskip("nequip")
pytestmark = pytest.mark.physics

SPECIES = ["C", "H", "O", "Ar"]


@pytest.fixture(autouse=True)
def _double_precision() -> Iterator[None]:
    """nequip's process keeps data in double precision."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


def _frames() -> list[Frame]:
    frames = [known_fluid(seed).frame for seed in (1, 2)]
    part = frames[0].atoms[:5]  # a frame of another size: the first two molecules
    part.set_array("molecule", frames[0].molecule[:5])
    small = Frame(part, frames[0].tags).labelled(
        "pairs",
        -1.5,
        frames[1].forces[:5],
        frames[1].stress,
        -1.0,
        frames[1].alone_forces[:5],
    )
    return [frames[0], small, frames[1]]


def _batch(path: Path, frames: list[Frame]) -> dict:
    from nequip.data import AtomicDataDict
    from nequip.data.transforms import ChemicalSpeciesToAtomTypeMapper, NeighborListTransform

    from lmp_thermo.training.dataset import FrameDataset

    write_frames(path, frames)
    dataset = FrameDataset(
        str(path),
        [ChemicalSpeciesToAtomTypeMapper(SPECIES), NeighborListTransform(r_max=3.0)],
    )
    return AtomicDataDict.batched_from_list(dataset[list(range(len(frames)))])


def test_net_force_and_torque_of_a_batch_of_unequal_frames(tmp_path: Path) -> None:
    from lmp_thermo.training.loss import NetForce, Torque

    batch = _batch(tmp_path / "f.xyz", _frames())
    frames = read_frames(tmp_path / "f.xyz")  # as the file's digits have it
    # the prediction carries no molecules and no labels: geometry must come from the labels
    prediction = {"forces": 2.0 * batch["forces"]}
    expected = [labelled_quantities(frame) for frame in frames]
    for term, name in ((NetForce(), "net_force"), (Torque(), "torque")):
        predicted, label = term(prediction, batch)
        value = np.concatenate([getattr(q, name) for q in expected])
        assert label.numpy() == pytest.approx(value, abs=100 * ROUND_OFF)
        assert predicted.numpy() == pytest.approx(2.0 * value, abs=100 * ROUND_OFF)


def test_virials_of_a_batch_of_unequal_frames(tmp_path: Path) -> None:
    from lmp_thermo.training.loss import MolecularVirial, VirialPerAtom

    batch = _batch(tmp_path / "f.xyz", _frames())
    frames = read_frames(tmp_path / "f.xyz")  # as the file's digits have it
    prediction = {"forces": batch["forces"], "stress": 3.0 * batch["stress"]}
    atomic, molecular = [], []
    for frame in frames:
        volume = frame.atoms.get_volume()
        assert frame.stress is not None
        atomic.append(-voigt_to_tensor(frame.stress) * volume / len(frame.atoms))
        molecular.append(
            molecular_virial(
                frame.molecule,
                frame.atoms.positions,
                frame.atoms.get_masses(),
                frame.forces,
                stress=frame.stress,
                volume_A3=volume,
            )
            / frame.n_molecules
        )
    predicted, label = VirialPerAtom()(prediction, batch)
    assert label.numpy() == pytest.approx(np.array(atomic), abs=100 * ROUND_OFF)
    assert predicted.numpy() == pytest.approx(3.0 * np.array(atomic), abs=100 * ROUND_OFF)
    _, label = MolecularVirial()(prediction, batch)
    assert label.numpy() == pytest.approx(np.array(molecular), abs=100 * ROUND_OFF)


def test_frames_without_stress_are_left_out_of_its_terms(tmp_path: Path) -> None:
    from nequip.train import MetricsManager

    from lmp_thermo.training.loss import SquaredError, VirialPerAtom

    frames = _frames()
    bare = frames[0].labelled("pairs", -2.0, frames[0].forces, None, -1.0, frames[0].alone_forces)
    entry = {
        "name": "stress",
        "field": VirialPerAtom(),
        "metric": SquaredError(),
        "coeff": 1.0,
        "ignore_nan": True,
    }
    both = _batch(tmp_path / "both.xyz", [frames[0], bare])
    assert torch.isnan(both["stress"][1]).all()
    shifted = {**both, "stress": torch.nan_to_num(both["stress"], nan=9.0) + 0.5}
    loss = MetricsManager([entry])(shifted, both)["weighted_sum"]
    per_atom = 0.5 * frames[0].atoms.get_volume() / len(frames[0].atoms)
    assert float(loss) == pytest.approx(per_atom**2, rel=1e-9)
    only = _batch(tmp_path / "only.xyz", [bare])
    shifted = {**only, "stress": torch.ones_like(only["stress"])}
    entry = {**entry, "field": VirialPerAtom(), "metric": SquaredError()}
    assert float(MetricsManager([entry])(shifted, only)["weighted_sum"]) == 0.0


def test_order_of_frames_is_a_function_of_seed_and_epoch() -> None:
    from lmp_thermo.training.dataset import FrameOrder

    order = FrameOrder(7, 5, seed=3)
    told = []
    for epoch in range(7):
        order.set_epoch(epoch)
        told.append(list(order))
    flat = [index for part in told for index in part]
    for turn in range(5):
        assert sorted(flat[7 * turn : 7 * turn + 7]) == list(range(7))
    assert flat[:7] != flat[7:14]
    resumed = FrameOrder(7, 5, seed=3)
    resumed.set_epoch(4)
    assert list(resumed) == told[4]
    assert list(FrameOrder(7, 5, seed=4)) != told[0]

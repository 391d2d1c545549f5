"""What the callbacks of a training do to the model and to the clock."""

from types import SimpleNamespace

import pytest

from lmp_thermo.errors import TrainingError
from tests.plugin.models import build_nequip
from tests.tolerances import ROUND_OFF

torch = pytest.importorskip("torch")
pytest.importorskip("nequip")
pytestmark = pytest.mark.physics

DISTANCES = (0.21, 0.4, 0.77, 0.93)
"""Of an edge, relative to the cutoff."""


def _lightning_module(r_max_A: float) -> SimpleNamespace:
    model = build_nequip(scripted=False, r_max=r_max_A, radial_mlp_width=8)
    ema = SimpleNamespace(num_updates=3, updated=[])
    ema.update_parameters = ema.updated.append
    return SimpleNamespace(model=model, ema=ema)


def _what_the_radial_networks_see(module: SimpleNamespace, r_max_A: float) -> "torch.Tensor":
    """Inputs of the first nonlinearity of each layer, for edges of `DISTANCES`."""
    seen = []
    for name, part in module.model.named_modules():
        if name.endswith("edge_mlp.mlp.0"):
            part.register_forward_hook(lambda *call: seen.append(call[-1].detach()))
    length = r_max_A * torch.tensor(DISTANCES, dtype=torch.float64)
    positions = torch.zeros((5, 3), dtype=torch.float64)
    positions[1:, 0] = length
    module.model(
        {
            "pos": positions,
            "atom_types": torch.tensor([0, 1, 1, 0, 1]),
            "edge_index": torch.tensor([[0, 0, 0, 0], [1, 2, 3, 4]]),
            "edge_cell_shift": torch.zeros((4, 3), dtype=torch.float64),
            "cell": 100.0 * torch.eye(3, dtype=torch.float64)[None],
        }
    )
    return torch.stack(seen)


def test_radial_networks_start_alike_whatever_the_cutoff() -> None:
    from lmp_thermo.training.callbacks import RadialStart

    seen = {}
    for r_max_A in (4.3, 9.1):
        module = _lightning_module(r_max_A)
        RadialStart(r_max_A, 0.3).on_fit_start(SimpleNamespace(ckpt_path=None), module)
        assert module.ema.num_updates == 0
        assert module.ema.updated == [module.model]
        seen[r_max_A] = _what_the_radial_networks_see(module, r_max_A)
    assert seen[4.3].shape == (3, len(DISTANCES), 8)
    torch.testing.assert_close(seen[4.3], seen[9.1], rtol=ROUND_OFF, atol=ROUND_OFF)
    assert float(seen[9.1].abs().max()) > 0.1


def test_radial_networks_of_a_training_that_goes_on_are_left_alone() -> None:
    from lmp_thermo.training.callbacks import RadialStart

    module = _lightning_module(5.0)
    before = [weight.clone() for weight in module.model.parameters()]
    RadialStart(5.0, 0.3).on_fit_start(SimpleNamespace(ckpt_path="last.ckpt"), module)
    assert all(torch.equal(a, b) for a, b in zip(before, module.model.parameters(), strict=True))
    with pytest.raises(TrainingError, match="no radial network found"):
        RadialStart(5.0, 0.3).on_fit_start(
            SimpleNamespace(ckpt_path=None), SimpleNamespace(model=torch.nn.Linear(2, 2))
        )


def test_the_first_update_which_compiles_is_not_on_the_clock(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from lmp_thermo.training import callbacks

    now = 100.0
    monkeypatch.setattr(callbacks.time, "monotonic", lambda: now)
    schedule = callbacks.Schedule(
        learning_rate=0.01, warm_up=0.1, decay_from=0.3, final_rate=0.1, updates=None, minutes=2.0
    )
    trainer = SimpleNamespace(global_step=1, should_stop=False)
    loss = torch.tensor(1.0)
    schedule.on_train_start(trainer, None)
    now += 500.0
    schedule.on_train_batch_end(trainer, None, loss, None, 0)
    assert (schedule.seconds, trainer.should_stop) == (0.0, False)
    now += 60.0
    schedule.on_train_batch_end(trainer, None, loss, None, 1)
    assert schedule.share(2) == 0.5
    now += 60.0
    schedule.on_train_batch_end(trainer, None, loss, None, 2)
    assert trainer.should_stop

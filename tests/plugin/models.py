"""Small random-weight models, built in the test run: nothing is downloaded."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

TYPE_NAMES = ["C", "H"]


@contextmanager
def deprecated_torchscript() -> Iterator[None]:
    """Let nequip script and load models on torch >= 2.10, which deprecates torch.jit."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"`?torch\.jit\.", DeprecationWarning)
        yield


def build_nequip(scripted: bool = True, **settings: Any) -> Any:
    """Return an eager NequIP model with random weights and unequal types.

    Args:
        scripted: script the inner modules, as a `.nequip.pth` file needs it.
        settings: replace or add arguments of `nequip.model.NequIPGNNModel`.
    """
    with deprecated_torchscript():
        from nequip.model import NequIPGNNModel
        from nequip.utils.compile import conditional_torchscript_mode
        from nequip.utils.global_state import set_global_state

        set_global_state(allow_tf32=False)
    arguments: dict[str, Any] = {
        "seed": 7,
        "model_dtype": "float64",
        "r_max": 4.0,
        "type_names": TYPE_NAMES,
        "num_layers": 3,
        "l_max": 2,
        "parity": True,
        "num_features": 6,
        "radial_mlp_depth": 1,
        "radial_mlp_width": 16,
        # few neighbours on purpose: messages are then large, and errors in them are seen
        "avg_num_neighbors": 4.0,
        "per_type_energy_scales": {"C": 1.3, "H": 0.7},
        "per_type_energy_shifts": {"C": -3.1, "H": -1.7},
    }
    arguments.update(settings)
    with deprecated_torchscript(), conditional_torchscript_mode(scripted):
        return NequIPGNNModel(**arguments).eval()


def build_allegro(scripted: bool = True) -> Any:
    """Return a small eager Allegro model with random weights; needs nequip-allegro."""
    with deprecated_torchscript():
        from allegro.model import AllegroModel
        from nequip.utils.compile import conditional_torchscript_mode
        from nequip.utils.global_state import set_global_state

        set_global_state(allow_tf32=False)
        with conditional_torchscript_mode(scripted):
            return AllegroModel(
                seed=5,
                model_dtype="float64",
                r_max=4.0,
                type_names=TYPE_NAMES,
                l_max=1,
                num_layers=2,
                num_scalar_features=8,
                num_tensor_features=4,
                radial_chemical_embed={
                    "_target_": "allegro.nn.TwoBodyBesselScalarEmbed",
                    "num_bessels": 6,
                },
                avg_num_neighbors=4.0,
                per_type_energy_scales={"C": 1.3, "H": 0.7},
                per_type_energy_shifts={"C": -3.1, "H": -1.7},
            ).eval()


def save_torchscript(model: Any, path: Path) -> Path:
    """Write `model` as a `.nequip.pth` file, as nequip-compile does."""
    from nequip.model.inference_models.torchscript import save_torchscript_model

    with deprecated_torchscript():
        save_torchscript_model(model, compiled_metadata(model), str(path), "cpu")
    return path


def compiled_metadata(model: Any) -> dict[str, str]:
    """Return what nequip-compile stores beside a model: booleans as "0" and "1"."""
    from nequip.utils.global_state import get_latest_global_state

    metadata = {**model.metadata, **get_latest_global_state(only_metadata_related=True)}
    return {k: str(int(v)) if isinstance(v, bool) else v for k, v in metadata.items()}

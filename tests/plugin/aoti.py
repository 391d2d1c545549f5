"""`.nequip.pt2` files of random-weight models, as nequip-compile and as this package write them."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.plugin.lammps_run import DEVICE
from tests.plugin.models import build_nequip, compiled_metadata

MODELS: dict[str, dict[str, Any]] = {
    # small, and with all that an edge may carry
    "repulsion and cutoffs per pair": {
        "num_layers": 2,
        "l_max": 1,
        "parity": False,
        "num_features": 4,
        "per_edge_type_cutoff": {"C": {"C": 3.6, "H": 2.9}, "H": 3.3},
        "pair_potential": {
            "_target_": "nequip.nn.pair_potential.ZBL",
            "units": "metal",
            "chemical_species": ["C", "H"],
        },
    },
    "one layer": {"num_layers": 1, "l_max": 1, "num_features": 4},
    "four layers": {"num_layers": 4, "l_max": 1, "num_features": 4},
    "l_max 2": {"num_layers": 3, "l_max": 2, "num_features": 4},
    "six layers, l_max 0": {"num_layers": 6, "l_max": 0, "parity": False, "num_features": 4},
    "l_max 3": {"num_layers": 2, "l_max": 3, "num_features": 2},
    "float32": {"num_layers": 3, "l_max": 1, "num_features": 6, "model_dtype": "float32"},
}
MODELS["float32, repulsion and cutoffs per pair"] = {
    **MODELS["repulsion and cutoffs per pair"],
    "model_dtype": "float32",
}


@contextmanager
def _torch_export() -> Iterator[None]:
    """Let torch.export use what torch deprecates."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"`isinstance\(treespec, LeafSpec\)`", FutureWarning)
        warnings.filterwarnings("ignore", r"`?torch\.jit\.", DeprecationWarning)
        yield


def compile_stock(settings: dict[str, Any], path: Path, device: str = DEVICE) -> Path:
    """Compile a NequIP model for `device` with nequip's own export."""
    return compile_target(build_nequip(scripted=False, **settings), path, "pair_nequip", device)


def compile_target(model: Any, path: Path, target_name: str, device: str = DEVICE) -> Path:
    """Compile an eager model with nequip's own export, for one of its targets."""
    import torch

    with _torch_export():
        from nequip.data import AtomicDataDict, compute_neighborlist_, from_ase
        from nequip.scripts._compile_utils import COMPILE_TARGET_DICT
        from nequip.utils.aot import aot_export_model
        from nequip.utils.aoti_metadata import (
            NEQUIP_AOTI_INPUTS_KEY,
            NEQUIP_AOTI_OUTPUTS_KEY,
            serialize_aoti_keys,
        )

        from tests.plugin.systems import random_system

        atoms = random_system("triclinic", 20)
        if "H" not in model.type_names:
            atoms.symbols[:] = "C"
        target = COMPILE_TARGET_DICT[target_name]
        data = from_ase(atoms)
        data[AtomicDataDict.ATOM_TYPE_KEY] = torch.tensor(
            [model.type_names.index(s) for s in atoms.symbols]
        )
        data = compute_neighborlist_(data, r_max=float(model.metadata["r_max"]))
        batch_map = {
            "graph": torch.export.Dim.STATIC,
            "node": torch.export.dynamic_shapes.Dim("num_nodes", min=2, max=torch.inf),
            "edge": torch.export.dynamic_shapes.Dim("num_edges", min=2, max=torch.inf),
        }
        metadata = compiled_metadata(model)
        metadata[NEQUIP_AOTI_INPUTS_KEY] = serialize_aoti_keys(target["input"])
        metadata[NEQUIP_AOTI_OUTPUTS_KEY] = serialize_aoti_keys(target["output"])
        aot_export_model(
            model=model,
            device=device,
            input_fields=target["input"],
            output_fields=target["output"],
            data=AtomicDataDict.to_(target["data_settings"](data), device),
            batch_map=batch_map,
            output_path=str(path),
            inductor_configs={"aot_inductor.metadata": metadata},
        )
    return path


def compile_own(model: Any, path: Path, device: str = DEVICE) -> Path:
    """Compile an eager model for `device` with the export of this package."""
    with _torch_export():
        from lmp_thermo.potential.compiled import compile_model

        compile_model(model, compiled_metadata(model), device, path)
    return path

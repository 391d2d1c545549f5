"""Compile a model ahead of time into one `.nequip.pt2` file for one rank and for many.

Its entry ``model`` is what nequip-compile writes for LAMMPS, so that upstream's pair styles find
what they ask for. A message-passing model has its parts beside it (``parts.py``), for exact runs on
several ranks and for per-atom virials.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

from lmp_thermo.potential.parts import (
    LEAST,
    Part,
    convolutions,
    cut_at_exchanges,
    example,
    outside,
    trace,
)

CONVOLUTIONS: Final = "lmp_thermo_convolutions"
INPUTS: Final = "lmp_thermo_inputs"
OUTPUTS: Final = "lmp_thermo_outputs"

# Compiled against uncompiled, of one model on one input: round-off of the model's precision through
# several hundred operations, relative to the largest value.
SAME: Final = {"float32": 1e-4, "float64": 1e-10}


def compile_model(model: Any, metadata: dict[str, str], device: str, out: Path) -> None:
    """Write `model` as a `.nequip.pt2` file.

    Args:
        model: eager ``nequip.nn.GraphModel``.
        metadata: what nequip stores beside a model.
        device: ``cpu`` or ``cuda``; the file runs on this machine's kind of processor.
        out: file to write.

    Raises:
        RuntimeError: the compiled graphs differ from the model.
    """
    from torch._inductor import aot_compile
    from torch._inductor.package.package import package_aoti

    model = model.to(device).eval()
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    options: dict[str, Any] = {"aot_inductor.package": True}
    if device == "cpu":
        # a rank is one thread: without others, kernels add without atomics
        options["cpp.threads"] = 1
    layers = len(convolutions(model))
    whole, values, about = _whole(model)
    about |= {**metadata, CONVOLUTIONS: str(layers)}
    graphs: dict[str, tuple[Any, list[Tensor]]] = {"model": (whole, values)}
    files: dict[str, Any] = {
        "model": aot_compile(whole, tuple(values), options=_with(options, about))
    }
    for index, (part, inputs) in enumerate(_with_values(model) if layers else []):
        name = f"part{index:02d}"
        about = {INPUTS: " ".join(part.inputs), OUTPUTS: " ".join(part.outputs)}
        graphs[name] = (part.graph, inputs)
        files[name] = aot_compile(part.graph, tuple(inputs), options=_with(options, about))
    package_aoti(str(out), files)
    for name, (graph, inputs) in graphs.items():
        _check(out, name, graph, inputs, metadata["model_dtype"])


def _with(options: dict[str, Any], metadata: dict[str, str]) -> dict[str, Any]:
    return {**options, "aot_inductor.metadata": metadata}


def _with_values(model: Any) -> list[tuple[Part, list[Tensor]]]:
    """All parts with values of their inputs, each part's from those before it."""
    parts = cut_at_exchanges(model)
    names = outside(len(convolutions(model)))
    known = dict(zip(names, example(model, (11, 6, 60)), strict=True))
    found = []
    for part in parts:
        inputs = [known[name] for name in part.inputs]
        found.append((part, inputs))
        known.update(zip(part.outputs, part.graph(*inputs), strict=True))
    return found


def _whole(model: Any) -> tuple[Any, list[Tensor], dict[str, str]]:
    """The graph that LAMMPS runs on one rank, as nequip-compile makes it."""
    from nequip.data._key_registry import get_dynamic_shapes
    from nequip.nn.compile import ListInputOutputWrapper
    from nequip.scripts._compile_utils import LMP_OUTPUTS, PAIR_NEQUIP_INPUTS
    from nequip.utils.aoti_metadata import NEQUIP_AOTI_INPUTS_KEY, NEQUIP_AOTI_OUTPUTS_KEY

    # a strictly local model takes the images of atoms as atoms, and no cell
    local = not convolutions(model)
    fields = PAIR_NEQUIP_INPUTS[:3] if local else PAIR_NEQUIP_INPUTS
    data = _crystal(model, periodic=not local)
    values = [data[field] for field in fields]
    sizes = {
        "graph": torch.export.Dim.STATIC,
        "node": torch.export.Dim("num_nodes", min=LEAST),
        "edge": torch.export.Dim("num_edges", min=LEAST),
    }
    graph = trace(
        ListInputOutputWrapper(model, fields, LMP_OUTPUTS),
        values,
        get_dynamic_shapes(fields, sizes),
    )
    about = {
        NEQUIP_AOTI_INPUTS_KEY: " ".join(fields),
        NEQUIP_AOTI_OUTPUTS_KEY: " ".join(LMP_OUTPUTS),
    }
    return graph, values, about


def _crystal(model: Any, periodic: bool) -> dict[str, Tensor]:
    """A displaced fcc crystal of all types, as nequip's data."""
    import ase.build
    import numpy as np
    from nequip.data import AtomicDataDict, compute_neighborlist_, from_ase

    r_max = float(model.metadata["r_max"])
    atoms = ase.build.bulk("Ar", "fcc", a=0.8 * r_max, cubic=True).repeat(2)
    atoms.positions += np.random.default_rng(1).normal(0.0, 0.03 * r_max, (len(atoms), 3))
    if not periodic:
        atoms.pbc = False
        atoms.cell = None
    data = from_ase(atoms)
    data[AtomicDataDict.ATOM_TYPE_KEY] = torch.arange(len(atoms)) % len(model.type_names)
    data = compute_neighborlist_(data, r_max=r_max)
    # the graph of a single frame
    data.pop(AtomicDataDict.BATCH_KEY, None)
    data.pop(AtomicDataDict.NUM_NODES_KEY, None)
    device = next(model.parameters()).device
    return {key: value.to(device) for key, value in data.items()}


def _check(file: Path, name: str, graph: Any, inputs: Sequence[Tensor], dtype: str) -> None:
    from torch._C._aoti import AOTIModelPackageLoader

    index = -1 if inputs[0].device.type == "cpu" else 0
    found = AOTIModelPackageLoader(str(file), name, False, 1, index).run(list(inputs))
    for number, (one, other) in enumerate(zip(found, graph(*inputs), strict=True)):
        error = float((one - other).abs().max() / other.abs().max().clamp(min=1e-6))
        if not error < SAME[dtype]:
            raise RuntimeError(
                f"output {number} of compiled {name} is off by {error:.1e}, expected below "
                f"{SAME[dtype]:.0e}; the C++ compiler or torch is at fault"
            )

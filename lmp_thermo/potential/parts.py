"""Cut a message-passing model at the exchanges between ranks, forward and backward.

A compiled graph has no autograd and cannot pause for MPI. So energy and gradients are traced as
one graph, in which the rows that come from other ranks are inputs, and the rows that go to other
ranks are outputs. A model of L layers then has 2 L - 1 parts: L - 1 forward, one with the energy,
L - 1 backward. Their values, by name:

    types_local, types_remote, edge_index, edge_vectors     the graph; remote atoms after local ones
    send1 ... remote1                    features of local atoms out, of remote atoms in (part 1)
    weights                              of each local energy in the sum that is differentiated
    energy                               (n_local,) eV, float64
    gradient1 ... home1                  of the sum in remote1 out; what other ranks have for send1
    edge_gradient                        (n_edges, 3) eV/Å, of the sum in edge_vectors

and what later parts use of earlier ones, by the names of the traced graph.
"""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor, fx

GRAPH: Final = ("types_local", "types_remote", "edge_index", "edge_vectors")
LEAST: Final = 2
"""Fewest local atoms, remote atoms and edges: torch traces sizes 0 and 1 as constants."""

# What a later part is given rather than does again. All else moves numbers or is pointwise, and is
# fused into what reads it.
DEAR: Final = frozenset(
    {"mm", "bmm", "addmm", "baddbmm", "scatter_add", "index_add", "index_put", "sin", "cos"}
)


@dataclass(frozen=True)
class Part:
    """A graph from and to tensors, with the names of its values."""

    graph: fx.GraphModule
    inputs: list[str]
    outputs: list[str]


def convolutions(model: Any) -> list[Any]:
    """The message-passing layers of a NequIP model, first to last; empty for a strictly local one.

    By name: a model from a nequip package has classes of its own.
    """
    return [m for m in model.modules() if type(m).__name__ == "InteractionBlock"]


def outside(layers: int) -> dict[str, int]:
    """What the parts of a model of so many layers take from outside, and the first part that can.

    The order is that of the traced graph.
    """
    between = range(1, layers)
    return {
        **dict.fromkeys(GRAPH, 0),
        "weights": layers - 1,
        **{f"remote{k}": k for k in between},
        **{f"home{k}": 2 * layers - 1 - k for k in between},
    }


def cut_at_exchanges(model: Any) -> list[Part]:
    """The parts of a message-passing model.

    Args:
        model: eager ``nequip.nn.GraphModel`` with ForceStressOutput around its energy, not changed.
    """
    network = copy.deepcopy(model.model.func)
    for parameter in network.parameters():
        parameter.requires_grad_(False)
    layers = convolutions(network)
    for layer in layers[1:]:
        layer.ghost_exchange = _Exchange()
    between = len(layers) - 1
    outputs = ["energy", *(f"send{k}" for k in range(1, between + 1))]
    outputs += ["edge_gradient", *(f"gradient{k}" for k in range(1, between + 1))]
    local, remote, edges = (torch.export.Dim(n, min=LEAST) for n in ("local", "remote", "edges"))
    sizes = [{0: local}, {0: remote}, {1: edges}, {0: edges}, {0: local}]
    sizes += [{0: remote}] * between + [{0: local}] * between
    joint = trace(_joint(network, between), example(model, (7, 5, 41)), sizes)
    return _cut(joint, outside(len(layers)), outputs)


def example(model: Any, sizes: tuple[int, int, int], seed: int = 1) -> list[Tensor]:
    """Random values for what parts take from outside, in that order.

    Args:
        sizes: local atoms, remote atoms, edges.
    """
    local, remote, edges = sizes
    random = torch.Generator().manual_seed(seed)
    dtype = {"float32": torch.float32, "float64": torch.float64}[model.metadata["model_dtype"]]
    device = next(model.parameters()).device
    widths = [layer.irreps_in["node_features"].dim for layer in convolutions(model)[1:]]

    def types(count: int) -> Tensor:
        return torch.randint(0, len(model.type_names), (count,), generator=random)

    def rows(count: int) -> list[Tensor]:
        return [torch.randn(count, w, generator=random, dtype=dtype) for w in widths]

    direction = torch.randn(edges, 3, generator=random, dtype=torch.float64)
    direction /= direction.norm(dim=1, keepdim=True)
    length = 0.3 + 0.6 * torch.rand(edges, 1, generator=random, dtype=torch.float64)
    values = [
        types(local),
        types(remote),
        torch.stack(
            [
                torch.randint(0, local, (edges,), generator=random),
                torch.randint(0, local + remote, (edges,), generator=random),
            ]
        ),
        float(model.metadata["r_max"]) * length * direction,
        torch.rand(local, generator=random, dtype=torch.float64),
        *rows(remote),
        *rows(local),
    ]
    return [value.to(device) for value in values]


def trace(
    function: Callable[..., Sequence[Tensor]], values: list[Tensor], sizes: Sequence[Any]
) -> fx.GraphModule:
    """Trace a function that calls autograd into a graph of plain operations.

    Args:
        function: of tensors, to tensors.
        values: for it; no size that may change should be 0 or 1.
        sizes: for each value, the names of the sizes that may change, as torch.export wants them.
    """
    from nequip.utils.fx import fx_duck_shape, nequip_decomp_table
    from torch.fx.experimental.proxy_tensor import make_fx

    with fx_duck_shape(False):
        unrolled = make_fx(
            function,
            decomposition_table=nequip_decomp_table(),
            tracing_mode="symbolic",
            _allow_non_fake_inputs=True,
            _error_on_data_dependent_ops=True,
        )(*[value.clone() for value in values])
    # without in-place operations, and refused where a size became a constant
    exported = torch.export.export(unrolled, tuple(values), dynamic_shapes=tuple(sizes))
    return exported.run_decompositions({}).module(check_guards=False)  # type: ignore[no-any-return]


class _Border:
    """What nequip's layers find of the ranks: how many atoms are local, the rows of the others."""

    def __init__(self, n_local: Any, remote: Sequence[Tensor]) -> None:
        self.nlocal = n_local
        self.remote = remote
        self.sent: list[Tensor] = []

    def join(self, rows: Tensor) -> Tensor:
        self.sent.append(rows)
        return torch.cat([rows, self.remote[len(self.sent) - 1]])


class _Exchange(torch.nn.Module):
    """Stands where nequip exchanges ghosts within a layer."""

    def forward(self, data: dict[str, Any], ghost_included: bool = False) -> dict[str, Any]:
        from nequip.data import AtomicDataDict

        border: _Border = data[AtomicDataDict.LMP_MLIAP_DATA_KEY]
        data[AtomicDataDict.NODE_FEATURES_KEY] = border.join(data[AtomicDataDict.NODE_FEATURES_KEY])
        return data


def _joint(network: Any, between: int) -> Callable[..., tuple[Tensor, ...]]:
    from nequip.data import AtomicDataDict

    def energy_and_gradients(
        types_local: Tensor,
        types_remote: Tensor,
        edge_index: Tensor,
        edge_vectors: Tensor,
        weights: Tensor,
        *rows: Tensor,
    ) -> tuple[Tensor, ...]:
        remote, home = rows[:between], rows[between:]
        leaves = [edge_vectors, *remote]
        for leaf in leaves:
            leaf.requires_grad_(True)
        border = _Border(types_local.shape[0], remote)
        data = network(
            {
                AtomicDataDict.ATOM_TYPE_KEY: torch.cat([types_local, types_remote]),
                AtomicDataDict.EDGE_INDEX_KEY: edge_index,
                AtomicDataDict.EDGE_VECTORS_KEY: edge_vectors,
                AtomicDataDict.LMP_MLIAP_DATA_KEY: border,
            }
        )
        energy = data[AtomicDataDict.PER_ATOM_ENERGY_KEY].view(-1)
        gradients = torch.autograd.grad([energy, *border.sent], leaves, [weights, *home])
        return (energy, *border.sent, *gradients)

    return energy_and_gradients


def _cut(joint: fx.GraphModule, known_from: dict[str, int], outputs: list[str]) -> list[Part]:
    """Place each operation into the first part that has what it needs.

    Later parts are given the results of dear operations and do the cheap ones again.
    """
    nodes = list(joint.graph.nodes)
    order = {node: index for index, node in enumerate(nodes)}
    placeholders = [node for node in nodes if node.op == "placeholder"]
    names = dict(zip(placeholders, known_from, strict=True))
    _take_sizes_from_the_first(nodes, placeholders)
    part_of: dict[fx.Node, int] = {}
    for node in nodes:
        if node in names:
            part_of[node] = known_from[names[node]]
        else:
            part_of[node] = max((part_of[n] for n in node.all_input_nodes), default=0)
    results: tuple[fx.Node, ...] = nodes[-1].args[0]
    names.update(zip(results, outputs, strict=True))

    # dicts for their order
    wanted: list[dict[fx.Node, None]] = [{} for _ in range(1 + max(known_from.values()))]
    for result in results:
        wanted[part_of[result]][result] = None
    parts = []
    for index in reversed(range(len(wanted))):
        given, made = set(), set()
        todo = list(wanted[index])
        while todo:
            node = todo.pop()
            if node in given or node in made:
                continue
            earlier = part_of[node] < index and _dear(node)
            if earlier:
                wanted[part_of[node]][node] = None
            if earlier or node.op == "placeholder":
                given.add(node)
            else:
                made.add(node)
                todo.extend(node.all_input_nodes)
        inputs, operations = (sorted(chosen, key=order.__getitem__) for chosen in (given, made))
        parts.append(
            Part(
                _excerpt(joint, inputs, operations, list(wanted[index])),
                [names.get(node, node.name) for node in inputs],
                [names.get(node, node.name) for node in wanted[index]],
            )
        )
    return parts[::-1]


def _excerpt(
    joint: fx.GraphModule, inputs: list[fx.Node], operations: list[fx.Node], outputs: list[fx.Node]
) -> fx.GraphModule:
    graph = fx.Graph()
    copies: dict[fx.Node, fx.Node] = {}
    for node in inputs:
        copies[node] = graph.placeholder(node.name)
        copies[node].meta = dict(node.meta)  # the shapes
    for node in operations:
        copies[node] = graph.node_copy(node, copies.__getitem__)
    graph.output(tuple(copies[node] for node in outputs))
    return fx.GraphModule(joint, graph)


def _take_sizes_from_the_first(nodes: list[fx.Node], placeholders: list[fx.Node]) -> None:
    """A size may be read off any input that has it; the first ones are known from the start."""
    for node in nodes:
        if node.target is not torch.ops.aten.sym_size.int or node.args[0] not in placeholders:
            continue
        for source in placeholders:
            shape = source.meta["val"].shape
            same = [d for d, size in enumerate(shape) if str(size) == str(node.meta["val"])]
            if same:
                node.args = (source, same[0])
                break


def _dear(node: fx.Node) -> bool:
    target = node.target
    if node.op != "call_function" or not isinstance(target, torch._ops.OpOverload):
        return False  # weights, arithmetic of sizes
    name = target.overloadpacket.__name__
    return name in DEAR or torch.Tag.reduction in target.tags or target.namespace != "aten"

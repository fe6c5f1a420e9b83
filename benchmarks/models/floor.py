"""The floor of a computation: its matrix products, convolutions and FFTs on their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.utils._pytree import tree_map_only

from benchmarks.models.operations import ATTENTION, Operation, Spec, attention_products

WITH_OUTPUT = ("mm", "addmm", "bmm", "baddbmm")  # write into a given tensor without a detour


class Buffers:
    """Random memory that all replayed operations share: one buffer per data type and place among the arguments.

    So a replay touches little memory, and what an operation reads is often still in the cache: a strict floor.
    """

    def __init__(self) -> None:
        self._memory: dict[tuple[torch.dtype, torch.device, int], Tensor] = {}

    def tensor(self, spec: Spec, place: int) -> Tensor:
        """A tensor of that spec in the place's buffer."""
        key = (spec.dtype, spec.device, place)
        if key not in self._memory or self._memory[key].numel() < spec.extent:
            self._memory[key] = _random(spec.extent, spec)
        return self._memory[key].as_strided(spec.shape, spec.stride)


def replay(operations: Sequence[Operation]) -> Callable[[], None]:
    """A function that does these operations once, in their order, on random numbers.

    Products write into the shared buffers. Convolutions and FFTs allocate their results, as they do everywhere.
    Fused attention is done as its plain products, without softmax.
    """
    buffers = Buffers()
    for _ in range(2):  # the first round only grows the buffers to their final size
        calls = [call for operation in operations for call in _calls(operation, buffers)]

    def run() -> None:
        with torch.no_grad():
            for call in calls:
                call()

    return run


def _calls(operation: Operation, buffers: Buffers) -> list[Callable[[], object]]:
    if operation.name.startswith(ATTENTION):
        like = operation.args[0]
        return [_product(*sizes, like, buffers) for sizes in attention_products(operation)]
    place = 0

    def fill(spec: Spec) -> Tensor:
        nonlocal place
        place += 1
        return buffers.tensor(spec, place)

    args, kwargs = tree_map_only(Spec, fill, (operation.args, operation.kwargs))
    function = operation.function
    packet = function.overloadpacket
    if packet.__name__ in WITH_OUTPUT and function._overloadname == "default" and operation.result is not None:
        function, kwargs = packet.out, {**kwargs, "out": buffers.tensor(operation.result, 0)}
    return [lambda: function(*args, **kwargs)]


def _product(batch: int, m: int, k: int, n: int, like: Spec, buffers: Buffers) -> Callable[[], object]:
    shapes = ((batch, m, n), (batch, m, k), (batch, k, n))
    specs = [Spec(shape, (shape[1] * shape[2], shape[2], 1), like.dtype, like.device) for shape in shapes]
    out, left, right = (buffers.tensor(spec, place) for place, spec in enumerate(specs))
    return lambda: torch.bmm(left, right, out=out)


def _random(n: int, spec: Spec) -> Tensor:
    if spec.dtype.is_complex or spec.dtype.is_floating_point:
        return 0.1 * torch.randn(n, dtype=spec.dtype, device=spec.device)
    return torch.ones(n, dtype=spec.dtype, device=spec.device)

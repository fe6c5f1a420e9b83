"""Which matrix products, convolutions and FFTs a computation consists of: recorded, counted, done again alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map_only

PRODUCTS = ("mm", "addmm", "bmm", "baddbmm", "mv", "addmv", "addbmm", "dot")
CONVOLUTIONS = ("convolution", "convolution_backward")
FFTS = ("_fft_r2c", "_fft_c2r", "_fft_c2c")
ATTENTION = "_scaled_dot_product_"


@dataclass(frozen=True)
class Spec:
    """A tensor without its values."""

    shape: tuple[int, ...]
    stride: tuple[int, ...]
    dtype: torch.dtype
    device: torch.device

    @staticmethod
    def of(tensor: Tensor) -> Spec:
        """The spec of a tensor."""
        return Spec(tuple(tensor.shape), tuple(tensor.stride()), tensor.dtype, tensor.device)

    @property
    def extent(self) -> int:
        """Elements from the first to the last in memory."""
        return 1 + sum((n - 1) * step for n, step in zip(self.shape, self.stride, strict=True)) if self.numel else 0

    @property
    def numel(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class Operation:
    """One call: the function, its arguments with Specs for tensors, and the Spec of its (first) result."""

    function: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    result: Spec | None

    @property
    def name(self) -> str:
        """`mm` for `mm`, `mm.out` and `mm_` alike."""
        name = self.function.overloadpacket.__name__
        return name if name.startswith("_") else name.rstrip("_")


class Recorder(TorchDispatchMode):
    """Collects the operations that count while it is on; autograd's own and those inside custom functions too."""

    def __init__(self) -> None:
        super().__init__()
        self.operations: list[Operation] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        operation = Operation(func, (), {}, None)
        if operation.name in (*PRODUCTS, *CONVOLUTIONS, *FFTS) or operation.name.startswith(ATTENTION):
            first = next(
                (part for part in (result if isinstance(result, tuple) else (result,)) if part is not None), None
            )
            args, kwargs = tree_map_only(Tensor, Spec.of, (tuple(args), dict(kwargs)))
            spec = Spec.of(first) if isinstance(first, Tensor) else None
            self.operations.append(Operation(func, args, kwargs, spec))
        return result


def record(work: Callable[[], object]) -> list[Operation]:
    """The operations of one call of `work`."""
    with Recorder() as recorder:
        work()
    return recorder.operations


def flops(operation: Operation) -> float:
    """Multiplications and additions; a real FFT of n points as 2.5 n log2 n, a complex one as twice that.

    Fused attention counts its two products, its backward pass four: what an implementation that keeps the weights does.
    """
    args, name = operation.args, operation.name
    if name.startswith(ATTENTION):
        return sum(2 * batch * m * k * n for batch, m, k, n in attention_products(operation))
    if name in FFTS:
        n = _fft_points(operation)
        both = operation.args[0] if name != "_fft_c2r" else operation.result
        assert both is not None
        return (5.0 if name == "_fft_c2c" else 2.5) * both.numel * math.log2(max(n, 2))
    if name in CONVOLUTIONS:
        backward = name == "convolution_backward"
        weight = args[2] if backward else args[1]
        output = args[0] if backward else operation.result
        one = 2.0 * output.shape[0] * math.prod(output.shape[2:]) * weight.numel  # weight: (out, in / groups, kernel)
        return one * (sum(args[-1][:2]) if backward else 1)
    left, right = (part for part in (args[:2] if name in ("mm", "bmm", "mv", "dot") else args[1:3]))
    inner = 1 if len(right.shape) < 2 else right.shape[-1]
    complex_factor = 4 if left.dtype.is_complex else 1
    return 2.0 * complex_factor * left.numel * inner


def attention_products(operation: Operation) -> Iterator[tuple[int, int, int, int]]:
    """(batch, m, k, n) of each product in a fused attention call: 2 forward, 4 backward."""
    backward = operation.name.endswith("_backward")
    q, k, v = (part for part in operation.args[1:4] if isinstance(part, Spec)) if backward else operation.args[:3]
    batch, tokens, others = math.prod(q.shape[:-2]), q.shape[-2], k.shape[-2]
    width, width_v = q.shape[-1], v.shape[-1]
    if not backward:
        yield from ((batch, tokens, width, others), (batch, tokens, others, width_v))
        return
    yield batch, others, tokens, width_v  # values' gradient
    yield batch, tokens, width_v, others  # weights'
    yield batch, tokens, others, width  # queries'
    yield batch, others, tokens, width  # keys'


def _fft_points(operation: Operation) -> int:
    full = operation.result if operation.name == "_fft_c2r" else operation.args[0]
    return math.prod(full.shape[dim] for dim in operation.args[1])

"""A result that is kept as long as the tensors it was computed from have the same values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Generic, TypeVar

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensor

Result = TypeVar("Result")

_constant = False  # inside kept_as_constants; a plain name, which the compiler can read


@contextmanager
def kept_as_constants() -> Iterator[None]:
    """Inside, a recorded graph takes what a forward pass has left in the caches instead of computing it each time.

    For export: the weights are constants there too, and ONNX has no linear solve.
    """
    global _constant
    before, _constant = _constant, True
    try:
        yield
    finally:
        _constant = before


class TensorCache(Generic[Result]):
    """Keeps the last result of a function of a few small tensors and a length.

    The tensors are compared by value, dtype and device, so that nothing goes stale however they were changed (an
    optimizer step, `load_state_dict`, a write to `.data`, a move to another device). Copies and pickles of a
    model start with an empty cache. A result carries no gradient and is never computed in inference mode, so that
    training can use it too.
    """

    def __init__(self) -> None:
        self._entry: tuple[Tensor, int, Result] | None = None

    def __reduce__(self) -> tuple[type, tuple[()]]:
        return type(self), ()

    @property
    def empty(self) -> bool:
        """Whether nothing is kept."""
        return self._entry is None

    def get(self, tensors: Sequence[Tensor], length: int, compute: Callable[[], Result]) -> Result:
        """The kept result where `tensors` (of one dtype and device) and `length` are those of the last call."""
        if not _comparable(tensors[0]):
            kept = self._entry if _constant else None
            return kept[2] if kept is not None and kept[1] == length else compute()
        with torch.inference_mode(False), torch.no_grad():
            key = torch.cat([tensor.detach().flatten() for tensor in tensors])
            entry = self._entry
            if entry is None or entry[1] != length or not _same(entry[0], key):
                entry = self._entry = (key, length, compute())
        return entry[2]


def _comparable(tensor: Tensor) -> bool:
    """Whether the values are there to be looked at: not while a graph is recorded, not where there are shapes alone."""
    return not (torch.compiler.is_compiling() or tensor.is_meta or isinstance(tensor, FakeTensor))


def _same(a: Tensor, b: Tensor) -> bool:
    return a.dtype == b.dtype and a.device == b.device and torch.equal(a, b)

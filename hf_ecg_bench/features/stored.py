"""Features that are there: some records' windows, row by row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch

from hf_ecg_bench.features.extract import as_tensor
from hf_ecg_bench.features.key import StoreKey
from hf_ecg_bench.features.locks import Use

# Stores up to this size are read into memory once: a gather then costs one copy.
_SMALL = 2**30


class WindowFeatures(Protocol):
    """What a head is trained and tested on: features of windows, of one model or of several.

    Attributes:
        record: (windows,) position of each window's record, ascending.
        is_evaluation: (windows,) bool; the others are random crops.
    """

    record: np.ndarray
    is_evaluation: np.ndarray

    def take(self, rows: np.ndarray) -> Any:
        """Features of these windows, as the head takes them."""

    def only(self, windows: np.ndarray) -> WindowFeatures:
        """These windows alone, of the same records."""


@dataclass
class StoredFeatures:
    """The stored windows of some records, by record in the order in which the records were given.

    Attributes:
        blocks: the store's, each (windows, dim) or (windows, tokens, dim) in the stored type.
        bounds: (blocks + 1,) of the blocks among the store's windows.
        key: what decides the features.
        folder: the store's.
        chosen: (windows,) positions of these windows among the store's.
        record: (windows,) position of each window's record among the given records, ascending.
        starts: (windows,) first samples, at the rate at which windows are cut.
        is_evaluation: (windows,) bool; the others are random crops.
        bytes: of the whole store.
        computed: how many windows were computed when it was opened.
        seconds: that this took.
        use: keeps the store from being pruned.
    """

    blocks: Sequence[np.ndarray]
    bounds: np.ndarray
    key: StoreKey
    folder: Path
    chosen: np.ndarray
    record: np.ndarray
    starts: np.ndarray
    is_evaluation: np.ndarray
    bytes: int
    computed: int
    seconds: float
    use: Use

    def __len__(self) -> int:
        return len(self.chosen)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one window's features: (dim,) or (tokens, dim)."""
        return tuple(self.blocks[0].shape[1:])

    def take(self, rows: np.ndarray) -> torch.Tensor:
        """Features of these windows, (n, dim) or (n, tokens, dim), in the stored type; a new tensor.

        Args:
            rows: (n,) int, positions among these windows.
        """
        wanted = self.chosen[rows]
        if len(self.blocks) == 1:
            return as_tensor(self.blocks[0][wanted], self.key.stored)
        values = np.empty((len(wanted), *self.shape), self.blocks[0].dtype)
        block = np.searchsorted(self.bounds, wanted, side="right") - 1
        order = np.argsort(block, kind="stable")
        cuts = np.flatnonzero(np.diff(block[order], prepend=-1, append=-1))
        for first, last in pairwise(cuts):
            here = order[first:last]
            number = int(block[here[0]])
            values[here] = self.blocks[number][wanted[here] - self.bounds[number]]
        return as_tensor(values, self.key.stored)

    def read(self, rows: np.ndarray) -> np.ndarray:
        """As `take`, in float32, as an array."""
        return self.take(rows).float().numpy()

    def only(self, windows: np.ndarray) -> StoredFeatures:
        """These windows alone, of the same records. Args: windows: (windows,) bool, or positions."""
        parts = {name: getattr(self, name)[windows] for name in ("chosen", "record", "starts", "is_evaluation")}
        return replace(self, **parts)

    def of_records(self, records: np.ndarray) -> StoredFeatures:
        """The windows of these records alone, in their order. Args: records: (n,) positions among the given records."""
        position = np.full(int(self.record.max(initial=-1)) + 1, -1)
        position[records] = np.arange(len(records))
        mine = position[self.record]
        windows = np.flatnonzero(mine >= 0)
        windows = windows[np.argsort(mine[windows], kind="stable")]
        return replace(self.only(windows), record=mine[windows])

    def in_memory(self) -> StoredFeatures:
        """The same, read into memory as one block where the store is small; else as it is, memory-mapped."""
        if self.bytes > _SMALL or len(self.chosen) == 0:
            return self
        whole = np.concatenate([np.asarray(block) for block in self.blocks])
        return replace(self, blocks=[whole], bounds=np.array([0, len(whole)]))

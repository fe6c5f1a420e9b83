"""Dictionaries of items (`d_items`, `d_labitems`), and the rows of large tables that are about some of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from hf_ecg_bench.data.formats.csv_stream import stream_csv
from hf_ecg_bench.data.sources.mimic.layout import DAMAGED
from hf_ecg_bench.errors import DataError


def read_items(path: Path) -> dict[int, str]:
    """Item id -> label.

    Raises:
        DataError: unusable table, or an item with two labels.
    """
    labels: dict[int, str] = {}
    columns = {"itemid": pa.int64(), "label": pa.string()}
    for batch in stream_csv(path, columns, fix=DAMAGED, required=("itemid",)):
        for item, label in zip(batch.column("itemid").to_pylist(), batch.column("label").to_pylist(), strict=True):
            if labels.setdefault(item, label or "") != (label or ""):
                raise DataError(f"{path}: item {item} is both {labels[item]!r} and {label!r}", fix=DAMAGED)
    return labels


class ItemTable:
    """Finds the rows about wanted items: item id -> position of its label.

    Args:
        labels: item id -> label (see `read_items`).
        wanted: labels in the order that positions count; a label may belong to several items.
    """

    def __init__(self, labels: dict[int, str], wanted: Sequence[str]) -> None:
        position = {label: number for number, label in enumerate(wanted)}
        chosen = sorted((item, position[label]) for item, label in labels.items() if label in position)
        # The ends stand for "no such item".
        self._items = np.array([-1, *(item for item, _ in chosen)], np.int64)
        self._position = np.array([-1, *(number for _, number in chosen)], np.int32)

    def positions(self, items: np.ndarray) -> np.ndarray:
        """(n,) item ids -> (n,) positions of their labels, -1 for other items."""
        at = np.searchsorted(self._items, items, "right") - 1
        return np.where(self._items[at] == items, self._position[at], -1)

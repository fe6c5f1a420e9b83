"""One stretch of time for models with windows of different lengths.

A span is as long as the longest window of the models, and is one of that model's windows. Every other model gives as
many of its own windows, one after the other, as fit into a span: those nearest to the same relative place of the
record. Where its window's length divides the span's, they fill the span exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hf_ecg_bench.errors import ContractError

# Of seconds: samples at any rate are much further apart.
_CLOSE = 1e-6


@dataclass(frozen=True)
class Windows:
    """A model's windows of some records.

    Attributes:
        record: (windows,) position of each window's record, ascending.
        start: (windows,) seconds.
        is_evaluation: (windows,) bool: of the grid without overlap (its last may be shifted); the others are crops.
        seconds: of a window.
    """

    record: np.ndarray
    start: np.ndarray
    is_evaluation: np.ndarray
    seconds: float


def longest(seconds: Sequence[float]) -> int:
    """Which model's windows are the spans: the first of the longest."""
    return int(np.argmax(np.round(seconds, 6)))


def windows_in_spans(spans: Windows, model: Windows, duration: np.ndarray) -> np.ndarray:
    """Which windows of a model belong to each span.

    Args:
        spans: windows of the model whose are the longest.
        model: of the same records.
        duration: (records,) seconds.

    Returns:
        (spans, fitting) int, rows of `model`, by time.

    Raises:
        ContractError: a record of which the model has no, or too few, windows.
    """
    fitting = max(1, int(spans.seconds / model.seconds + _CLOSE))
    room = duration[spans.record] - spans.seconds
    place = np.divide(spans.start, room, out=np.zeros_like(spans.start), where=room > _CLOSE)
    wanted = place * (duration[spans.record] - fitting * model.seconds)
    grid = np.flatnonzero(model.is_evaluation)
    last = _windows_after(model.record[grid])
    found = np.empty((len(spans.record), fitting), np.int64)
    grid_start = grid[last >= fitting - 1]
    found[:, 0] = _nearest(model, grid_start, spans.record, wanted)
    if fitting == 1:
        crops = np.flatnonzero(~spans.is_evaluation)
        # Crops of one number are at the same relative place in every model's store, so the nearest is its own.
        anywhere = np.lexsort((model.start, model.record))
        found[crops, 0] = _nearest(model, anywhere, spans.record[crops], wanted[crops])
        return found
    among = np.searchsorted(grid, found[:, 0])
    return grid[among[:, None] + np.arange(fitting)]


def _windows_after(record: np.ndarray) -> np.ndarray:
    """(windows,) how many windows of the same record follow each."""
    end = np.searchsorted(record, record, side="right")
    return end - 1 - np.arange(len(record))


def _nearest(model: Windows, candidates: np.ndarray, record: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Of the candidates, rows of `model` by record and time, those of these records nearest to these starts.

    Of two that are equally near, the earlier.
    """
    first = np.searchsorted(model.record[candidates], record, side="left")
    end = np.searchsorted(model.record[candidates], record, side="right")
    if (first == end).any():
        raise ContractError(f"record {int(record[np.argmax(first == end)])} has too few windows of {model.seconds:g} s")
    # One ascending key for records and times together.
    stride = float(max(model.start.max(initial=0.0), start.max(initial=0.0))) + 1.0
    keys = model.record[candidates] * stride + model.start[candidates]
    after = np.clip(np.searchsorted(keys, record * stride + start - _CLOSE), first, end - 1)
    before = np.clip(after - 1, first, end - 1)
    distance = [np.abs(model.start[candidates[row]] - start) for row in (before, after)]
    return candidates[np.where(distance[0] <= distance[1] + _CLOSE, before, after)]

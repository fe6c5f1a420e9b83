"""Which recordings are the same one, judged by their fingerprints."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from hf_ecg_bench.data.fingerprints import CLOSE, HASH_BYTES, N_POINTS, STEPS

COLUMNS = ["record_id", "split", "sampling_rate", "samples", "rounded", "points"]
_TOLERANCE = CLOSE / float(STEPS)
_SUMS = 4
_PAIRS_AT_A_TIME = 100_000

# Whether two rows, whose points agree, hold the same recording.
SameSignal = Callable[[int, int], bool]


@dataclass(frozen=True)
class Recordings:
    """Fingerprints of many recordings as arrays, one row each.

    Attributes:
        rounded: (n, 2) uint64, the hash of the rounded signal; zeros where it says nothing.
        shape: (n, 2) int64: sampling rate and number of samples.
        points: (n, 32) float32; NaN where a signal says too little.
    """

    rounded: np.ndarray
    shape: np.ndarray
    points: np.ndarray

    @classmethod
    def of(cls, tables: Sequence[pa.Table]) -> Recordings:
        """From tables of fingerprints with (at least) the four columns about the signal."""
        rounded, shape, points = [np.zeros((0, 2), np.uint64)], [np.zeros((0, 2))], [np.zeros((0, N_POINTS))]
        for table in tables:
            rounded.append(hash_words(table["rounded"].combine_chunks()))
            shape.append(np.stack([table[name].fill_null(0) for name in ("sampling_rate", "samples")], axis=1))
            points.append(_points(table["points"].combine_chunks()))
        return cls(
            np.concatenate(rounded),
            np.concatenate(shape, dtype=np.int64, casting="unsafe"),
            np.concatenate(points, dtype=np.float32, casting="unsafe"),
        )


def same_recordings(recordings: Recordings, same: SameSignal | None = None) -> list[list[int]]:
    """Groups of rows that hold the same recording: two or more rows each, ascending; groups by their first row.

    Rows of one sampling rate with equal rounded signals are the same. So are rows of equal rate and length whose 32
    points agree within 1 uV, if `same`, which compares the signals, says so too (without it, the points decide).
    """
    # Here: every listing of datasets imports this module, and scipy takes longer than all the rest of it.
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n = len(recordings.rounded)
    known = np.flatnonzero(recordings.rounded.any(axis=1))
    keys = np.concatenate([recordings.rounded[known].view(np.int64), recordings.shape[known]], axis=1)
    _, first, inverse = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    pairs = [np.stack([known, known[first[inverse.reshape(-1)]]], axis=1)]
    leaders = known[np.sort(first)]
    close = [pair for pair in close_pairs(recordings, leaders) if same is None or same(*pair)]
    pairs.append(np.array(close, dtype=known.dtype).reshape(-1, 2))
    edges = np.concatenate(pairs)
    graph = coo_array((np.ones(len(edges), bool), (edges[:, 0], edges[:, 1])), shape=(n, n))
    group = connected_components(graph, directed=False)[1]
    order = np.argsort(group, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(group[order])) + 1)
    return sorted(part.tolist() for part in parts if len(part) > 1)


def close_pairs(recordings: Recordings, rows: np.ndarray) -> Iterable[tuple[int, int]]:
    """Pairs among `rows` of equal rate and length whose points agree within 1 uV; ascending."""
    from scipy.spatial import cKDTree  # as above

    rows = rows[np.isfinite(recordings.points[rows, 0])]
    pairs: list[tuple[int, int]] = []
    for shape in np.unique(recordings.shape[rows], axis=0):
        alike = rows[(recordings.shape[rows] == shape).all(axis=1)]
        points = recordings.points[alike].astype(np.float64)
        # A tree is slow in 32 dimensions. In four sums of eight points each, close ones are close, and few others.
        # One that need not be balanced is made faster, and does not mind many equal values.
        tree = cKDTree(points.reshape(len(alike), -1, _SUMS).sum(axis=1), balanced_tree=False)
        found = tree.query_pairs(N_POINTS // _SUMS * _TOLERANCE, p=np.inf, output_type="ndarray")
        for part in np.array_split(found, len(found) // _PAIRS_AT_A_TIME + 1):
            close = (np.abs(points[part[:, 0]] - points[part[:, 1]]) <= _TOLERANCE).all(axis=1)
            pairs += map(tuple, np.sort(alike[part[close]], axis=1).tolist())
    return sorted(pairs)


def hash_words(column: pa.FixedSizeBinaryArray) -> np.ndarray:
    """(rows, 2) uint64 from a column of 16-byte hashes; zeros where it is null."""
    filled = column.fill_null(bytes(HASH_BYTES))
    words = np.frombuffer(filled.buffers()[1], np.uint64) if len(filled) else np.zeros(0, np.uint64)
    return words[2 * filled.offset :][: 2 * len(filled)].reshape(-1, 2)


def _points(column: pa.FixedSizeListArray) -> np.ndarray:
    points = np.full((len(column), N_POINTS), np.nan, np.float32)
    points[column.is_valid().to_numpy(zero_copy_only=False)] = column.flatten().to_numpy().reshape(-1, N_POINTS)
    return points

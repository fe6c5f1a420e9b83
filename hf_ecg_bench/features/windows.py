"""Which windows of a record are kept in the feature store, and why these.

The published protocol draws a new random window of each training record every epoch, so its features are never used
twice. The store keeps, of each training record, all its evaluation windows (without overlap, as in the test) and `k`
random crops; each epoch takes one of them at random. The evaluation windows cover the record once, as random windows
do in the mean, and are what the head is tested on; the crops add other alignments to the beats. A record of 10 s and
windows of 2.5 s give 4 + k windows instead of 100 epochs' worth. Validation and test need the evaluation windows only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hf_ecg_bench.signals.windows import Tail, evaluation_index, training_start

#: Crops do not depend on a run's seed, so that runs of all seeds share a store.
CROP_SEED = 0


@dataclass(frozen=True)
class StoreWindows:
    """The windows of a store: by record; of each record the evaluation windows by time, then the crops as drawn.

    Attributes:
        rows: (records,) rows of the split, ascending.
        record: (windows,) position of each window's record in `rows`.
        starts: (windows,) first samples, at the rate at which windows are cut.
        is_evaluation: (windows,) bool.
    """

    rows: np.ndarray
    record: np.ndarray
    starts: np.ndarray
    is_evaluation: np.ndarray

    def __len__(self) -> int:
        return len(self.record)


def store_windows(
    lengths: np.ndarray, rows: np.ndarray, window: int, tail: Tail, crops: int, *, last_window: bool = True
) -> StoreWindows:
    """Evaluation windows and `crops` random ones of each record; a crop that is there already is dropped.

    A record as long as one window thus has one, whatever `crops` is.

    Args:
        lengths: (records,) samples, at the rate at which windows are cut; each at least `window`.
        rows: (records,) rows of the split, which decide the crops.
        window: samples of a window.
        tail: as in `signals.windows`.
        last_window: whether the last possible window may be drawn as a crop.

    Raises:
        DataError: a record shorter than the window.
    """
    record, starts = evaluation_index(lengths, window, tail)
    records, all_starts = [record], [starts]
    for number in range(crops):
        records.append(np.arange(len(rows)))
        all_starts.append(training_start(lengths, window, CROP_SEED, number, rows, published=not last_window))
    joined, joined_starts = np.concatenate(records), np.concatenate(all_starts)
    # The first of equal (record, start) is kept: evaluation windows stand first.
    stride = int(lengths.max(initial=0)) + 1
    _, first = np.unique(joined * stride + joined_starts, return_index=True)
    first.sort()
    kept = first[np.argsort(joined[first], kind="stable")]
    return StoreWindows(rows, joined[kept], joined_starts[kept], kept < len(record))


def block_bounds(record: np.ndarray, batch_size: int, blocks: int = 256) -> np.ndarray:
    """Where the store is cut into blocks: whole records, whole batches as far as possible, about `blocks` at most.

    Small enough that a kill loses little, few enough that their files can all be open. A batch never crosses a block,
    so a block's content does not depend on who computes it, or when.

    Args:
        record: (windows,) ascending.

    Returns:
        (blocks + 1,) positions among the windows, from 0 to their number.
    """
    number = len(record)
    target = batch_size * max(1, -(-number // (blocks * batch_size)))
    edges = np.append(np.flatnonzero(np.diff(record, prepend=-1)), number)
    bounds = [0]
    while bounds[-1] < number:
        end = edges[np.searchsorted(edges, bounds[-1] + target, side="right") - 1]
        if end <= bounds[-1]:  # one record with more windows than a block should have
            end = edges[np.searchsorted(edges, bounds[-1], side="right")]
        bounds.append(int(end))
    return np.array(bounds)

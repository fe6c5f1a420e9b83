"""Which windows are stored, and how they are cut into blocks."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from hf_ecg_bench.errors import DataError
from hf_ecg_bench.features.windows import block_bounds, store_windows
from hf_ecg_bench.signals.windows import evaluation_index


def test_evaluation_windows_first_then_crops():
    lengths, rows = np.array([5000, 3000, 1300]), np.array([2, 5, 9])
    windows = store_windows(lengths, rows, 1250, "shift", 3)
    record, starts = evaluation_index(lengths, 1250, "shift")
    assert windows.record[windows.is_evaluation].tolist() == record.tolist()
    assert windows.starts[windows.is_evaluation].tolist() == starts.tolist()
    assert (np.diff(windows.record) >= 0).all()
    for number, length in enumerate(lengths):
        mine = windows.record == number
        assert (np.diff(windows.is_evaluation[mine].astype(int)) <= 0).all(), "the crops stand last"
        assert len(np.unique(windows.starts[mine])) == mine.sum()
        assert windows.starts[mine].max() <= length - 1250
    assert (~windows.is_evaluation)[windows.record == 0].sum() == 3


def test_crops_belong_to_the_row_and_to_no_seed():
    lengths = np.full(4, 5000)
    whole = store_windows(lengths, np.arange(4), 1250, "drop", 2)
    part = store_windows(lengths[2:], np.array([2, 3]), 1250, "drop", 2)
    assert part.starts.tolist() == whole.starts[whole.record >= 2].tolist()


def test_a_record_of_one_window_is_stored_once():
    windows = store_windows(np.full(3, 5000), np.arange(3), 5000, "drop", 2)
    assert windows.starts.tolist() == [0, 0, 0]
    assert windows.is_evaluation.all()


def test_the_last_window_is_no_crop_under_the_published_rule():
    rows = np.arange(2000)
    starts = store_windows(np.full(2000, 1252), rows, 1250, "drop", 1, last_window=False)
    assert set(starts.starts) == {0, 1}
    assert set(store_windows(np.full(2000, 1252), rows, 1250, "drop", 1).starts) == {0, 1, 2}


def test_short_records_are_refused():
    with pytest.raises(DataError, match="shorter than the window"):
        store_windows(np.array([1000]), np.array([0]), 1250, "drop", 1)


@pytest.mark.parametrize(
    ("counts", "batch", "blocks"), [([4] * 100, 32, 256), ([1] * 1000, 2, 10), ([50, 1, 70, 2], 8, 256), ([3], 64, 256)]
)
def test_blocks_hold_whole_records_and_at_most_the_target(counts, batch, blocks):
    record = np.repeat(np.arange(len(counts)), counts)
    bounds = block_bounds(record, batch, blocks)
    assert bounds[0] == 0
    assert bounds[-1] == len(record)
    assert (np.diff(bounds) > 0).all()
    inner = bounds[1:-1]
    assert (record[inner] != record[inner - 1]).all(), "no record is in two blocks"
    target = batch * max(1, -(-len(record) // (blocks * batch)))
    for first, last in pairwise(bounds):
        assert last - first <= target or record[first] == record[last - 1]
    assert len(bounds) - 1 <= blocks + len(record) // target


def test_no_records_no_blocks():
    assert block_bounds(np.empty(0, int), 32).tolist() == [0]

"""The data benchmark runs, and its yardsticks do the same work."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.bench_data import chapman_like_labels, row
from benchmarks.data.plain_folds import plain_stratify
from benchmarks.data.sources import measure_source
from hf_ecg_bench.data.folds.stratify import stratify


@pytest.mark.parametrize(("dataset", "has_wfdb"), [("georgia", True), ("echonext", False), ("synthetic", False)])
def test_a_source_is_measured(dataset: str, has_wfdb: bool) -> None:
    times = measure_source(dataset, 12, 1, scale=False)
    assert times.records > 0
    assert min(times.prepare, times.write_table, times.write_table_same, times.kilobytes) > 0
    assert (times.times_wfdb is not None) == has_wfdb
    assert times.is_binary == (dataset != "synthetic")
    assert row(times).count("|") == 13


def test_the_plain_folds_are_ours() -> None:
    labels = chapman_like_labels()[:600]
    classes = sorted({label for own in labels for label in own})
    folds = stratify(labels, classes, [0.1] * 10)
    assert plain_stratify(labels, classes, [0.1] * 10) == folds
    assert np.bincount(folds).min() > 50

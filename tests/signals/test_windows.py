"""Where windows start, and the mean over a record's windows."""

import json
from pathlib import Path

import numpy as np
import pytest

from hf_ecg_bench.errors import DataError
from hf_ecg_bench.signals.counter import splitmix64
from hf_ecg_bench.signals.windows import (
    evaluation_index,
    evaluation_starts,
    mean_per_record,
    training_start,
    window_length,
)


def test_window_length_is_the_whole_part_but_safe_from_rounding() -> None:
    assert window_length(2.5, 500) == 1250
    assert window_length(2.4, 250) == 600
    assert window_length(2.3, 100) == 230
    assert window_length(2.5, 257) == 642
    for seconds, rate in ((0, 500), (-1, 500), (2.5, 0), (float("nan"), 500), (0.001, 500)):
        with pytest.raises(DataError, match="no samples"):
            window_length(seconds, rate)


@pytest.mark.parametrize(
    ("length", "drop", "shift"),
    [
        (1249, [], []),
        (1250, [0], [0]),
        (1251, [0], [0, 1]),
        (2500, [0, 1250], [0, 1250]),
        (3000, [0, 1250], [0, 1250, 1750]),
        (0, [], []),
    ],
)
def test_evaluation_starts(length: int, drop: list[int], shift: list[int]) -> None:
    assert evaluation_starts(length, 1250).tolist() == drop
    assert evaluation_starts(length, 1250, "shift").tolist() == shift


def test_evaluation_index_of_many_records_equals_one_by_one() -> None:
    lengths = np.random.default_rng(0).integers(0, 9000, 200)
    for tail in ("drop", "shift"):
        records, starts = evaluation_index(lengths, 1250, tail)
        one_by_one = [
            (record, start) for record, n in enumerate(lengths) for start in evaluation_starts(int(n), 1250, tail)
        ]
        assert list(zip(records, starts, strict=True)) == one_by_one
        assert (starts + 1250 <= lengths[records]).all()
    with pytest.raises(DataError, match="tail rule 'pad'"):
        evaluation_index(lengths, 1250, "pad")
    with pytest.raises(DataError, match="window of 0"):
        evaluation_index(lengths, 0)


def test_splitmix64_equals_its_published_first_numbers() -> None:
    state = np.uint64(1234567) + np.arange(3, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    assert splitmix64(state).tolist() == [6457827717110365317, 3203168211198807973, 9817491932198370423]


def test_training_start_depends_on_seed_epoch_and_record_alone() -> None:
    records = np.arange(1000)
    starts = training_start(5000, 1250, 0, 3, records)
    np.testing.assert_array_equal(training_start(np.full(100, 5000), 1250, 0, 3, records[400:500]), starts[400:500])
    assert training_start(5000, 1250, 0, 3, 17) == starts[17]
    assert isinstance(training_start(5000, 1250, 0, 3, 17), int)
    for other in (training_start(5000, 1250, 1, 3, records), training_start(5000, 1250, 0, 4, records)):
        assert (other != starts).mean() > 0.99
    # Stored numbers: a changed generator would silently change every resumed run.
    assert starts[:4].tolist() == [824, 964, 1330, 62]


def test_training_starts_are_uniform_and_reach_both_ends() -> None:
    records = np.arange(200_000)
    starts = training_start(1259, 1250, 5, 0, records)
    counts = np.bincount(starts, minlength=10)
    assert len(counts) == 10
    assert np.abs(counts - 20_000).max() < 800  # six standard deviations
    published = training_start(1259, 1250, 5, 0, records, published=True)
    assert set(published.tolist()) == set(range(9))
    assert abs(np.corrcoef(starts[:-1], starts[1:])[0, 1]) < 0.02
    epochs = np.array([training_start(5000, 1250, 0, epoch, 7) for epoch in range(2000)])
    assert abs(epochs.mean() - 1875) < 6 * 1083 / 2000**0.5


def test_a_record_of_exactly_one_window_starts_at_zero_and_a_shorter_one_is_an_error() -> None:
    for published in (False, True):
        assert training_start(1250, 1250, 0, 0, 0, published) == 0
    with pytest.raises(DataError, match="1249 samples is shorter"):
        training_start(np.array([5000, 1249]), 1250, 0, 0, np.arange(2))


def test_mean_per_record_in_any_order() -> None:
    outputs = np.array([[1, 2], [3, 4], [5, 6], [7, 8]], dtype=np.float32)
    means, records = mean_per_record(outputs, np.array([4, 1, 4, 1]))
    assert records.tolist() == [1, 4]
    assert means.tolist() == [[5, 6], [3, 4]]
    assert means.dtype == np.float32
    means, records = mean_per_record(outputs[:0], np.empty(0, dtype=np.int64))
    assert means.shape == (0, 2)
    with pytest.raises(DataError, match=r"expected \(n, targets\)"):
        mean_per_record(outputs, np.zeros(3, dtype=np.int64))


@pytest.mark.shared
def test_equals_the_published_code(shared: Path) -> None:
    for case in json.loads((shared / "fixtures/windows/cases.json").read_text())["cases"]:
        window = window_length(case["seconds"], case["fs"])
        assert window == case["window"]
        lengths = np.array(case["lengths"])
        assert np.flatnonzero(lengths >= window).tolist() == case["train_records"]
        for record in case["train_records"]:
            starts = training_start(
                int(lengths[record]), window, 0, 0, np.arange(100 * lengths[record]), published=True
            )
            assert starts.min() == 0
            assert starts.max() == case["train_start_max_exclusive"][str(record)] - 1
        records, starts = evaluation_index(lengths, window)
        assert np.stack([records, starts, starts + window], axis=1).tolist() == case["eval_windows"]
        means, order = mean_per_record(np.array(case["probabilities"]), records)
        assert order.tolist() == case["aggregated_record_order"]
        np.testing.assert_allclose(means, case["aggregated"], rtol=0, atol=1e-7)

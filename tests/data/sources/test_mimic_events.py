"""Exact quantiles from counts, nearest measurements, and their exactness against plain loops."""

from __future__ import annotations

import numpy as np
import pytest

from hf_ecg_bench.data.sources.mimic.counts import ValueCounts, joined, quantile
from hf_ecg_bench.data.sources.mimic.diagnoses import with_ancestors
from hf_ecg_bench.data.sources.mimic.events import Events
from hf_ecg_bench.data.sources.mimic.nearest import (
    WITHIN_30_DAYS,
    WITHIN_AN_HOUR,
    Moments,
    Window,
    nearest_values,
)


@pytest.mark.parametrize("n", [1, 2, 3, 99, 100, 101, 5000])
def test_quantiles_equal_numpy(n: int) -> None:
    values = np.round(np.random.default_rng(n).normal(10, 2, n), 1)
    counts = ValueCounts()
    for part in np.array_split(values, 7):
        counts.add(part)
    for q in (0.0, 0.01, 0.5, 0.99, 1.0):
        assert quantile(counts, q) == pytest.approx(np.quantile(values, q), abs=1e-12)
    assert counts.total == n
    inside = values[(values >= 9) & (values <= 11)]
    assert joined([counts, counts], 9, 11).total == 2 * len(inside)


def test_quantile_of_nothing_lets_nothing_through() -> None:
    counts = ValueCounts()
    counts.add(np.array([np.nan]))
    assert np.isnan(quantile(counts, 0.5))


def test_counts_are_merged_when_they_grow() -> None:
    counts = ValueCounts()
    rng = np.random.default_rng(0)
    for _ in range(40):
        counts.add(rng.integers(0, 20_000, 50_000).astype(float))
    assert len(counts._values) < 40
    assert counts.total == 40 * 50_000


def plain_nearest(ecgs: list[tuple[int, int]], events: list[tuple[int, int, float]], window: Window) -> list[float]:
    """The rule as it is said: fewest whole units, first in table order."""
    answers = []
    for subject, time in ecgs:
        units = [
            (abs(when - time) // window.unit, position)
            for position, (who, when, _) in enumerate(events)
            if who == subject and abs(when - time) // window.unit <= window.limit
        ]
        answers.append(events[min(units)[1]][2] if units else np.nan)
    return answers


@pytest.mark.parametrize("window", [WITHIN_AN_HOUR, WITHIN_30_DAYS, Window(60, 5)])
@pytest.mark.parametrize("seed", range(5))
def test_nearest_equals_a_plain_loop(window: Window, seed: int) -> None:
    rng = np.random.default_rng(seed)
    reach = 3 * window.unit * (window.limit + 1)
    # Coarse times, so that many measurements are equally near, and unsorted patients.
    step = max(1, window.unit * window.limit // 8)
    ecgs = [
        (int(who), int(when) * step) for who, when in zip(rng.integers(0, 9, 60), rng.integers(0, 24, 60), strict=True)
    ]
    events = [
        (int(who), int(when), float(position))
        for position, (who, when) in enumerate(
            zip(rng.integers(0, 11, 400), rng.integers(-reach, 2 * reach, 400) // step * step, strict=True)
        )
    ]
    who, when = (np.array(own) for own in zip(*ecgs, strict=True))
    moments = Moments(who, when)
    subject, time, value = (np.array(own) for own in zip(*events, strict=True))
    points = moments.place(subject.astype(np.int64), time.astype(np.int64))
    near = moments.near(points, window)
    found = nearest_values(moments.points, points[near], value[near], window)
    np.testing.assert_array_equal(found, plain_nearest(ecgs, events, window))


def test_the_hour_is_inclusive_and_the_thirtieth_day_lasts_until_it_ends() -> None:
    moments = Moments(np.array([7]), np.array([10**9]))
    for window, last in ((WITHIN_AN_HOUR, 3600), (WITHIN_30_DAYS, 31 * 86400 - 1)):
        for shift in (-last - 1, -last, last, last + 1):
            points = moments.place(np.array([7]), np.array([10**9 + shift]))
            near = moments.near(points, window)
            assert bool(near[0]) == (abs(shift) <= last)
            assert np.isfinite(nearest_values(moments.points, points[near], np.ones(1)[near], window))[0] == near[0]


def test_times_out_of_all_reason_are_near_nothing() -> None:
    moments = Moments(np.array([1, 2]), np.array([10**9, 10**9]))
    events = Events(moments)
    times = np.array(["NaT", "0001-01-01", "9999-12-31", "2001-09-09T01:46:40"], "datetime64[s]")
    events.add(np.zeros(4, int), np.full(4, 1), times, np.arange(4.0), WITHIN_AN_HOUR)
    assert events.near([0])[1].tolist() == [3.0]
    assert joined(events.counts([0])).total == 4


def test_no_ecgs_and_no_events() -> None:
    nobody = Moments(np.empty(0, np.int64), np.empty(0, np.int64))
    assert nobody.place(np.array([1]), np.array([5])).tolist() == [-1]
    assert not nobody.near(np.array([-1]), WITHIN_AN_HOUR).any()
    assert np.isnan(nearest_values(np.array([5]), np.empty(0, np.int64), np.empty(0), WITHIN_AN_HOUR)).all()


@pytest.mark.parametrize(
    ("written", "codes"),
    [
        ("I2510", ["I25", "I251", "I2510"]),
        ("T8189XA", ["T81", "T818", "T8189"]),
        ("W19XXXA", ["W19"]),
        (" I10 ", ["I10"]),
        ("I1", ["I1"]),
        ("X", []),
    ],
)
def test_codes_are_cut_and_get_their_ancestors(written: str, codes: list[str]) -> None:
    assert with_ancestors(written) == codes

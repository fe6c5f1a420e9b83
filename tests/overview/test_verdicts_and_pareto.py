"""Who ties with the best, paired gains, and the Pareto front, on numbers that were worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from hf_ecg_bench.overview.pareto import pareto_front
from hf_ecg_bench.overview.verdicts import verdicts
from hf_ecg_bench.results.row import ContaminationState, Row
from hf_ecg_bench.standings.entry import Entry
from hf_ecg_bench.standings.scores import TaskScores
from hf_ecg_bench.standings.task import TaskStanding
from hf_ecg_bench.standings.task_ranking import stand


def standing_of(
    values: list[float], noise: float = 0.01, *, higher: bool = True, seen: tuple[int, ...] = ()
) -> TaskStanding:
    """Entries whose values differ as given in every resample, with noise of their own."""
    random = np.random.default_rng(0)
    k = len(values)
    samples = np.array(values)[:, None] + noise * random.normal(size=(k, 400))
    entries = tuple(Entry(f"m{i}", "linear") for i in range(k))
    states: list[ContaminationState] = ["test_records" if i in seen else "none" for i in range(k)]
    rows = tuple((Row(entry.model, "t", "c", "d", entry.mode, "macro_auroc", 0.5),) for entry in entries)
    scores = TaskScores(
        "t",
        "macro_auroc",
        higher,
        entries,
        rows,
        np.array(values),
        samples.min(axis=1),
        samples.max(axis=1),
        np.full(k, np.nan),
        np.ones(k, dtype=np.int64),
        samples,
        tuple(states),
    )
    return stand(scores)


def test_best_and_what_does_not_differ_from_it() -> None:
    judged = verdicts(standing_of([0.9, 0.899, 0.7]))
    assert [(item.best, item.tied) for item in judged] == [(True, False), (False, True), (False, False)]
    assert judged[2].difference == pytest.approx(-0.2)
    assert judged[2].p_adjusted < 0.05 < judged[1].p_adjusted
    assert judged[2].low < -0.2 < judged[2].high < 0


def test_lower_is_better() -> None:
    judged = verdicts(standing_of([0.9, 0.5, 0.7], higher=False))
    assert [item.best for item in judged] == [False, True, False]
    assert judged[0].difference == pytest.approx(0.4)


def test_who_has_seen_the_records_is_best_only_where_it_is_kept() -> None:
    standing = standing_of([0.9, 0.8, 0.7], seen=(0,))
    assert [item.best for item in verdicts(standing)] == [True, False, False]
    for policy in ("hide", "impute"):
        judged = verdicts(standing, policy)  # type: ignore[arg-type]
        assert [item.best for item in judged] == [False, True, False]
        assert not judged[0].tied


def test_one_entry_is_best_of_nothing() -> None:
    assert [(item.best, item.tied) for item in verdicts(standing_of([0.9]))] == [(False, False)]


def test_pareto_front_by_hand() -> None:
    cost = np.array([1.0, 2.0, 2.0, 3.0, np.nan, 4.0, 1.0])
    quality = np.array([0.5, 0.7, 0.6, 0.7, 0.9, 0.8, 0.5])
    # The second is cheaper than the fourth and as good; equal ones are both on the front; unknown costs never.
    assert pareto_front(cost, quality).tolist() == [True, True, False, False, False, True, True]


def test_pareto_front_is_that_of_all_pairs() -> None:
    random = np.random.default_rng(1)
    cost, quality = random.integers(0, 9, 60).astype(float), random.integers(0, 9, 60).astype(float)
    front = pareto_front(cost, quality)
    for i in range(60):
        beaten = any(
            cost[j] <= cost[i] and quality[j] >= quality[i] and (cost[j], quality[j]) != (cost[i], quality[i])
            for j in range(60)
        )
        assert front[i] == (not beaten)

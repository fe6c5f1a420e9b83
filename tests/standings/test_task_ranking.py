"""Pairs and ranks of one task."""

from __future__ import annotations

import numpy as np
import pytest

from hf_ecg_bench.evaluation.multiplicity import holm
from hf_ecg_bench.standings.entry import Entry
from hf_ecg_bench.standings.scores import TaskScores
from hf_ecg_bench.standings.task_ranking import stand


def scores_of(value, samples, *, higher=True, origins=None) -> TaskScores:
    value = np.asarray(value, dtype=float)
    k = len(value)
    origins = origins or ["ours"] * k
    nothing = np.full(k, np.nan)
    return TaskScores(
        task="t",
        metric="macro_auroc" if higher else "pooled_mae",
        higher_is_better=higher,
        entries=tuple(Entry(f"m{i}", "frozen", origin=origins[i]) for i in range(k)),
        rows=((),) * k,
        value=value,
        low=nothing,
        high=nothing,
        seed_sd=nothing,
        n_seeds=np.ones(k, dtype=np.int64),
        samples=np.asarray(samples, dtype=float),
        contamination=("none",) * k,
    )


def noisy(value, n=999, *, own=0.004, shared=0.02, seed=0):
    """Resamples whose noise is mostly common to all entries: differences are much sharper than values."""
    random = np.random.default_rng(seed)
    value = np.asarray(value, dtype=float)
    return value[:, None] + random.normal(0, own, (len(value), n)) + random.normal(0, shared, n)


def test_pairs_are_differences_on_shared_resamples_with_holm_over_the_pairs():
    value = [0.90, 0.89, 0.80]
    samples = noisy(value)
    standing = stand(scores_of(value, samples))
    p = []
    for i, j in ((0, 1), (0, 2), (1, 2)):
        d = samples[i] - samples[j]
        p.append(min(1, 2 * min((d <= 0).sum() + 1, (d >= 0).sum() + 1) / (len(d) + 1)))
        assert standing.p[i, j] == standing.p[j, i] == pytest.approx(p[-1])
        assert (standing.low[i, j], standing.high[i, j]) == pytest.approx(tuple(np.percentile(d, [2.5, 97.5])))
        assert (standing.low[j, i], standing.high[j, i]) == pytest.approx((-standing.high[i, j], -standing.low[i, j]))
    np.testing.assert_allclose(standing.p_adjusted[[0, 0, 1], [1, 2, 2]], holm(p))
    np.testing.assert_allclose(standing.difference[0], [0, 0.01, 0.10], atol=1e-12)
    assert standing.tail == "counted"
    assert standing.smallest_p == pytest.approx(3 * 2 / 1000)


def test_separated_although_the_own_intervals_overlap():
    value = [0.90, 0.87]
    samples = noisy(value, shared=0.03)
    standing = stand(scores_of(value, samples))
    assert np.percentile(samples[0], 2.5) < np.percentile(samples[1], 97.5)
    assert standing.rank.tolist() == [1, 2]


def test_ties_do_not_chain():
    # Neighbours are tied, the first and the last are not.
    value = [0.900, 0.893, 0.886]
    samples = noisy(value, own=0.003)
    standing = stand(scores_of(value, samples))
    assert standing.p_adjusted[0, 1] > 0.05
    assert standing.p_adjusted[1, 2] > 0.05 > standing.p_adjusted[0, 2]
    assert standing.rank.tolist() == [1, 1, 2]
    assert standing.rank_low.tolist() == [1, 1, 2]
    assert standing.rank_high.tolist() == [2, 3, 3]


def test_lower_is_better_turns_the_order():
    value = [0.4, 0.9]
    assert stand(scores_of(value, noisy(value), higher=False)).rank.tolist() == [1, 2]
    assert stand(scores_of(value, noisy(value))).rank.tolist() == [2, 1]


def test_many_entries_need_many_resamples_or_a_normal_tail():
    value = np.linspace(0.95, 0.66, 30)
    scores = scores_of(value, noisy(value))
    counted = stand(scores, tail="counted")
    assert counted.smallest_p == pytest.approx(30 * 29 / 1000)
    assert (counted.rank == 1).all(), "counting 999 resamples cannot separate anything after 435 tests"
    normal = stand(scores)
    assert normal.tail == "normal"
    assert (np.diff(normal.rank) >= 0).all()
    assert normal.rank.max() > 10
    tested = ~np.isnan(counted.p)
    assert (normal.p[tested] <= counted.p[tested]).all()
    # Pairs that counting can tell keep their p.
    clear = counted.p > 2 / 1000 * 1.01
    np.testing.assert_array_equal(normal.p[clear & tested], counted.p[clear & tested])


def test_normal_tail_is_close_to_counting_many_resamples():
    value = [0.9, 0.9 - 0.0235]
    many = stand(scores_of(value, noisy(value, 100_000, own=0.004)), tail="counted").p[0, 1]
    few = stand(scores_of(value, noisy(value, 999, own=0.004)), tail="normal").p[0, 1]
    assert 1e-5 < many < 1e-3
    assert few == pytest.approx(many, rel=0.6)


def test_identical_predictions_are_tied():
    samples = noisy([0.9])
    standing = stand(scores_of([0.9, 0.9], np.vstack([samples, samples])), tail="normal")
    assert standing.p[0, 1] == 1
    assert standing.rank.tolist() == [1, 1]


def test_without_predictions_the_values_decide_and_that_is_said():
    standing = stand(scores_of([0.8, 0.9, 0.9], np.full((3, 0), np.nan), origins=["published"] * 3))
    assert standing.rank.tolist() == [3, 1, 1]
    assert not standing.tested.any()
    assert np.isnan(standing.p).all()
    assert np.isnan(standing.smallest_p)
    assert standing.rank_low.tolist() == [1, 1, 1]
    assert standing.rank_high.tolist() == [3, 3, 3]


def test_an_entry_without_predictions_stands_among_tested_ones_by_value():
    value = [0.90, 0.80, 0.70, 0.85, 0.95, 0.6]
    samples = noisy(value)
    samples[3:] = np.nan
    standing = stand(scores_of(value, samples, origins=["ours"] * 3 + ["published"] * 3))
    assert standing.tested.tolist() == [True] * 3 + [False] * 3
    assert standing.rank.tolist() == [1, 2, 3, 1, 1, 3]
    assert standing.rank_high[:3].tolist() == [1, 2, 3]
    assert np.isnan(standing.p_adjusted[3]).all()
    assert not np.isnan(standing.difference[3]).any()


def test_some_of_the_entries():
    value = [0.9, 0.8, 0.7]
    scores = scores_of(value, noisy(value))
    part = scores.of([scores.entries[2], scores.entries[0]])
    assert [entry.model for entry in part.entries] == ["m0", "m2"]
    assert part.samples.shape == (2, 999)
    assert part.value.tolist() == [0.9, 0.7]

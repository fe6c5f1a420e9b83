"""Ranks, adjusted p values and influence-function standard errors."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest

from hf_ecg_bench import evaluation as ev
from hf_ecg_bench.errors import EcgBenchError
from hf_ecg_bench.evaluation.delong import delong_covariance
from hf_ecg_bench.evaluation.estimates import Metric
from hf_ecg_bench.evaluation.multiplicity import holm_of_defined
from hf_ecg_bench.evaluation.ranking import rank_models


def test_anchor_rule_does_not_chain() -> None:
    # A ~ B, B ~ C, A > C: C opens the next rank although it is not separable from B.
    better = np.zeros((3, 3), dtype=bool)
    better[0, 2] = True
    ranking = ev.rank([0.9, 0.8, 0.7], better)
    assert ranking.rank.tolist() == [1, 1, 2]
    assert ranking.low.tolist() == [1, 1, 2]
    assert ranking.high.tolist() == [2, 3, 3]


def test_rank_direction_and_order() -> None:
    nothing = np.zeros((3, 3), dtype=bool)
    assert ev.rank([3.0, 1.0, 2.0], nothing).rank.tolist() == [1, 1, 1]
    all_pairs = np.array([[0, 0, 0], [1, 0, 1], [1, 0, 0]], dtype=bool)
    assert ev.rank([3.0, 1.0, 2.0], all_pairs, higher_is_better=False).rank.tolist() == [3, 1, 2]
    with pytest.raises(EcgBenchError, match="finite"):
        ev.rank([1.0, np.nan], np.zeros((2, 2)))


def test_rank_models_separates_what_differs_and_ties_what_does_not() -> None:
    rng = np.random.default_rng(0)
    targets = (rng.random((400, 3)) < 0.3).astype(float)
    good = targets * 1.5 + rng.normal(size=(400, 3))
    models = {
        "noise": rng.normal(size=(400, 3)),
        "good": good,
        "good_too": good + 0.01 * rng.normal(size=(400, 3)),
    }
    ranking = rank_models(targets, models, n_resamples=500)
    assert ranking.names == ("noise", "good", "good_too")
    assert ranking.rank.tolist() == [2, 1, 1]
    assert ranking.high.tolist() == [3, 2, 2]
    assert ranking.p_adjusted[0, 1] == ranking.p_adjusted[1, 0] < 0.05 < ranking.p_adjusted[1, 2]


@pytest.mark.parametrize("metric", get_args(Metric))
def test_the_better_model_is_first_by_every_metric(metric: Metric) -> None:
    rng = np.random.default_rng(0)
    targets = (rng.random((300, 2)) < 0.3).astype(float)
    good = np.clip(0.2 + 0.5 * targets + 0.1 * rng.normal(size=targets.shape), 0, 1)
    models = {"noise": rng.random(targets.shape), "good": good}
    limits = {name: np.full(2, 0.45) for name in models}
    ranking = rank_models(targets, models, n_resamples=100, metric=metric, thresholds=limits)
    assert ranking.rank.tolist() == [2, 1]
    assert ranking.p_adjusted[0, 1] < 0.05


def test_adjusted_p_values() -> None:
    np.testing.assert_allclose(ev.holm([0.01, 0.04, 0.03]), [0.03, 0.06, 0.06])
    np.testing.assert_allclose(ev.benjamini_hochberg([0.01, 0.04, 0.03]), [0.03, 0.04, 0.04])
    np.testing.assert_allclose(ev.holm([0.9, 0.8]), [1.0, 1.0])
    with pytest.raises(EcgBenchError, match="0 to 1"):
        ev.holm([0.5, np.nan])
    np.testing.assert_allclose(holm_of_defined([0.01, np.nan, 0.04]), [0.02, np.nan, 0.04])
    assert np.isnan(holm_of_defined([np.nan])).all()


def test_influence_agrees_with_the_bootstrap_and_with_delong() -> None:
    rng = np.random.default_rng(1)
    targets = (rng.random((600, 2)) < 0.3).astype(float)
    targets[::9, 1] = np.nan
    scores = np.nan_to_num(targets) + rng.normal(size=(600, 2))
    estimate = ev.macro_influence(targets, scores)
    assert estimate.value == pytest.approx(ev.macro_auroc(targets, scores), abs=1e-14)
    assert estimate.influence.mean() == pytest.approx(0, abs=1e-12)
    assert estimate.standard_error == pytest.approx(ev.bootstrap(targets, scores).samples.std(), rel=0.1)
    one = ev.macro_influence(targets[:, :1], scores[:, :1])
    areas, covariance = delong_covariance(targets[:, 0], scores[:, :1])
    assert areas[0] == pytest.approx(one.value, abs=1e-14)
    assert np.sqrt(covariance[0, 0]) == pytest.approx(one.standard_error, rel=0.01)
    alone = ev.macro_influence(targets, scores, groups=np.arange(600))
    assert alone.standard_error == pytest.approx(estimate.standard_error, abs=1e-15)
    assert ev.compare_influence(targets, scores, scores).p == 1.0

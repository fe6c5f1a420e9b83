"""The dictionaries that `score` prints."""

from __future__ import annotations

import json

import numpy as np
import pytest

from hf_ecg_bench import evaluation as ev
from hf_ecg_bench.errors import PredictionsError
from hf_ecg_bench.files import dumps_json

NAMES = ["AFIB", "rare", "none", "heart_rate", "age"]
KINDS = ["binary", "binary", "binary", "regression", "regression"]
RANKING = ["macro_auroc", "macro_auroc_supported", "macro_average_precision", "micro_auroc", "micro_average_precision"]
NUMBERS = ["macro_mae", "pooled_mae", "macro_r2", "composite"]


@pytest.fixture
def predictions() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    binary = [rng.random(80) < 0.4, np.arange(80) < 3, np.zeros(80)]
    targets = np.column_stack([*binary, rng.normal(size=(80, 2))]).astype(float)
    targets[:20, 3] = np.nan
    return targets, np.nan_to_num(targets) + rng.normal(size=targets.shape)


def test_metrics_counts_and_resampling(predictions) -> None:
    targets, p = predictions
    summary = ev.summarise(targets, p, NAMES, KINDS, groups=[f"p{i // 2}" for i in range(80)], n_resamples=200, seed=4)
    assert summary["n"] == 80
    metrics = summary["metrics"]
    assert list(metrics) == RANKING + NUMBERS
    assert set(summary["left_out"]) == {"macro_f1", "micro_f1", "sample_fmax", "macro_brier", "calibration_error"}
    assert metrics["macro_auroc"]["value"] == ev.macro_auroc(targets[:, :3], p[:, :3])
    assert metrics["macro_auroc_supported"]["value"] == ev.auroc(targets[:, :3], p[:, :3])[0]
    assert metrics["macro_auroc_supported"]["n_labels"] == 1
    assert metrics["composite"]["value"] == pytest.approx(ev.composite(targets, p, KINDS), abs=1e-15)
    for estimate in metrics.values():
        assert estimate["low"] <= estimate["value"] <= estimate["high"]
    rare, none, rate = (summary["targets"][name] for name in ("rare", "none", "heart_rate"))
    assert (rare["kind"], rare["n_positive"], rare["n_negative"], rare["n_missing"]) == ("binary", 3, 77, 0)
    assert 0 < rare["undefined_fraction"] < 0.5
    assert none["undefined_fraction"] == 1
    assert np.isnan(none["auroc"]["value"])
    assert (rate["kind"], rate["n"], rate["n_missing"]) == ("regression", 60, 20)
    assert set(rate["mae"]) == set(rate["r2"]) == {"value", "low", "high"}
    assert set(rare) & {"auroc", "average_precision", "brier", "f1", "mae", "r2"} == {"auroc", "average_precision"}
    assert summary["resampling"] == {
        "unit": "patient",
        "n_groups": 40,
        "n_resamples": 200,
        "seed": 4,
        "undefined": "drop",
        "confidence": 0.95,
        "min_support": 10,
        "n_labels": 3,
        "n_undefined_labels": 1,
    }
    assert json.loads(dumps_json(summary))["targets"]["none"]["auroc"]["value"] is None


def test_composite_interval_comes_from_shared_resamples(predictions) -> None:
    targets, p = predictions
    metrics = ev.summarise(targets, p, NAMES, KINDS, n_resamples=100)["metrics"]
    auroc = ev.bootstrap(targets[:, :3], p[:, :3], n_resamples=100)
    mae = ev.bootstrap(targets[:, 3:], p[:, 3:], n_resamples=100, metric="pooled_mae")
    expected = np.percentile(1 - auroc.samples + mae.samples, [2.5, 97.5])
    np.testing.assert_allclose([metrics["composite"]["low"], metrics["composite"]["high"]], expected)


def test_one_kind_only_has_only_its_metrics(predictions) -> None:
    targets, p = predictions
    binary = ev.summarise(targets[:, 1:3], p[:, 1:3], NAMES[1:3], KINDS[1:3], n_resamples=20)
    ranking = [name for name in RANKING if name != "macro_auroc_supported"]  # no label with ten positives
    assert list(binary["metrics"]) == ranking
    regression = ev.summarise(targets[:, 3:], p[:, 3:], NAMES[3:], KINDS[3:], n_resamples=20)
    assert list(regression["metrics"]) == ["macro_mae", "pooled_mae", "macro_r2"]
    one = ev.summarise(targets[:, :1], p[:, :1], NAMES[:1], KINDS[:1], n_resamples=20)
    assert list(one["metrics"]) == ["macro_auroc", "macro_auroc_supported", "macro_average_precision"]


@pytest.mark.parametrize("groups", [None, [None] * 80])
def test_without_patients_records_are_drawn(predictions, groups) -> None:
    summary = ev.summarise(*predictions, NAMES, KINDS, groups=groups, n_resamples=5)
    assert (summary["resampling"]["unit"], summary["resampling"]["n_groups"]) == ("record", 80)


def test_difference(predictions) -> None:
    targets, p = predictions
    other = p + np.random.default_rng(2).normal(size=p.shape)
    difference = ev.summarise_difference(targets, p, other, NAMES, KINDS, n_resamples=100, seed=1)
    assert list(difference) == RANKING + NUMBERS
    expected = ev.compare(targets[:, :3], p[:, :3], other[:, :3], n_resamples=100, seed=1)
    assert difference["macro_auroc"] == {
        "value": expected.value,
        "low": expected.low,
        "high": expected.high,
        "p": expected.p,
    }


def test_names_and_kinds_must_fit(predictions) -> None:
    with pytest.raises(PredictionsError, match="expected 5 names and kinds"):
        ev.summarise(*predictions, NAMES[:4], KINDS)
    with pytest.raises(PredictionsError, match="'continuous': expected 'binary' or 'regression'"):
        ev.summarise(*predictions, NAMES, ["continuous"] * 5)
    with pytest.raises(PredictionsError, match="more than once"):
        ev.summarise(*predictions, ["a"] * 5, KINDS)

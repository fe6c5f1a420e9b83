"""Resamples, kernel, intervals and paired comparison against slow versions."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from hf_ecg_bench import evaluation as ev
from hf_ecg_bench.errors import EcgBenchError, PredictionsError
from hf_ecg_bench.evaluation import weighted_auroc as kernel
from hf_ecg_bench.evaluation.resampling import draw_resamples, group_index
from tests.evaluation.naive import naive_auroc, random_case


@pytest.fixture
def example() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    targets = (rng.random((120, 4)) < [0.4, 0.2, 0.1, 0.02]).astype(float)
    targets[::11, 1] = np.nan
    targets[:, 3] = np.arange(120) < 2  # absent from about every eighth resample
    return targets, np.round(rng.normal(size=(120, 4)) + np.nan_to_num(targets), 1)


@pytest.mark.parametrize("gather", [2**18, 200])
def test_every_resample_equals_all_pairs(monkeypatch, gather) -> None:
    monkeypatch.setattr(kernel, "_GATHER", gather)  # small pieces: their borders are crossed
    rng = np.random.default_rng(1)
    for _ in range(60):
        targets, scores = random_case(rng)
        n, labels = targets.shape
        indices = rng.integers(0, n, size=(7, n))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            got = ev.bootstrap(targets, scores, indices=indices)
        expected = np.array([[naive_auroc(targets[i, k], scores[i, k]) for k in range(labels)] for i in indices])
        np.testing.assert_allclose(got.per_target.samples, expected, rtol=0, atol=1e-13)
        np.testing.assert_allclose(got.per_target.undefined_fraction, np.isnan(expected).mean(axis=0))
        flat = np.array([naive_auroc(targets[i].ravel(), scores[i].ravel()) for i in indices])
        micro = ev.bootstrap(targets, scores, indices=indices, metric="micro_auroc")
        np.testing.assert_allclose(micro.samples, flat, rtol=0, atol=1e-13)


def test_large_label_crosses_pieces_of_the_kernel() -> None:
    rng = np.random.default_rng(5)
    targets = (rng.random((2000, 1)) < 0.3).astype(np.float32)
    scores = np.round(rng.normal(size=(2000, 1)), 2)
    indices = rng.integers(0, 2000, size=(3, 2000))
    got = ev.bootstrap(targets, scores, indices=np.repeat(indices, 400, axis=0)).samples
    expected = np.repeat([naive_auroc(targets[i, 0], scores[i, 0]) for i in indices], 400)
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-13)


def test_counts_wider_than_16_bits() -> None:
    n = 110_000
    targets, scores = np.zeros((n, 1)), np.full((n, 1), 0.9)
    targets[[1, 3]], scores[:4, 0] = 1, [0.1, 0.3, 0.5, 0.7]
    indices = np.array([[1] * 50_000 + [0] * 40_000 + [2] * 20_000])
    assert ev.bootstrap(targets, scores, indices=indices).samples[0] == pytest.approx(2 / 3, abs=1e-15)


def test_micro_sums_wider_than_16_bits() -> None:
    rng = np.random.default_rng(6)
    targets = (rng.random((700, 100)) < 0.4).astype(np.float32)  # 70,000 cells
    scores = np.round(rng.normal(size=(700, 100)) + targets, 1)
    indices = rng.integers(0, 700, size=(2, 700))
    got = ev.bootstrap(targets, scores, indices=indices, metric="micro_auroc").samples
    np.testing.assert_allclose(got, [ev.micro_auroc(targets[i], scores[i]) for i in indices], rtol=0, atol=1e-14)


def test_same_seed_same_samples_and_other_seed_others(example) -> None:
    first, again, other = (ev.bootstrap(*example, n_resamples=50, seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.samples, again.samples)
    assert not np.array_equal(first.samples, other.samples)
    assert (first.unit, first.n_groups, first.n_resamples, first.seed) == ("record", 120, 50, 0)


def test_more_resamples_begin_with_the_same_ones(example) -> None:
    few, many = (ev.bootstrap(*example, n_resamples=n).samples for n in (40, 100))
    np.testing.assert_array_equal(few, many[:40])


def test_interval_is_the_percentile_interval(example) -> None:
    result = ev.bootstrap(*example, n_resamples=300)
    np.testing.assert_allclose([result.low, result.high], np.percentile(result.samples, [2.5, 97.5]))
    label = result.per_target.samples[:, 3]
    defined = label[~np.isnan(label)]
    assert 0 < len(defined) < 300
    np.testing.assert_allclose(
        [result.per_target.low[3], result.per_target.high[3]], np.percentile(defined, [2.5, 97.5])
    )
    narrow = ev.bootstrap(*example, n_resamples=300, confidence=0.5)
    assert result.low < narrow.low < narrow.value < narrow.high < result.high
    with pytest.raises(EcgBenchError, match="confidence"):
        ev.bootstrap(*example, confidence=95)


def test_policies_in_resamples(example) -> None:
    results = {p: ev.bootstrap(*example, n_resamples=200, undefined=p) for p in ("drop", "half", "nan", "raise")}
    samples = results["drop"].per_target.samples
    np.testing.assert_allclose(results["drop"].samples, np.nanmean(samples, axis=1))
    np.testing.assert_allclose(results["half"].samples, np.where(np.isnan(samples), 0.5, samples).mean(axis=1))
    assert np.isnan(results["half"].per_target.low[3])
    assert np.isnan(results["nan"].low)
    np.testing.assert_array_equal(results["raise"].samples, results["drop"].samples)
    with pytest.raises(PredictionsError, match="undefined for 1 of 4"):
        ev.bootstrap(example[0] * [1, 1, 1, 0], example[1], undefined="raise")


def test_patients_keep_all_their_records(example) -> None:
    patients = np.array([f"p{i // 3}" for i in range(120)])
    resamples = draw_resamples(120, n_resamples=20, groups=patients)
    counts = resamples.counts.reshape(40, 3, 20)
    assert (counts == counts[:, :1]).all()
    assert counts[:, 0].sum(axis=0).tolist() == [40] * 20
    result = ev.bootstrap(*example, n_resamples=20, groups=patients)
    assert (result.unit, result.n_groups) == ("patient", 40)


def test_records_without_patient_are_their_own_unit() -> None:
    index, n = group_index(np.array(["b", None, "a", "b", float("nan")], dtype=object), 5)
    assert (index.tolist(), n) == ([1, 2, 0, 1, 3], 4)
    index, n = group_index(np.array([2.0, np.nan, 1.0]), 3)
    assert (index.tolist(), n) == ([1, 2, 0], 3)


def test_mae_resamples_equal_the_plain_ones() -> None:
    rng = np.random.default_rng(2)
    targets, predictions = rng.normal(size=(40, 3)), rng.normal(size=(40, 3))
    targets[rng.random((40, 3)) < 0.3] = np.nan
    indices = rng.integers(0, 40, size=(9, 40))
    macro, pooled = (ev.bootstrap(targets, predictions, indices=indices, metric=m) for m in ("mae", "pooled_mae"))
    for row, i in enumerate(indices):
        np.testing.assert_allclose(macro.per_target.samples[row], ev.mae(targets[i], predictions[i]), atol=1e-13)
        assert macro.samples[row] == pytest.approx(ev.macro_mae(targets[i], predictions[i]), abs=1e-13)
        assert pooled.samples[row] == pytest.approx(ev.pooled_mae(targets[i], predictions[i]), abs=1e-13)


def test_compare_is_paired(example) -> None:
    targets, a = example
    b = np.round(a + np.random.default_rng(4).normal(scale=2, size=a.shape), 1)
    both = ev.compare(targets, a, b, n_resamples=99)
    one, two = (ev.bootstrap(targets, p, n_resamples=99) for p in (a, b))
    np.testing.assert_array_equal(both.samples, one.samples - two.samples)
    assert both.value == one.value - two.value
    assert both.p == min(1, 2 * (1 + min((both.samples <= 0).sum(), (both.samples >= 0).sum())) / 100)
    assert both.significant == (both.low > 0 or both.high < 0)
    same = ev.compare(targets, a, a, n_resamples=99)
    assert (same.value, same.low, same.high, same.p, same.significant) == (0, 0, 0, 1, False)
    assert both.per_target.p.shape == (4,)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_resamples": 0}, "n_resamples: expected at least 1"),
        ({"groups": ["a", "b"]}, "one patient per record"),
        ({"seed": -1}, "seed: expected 0 or more, found -1"),
        ({"indices": np.zeros((2, 120))}, "indices: expected integers"),
        ({"indices": np.zeros((2, 119), int)}, r"of shape \(resamples, 120\), found int64 of shape \(2, 119\)"),
        ({"indices": np.zeros((2, 121), int)}, r"found int64 of shape \(2, 121\)"),
        ({"indices": np.zeros((2, 120), int), "groups": np.arange(120) // 2}, r"shape \(resamples, 60\)"),
        ({"indices": np.full((2, 120), 120)}, "expected 0 to 119"),
        ({"indices": np.full((2, 120), -1)}, "expected 0 to 119"),
        ({"metric": "auc"}, "unknown metric 'auc'; did you mean 'auroc'"),
    ],
)
def test_bad_options(example, options, message) -> None:
    with pytest.raises(EcgBenchError, match=message) as error:
        ev.bootstrap(*example, **options)
    assert isinstance(error.value, PredictionsError) or "metric" in options

"""Subgroups against the plain way: pick the records, resample them, score each part anew."""

from __future__ import annotations

import numpy as np
import pytest

from hf_ecg_bench.evaluation import auroc, holm, mae
from hf_ecg_bench.evaluation.group_auroc import group_auroc
from hf_ecg_bench.evaluation.resampling import draw_resamples
from hf_ecg_bench.evaluation.weighted_auroc import label_order
from hf_ecg_bench.robustness.subgroups import AGES, SEXES, age_groups, sex_groups, subgroup_scores

N, LABELS, RESAMPLES = 240, 4, 30


@pytest.fixture(scope="module")
def data():
    """(targets, predictions, age, sex, patients): ties, missing targets, patients in two decades, one rare label."""
    rng = np.random.default_rng(5)
    targets = (rng.random((N, LABELS + 1)) < [0.4, 0.2, 0.6, 0.02, 0.5]).astype(float)
    predictions = np.round(rng.random((N, LABELS + 1)) + 0.4 * targets, 1)
    targets[rng.random(targets.shape) < 0.05] = np.nan
    targets[:, 4] = rng.normal(size=N)
    age = rng.choice([8.0, 25.0, 34.0, 39.0, 79.9, 80.0, 95.0, np.nan], N, p=[0.01, 0.2, 0.2, 0.1, 0.2, 0.1, 0.1, 0.09])
    sex = rng.choice(np.array(["female", "male"], dtype=object), N)
    patients = np.array([f"p{number}" for number in rng.integers(0, 150, N)], dtype=object)
    return targets, predictions, age, sex, patients


NAMES = ["a", "b", "c", "d", "x"]
KINDS = ["binary"] * LABELS + ["regression"]


@pytest.fixture(scope="module")
def scores(data):
    targets, predictions, age, sex, patients = data
    return subgroup_scores(
        targets, predictions, NAMES, KINDS, age=age, sex=sex, groups=patients, n_resamples=RESAMPLES, seed=3
    )


def test_age_and_sex_groups():
    ages = age_groups([0.0, 9.99, 10.0, 79.9, 80.0, 103.0, np.nan, -1.0])
    assert [AGES[g] for g in ages] == ["0-9", "0-9", "10-19", "70-79", "80+", "80+", "unknown", "unknown"]
    assert [SEXES[g] for g in sex_groups(["male", None, "female", "other"])] == ["male", "unknown", "female", "unknown"]


def naive_parts(data, inside, rows):
    """Label AUROCs inside and outside of a group among `rows` (with repeats)."""
    targets, predictions = data[0][:, :LABELS], data[1][:, :LABELS]
    parts = rows[inside[rows]], rows[~inside[rows]]
    return [auroc(targets[part], predictions[part]) if len(part) else np.full(LABELS, np.nan) for part in parts]


def test_group_auroc_is_the_auroc_of_the_picked_records(data):
    targets, predictions, age, _, patients = data
    group = age_groups(age)
    counts = draw_resamples(N, n_resamples=12, seed=1, groups=patients).counts
    for label in range(LABELS):
        order = label_order(targets[:, label], predictions[:, label])
        inside, outside = group_auroc(order, group, len(AGES), counts)
        for g in range(len(AGES)):
            for b in range(12):
                rows = np.repeat(np.arange(N), counts[:, b])
                expected = naive_parts(data, group == g, rows)
                np.testing.assert_allclose(inside[g, b], expected[0][label], atol=1e-12)
                np.testing.assert_allclose(outside[g, b], expected[1][label], atol=1e-12)


def test_scores_and_differences_are_those_of_the_picked_records(data, scores):
    targets, predictions, age, _, patients = data
    counts = draw_resamples(N, n_resamples=RESAMPLES, seed=3, groups=patients).counts
    inside = age_groups(age) == AGES.index("30-39")
    entry = scores["age"]["30-39"]
    own, rest = naive_parts(data, inside, np.arange(N))
    assert entry["n"] == inside.sum()
    assert entry["n_patients"] == len(set(patients[inside]))
    assert entry["metrics"]["macro_auroc"]["value"] == pytest.approx(np.nanmean(own))
    both = ~np.isnan(own - rest)
    assert entry["difference"]["macro_auroc"]["value"] == pytest.approx(np.mean((own - rest)[both]))
    assert entry["difference"]["macro_auroc"]["n_labels"] == both.sum()
    gaps = []
    for b in range(RESAMPLES):
        drawn = naive_parts(data, inside, np.repeat(np.arange(N), counts[:, b]))
        gaps.append(np.nanmean((drawn[0] - drawn[1])[both]))
    low, high = np.percentile(gaps, [2.5, 97.5])
    assert (entry["difference"]["macro_auroc"]["low"], entry["difference"]["macro_auroc"]["high"]) == pytest.approx(
        (low, high)
    )
    error = float(mae(targets[inside][:, 4:], predictions[inside][:, 4:])[0])
    other = float(mae(targets[~inside][:, 4:], predictions[~inside][:, 4:])[0])
    assert entry["metrics"]["macro_mae"]["value"] == pytest.approx(error)
    assert entry["difference"]["pooled_mae"]["value"] == pytest.approx(error - other)


def test_small_groups_have_counts_only_and_empty_ones_are_left_out(scores):
    assert "10-19" not in scores["age"]
    entry = scores["age"]["0-9"]
    assert entry["n_patients"] < 10
    assert entry["metrics"] == entry["difference"] == {}
    assert entry["note"] == "fewer than 10 patients: counts only"


def test_undefined_labels_are_named(scores, data):
    targets = data[0]
    for label, entry in scores["age"].items():
        if entry["metrics"]:
            rows = age_groups(data[2]) == AGES.index(label)
            expected = [NAMES[c] for c in range(LABELS) if len(set(targets[rows, c][~np.isnan(targets[rows, c])])) < 2]
            assert entry["undefined"] == expected
    assert any(entry.get("undefined") for entry in scores["age"].values()), "no group lacks a label: a weak test"


def test_two_complementary_groups_are_one_comparison(scores):
    female, male = (scores["sex"][name]["difference"]["macro_auroc"] for name in ("female", "male"))
    assert female["value"] == pytest.approx(-male["value"])
    assert female["p_adjusted"] == male["p_adjusted"]
    p = [entry["difference"]["macro_auroc"]["p"] for entry in scores["age"].values() if entry["difference"]]
    adjusted = [
        entry["difference"]["macro_auroc"]["p_adjusted"] for entry in scores["age"].values() if entry["difference"]
    ]
    assert adjusted == pytest.approx(holm([*p, female["p"]])[:-1].tolist())


def test_one_group_is_compared_with_nobody(data):
    targets, predictions, _, _, patients = data
    scores = subgroup_scores(
        targets, predictions, NAMES, KINDS, age=np.full(N, 50.0), sex=["male"] * N, groups=patients, n_resamples=5
    )
    (entry,) = scores["age"].values()
    assert entry["metrics"]
    assert entry["difference"] == {}
    assert entry["note"] == "fewer than 10 other patients: not compared"

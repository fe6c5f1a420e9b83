"""Nested subsets: inside each other, whole patients, and the label shares of the whole."""

from __future__ import annotations

import csv
import itertools
import time
from pathlib import Path

import numpy as np
import pytest

from hf_ecg_bench.data.folds.nested import nested_subset
from hf_ecg_bench.data.folds.patients import demographic_labels

FRACTIONS = (1 / 128, 0.03, 1 / 8, 0.2, 1 / 4, 1 / 3, 0.4999, 1 / 2, 0.7, 0.99, 1.0)


def made_up(n: int, n_labels: int, n_patients: int, seed: int = 0) -> tuple[list[int], list[list[int]], np.ndarray]:
    """Patients, label ids with demographics, the same as a (records, ids) matrix; labels from 40 % to 20 records."""
    rng = np.random.default_rng(seed)
    own = rng.random((n, n_labels)) < np.geomspace(0.4, min(0.4, 20 / n), n_labels)
    rows, columns = np.nonzero(own)
    lists = [part.tolist() for part in np.split(columns, np.cumsum(np.bincount(rows, minlength=n))[:-1])]
    sex, age = (rng.random(n) < 0.5).tolist(), rng.normal(60, 18, n).clip(1, 95).tolist()
    labels = demographic_labels(
        lists, n_labels, sex, [None if number % 50 == 0 else age[number] for number in range(n)]
    )
    matrix = np.zeros((n, n_labels + 8))
    for record, ids in enumerate(labels):
        matrix[record, ids] = 1
    return rng.integers(0, n_patients, n).tolist(), labels, matrix


@pytest.mark.parametrize("seed", [0, 5])
def test_any_two_fractions_are_nested_and_patients_stay_whole(seed: int) -> None:
    patients, labels, _ = made_up(1500, 12, 700)
    owner = np.array(patients)
    subsets = [nested_subset(patients, labels, 20, fraction, seed=seed) for fraction in FRACTIONS]
    for smaller, larger in itertools.combinations(subsets, 2):
        assert set(smaller.tolist()) <= set(larger.tolist())
    for fraction, subset in zip(FRACTIONS, subsets, strict=True):
        assert (np.diff(subset) > 0).all()
        assert abs(len(subset) - fraction * 1500) <= np.bincount(owner).max()
        assert not set(owner[subset]) & set(np.delete(owner, subset))
    assert subsets[-1].tolist() == list(range(1500))


@pytest.mark.parametrize("fraction", [1 / 2, 1 / 4, 1 / 8])
def test_labels_sex_and_ages_keep_their_shares(fraction: float) -> None:
    patients, labels, matrix = made_up(6000, 40, 5000)
    expected = fraction * matrix.sum(0)
    for seed in range(3):
        found = matrix[nested_subset(patients, labels, 48, fraction, seed=seed)].sum(0)
        assert (np.abs(found - expected) <= np.maximum(2, 0.1 * expected)).all()
    # A plain draw of as many records does not pass this, so the test can fail.
    plain = np.random.default_rng(0).permutation(6000)[: round(6000 * fraction)]
    assert (np.abs(matrix[plain].sum(0) - expected) > np.maximum(2, 0.1 * expected)).any()


def test_seeds_differ_and_repeat() -> None:
    patients, labels, _ = made_up(800, 5, 800)
    chosen = [nested_subset(patients, labels, 13, 0.5, seed=seed).tolist() for seed in (0, 1, 2, 0)]
    assert chosen[0] == chosen[3]
    for one, other in itertools.combinations(chosen[:3], 2):
        assert 0.2 < len(set(one) & set(other)) / 400 < 0.8


def test_records_without_patient_are_patients_of_their_own() -> None:
    labels = [[0]] * 40
    assert len(nested_subset([None] * 40, labels, 1, 0.25)) == 10
    assert len(nested_subset(["p"] * 40, labels, 1, 0.25)) == 40, "one patient at least, and whole"


def test_alike_patients_are_divided_too() -> None:
    sizes = [len(nested_subset(list(range(7)), [[0]] * 7, 1, number / 7)) for number in range(1, 8)]
    assert sizes == [1, 2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize(
    ("labels", "fraction", "message"),
    [
        ([[0]] * 3, 0.0, "fraction 0"),
        ([[0]] * 3, 1.01, "at most 1"),
        ([[0]] * 2, 0.5, "2 records"),
        ([[0], [], [0]], 0.5, "needs a label"),
    ],
)
def test_what_cannot_be_divided(labels: list[list[int]], fraction: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        nested_subset(["a", "b", "c"], labels, 1, fraction)


@pytest.mark.shared
def test_the_real_labels_of_ptbxl(shared: Path) -> None:
    with open(shared / "data" / "ptbxl_labels" / "ptbxl_labels_v103_all_21799.csv", newline="") as file:
        rows = [row for row in csv.DictReader(file) if int(row["strat_fold"]) <= 8]
    codes = [row["scp_labels"].split(";") for row in rows]
    position = {name: number for number, name in enumerate(sorted({code for own in codes for code in own}))}
    labels = demographic_labels(
        [[position[code] for code in own] for own in codes],
        len(position),
        [row["sex"] == "0" for row in rows],
        [float(row["age"]) if row["age"] else None for row in rows],
    )
    matrix = np.zeros((len(rows), len(position) + 8))
    for record, ids in enumerate(labels):
        matrix[record, ids] = 1
    for fraction in (1 / 2, 1 / 4, 1 / 8):
        found = nested_subset([row["patient_id"] for row in rows], labels, len(position) + 8, fraction)
        expected = fraction * matrix.sum(0)
        assert abs(len(found) - fraction * len(rows)) <= 1
        assert (np.abs(matrix[found].sum(0) - expected) <= np.maximum(2, 0.1 * expected)).all()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("n", "n_labels", "n_patients", "seconds"), [(17_418, 71, 15_000, 2), (345_779, 6, 160_000, 15)]
)
def test_whole_datasets_in_seconds(n: int, n_labels: int, n_patients: int, seconds: float) -> None:
    patients, labels, _ = made_up(n, n_labels, n_patients)
    start = time.process_time()
    nested_subset(patients, labels, n_labels + 8, 0.3)
    assert time.process_time() - start < seconds

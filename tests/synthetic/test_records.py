"""What a record promises: the same for ever, addressable, exact lead relations, rules of labels and folds."""

from __future__ import annotations

import hashlib
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest

from hf_ecg_bench.data.synthetic import LABELS, TARGETS, generate_batch, generate_record, plan_record
from hf_ecg_bench.data.synthetic.addressing import locate
from hf_ecg_bench.errors import DataError


@pytest.fixture(scope="module")
def plans():
    return [plan_record(index) for index in range(1200)]


def _fingerprint(index: int) -> str:
    record = generate_record(index, seed=3)
    return hashlib.sha256(record.signal.tobytes() + record.plan.targets.tobytes()).hexdigest()


def test_same_record_alone_in_a_batch_and_in_another_process():
    alone = [_fingerprint(index) for index in (7, 2)]
    plans, signals = generate_batch([5, 2, 7], seed=3)
    batch = [hashlib.sha256(signals[row].tobytes() + plans[row].targets.tobytes()).hexdigest() for row in (2, 1)]
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        elsewhere = list(pool.map(_fingerprint, (7, 2)))
    assert alone == batch == elsewhere


def test_seed_changes_everything():
    assert not np.array_equal(generate_record(0, seed=0).signal, generate_record(0, seed=1).signal)
    first = [plan_record(index, seed=0).truth["qrs_axis"] for index in range(20)]
    second = [plan_record(index, seed=1).truth["qrs_axis"] for index in range(20)]
    assert not set(first) & set(second)


@pytest.mark.parametrize("records_per_patient", [1, 2, 3])
def test_addresses_fill_patients_without_gaps(records_per_patient: int):
    places = [locate(index, 0, records_per_patient) for index in range(40 * records_per_patient)]
    counts: dict[int, list[int]] = {}
    for place in places:
        counts.setdefault(place.patient, []).append(place.visit)
    assert list(counts) == list(range(40))
    assert all(visits == list(range(len(visits))) for visits in counts.values())
    allowed = {1} if records_per_patient == 1 else {records_per_patient + step for step in (-1, 0, 1)}
    assert {len(visits) for visits in counts.values()} == allowed


@pytest.mark.parametrize("arguments", [(-1, 0, 2), (0, -1, 2), (0, 0, 0)])
def test_bad_address_is_refused(arguments: tuple[int, int, int]):
    with pytest.raises(DataError, match="synthetic records need"):
        locate(*arguments)


def test_shape_unit_and_whole_microvolts():
    signal = generate_record(11).signal
    assert signal.shape == (5000, 12)
    assert signal.dtype == np.float32
    microvolts = np.rint(signal.astype(np.float64) * 1000)
    np.testing.assert_array_equal((microvolts / 1000).astype(np.float32), signal)
    assert 0.3 < np.abs(signal).max() < 8


def test_einthoven_and_goldberger_hold_exactly():
    one, two, three, avr, avl, avf = np.rint(generate_record(12).signal[:, :6].T.astype(np.float64) * 1000)
    np.testing.assert_array_equal(three, two - one)
    np.testing.assert_array_equal(2 * avr, -(one + two))
    np.testing.assert_array_equal(2 * avl, one - three)
    np.testing.assert_array_equal(2 * avf, two + three)


def test_label_rules(plans):
    for plan in plans:
        found = set(plan.labels)
        assert tuple(name for name in LABELS if name in found) == plan.labels
        assert found <= {"NORM"} or "NORM" not in found
        assert not {"AFIB", "1AVB"} <= found
        assert not {"LBBB", "RBBB"} <= found
        assert ("AFIB" in found) == np.isnan(plan.truth["pr_interval"])
        assert ("1AVB" in found) == (plan.truth["pr_interval"] > 200)
        assert bool(found & {"LBBB", "RBBB"}) == (plan.truth["qrs_duration"] >= 120)
        assert ("PVC" in found) == bool(plan.beats.premature.any())


def test_every_label_is_common_and_some_come_together(plans):
    count = {name: sum(name in plan.labels for plan in plans) for name in LABELS}
    assert min(count.values()) > 0.05 * len(plans)
    assert sum(len(plan.labels) > 1 for plan in plans) > 0.1 * len(plans)
    assert 0 < sum(not plan.labels for plan in plans) < 0.08 * len(plans)


def test_patients_keep_fold_sex_and_lasting_conditions(plans):
    lasting = {"LBBB", "RBBB", "IMI", "LVH"}
    seen: dict[str, tuple] = {}
    for plan in plans:
        facts = (plan.fold, plan.sex, lasting & set(plan.labels))
        assert seen.setdefault(plan.patient_id, facts) == facts
    folds = [facts[0] for facts in list(seen.values())[:100]]
    assert np.bincount(folds, minlength=11)[1:].tolist() == [10] * 10


def test_some_values_are_missing(plans):
    targets = np.stack([plan.targets for plan in plans])
    assert targets.dtype == np.float32
    truth = np.array([[plan.truth[name] for name in TARGETS] for plan in plans], dtype=np.float32)
    kept = ~np.isnan(targets)
    np.testing.assert_array_equal(targets[kept], truth[kept])
    withheld = np.isnan(targets) & ~np.isnan(truth)
    assert np.all((withheld.mean(axis=0) > 0.03) & (withheld.mean(axis=0) < 0.15))
    assert 0 < sum(plan.age is None for plan in plans) < 0.1 * len(plans)
    assert 0 < sum(plan.sex is None for plan in plans) < 0.1 * len(plans)

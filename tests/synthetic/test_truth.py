"""Labels and targets are true: measured again on the signals, without noise unless said."""

from __future__ import annotations

import numpy as np
import pytest

from hf_ecg_bench.data.synthetic import SAMPLING_RATE, RecordPlan, plan_record, render
from tests.synthetic import measure
from tests.synthetic.measure import lead

Records = dict[str, list[tuple[RecordPlan, np.ndarray]]]


@pytest.fixture(scope="module")
def records() -> Records:
    """Up to 20 noiseless records per label, of those that have no other."""
    found: Records = {}
    for index in range(600):
        plan = plan_record(index, seed=5)
        if len(plan.labels) == 1 and len(found.setdefault(plan.labels[0], [])) < 20:
            found[plan.labels[0]].append((plan, render(plan, noisy=False)))
    return found


def _beat(plan: RecordPlan, signal: np.ndarray) -> np.ndarray:
    """A dominant beat from QRS onset on, 0.5 s."""
    onset = plan.beats.onset[(plan.beats.onset > 1) & (plan.beats.onset < 9) & ~plan.beats.premature][0]
    start = round(onset * SAMPLING_RATE)
    return signal[start : start + SAMPLING_RATE // 2]


def _qrs(plan: RecordPlan, signal: np.ndarray) -> np.ndarray:
    return _beat(plan, signal)[: round(plan.truth["qrs_duration"] * SAMPLING_RATE / 1000)]


def test_heart_rate(records: Records):
    for label in ("NORM", "AFIB", "1AVB", "IMI", "LVH"):
        for plan, signal in records[label]:
            assert measure.heart_rate(signal) == pytest.approx(plan.truth["heart_rate"], rel=0.035)


def test_heart_rate_with_noise(records: Records):
    for plan, _ in records["NORM"][:10]:
        assert measure.heart_rate(render(plan)) == pytest.approx(plan.truth["heart_rate"], rel=0.02)


def test_pr_interval(records: Records):
    for label in ("NORM", "1AVB", "LVH"):
        for plan, signal in records[label]:
            peak = measure.beat_times(signal)[2]
            onset = measure.qrs_extent(signal, peak)[0]
            pr = plan.truth["pr_interval"]
            earliest = round(onset - (pr / 1000 + 0.04) * SAMPLING_RATE)
            found = 1000 * (onset - measure.p_onset(signal, onset, earliest)) / SAMPLING_RATE
            assert found == pytest.approx(pr, abs=16)


@pytest.mark.parametrize(
    ("label", "fraction", "tolerance"),
    [("NORM", 0.1, 12), ("1AVB", 0.1, 12), ("LVH", 0.1, 12), ("RBBB", 0.07, 12), ("LBBB", 0.15, 22)],
)
def test_qrs_duration(records: Records, label: str, fraction: float, tolerance: float):
    errors = []
    for plan, signal in records[label]:
        onset, offset = measure.qrs_extent(signal, measure.beat_times(signal)[2], fraction)
        errors.append(1000 * (offset - onset) / SAMPLING_RATE - plan.truth["qrs_duration"])
    # Edges by slope lie a little outside those by magnitude.
    assert -2 < np.median(errors) < tolerance


def test_qrs_duration_is_that_of_the_stated_rule():
    for index in range(40):
        plan = plan_record(index, seed=5)
        onset, offset = plan.shape.qrs.extent(0.05)
        assert onset == pytest.approx(0, abs=0.001)
        assert 1000 * (offset - onset) == pytest.approx(plan.truth["qrs_duration"], abs=1.5)


def test_qrs_axis(records: Records):
    for label in ("NORM", "LBBB", "RBBB", "IMI", "LVH"):
        for plan, signal in records[label]:
            qrs = _qrs(plan, signal)
            found = measure.axis(qrs, 0, len(qrs))
            difference = (found - plan.truth["qrs_axis"] + 180) % 360 - 180
            # Where areas cancel, the axis of what is left is uncertain.
            net = np.hypot(lead(qrs, "I").sum(), lead(qrs, "aVF").sum())
            gross = np.hypot(np.abs(lead(qrs, "I")).sum(), np.abs(lead(qrs, "aVF")).sum())
            assert abs(difference) < (4 if net > 0.5 * gross else 12), (label, plan.record_id)


def test_fibrillation_is_irregular_and_has_no_p_waves(records: Records):
    def variation(label: str) -> np.ndarray:
        intervals = [np.diff(measure.beat_times(signal)) for _, signal in records[label]]
        return np.array([rr.std() / rr.mean() for rr in intervals])

    assert np.median(variation("AFIB")) > 0.12
    assert np.median(variation("NORM")) < 0.06
    assert all(plan.shape.p is None for plan, _ in records["AFIB"])
    assert all(plan.shape.p is not None for plan, _ in records["NORM"])


def test_normal_records_look_normal(records: Records):
    for plan, signal in records["NORM"]:
        qrs, beat = _qrs(plan, signal), _beat(plan, signal)
        r = {name: lead(qrs, name).max() for name in measure.LEADS}
        s = {name: -lead(qrs, name).min() for name in measure.LEADS}
        assert s["V1"] > r["V1"] > 0.03
        assert r["V1"] < r["V3"] < max(r["V4"], r["V5"]) < 3.5
        assert r["V5"] > s["V5"]
        assert lead(qrs, "aVR").sum() < 0
        assert s["V1"] + max(r["V5"], r["V6"]) < 3.5
        for name in ("I", "II", "V3", "V4", "V5", "V6"):
            assert lead(beat, name)[round(0.5 * len(beat)) :].max() > 0.03, f"T upright in {name}"
    assert 0.6 < np.median([lead(_qrs(*record), "II").max() for record in records["NORM"]]) < 1.3


def test_left_bundle_branch_block(records: Records):
    for plan, signal in records["LBBB"]:
        qrs, t = _qrs(plan, signal), _beat(plan, signal)[-100:]
        assert -lead(qrs, "V1").min() > 5 * lead(qrs, "V1").max()
        for name in ("I", "V6"):
            assert lead(qrs, name).max() > 0.2
            assert -lead(qrs, name).min() < 0.1 * lead(qrs, name).max(), f"no Q or S in {name}"
            assert lead(t, name).sum() < 0, f"T discordant in {name}"
        assert lead(t, "V1").sum() > 0


def test_right_bundle_branch_block(records: Records):
    for plan, signal in records["RBBB"]:
        qrs = _qrs(plan, signal)
        half = len(qrs) // 2
        assert lead(qrs, "V1")[half:].max() > max(0.2, lead(qrs, "V1")[:half].max()), "R' in V1"
        assert lead(qrs, "V1").min() < 0, "S between r and R'"
        for name in ("I", "V6"):
            assert lead(qrs, name)[half:].min() < -0.08, f"S in {name}"
            assert (lead(qrs, name)[half:] < 0).sum() > 0.03 * SAMPLING_RATE, f"wide S in {name}"


def test_inferior_infarct(records: Records):
    for plan, signal in records["IMI"]:
        qrs, t = _qrs(plan, signal), _beat(plan, signal)[-120:]
        for name in ("II", "III", "aVF"):
            early = lead(qrs, name)[: round(0.055 * SAMPLING_RATE)]
            assert early.min() < -0.1, f"Q in {name}"
            assert (early < 0).sum() >= 0.024 * SAMPLING_RATE, f"wide Q in {name}"
        assert lead(t, "III").min() < -0.03


def test_hypertrophy_exceeds_sokolow_lyon(records: Records):
    for plan, signal in records["LVH"]:
        qrs, beat = _qrs(plan, signal), _beat(plan, signal)
        assert -lead(qrs, "V1").min() + max(lead(qrs, "V5").max(), lead(qrs, "V6").max()) > 3.5
        assert lead(beat, "V6")[len(qrs) + 30 :].min() < -0.02, "strain in V6"


def test_extrasystoles_are_early_wide_and_followed_by_a_full_pause(records: Records):
    for plan, signal in records["PVC"]:
        onset, premature = plan.beats.onset, plan.beats.premature
        rr = np.diff(onset)
        usual = np.median(rr)
        assert 1 <= premature.sum() <= 3
        for beat in np.flatnonzero(premature):
            assert rr[beat - 1] < 0.85 * usual
            assert rr[beat - 1] + rr[beat] == pytest.approx(2 * usual, rel=0.2)
            start = round(onset[beat] * SAMPLING_RATE)
            wide = measure.qrs_extent(signal, start + round(0.075 * SAMPLING_RATE))
            assert (wide[1] - wide[0]) / SAMPLING_RATE > 0.11
            # No P wave in front: the next sinus P comes after the ectopic QRS has begun.
            following = plan.beats.atrial[plan.beats.atrial > onset[beat - 1] + 0.01].min()
            assert following - plan.truth["pr_interval"] / 1000 > onset[beat]

"""Synthetic ECG records with known truth: pure functions of (index, seed)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hf_ecg_bench.data.synthetic import addressing, morphology, noise, rhythm
from hf_ecg_bench.data.synthetic.conditions import LABELS, Patient, draw_patient
from hf_ecg_bench.data.synthetic.dipole import (
    FloatArray,
    digitise,
    electrodes_to_independent_leads,
    independent_leads,
)
from hf_ecg_bench.data.synthetic.fibrillation import FibrillatoryWaves, draw_fibrillatory_waves
from hf_ecg_bench.data.synthetic.waves import add_beats

GENERATOR_VERSION = "1.0.0"  # changes whenever any record changes
SAMPLING_RATE = 500
SECONDS = 10
TARGETS = ("heart_rate", "pr_interval", "qrs_duration", "qrs_axis")
MISSING_TARGETS = 0.08  # share of target values withheld at random
MISSING_AGE = 0.04


@dataclass(frozen=True)
class RecordPlan:
    """Everything about a record but its samples.

    Attributes:
        record_id, patient_id, fold: as in the dataset's rows.
        labels: of LABELS, in that order; empty where a record is neither normal nor has one of the findings.
        truth: the four TARGETS in bpm, ms, ms, degrees; `pr_interval` is NaN in atrial fibrillation.
        targets: float32 (4,), the truth with some values withheld (NaN).
        age, sex: None where not noted down.
    """

    record_id: str
    patient_id: str
    fold: int
    labels: tuple[str, ...]
    truth: dict[str, float]
    targets: NDArray[np.float32]
    age: float | None
    sex: str | None
    patient: Patient
    shape: morphology.Morphology
    beats: rhythm.Beats
    fibrillation: FibrillatoryWaves | None
    breathing_rate: float
    breathing_phase: float
    breathing_gain: float
    noise_key: tuple[int, ...]


@dataclass(frozen=True)
class SyntheticRecord:
    """A plan and its signal, float32 (5000, 12), mV, leads I II III aVR aVL aVF V1..V6."""

    plan: RecordPlan
    signal: NDArray[np.float32]


def plan_record(index: int, seed: int = 0, *, records_per_patient: int = 2) -> RecordPlan:
    """Decide on record `index`; the same whatever else is generated.

    Raises:
        DataError: a negative index or seed, or no records per patient.
    """
    place = addressing.locate(index, seed, records_per_patient)
    patient = draw_patient(addressing.patient_stream(seed, place.patient))
    rng = addressing.visit_stream(seed, place.patient, place.visit)

    sinus = not ("AFIB" in patient.conditions and rng.random() < patient.afib_burden)
    premature = int(rng.integers(1, 4)) if "PVC" in patient.conditions and rng.random() < 0.85 else 0
    block = "1AVB" in patient.conditions
    pr = float(np.clip(patient.pr + rng.normal(0, 5), 203 if block else 112, 330 if block else 198)) / 1000
    qrs = (patient.qrs + float(np.clip(rng.normal(0, 1.5), -3, 3))) / 1000
    breathing_rate, breathing_phase = float(rng.uniform(0.18, 0.32)), float(rng.uniform(0, 2 * np.pi))

    if sinus:
        bpm = float(np.clip(patient.heart_rate + rng.normal(0, 5), 45, 88 if block else 112))
        arrhythmia = float(np.clip(0.055 - 0.0005 * patient.age, 0.008, 0.05) * rng.uniform(0.6, 1.4))
        intervals = rhythm.sinus_intervals(rng, 60 / bpm, arrhythmia, breathing_rate, breathing_phase, SECONDS)
    else:
        bpm = float(np.clip(patient.heart_rate + 14 + rng.normal(0, 12), 58, 138))
        intervals = rhythm.fibrillation_intervals(rng, 60 / bpm, float(rng.uniform(0.15, 0.27)), SECONDS)
    beats = rhythm.beats(rng, intervals, premature=premature, sinus=sinus, pr=pr, seconds=SECONDS)
    shape = morphology.build(
        patient,
        sinus=sinus,
        pr=pr,
        qrs=qrs,
        voltage=patient.voltage * float(np.clip(rng.normal(1, 0.015), 0.97, 1.03)),
        jitter=rng.normal(0, 2, 3),
    )
    truth = {
        "heart_rate": rhythm.mean_heart_rate(beats, qrs, SECONDS),
        "pr_interval": 1000 * shape.pr_interval,
        "qrs_duration": 1000 * shape.qrs_duration,
        "qrs_axis": shape.qrs_axis,
    }
    withheld = rng.random(len(TARGETS)) < MISSING_TARGETS
    targets = np.where(withheld, np.nan, [truth[name] for name in TARGETS]).astype(np.float32)
    age = round(patient.age + 1.7 * place.visit, 1) if rng.random() >= MISSING_AGE else None
    return RecordPlan(
        record_id=f"S{index:07d}",
        patient_id=f"P{place.patient:06d}",
        fold=place.fold,
        labels=_labels(patient, truth, sinus=sinus, premature=bool(beats.premature.any())),
        truth=truth,
        targets=targets,
        age=age,
        sex=patient.sex if patient.sex_known else None,
        patient=patient,
        shape=shape,
        beats=beats,
        fibrillation=None if sinus else draw_fibrillatory_waves(rng),
        breathing_rate=breathing_rate,
        breathing_phase=breathing_phase,
        breathing_gain=float(rng.uniform(0.01, 0.05)),
        noise_key=(seed, place.patient, place.visit),
    )


def _labels(patient: Patient, truth: dict[str, float], *, sinus: bool, premature: bool) -> tuple[str, ...]:
    found = set(patient.conditions) & {"LBBB", "RBBB", "IMI", "LVH"}
    if not sinus:
        found.add("AFIB")
    elif truth["pr_interval"] > 200:
        found.add("1AVB")
    if premature:
        found.add("PVC")
    if not found and 50 <= truth["heart_rate"] <= 100 and -30 <= truth["qrs_axis"] <= 90:
        found.add("NORM")
    return tuple(name for name in LABELS if name in found)


def dipole_moment(plan: RecordPlan) -> FloatArray:
    """The heart's dipole (5000, 3) in mV over the record, breathing included."""
    samples = SAMPLING_RATE * SECONDS
    dipole = np.zeros((samples, 3))
    beats, shape = plan.beats, plan.shape
    # Lungs full of air conduct badly: the signal is smaller at the top of a breath.
    gain = 1 - plan.breathing_gain * rhythm.respiration(beats.onset, plan.breathing_rate, plan.breathing_phase)
    # Fridericia: QT goes with the cube root of the RR interval; it follows a sudden change only in part.
    mean_rr = 60 / plan.truth["heart_rate"]
    stretch = np.cbrt(0.8 * mean_rr + 0.2 * np.clip(beats.preceding_rr, 0.4, 1.6))
    for early, qrs, st_t in ((False, shape.qrs, shape.st_t), (True, shape.ectopic_qrs, shape.ectopic_st_t)):
        mine = beats.premature == early
        add_beats(dipole, SAMPLING_RATE, qrs, beats.onset[mine], gain[mine])
        add_beats(dipole, SAMPLING_RATE, st_t, beats.onset[mine], gain[mine], stretch[mine])
    if shape.p is not None:
        add_beats(dipole, SAMPLING_RATE, shape.p, beats.atrial, np.ones(len(beats.atrial)))
    if plan.fibrillation is not None:
        dipole += plan.fibrillation.at(np.arange(samples) / SAMPLING_RATE)
    return dipole


def render(plan: RecordPlan, *, noisy: bool = True) -> NDArray[np.float32]:
    """The record's signal, float32 (5000, 12), mV; `noisy=False` leaves out what is not the heart's."""
    leads = independent_leads(dipole_moment(plan))
    if noisy:
        rng = addressing.noise_stream(*plan.noise_key)
        time = np.arange(len(leads)) / SAMPLING_RATE
        breathing = rhythm.respiration(time, plan.breathing_rate, plan.breathing_phase)
        potentials = noise.electrode_noise(rng, noise.draw_levels(rng), breathing, SAMPLING_RATE)
        leads += electrodes_to_independent_leads(potentials)
    return digitise(leads)


def generate_record(index: int, seed: int = 0, *, records_per_patient: int = 2, noisy: bool = True) -> SyntheticRecord:
    """Record `index` of the dataset with that seed."""
    plan = plan_record(index, seed, records_per_patient=records_per_patient)
    return SyntheticRecord(plan, render(plan, noisy=noisy))


def generate_batch(
    indices: Iterable[int], seed: int = 0, *, records_per_patient: int = 2, noisy: bool = True
) -> tuple[list[RecordPlan], NDArray[np.float32]]:
    """Plans and signals (records, 5000, 12) of several records."""
    plans = [plan_record(index, seed, records_per_patient=records_per_patient) for index in indices]
    signals = np.empty((len(plans), SAMPLING_RATE * SECONDS, 12), dtype=np.float32)
    for row, plan in zip(signals, plans, strict=True):
        row[:] = render(plan, noisy=noisy)
    return plans, signals

"""The shapes of P, QRS and ST-T in health and disease, as dipole waves.

The vectors were chosen by their projection on the twelve leads. In Frank's axes (x left, y down, z back)
normal activation runs: septum to the right and front, apex and free wall to the left and down,
base to the back.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hf_ecg_bench.data.synthetic.conditions import Patient
from hf_ecg_bench.data.synthetic.dipole import FloatArray, frontal_axis, independent_leads
from hf_ecg_bench.data.synthetic.waves import Waves

# Where a wave begins and ends: at this fraction of the peak of its spatial magnitude.
QRS_EDGE = 0.05
P_EDGE = 0.10

_P = Waves.of(
    (34, 16, 0.020, 0.075, -0.050),  # right atrium
    (66, 18, 0.065, 0.050, 0.040),  # left atrium
)
_NORMAL = Waves.of(
    (12, 5.5, -0.14, -0.04, -0.30),  # septum
    (27, 7.0, 0.38, 0.30, -0.26),  # apex
    (38, 7.0, 0.95, 0.82, 0.05),  # free wall
    (49, 7.5, 0.50, 0.48, 0.62),
    (60, 7.5, 0.08, 0.04, 0.55),  # base
    (73, 7.0, -0.18, -0.09, 0.14),
)
_LEFT_BLOCK = Waves.of(
    (20, 10, 0.12, 0.14, 0.06),
    (44, 13, 0.76, 0.36, 0.80),
    (70, 13, 0.46, 0.20, 1.00),
    (95, 13, 0.80, 0.22, 0.80),
    (122, 12, 0.30, 0.04, 0.34),
)
# What a blocked right bundle adds after the left ventricle: the right one, slowly, to the right and front.
_RIGHT_BLOCK = Waves.of(
    (68, 9, -0.06, 0.00, -0.22),
    (88, 14, -0.28, 0.01, -0.64),
    (112, 15, -0.26, 0.02, -0.42),
)
# Right ventricular outflow tract: like a left block with an inferior axis. Left ventricle: like a right
# block with a superior axis.
_ECTOPIC_RIGHT = Waves.of(
    (28, 16, 0.20, 0.55, 0.15),
    (62, 20, 0.75, 1.25, 1.25),
    (100, 20, 0.60, 0.80, 1.05),
    (132, 16, 0.15, 0.15, 0.35),
)
_ECTOPIC_LEFT = Waves.of(
    (28, 15, -0.30, -0.25, -0.55),
    (62, 20, -0.60, -0.95, -1.25),
    (100, 20, -0.85, -0.85, -0.70),
    (132, 16, -0.35, -0.20, -0.15),
)

_T = np.array([0.36, 0.27, -0.17])
_T_STRAIN = np.array([-0.30, -0.06, -0.30])
_T_INFERIOR = np.array([0.20, -0.24, -0.10])
_T_LEFT_BLOCK = np.array([-0.34, -0.10, -0.52])
_T_RIGHT_BLOCK = np.array([0.36, 0.22, 0.14])


@dataclass(frozen=True)
class Morphology:
    """One record's beats and the truth about them.

    Attributes:
        p: relative to the QRS onset; None in fibrillation.
        qrs, st_t: of the dominant beat, relative to its onset, the T wave for an RR interval of 1 s.
        ectopic_qrs, ectopic_st_t: of a ventricular extrasystole.
        pr_interval (NaN without P), qrs_duration: seconds, by the edges above.
        qrs_axis: degrees, of the net area from QRS onset to offset in I and II.
    """

    p: Waves | None
    qrs: Waves
    st_t: Waves
    ectopic_qrs: Waves
    ectopic_st_t: Waves
    pr_interval: float
    qrs_duration: float
    qrs_axis: float


def build(patient: Patient, *, sinus: bool, pr: float, qrs: float, voltage: float, jitter: FloatArray) -> Morphology:
    """The morphology of one recording.

    Args:
        patient: lasting traits.
        sinus: whether there are P waves; pr: seconds, P onset to QRS onset.
        qrs: seconds, duration.
        voltage: mV, Sokolow-Lyon sum of the narrow complex.
        jitter: (3,) degrees, how this recording's electrodes differ (rotation about x, y, z).
    """
    complexes, delta = _ventricles(patient, voltage, jitter)
    complexes = _fit_duration(complexes, qrs)
    st_t = _repolarisation(patient, complexes, qrs, voltage, jitter, delta)
    ectopic_qrs, ectopic_st_t = _ectopic(patient)
    return Morphology(
        p=_atria(patient, pr, jitter) if sinus else None,
        qrs=complexes,
        st_t=st_t,
        ectopic_qrs=ectopic_qrs,
        ectopic_st_t=ectopic_st_t,
        pr_interval=pr if sinus else float("nan"),
        qrs_duration=qrs,
        qrs_axis=net_axis(complexes, st_t, qrs),
    )


def net_axis(qrs: Waves, st_t: Waves, duration: float) -> float:
    """Frontal axis in degrees of the net area between QRS onset (0) and offset, as one would measure it."""
    time = np.arange(0, duration, 0.0005)
    area = independent_leads((qrs.at(time) + st_t.at(time)).sum(axis=0))
    return frontal_axis(area[0], area[1])


def _rotation(about_x: float, about_y: float, about_z: float) -> FloatArray:
    """A (3, 3) rotation by degrees; a positive angle about z turns the frontal axis to the right."""
    angles = np.radians([about_x, about_y, about_z])
    (cx, cy, cz), (sx, sy, sz) = np.cos(angles), np.sin(angles)
    around_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    around_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    around_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return around_x @ around_y @ around_z


def _individual(waves: Waves, patient: Patient, size: float) -> Waves:
    """The waves with each vector changed by the patient's own, relative to its length."""
    length = np.linalg.norm(waves.vector, axis=1, keepdims=True)
    return Waves(waves.centre, waves.width, waves.vector + size * length * patient.individual[: len(length)])


def _frontal(waves: Waves) -> float:
    area = independent_leads((waves.vector * waves.width[:, None]).sum(axis=0))
    return frontal_axis(area[0], area[1])


def _ventricles(patient: Patient, voltage: float, jitter: FloatArray) -> tuple[Waves, float]:
    """The QRS at its nominal speed, and by how many degrees the patient's axis turned it."""
    left_block = "LBBB" in patient.conditions
    waves = _individual(_LEFT_BLOCK if left_block else _NORMAL, patient, 0.05 if left_block else 0.08)
    delta = float(np.clip(patient.axis - _frontal(waves), -60, 45))
    waves = waves.transformed(_rotation(patient.tilt + jitter[0], patient.turn + jitter[1], delta + jitter[2]))
    if "LVH" in patient.conditions:
        # The thick left ventricle: more force to the left and back than down.
        thick = np.array([1.2, 0.75, 1.2])
        if not left_block:  # the septum's first forces are no larger than before
            thick = np.where(np.arange(len(waves.centre))[:, None] < 2, 0.6, thick)
        waves = Waves(waves.centre, waves.width, waves.vector * thick)
    if left_block:
        return waves.scaled((voltage / 2.2) ** 0.4), delta
    waves = waves.scaled(voltage / sokolow_lyon(waves))
    if "IMI" in patient.conditions:
        waves = _without_inferior_wall(waves, patient.infarct_size)
    if "RBBB" in patient.conditions:
        size = 0.8 + 0.25 * np.tanh(patient.ectopic[0])
        waves = Waves(waves.centre, waves.width, waves.vector * np.array([1, 1, 0.75])) + _RIGHT_BLOCK.scaled(size)
    return waves, delta


def _without_inferior_wall(waves: Waves, size: float) -> Waves:
    """An inferior infarct: for the first 40 ms nothing balances the forces upwards."""
    downward = waves.vector * np.array([1.0, 1 - 0.35 * size, 1.0])
    lost = Waves.of((13, 8.0, 0.02, -0.30, 0.0), (26, 8.5, 0.04, -0.38, 0.02))
    return Waves(waves.centre, waves.width, downward) + lost.scaled(size)


def sokolow_lyon(waves: Waves) -> float:
    """S in V1 plus the larger R of V5 and V6, mV."""
    start, stop = waves.span()
    leads = independent_leads(waves.at(np.arange(start, stop, 0.002)))
    return float(-leads[:, 2].min() + leads[:, 6:].max())


def _fit_duration(waves: Waves, seconds: float) -> Waves:
    """The QRS moved and dilated so that it begins at 0 and ends at `seconds`."""
    onset, offset = waves.extent(QRS_EDGE)
    return waves.shifted(-onset).dilated(seconds / (offset - onset))


def _atria(patient: Patient, pr: float, jitter: FloatArray) -> Waves:
    waves = _individual(_P, patient, 0.08).transformed(_rotation(jitter[0], jitter[1], 0.2 * (patient.axis - 45)))
    return waves.shifted(-pr - waves.extent(P_EDGE)[0])


def _repolarisation(
    patient: Patient, qrs: Waves, duration: float, voltage: float, jitter: FloatArray, delta: float
) -> Waves:
    """ST segment and T wave for an RR interval of 1 s."""
    found = patient.conditions
    peak = patient.qtc / 1000 + max(duration - 0.1, 0) * 0.8 - 0.085
    st = np.array([0.025, 0.020, -0.035])  # the slight rise of a normal ST segment towards the T wave
    size = patient.t_size * min(voltage / 2.1, 1.8) ** 0.7  # a large QRS has a large T
    t = _T * size
    if "LBBB" in found:
        t, st = _T_LEFT_BLOCK * size, 0.25 * _T_LEFT_BLOCK * size
    elif "RBBB" in found:
        t = _T_RIGHT_BLOCK * size
    if "LVH" in found and "LBBB" not in found:
        strain = float(np.clip(1.5 * (voltage - 3.6), 0.8, 1.3))
        t, st = (1 - 0.75 * strain) * t + strain * _T_STRAIN, st + 0.3 * strain * _T_STRAIN
    if "IMI" in found:
        t = 0.45 * t + _T_INFERIOR * size
        st = st + patient.st_elevation * np.array([-0.35, 1.0, 0.15])
    turn = _rotation(patient.tilt + jitter[0], 0.5 * patient.turn + jitter[1], 0.5 * delta + jitter[2])
    return _t_wave(turn @ t, turn @ st, duration, peak)


def _t_wave(t: FloatArray, st: FloatArray, duration: float, peak: float) -> Waves:
    """A T wave that rises slowly and falls faster, and an ST segment that begins after the QRS."""
    gap = peak - duration
    return Waves(
        np.array([peak, peak - 0.045, peak - 0.095, duration + 0.24 * gap, duration + 0.55 * gap]),
        np.array([0.032, 0.040, 0.048, 0.105 * gap + 0.008, 0.16 * gap + 0.008]),
        np.stack([0.62 * t, 0.42 * t, 0.16 * t, st, 0.9 * st]),
    )


def _ectopic(patient: Patient) -> tuple[Waves, Waves]:
    """QRS and ST-T of the patient's ventricular extrasystoles: wide, and repolarised the opposite way."""
    waves = _ECTOPIC_LEFT if patient.left_ventricular else _ECTOPIC_RIGHT
    spin = _rotation(*(14 * np.clip(patient.ectopic, -1.5, 1.5)))
    duration = 0.150 + 0.012 * float(np.tanh(patient.ectopic[1]))
    qrs = _fit_duration(waves.transformed(spin), duration)
    main = (qrs.vector * qrs.width[:, None]).sum(axis=0)
    against = -0.75 * main / np.linalg.norm(main)
    return qrs, _t_wave(against, 0.25 * against, duration, patient.qtc / 1000 - 0.04)

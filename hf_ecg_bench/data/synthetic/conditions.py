"""Patients: who they are and what lasts from one recording to the next."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LABELS = ("NORM", "AFIB", "LBBB", "RBBB", "IMI", "LVH", "PVC", "1AVB")

# Share of patients with a condition at 30 and at 80 years, in between on a straight line. Far from a real
# population's on purpose: every class must be common enough to learn from a few hundred records.
_PREVALENCE = {
    "AFIB": (0.06, 0.24),
    "LBBB": (0.05, 0.15),
    "RBBB": (0.08, 0.15),
    "IMI": (0.08, 0.20),
    "LVH": (0.10, 0.20),
    "PVC": (0.10, 0.22),
    "1AVB": (0.08, 0.22),
}


@dataclass(frozen=True)
class Patient:
    """Lasting traits.

    Attributes:
        conditions: of LABELS without NORM. AFIB and PVC come and go: a recording can lack them.
        age: years at the first recording.
        sex: `female` or `male`; sex_known is False where it was not noted down.
        heart_rate: bpm, in sinus rhythm at rest.
        pr, qrs, qtc: ms; QT corrected for rate by Fridericia, with a narrow QRS.
        axis: degrees, of the main QRS vector before any infarct or bundle branch block.
        voltage: mV, S in V1 + R in V5 (Sokolow-Lyon) with normal conduction.
        turn, tilt: degrees, rotations of the heart about the body's long (y) and transverse (x) axis.
        t_size: factor on the T wave.
        afib_burden: probability that a recording of a patient with AFIB shows it.
        individual: (7, 3) standard normal, individual differences of the QRS vectors.
        ectopic: (3,) standard normal, differences of the ectopic beats; left_ventricular: their origin.
        infarct_size: factor on the forces lost to an infarct.
        st_elevation: mV, of an inferior infarct's ST segment, 0 in an old one.
    """

    conditions: frozenset[str]
    age: float
    sex: str
    sex_known: bool
    heart_rate: float
    pr: float
    qrs: float
    qtc: float
    axis: float
    voltage: float
    turn: float
    tilt: float
    t_size: float
    afib_burden: float
    individual: np.ndarray
    ectopic: np.ndarray
    left_ventricular: bool
    infarct_size: float
    st_elevation: float


def draw_patient(rng: np.random.Generator) -> Patient:
    """A patient from their own random stream."""
    age = float(np.clip(rng.normal(60, 17), 18, 94))
    sex = "female" if rng.random() < 0.5 else "male"
    conditions = _conditions(rng, age)
    narrow = rng.normal(88 if sex == "female" else 94, 6)
    if "LBBB" in conditions:
        qrs = float(np.clip(rng.normal(146, 11), 126, 172))
    elif "RBBB" in conditions:
        qrs = float(np.clip(rng.normal(138, 10), 124, 166))
    else:
        qrs = float(np.clip(narrow + 9 * ("LVH" in conditions), 76, 112))
    if "1AVB" in conditions:
        pr = float(np.clip(208 + rng.gamma(2.0, 16), 208, 320))
    else:
        pr = float(np.clip(rng.normal(157 + 0.25 * (age - 50), 17), 118, 192))
    # The axis turns to the left with age and with a big left ventricle.
    leftward = 0.35 * (age - 50) + 25 * ("LVH" in conditions) + 20 * ("LBBB" in conditions)
    # An infarct's lost forces and a left block turn it further: those do not start at the extremes.
    lowest, highest = 5 if "IMI" in conditions else -35, 60 if "LBBB" in conditions else 92
    axis = float(np.clip(rng.normal(52 - leftward, 20), lowest, highest))
    if "LVH" in conditions:
        voltage = float(np.clip(rng.normal(4.3, 0.4), 3.9, 5.5))
    else:
        voltage = float(np.clip(rng.normal(2.25 - 0.008 * (age - 50) + 0.2 * (sex == "male"), 0.45), 1.1, 3.15))
    acute = "IMI" in conditions and rng.random() < 0.4
    return Patient(
        conditions=conditions,
        age=age,
        sex=sex,
        sex_known=bool(rng.random() >= 0.03),
        heart_rate=float(np.clip(rng.normal(71, 10), 48, 105)),
        pr=pr,
        qrs=qrs,
        qtc=float(np.clip(rng.normal(405 if sex == "male" else 415, 14), 370, 450)),
        axis=axis,
        voltage=voltage,
        turn=float(rng.normal(0, 9)),
        tilt=float(rng.normal(0, 5)),
        t_size=float(np.clip(rng.normal(1.0, 0.2), 0.6, 1.6)),
        afib_burden=1.0 if rng.random() < 0.6 else 0.6,
        individual=rng.standard_normal((7, 3)),
        ectopic=rng.standard_normal(3),
        left_ventricular=bool(rng.random() < 0.45),
        infarct_size=float(rng.uniform(0.65, 1.2)),
        st_elevation=float(rng.uniform(0.10, 0.22)) if acute else 0.0,
    )


def _conditions(rng: np.random.Generator, age: float) -> frozenset[str]:
    old = np.clip((age - 30) / 50, 0, 1)
    drawn = rng.random(len(_PREVALENCE))
    found = {
        name
        for (name, (young, aged)), u in zip(_PREVALENCE.items(), drawn, strict=True)
        if u < young + (aged - young) * old
    }
    if "LBBB" in found:
        # One bundle branch blocked; and a left block hides the infarct's Q waves, so nobody could label them.
        found -= {"RBBB", "IMI"}
    return frozenset(found)

"""When the ventricles beat: sinus rhythm, atrial fibrillation, premature beats."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hf_ecg_bench.data.synthetic.dipole import FloatArray

_LEAD_IN = 3  # beats before the record, whose T waves may reach into it


@dataclass(frozen=True)
class Beats:
    """The beats of a record and a few before and after it.

    Attributes:
        onset: (beats,) QRS onsets, seconds from the record's start, ascending.
        premature: (beats,) ventricular extrasystoles.
        preceding_rr: (beats,) seconds since the previous QRS onset.
        atrial: (p waves,) seconds at which a conducted beat's QRS would begin, one for every sinus P wave.
    """

    onset: FloatArray
    premature: np.ndarray
    preceding_rr: FloatArray
    atrial: FloatArray


def respiration(seconds: FloatArray, rate: float, phase: float) -> FloatArray:
    """Breathing, -1 (out) to 1 (in): `rate` Hz."""
    return np.sin(2 * np.pi * rate * seconds + phase)


def sinus_intervals(
    rng: np.random.Generator,
    mean: float,
    arrhythmia: float,
    breathing_rate: float,
    breathing_phase: float,
    seconds: float,
) -> FloatArray:
    """RR intervals in seconds: respiratory sinus arrhythmia, a slower (0.1 Hz) wave and a little noise.

    `arrhythmia` is the relative standard deviation of the whole.
    """
    count = int(np.ceil(seconds / (0.75 * mean))) + 2 * _LEAD_IN
    time = mean * np.arange(count, dtype=np.float64)
    wave = 1.1 * respiration(time, breathing_rate, breathing_phase + np.pi)
    wave += 0.7 * np.sin(2 * np.pi * 0.1 * time + rng.uniform(0, 2 * np.pi))
    wave += 0.4 * rng.standard_normal(count)
    return mean * np.clip(1 + arrhythmia * wave, 0.75, 1.35)


def fibrillation_intervals(rng: np.random.Generator, mean: float, spread: float, seconds: float) -> FloatArray:
    """RR intervals in seconds, irregularly irregular: independent gamma above a refractory period.

    `spread` is the relative standard deviation.
    """
    count = int(np.ceil(seconds / (0.6 * mean))) + 2 * _LEAD_IN
    refractory = min(0.3, 0.55 * mean)
    excess = mean - refractory
    shape = (excess / (spread * mean)) ** 2
    return refractory + rng.gamma(shape, excess / shape, count)


def beats(
    rng: np.random.Generator,
    intervals: FloatArray,
    *,
    premature: int,
    sinus: bool,
    pr: float,
    seconds: float,
) -> Beats:
    """Place the beats, making up to `premature` of them ventricular extrasystoles inside the record.

    An extrasystole comes before the next P wave and does not disturb the sinus node: the pause after it is
    fully compensatory, and the P wave is hidden in its T wave. In fibrillation a longer interval follows.
    """
    rr = intervals.copy()
    mean = float(rr.mean())
    begin = -(_LEAD_IN - 1) * mean - rng.uniform(0, mean)
    sinus_onset = begin + np.concatenate([[0.0], np.cumsum(rr)])
    early = np.zeros(len(sinus_onset), dtype=bool)
    for beat in _chosen(rng, sinus_onset, premature, seconds):
        before, after = rr[beat - 1], rr[beat]
        latest = before - (pr + 0.02 if sinus else 0.0)
        coupling = float(np.clip(rng.uniform(0.50, 0.66) * mean, 0.34, max(latest, 0.34)))
        rr[beat - 1] = coupling
        rr[beat] = before + after - coupling if sinus else max(after, 1.15 * mean)
        early[beat] = True
    onset = begin + np.concatenate([[0.0], np.cumsum(rr)])
    preceding = np.concatenate([[mean], rr])
    keep = (onset < seconds + 1.5) & (np.arange(len(onset)) > 0)
    atrial = sinus_onset[sinus_onset < seconds + 1.5] if sinus else np.empty(0)
    return Beats(onset[keep], early[keep], preceding[keep], atrial)


def _chosen(rng: np.random.Generator, onset: FloatArray, count: int, seconds: float) -> list[int]:
    """Beats to make premature: well inside the record and never two in a row."""
    candidates = np.flatnonzero((onset > 1.2) & (onset < seconds - 1.2))
    taken: list[int] = []
    for beat in rng.permutation(candidates).tolist():
        if len(taken) == count:
            break
        if all(abs(beat - other) > 1 for other in taken):
            taken.append(beat)
    return sorted(taken)


def mean_heart_rate(found: Beats, qrs: float, seconds: float) -> float:
    """Beats per minute: 60 over the mean RR interval of the beats whose QRS lies wholly in the record."""
    inside = found.onset[(found.onset >= 0) & (found.onset + qrs <= seconds)]
    return float(60 * (len(inside) - 1) / (inside[-1] - inside[0]))

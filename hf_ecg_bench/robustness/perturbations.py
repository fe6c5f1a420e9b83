"""Disturbances of a record under which a model is tested again. Adding one is adding one entry.

Each is a function of a whole record (time, 12), its rate and a random generator. Noise is made at the electrodes and
spreads over the leads by their definitions, so that II = I + III holds for it too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from hf_ecg_bench.errors import ContractError, unknown_name
from hf_ecg_bench.robustness.noise import (
    LEAD_RMS,
    band_noise,
    from_electrodes,
    lead_columns,
    mains_noise,
    slow_noise,
)
from hf_ecg_bench.signals.leads import LEADS
from hf_ecg_bench.signals.resampling import resample

WANDER_MV, WANDER_HZ = 0.3, (0.05, 0.5)
MAINS_MV = 0.1
MUSCLE_DB, MUSCLE_HZ = 10.0, (20.0, 150.0)
LOW_RATE = 100
ALL = "all"

Function = Callable[[np.ndarray, float, np.random.Generator], np.ndarray]


@dataclass(frozen=True)
class Perturbation:
    """One disturbance.

    Attributes:
        id: the name users type.
        title: what is done, in a few words, for tables and plots.
        detail: how strong, and in which band.
        function: (signal in mV (time, 12) float64, rate in Hz, generator) -> the same shape, a new array.
        least_rate: Hz that the data must have for it, so that it does not fold back or do nothing.
    """

    id: str
    title: str
    function: Function
    detail: str = ""
    least_rate: float = 0.0

    def __call__(self, signal: np.ndarray, rate: float, record_id: str) -> np.ndarray:
        """The perturbed record: the same for the same name and record, in any order and any process.

        Args:
            signal: (time, 12) in mV, canonical leads; missing samples (NaN) stay missing.
            rate: Hz.
            record_id: decides the random numbers, together with the perturbation's name.

        Returns:
            (time, 12) float32, a new array.
        """
        result = self.function(np.asarray(signal, np.float64), rate, generator(self.id, record_id))
        return np.ascontiguousarray(result, dtype=np.float32)


def generator(name: str, record_id: str) -> np.random.Generator:
    """Random numbers for one perturbation of one record."""
    digest = hashlib.sha256(f"{name}\n{record_id}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "little"))


def _off(*leads: str) -> Function:
    columns = lead_columns(*leads)

    def flat(signal: np.ndarray, rate: float, rng: np.random.Generator) -> np.ndarray:
        result = signal.copy()
        result[:, columns] = 0.0
        return result

    return flat


def _exchanged(**sources: str) -> Function:
    """Leads that are recorded instead of others, `-` for upside down."""
    columns, signs = np.arange(len(LEADS)), np.ones(len(LEADS))
    for lead, source in sources.items():
        column = LEADS.index(lead)
        columns[column], signs[column] = LEADS.index(source.removeprefix("-")), -1.0 if source[0] == "-" else 1.0

    def swap(signal: np.ndarray, rate: float, rng: np.random.Generator) -> np.ndarray:
        return signal[:, columns] * signs

    return swap


def _times(factor: float) -> Function:
    return lambda signal, rate, rng: signal * factor


def _wander(signal: np.ndarray, rate: float, rng: np.random.Generator) -> np.ndarray:
    noise = slow_noise(rng, len(signal), rate, *WANDER_HZ)
    return signal + from_electrodes(noise) * (WANDER_MV / LEAD_RMS[0])


def _mains(frequency: float) -> Function:
    def hum(signal: np.ndarray, rate: float, rng: np.random.Generator) -> np.ndarray:
        noise = mains_noise(rng, len(signal), rate, frequency)
        return signal + from_electrodes(noise) * (MAINS_MV / LEAD_RMS[0])

    return hum


def _muscle(signal: np.ndarray, rate: float, rng: np.random.Generator) -> np.ndarray:
    """Noise of the same strength at all electrodes; the ratio is that of the powers summed over the leads."""
    present = np.isfinite(signal)
    number = np.maximum(present.sum(axis=0), 1)
    mean = np.where(present, signal, 0.0).sum(axis=0) / number
    power = (np.where(present, signal - mean, 0.0) ** 2).sum(axis=0) / number
    strength = np.sqrt(power.sum() / (LEAD_RMS**2).sum() / 10 ** (MUSCLE_DB / 10))
    return signal + from_electrodes(band_noise(rng, len(signal), rate, *MUSCLE_HZ)) * strength


def _low_rate(signal: np.ndarray, rate: float, rng: np.random.Generator) -> np.ndarray:
    missing = ~np.isfinite(signal)
    down = resample(np.where(missing, 0.0, signal), rate, LOW_RATE)
    result = resample(down, LOW_RATE, rate).astype(np.float64)[: len(signal)]
    # Lengths that are no multiple of both rates lose some samples at the end: the last value goes on.
    result = np.concatenate([result, np.repeat(result[-1:], len(signal) - len(result), axis=0)])
    result[missing] = np.nan
    return result


_LIMB, _CHEST = LEADS[:6], LEADS[6:]

PERTURBATIONS: dict[str, Perturbation] = {
    item.id: item
    for item in (
        Perturbation("v1_off", "V1 off (flat)", _off("V1")),
        Perturbation("v4_off", "V4 off (flat)", _off("V4")),
        Perturbation("limb_off", "all limb leads off (flat)", _off(*_LIMB)),
        Perturbation("chest_off", "all chest leads off (flat)", _off(*_CHEST)),
        Perturbation("only_i", "lead I alone, as a watch records", _off(*(lead for lead in LEADS if lead != "I"))),
        Perturbation(
            "swap_ra_la",
            "arms swapped (RA, LA)",
            _exchanged(I="-I", II="III", III="II", aVR="aVL", aVL="aVR"),
        ),
        Perturbation(
            "swap_la_ll",
            "left arm and leg swapped (LA, LL)",
            _exchanged(I="II", II="I", III="-III", aVL="aVF", aVF="aVL"),
        ),
        Perturbation(
            "swap_ra_ll",
            "right arm and leg swapped (RA, LL)",
            _exchanged(I="-III", II="-II", III="-I", aVR="aVF", aVF="aVR"),
        ),
        Perturbation("swap_v1_v2", "V1 and V2 swapped", _exchanged(V1="V2", V2="V1")),
        Perturbation(
            "baseline_wander",
            "baseline wander",
            _wander,
            f"{WANDER_HZ[0]:g} to {WANDER_HZ[1]:g} Hz, {WANDER_MV:g} mV rms in lead I",
        ),
        Perturbation("mains_50", "mains hum, 50 Hz", _mains(50), f"{MAINS_MV:g} mV rms in lead I", 110),
        Perturbation("mains_60", "mains hum, 60 Hz", _mains(60), f"{MAINS_MV:g} mV rms in lead I", 130),
        Perturbation(
            "muscle_noise",
            "muscle noise",
            _muscle,
            f"{MUSCLE_HZ[0]:g} to {MUSCLE_HZ[1]:g} Hz, {MUSCLE_DB:g} dB below the signal",
            100,
        ),
        Perturbation("rate_100", f"recorded at {LOW_RATE} Hz", _low_rate, least_rate=LOW_RATE + 1),
        Perturbation("amplitude_half", "amplitude x 0.5", _times(0.5)),
        Perturbation("amplitude_double", "amplitude x 2", _times(2.0)),
    )
}


def chosen_perturbations(names: Sequence[str]) -> tuple[Perturbation, ...]:
    """The perturbations of these names, in the order of the table; `all` means every one.

    Raises:
        UnknownNameError: no such perturbation.
    """
    for name in names:
        if name != ALL and name not in PERTURBATIONS:
            raise unknown_name("perturbation", name, [ALL, *PERTURBATIONS])
    return tuple(item for item in PERTURBATIONS.values() if ALL in names or item.id in names)


def check_rate(perturbation: Perturbation, rate: float, where: str) -> None:
    """Raise ContractError where a perturbation cannot be made at the data's rate."""
    if rate < perturbation.least_rate:
        raise ContractError(
            f"{where}: {rate:g} Hz is too low for the perturbation {perturbation.id} "
            f"(at least {perturbation.least_rate:g} Hz)",
            fix="leave it out of --perturb",
        )

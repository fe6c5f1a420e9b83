"""The twelve leads in one order, found by name, and a check that they are what they are called."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from hf_ecg_bench.errors import DataError

LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
# The order of MIMIC-IV-ECG's files, in which some models were pretrained: aVF before aVL.
MIMIC_LEADS = (*LEADS[:4], "aVF", "aVL", *LEADS[6:])

_POSITION = {lead.casefold(): position for position, lead in enumerate(LEADS)}


def lead_positions(names: Sequence[str], *, where: str) -> dict[int, int]:
    """Canonical position -> position in `names`, matched without regard to case or outer blanks.

    Raises:
        DataError: two names that mean the same lead, or no name that is one of `LEADS`.
    """
    found: dict[int, int] = {}
    for column, name in enumerate(names):
        position = _POSITION.get(name.strip().casefold())
        if position is None:
            continue
        if position in found:
            raise DataError(
                f"{where}: lead {LEADS[position]} appears twice ({names[found[position]]!r} and {name!r}); "
                "expected each lead once",
                fix="correct the lead names in the record's header, or leave the record out",
            )
        found[position] = column
    if not found:
        raise DataError(
            f"{where}: no standard lead among {', '.join(map(repr, names)) or '(none)'}; expected {', '.join(LEADS)}",
            fix="rename the leads in the record's header to the standard names",
        )
    return found


def to_canonical(
    signal: np.ndarray, names: Sequence[str], *, where: str, missing: Literal["zero", "error"] = "zero"
) -> np.ndarray:
    """Columns of `signal` in the order of `LEADS`, matched by name; others (Frank's vx, vy, vz) are dropped.

    Args:
        signal: (time, n), any real type.
        names: n lead names.
        where: the record, for error messages.
        missing: a lead that the record lacks becomes all zero, or is an error.

    Returns:
        (time, 12) float32, C-contiguous, a new array.

    Raises:
        DataError: shape and names disagree, duplicate or only unknown names, missing leads with
            `missing="error"`.
    """
    if signal.ndim != 2 or signal.shape[1] != len(names):
        raise DataError(f"{where}: shape {signal.shape} with {len(names)} lead names; expected (time, {len(names)})")
    found = lead_positions(names, where=where)
    absent = [lead for position, lead in enumerate(LEADS) if position not in found]
    if absent and missing == "error":
        raise DataError(
            f"{where}: lead {', '.join(absent)} missing; found {', '.join(names)}",
            fix='leave the record out, or accept zeros with missing="zero"',
        )
    canonical = np.zeros((len(signal), len(LEADS)), dtype=np.float32)
    for position, column in found.items():
        canonical[:, position] = signal[:, column]
    return canonical


def limb_lead_residual(signal: np.ndarray) -> float:
    """How far the six limb leads are from the relations that define them, in the signal's unit.

    Einthoven: II = I + III. Goldberger: aVR = -(I + II) / 2, aVL = I - II / 2, aVF = II - I / 2. They hold
    up to rounding (a few uV) for every correctly named record, also when electrodes were swapped on the
    patient; they break when columns are swapped, mislabelled, scaled one by one, or missing (all zero).

    Args:
        signal: (time, 12), canonical leads; samples with NaN are left out.

    Returns:
        The largest root mean square of the four residuals; NaN where no sample is complete.
    """
    limb = np.asarray(signal[:, :6], dtype=np.float64)
    limb = limb[np.isfinite(limb).all(axis=1)]
    if not len(limb):
        return float("nan")
    i, ii, iii, avr, avl, avf = limb.T
    residuals = np.stack([ii - i - iii, avr + (i + ii) / 2, avl - i + ii / 2, avf - ii + i / 2])
    return float(np.sqrt(np.mean(residuals**2, axis=1)).max())

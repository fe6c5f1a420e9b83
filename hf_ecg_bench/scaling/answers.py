"""How many labels one model needs to be as good as another one with a given number of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from hf_ecg_bench.evaluation.summary import CONFIDENCE
from hf_ecg_bench.scaling.law import Floats, PowerLaw

# Beyond so many times the largest number of records that was tried, a law answers nothing: that counts as not reached.
REACH = 100


@dataclass(frozen=True, eq=False)
class FittedCurve:
    """A curve's law and its resampled repetitions.

    Attributes:
        label: of the curve.
        records, errors: (sizes,) the points; `resampled` (resamples, sizes) the points resampled.
        law: the fitted law, `laws` one per resample; None where there are too few sizes.
    """

    label: str
    records: Floats
    errors: Floats
    resampled: Floats
    law: PowerLaw | None
    laws: PowerLaw | None


def percentile_ends(values: Floats) -> tuple[float, float]:
    """2.5 % and 97.5 % as order statistics, which also exist where some values are infinite; NaN values left out."""
    known = values[~np.isnan(values)]
    if not len(known):
        return math.nan, math.nan
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(known, [tail, 1 - tail], method="inverted_cdf")
    return float(low), float(high)


def answer(model: FittedCurve, other: FittedCurve, size: int) -> dict[str, Any]:
    """Records N* after which `model` has the error that `other` has at its `size`-th point, with N = its records there.

    The other's error is the measured one. Model and other are resampled together: one test patient drawn twice counts
    twice for both.

    Returns:
        {model, other, other_records, error, records: {value, low, high}, ratio: N*/N likewise, reached, p_not_reached,
        extrapolated: `beyond` or `below` the sizes that were tried, or null}. An end that is not reached is NaN; `low`
        may be NaN too. Not reached: not even with 100 times the largest number that was tried.

    Raises:
        ValueError: `model` has no law.
    """
    if model.law is None or model.laws is None:
        raise ValueError(f"{model.label} has no fitted law")
    most, fewest = float(model.records.max()), float(model.records.min())
    error, given = float(other.errors[size]), float(other.records[size])
    value = _within_reach(model.law.records_for(error), most)
    needed = _within_reach(model.laws.records_for(other.resampled[:, size]), most)
    low, high = percentile_ends(needed)
    records = [number if math.isfinite(number) else math.nan for number in (float(value), low, high)]
    reached = math.isfinite(records[0])
    return {
        "model": model.label,
        "other": other.label,
        "other_records": given,
        "error": error,
        "records": dict(zip(("value", "low", "high"), records, strict=True)),
        "ratio": dict(zip(("value", "low", "high"), [number / given for number in records], strict=True)),
        "reached": reached,
        "p_not_reached": float(np.isinf(needed).mean()),
        "extrapolated": ("beyond" if records[0] > most else "below" if records[0] < fewest else None)
        if reached
        else None,
    }


def _within_reach(records: Floats, most: float) -> Floats:
    return np.where(records <= REACH * most, records, np.inf)

"""A number with its interval, as result files store it and as tables print it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from hf_ecg_bench.errors import PredictionsError

UNDEFINED = "undefined"


@dataclass(frozen=True)
class Estimate:
    """A value and its 95 % interval; NaN where undefined."""

    value: float = math.nan
    low: float = math.nan
    high: float = math.nan

    @classmethod
    def from_json(cls, raw: Any, where: str) -> Estimate:
        """Read `{"value": v, "low": l, "high": h}` (nulls allowed, None is undefined).

        Raises:
            PredictionsError: anything else, named by `where`.
        """
        if raw is None:
            return cls()
        if not isinstance(raw, dict):
            raise PredictionsError(f"{where}: expected an object with value, low and high, found {type(raw).__name__}")
        return cls(*(number(raw.get(key), f"{where}.{key}") for key in ("value", "low", "high")))

    @property
    def defined(self) -> bool:
        return math.isfinite(self.value)

    @property
    def has_interval(self) -> bool:
        return math.isfinite(self.low) and math.isfinite(self.high)

    @property
    def width(self) -> float:
        return self.high - self.low

    def scaled(self, factor: float) -> Estimate:
        """The same estimate in other units."""
        return Estimate(self.value * factor, self.low * factor, self.high * factor)

    def format(self, digits: int = 3) -> str:
        """`0.912 [0.890, 0.931]`, `0.912` without an interval, `undefined` without a value."""
        if not self.defined:
            return UNDEFINED
        text = f"{self.value:.{digits}f}"
        return f"{text} [{self.low:.{digits}f}, {self.high:.{digits}f}]" if self.has_interval else text


def number(raw: Any, where: str) -> float:
    """A JSON number as float; null is NaN; anything else is a PredictionsError that names `where`."""
    if raw is None:
        return math.nan
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        raise PredictionsError(f"{where}: expected a number, found {raw!r:.40}")
    return float(raw)

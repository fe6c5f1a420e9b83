"""Scaling of amplitudes; what is constant becomes a constant, never NaN."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from hf_ecg_bench.errors import ContractError, unknown_name
from hf_ecg_bench.signals.steps.base import Step

Over = Literal["all", "lead"]
_AXES: dict[str, tuple[int, ...]] = {"all": (1, 2), "lead": (1,)}
_WORDS = {"all": "all leads together", "lead": "each lead by itself"}


def _check_over(over: str) -> None:
    if over not in _AXES:
        raise unknown_name("way to scale", str(over), _AXES)


@dataclass(frozen=True)
class ZScore(Step):
    """(x - mean) / (std + epsilon), over all leads and samples together or lead by lead; constant ones become 0."""

    over: Over
    epsilon: float = 0.0
    name: ClassVar[str] = "z_score"

    def __post_init__(self) -> None:
        _check_over(self.over)

    def describe(self) -> str:
        return f"z-score over {_WORDS[self.over]}"

    def _apply(self, signal: np.ndarray, rate: float) -> np.ndarray:
        axes = _AXES[self.over]
        centred = signal - signal.mean(axis=axes, keepdims=True)
        # Compared, not tested by the deviation: rounding makes that of a constant other than 0.
        constant = signal.max(axis=axes, keepdims=True) == signal.min(axis=axes, keepdims=True)
        deviation = np.sqrt((centred * centred).mean(axis=axes, keepdims=True)) + self.epsilon
        return np.where(constant, 0.0, centred / np.where(constant, 1.0, deviation))


@dataclass(frozen=True)
class MinMax(Step):
    """low + (high - low) (x - min) / (max - min + epsilon), over everything or lead by lead; constants become `low`."""

    low: float
    high: float
    over: Over
    epsilon: float = 1e-8
    name: ClassVar[str] = "min_max"

    def __post_init__(self) -> None:
        _check_over(self.over)
        self._positive(epsilon=self.epsilon)
        if not self.low < self.high:
            raise ContractError(f"step {self.name!r}: {self.low} to {self.high}; expected low below high")

    def describe(self) -> str:
        return f"scaled to {self.low:g} ... {self.high:g} by minimum and maximum, {_WORDS[self.over]}"

    def _apply(self, signal: np.ndarray, rate: float) -> np.ndarray:
        axes = _AXES[self.over]
        least = signal.min(axis=axes, keepdims=True)
        span = signal.max(axis=axes, keepdims=True) - least + self.epsilon
        return np.asarray((self.high - self.low) * (signal - least) / span + self.low)


@dataclass(frozen=True)
class Clip(Step):
    """Amplitudes beyond +-`limit` become +-`limit`."""

    limit: float
    name: ClassVar[str] = "clip"

    def __post_init__(self) -> None:
        self._positive(limit=self.limit)

    def describe(self) -> str:
        return f"clipped to +-{self.limit:g} mV"

    def _apply(self, signal: np.ndarray, rate: float) -> np.ndarray:
        return np.clip(signal, -self.limit, self.limit)

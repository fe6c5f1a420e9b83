"""What becomes of missing samples (NaN), as each of the models' authors decided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from hf_ecg_bench.errors import unknown_name
from hf_ecg_bench.signals import nan
from hf_ecg_bench.signals.steps.base import Step

_RULES = {
    "zero": "missing samples become 0",
    "interpolate": "missing samples are interpolated linearly, those before the first known one become 0",
    "local_mean": "missing samples become the mean of the known ones among the 6 before and 5 after, else 0",
    "record_mean": "missing samples become the mean of all known samples of the record, all leads together",
}
_BEFORE, _AFTER = 6, 5


@dataclass(frozen=True)
class FillMissing(Step):
    """Fill NaN by one of the rules `zero`, `interpolate`, `local_mean`, `record_mean`; afterwards none is left."""

    rule: Literal["zero", "interpolate", "local_mean", "record_mean"] = "zero"
    name: ClassVar[str] = "fill_missing"

    def __post_init__(self) -> None:
        if self.rule not in _RULES:
            raise unknown_name("rule for missing samples", str(self.rule), _RULES)

    def describe(self) -> str:
        return _RULES[self.rule]

    def _apply(self, signal: np.ndarray, rate: float) -> np.ndarray:
        missing = np.isnan(signal)
        if not missing.any():
            return signal
        if self.rule == "interpolate":
            batch, samples, leads = signal.shape
            columns = signal.transpose(1, 0, 2).reshape(samples, batch * leads)
            filled = nan.interpolate(columns)[0].reshape(samples, batch, leads).transpose(1, 0, 2)
            return np.nan_to_num(filled, nan=0.0)
        if self.rule == "local_mean":
            return np.where(missing, _local_mean(signal, ~missing), signal)
        if self.rule == "record_mean":
            known = np.maximum((~missing).sum(axis=(1, 2), keepdims=True), 1)
            mean = np.where(missing, 0.0, signal).sum(axis=(1, 2), keepdims=True) / known
            return np.where(missing, mean, signal)
        return np.where(missing, 0.0, signal)


def _local_mean(signal: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Mean of the known samples t - 6 ... t + 5 for every t; 0 where none is known."""
    edges = ((0, 0), (_BEFORE, _AFTER), (0, 0))
    values = np.pad(np.where(known, signal, 0.0), edges)
    counts = np.pad(known, edges).astype(np.int64)
    width, samples = _BEFORE + _AFTER + 1, signal.shape[1]
    total = sum(values[:, shift : shift + samples] for shift in range(width))
    number = sum(counts[:, shift : shift + samples] for shift in range(width))
    return np.asarray(total / np.maximum(number, 1))

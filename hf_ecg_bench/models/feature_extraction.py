"""From a recorded ECG to what a model takes; saved with the model, which thus knows its windows and rate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any, get_args

import numpy as np
from transformers import BatchFeature, FeatureExtractionMixin

from hf_ecg_bench.errors import ContractError, unknown_name
from hf_ecg_bench.models.configuration import EcgConfig
from hf_ecg_bench.models.preprocessing import PREPROCESSINGS, original_of
from hf_ecg_bench.signals.contract import VOLTS, ModelInput, SignalSource, plan
from hf_ecg_bench.signals.leads import LEADS
from hf_ecg_bench.signals.original import OriginalInput, plan_original
from hf_ecg_bench.signals.steps import step_from_dict
from hf_ecg_bench.signals.windows import Tail, evaluation_starts

# Millivolts that no surface ECG exceeds for long: a signal beyond is in other units, or raw counts.
_PLAUSIBLE_MV = 30.0


class EcgFeatureExtractor(FeatureExtractionMixin):
    """Cuts a 12-lead record into the windows a model was made for, at its sampling rate.

    A FeatureExtractionMixin, not a SequenceFeatureExtractor: the Trainer would take the latter for something
    that pads.

    Args:
        sampling_rate: Hz of the model.
        window_seconds: length of a window.
        leads: names, in the order of the channels of `input_values`.
        fixed_length: samples per window where the model takes no other length.
        tail: `drop` or `shift`, what happens to the samples after the last whole window.
        preprocessing: `paper` (mV as recorded, windows cut and resampled) or `original` (the steps below).
        record_steps, window_steps: the model's own preprocessing, of whole records and of windows, as
            `signals.steps` writes them; only with `original`.
    """

    model_input_names = ["input_values"]

    def __init__(
        self,
        sampling_rate: int = 500,
        window_seconds: float = 2.5,
        leads: Sequence[str] = LEADS,
        fixed_length: int | None = None,
        tail: Tail = "drop",
        preprocessing: str = "paper",
        record_steps: Sequence[Mapping[str, Any]] = (),
        window_steps: Sequence[Mapping[str, Any]] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if preprocessing not in PREPROCESSINGS:
            raise unknown_name("preprocessing", preprocessing, PREPROCESSINGS)
        if preprocessing == "paper" and (record_steps or window_steps):
            raise ContractError("the preprocessing 'paper' has no steps of its own", fix="preprocessing='original'")
        if tail not in get_args(Tail):
            raise unknown_name("rule for a record's end", str(tail), get_args(Tail))
        self.sampling_rate = sampling_rate
        self.window_seconds = window_seconds
        self.leads = list(leads)
        self.fixed_length = fixed_length
        self.tail: Tail = tail
        self.preprocessing = preprocessing
        self.record_steps = [step_from_dict(step).to_dict() for step in record_steps]
        self.window_steps = [step_from_dict(step).to_dict() for step in window_steps]

    @classmethod
    def from_config(cls, config: EcgConfig, tail: Tail = "drop") -> EcgFeatureExtractor:
        """The extractor that belongs to a model.

        Raises:
            ContractError: the configuration says `original` and the model has no original preprocessing, or at
                another rate.
        """
        own: dict[str, Any] = {}
        if config.preprocessing == "original":
            original = original_of(config)
            own = {
                "preprocessing": "original",
                "leads": original.leads,
                "record_steps": [step.to_dict() for step in original.record],
                "window_steps": [step.to_dict() for step in original.window],
            }
        return cls(
            sampling_rate=config.sampling_rate,
            window_seconds=config.window_seconds,
            fixed_length=config.fixed_length,
            tail=tail,
            **own,
        )

    def __call__(
        self,
        record: Any,
        *,
        sampling_rate: float | None = None,
        unit: str = "mV",
        leads: Sequence[str] = LEADS,
        return_tensors: str | None = "pt",
    ) -> BatchFeature:
        """Windows of one record.

        Args:
            record: (time, leads) in `unit`; NaN where samples are missing (they count as 0, in the original
                preprocessing what the model's authors made of them).
            sampling_rate: Hz of the record. It cannot be guessed, so it has to be given.
            unit: `mV`, `uV` or `V`.
            leads: names of the record's columns; picked and ordered by name.
            return_tensors: `pt`, what the models take, or `np`.

        Returns:
            `input_values` (windows, leads, samples) float32, in mV unless the original preprocessing scales.

        Raises:
            ContractError: no or a wrong sampling rate, another shape, unknown unit, missing leads, amplitudes
                that are not in that unit or infinite, no known sample, or a record shorter than one window.
        """
        if sampling_rate is None:
            raise ContractError(
                "the record's sampling rate is not known",
                fix=f"pass sampling_rate=, e.g. sampling_rate={self.sampling_rate}",
            )
        if isinstance(sampling_rate, bool) or not isinstance(sampling_rate, Real):
            raise ContractError(f"the sampling rate must be a number in Hz, found {sampling_rate!r}")
        signal = self._checked(record, len(leads), unit)
        seconds = len(signal) / max(sampling_rate, 1e-9)
        source = SignalSource(sampling_rate, tuple(leads), unit, seconds, "the record")
        windows = self._original_windows if self.preprocessing == "original" else self._paper_windows
        return BatchFeature({"input_values": windows(signal, source)}, tensor_type=return_tensors)

    def _paper_windows(self, signal: np.ndarray, source: SignalSource) -> np.ndarray:
        target = ModelInput(
            rate=self.sampling_rate,
            seconds=self.window_seconds,
            leads=tuple(self.leads),
            where="the model",
            fixed_length=self.fixed_length,
        )
        conversion = plan(source, target)
        return conversion.apply(self._cut(signal, conversion.window))

    def _original_windows(self, signal: np.ndarray, source: SignalSource) -> np.ndarray:
        original = OriginalInput(
            rate=self.sampling_rate,
            seconds=self.window_seconds,
            record=tuple(step_from_dict(step) for step in self.record_steps),
            window=tuple(step_from_dict(step) for step in self.window_steps),
            leads=tuple(self.leads),
        )
        conversion = plan_original(source, original, "the model", self.fixed_length)
        prepared = conversion.prepare(signal[None])[0]
        return conversion.finish(self._cut(prepared, conversion.window))

    def _cut(self, signal: np.ndarray, window: int) -> np.ndarray:
        starts = evaluation_starts(len(signal), window, self.tail)
        return np.stack([signal[start : start + window] for start in starts])

    @staticmethod
    def _checked(record: Any, n_leads: int, unit: str) -> np.ndarray:
        signal = np.asarray(record)
        if signal.ndim != 2 or signal.shape[1] != n_leads or signal.dtype.kind not in "fiu":
            hint = "; it looks transposed: pass record.T" if signal.ndim == 2 and signal.shape[0] == n_leads else ""
            raise ContractError(
                f"a record must be numbers (time, {n_leads}), found {signal.dtype} {signal.shape}{hint}"
            )
        signal = signal.astype(np.float32, copy=False)
        if np.isinf(signal).any():
            raise ContractError("the record has infinite samples", fix="make missing samples NaN")
        finite = np.abs(signal[~np.isnan(signal)])
        if signal.size and not finite.size:
            raise ContractError("the record has no known sample: all are NaN", fix="leave it out")
        level = float(np.median(finite)) if finite.size else 0.0
        if unit in VOLTS and level * VOLTS[unit] * 1e3 > _PLAUSIBLE_MV:
            raise ContractError(
                f"the record's median amplitude is {level:.4g}, which is no ECG in {unit}",
                fix="pass the unit it is in (unit='uV'), or convert raw counts with the file's gain",
            )
        return signal

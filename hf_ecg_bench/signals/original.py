"""A model's own preprocessing, declared and carried out: whole records first, then windows, at the model's rate.

The benchmark's way (`signals.contract`) cuts windows at the dataset's rate and resamples them. Filters need the whole
record, so here the record is treated first and windows are cut afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from hf_ecg_bench.errors import ContractError, DataError
from hf_ecg_bench.signals.contract import (
    ModelInput,
    SignalSource,
    check_rates,
    check_samples,
    in_words,
    match_leads,
    match_units,
)
from hf_ecg_bench.signals.leads import LEADS
from hf_ecg_bench.signals.steps import Step, follow, run_steps
from hf_ecg_bench.signals.windows import window_length


@dataclass(frozen=True)
class OriginalInput:
    """What a model's authors did with a recording (in mV) before pretraining.

    Attributes:
        rate: Hz the windows have in the end.
        seconds: length of one window.
        record: steps on the whole record, in order.
        window: steps on each window, in order.
        leads: the model's order.
        options: other fields of the model's configuration that belong to it (a pooling).
        note: what differs from the benchmark's way, and what of the original cannot be repeated, for the card.
    """

    rate: int
    seconds: float
    record: tuple[Step, ...] = ()
    window: tuple[Step, ...] = ()
    leads: tuple[str, ...] = LEADS
    options: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""

    def describe(self) -> tuple[str, ...]:
        """Everything that is done, in order, in words."""
        order = () if self.leads == LEADS else (f"leads in the order {' '.join(self.leads)}",)
        cut = f"cut into windows of {self.seconds:g} s"
        options = tuple(f"the model's {name} is {value}" for name, value in self.options.items())
        record, window = ([step.describe() for step in steps] for steps in (self.record, self.window))
        return (*order, *record, cut, *window, *options)


@dataclass(frozen=True)
class OriginalPlan:
    """How records of the source become input of the model; made by `plan_original`.

    Attributes:
        source, target: the two sides.
        original: the declaration.
        cut_rate: Hz at which windows are cut, after the steps on the record.
        window: samples of a window at that rate.
        samples: samples of a window at the model's rate.
        lead_order: column of the source for each of the model's leads.
        factor: source unit -> mV.
        steps: what is done, in order, in words.
    """

    source: SignalSource
    target: ModelInput
    original: OriginalInput
    cut_rate: float
    window: int
    samples: int
    lead_order: tuple[int, ...]
    factor: float
    steps: tuple[str, ...]

    def describe(self) -> str:
        """The plan as lines for the user."""
        return in_words(self.source, self.target, self.steps)

    def to_dict(self) -> dict[str, Any]:
        """The plan as JSON values, for result.json."""
        values = {name: getattr(self, name) for name in ("cut_rate", "window", "samples", "factor")}
        return {
            "source": asdict(self.source),
            "target": asdict(self.target),
            **values,
            "lead_order": list(self.lead_order),
            "steps": list(self.steps),
            "record_steps": [step.to_dict() for step in self.original.record],
            "window_steps": [step.to_dict() for step in self.original.window],
        }

    def record_lengths(self, lengths: np.ndarray) -> np.ndarray:
        """Samples of records at the rate at which windows are cut; 0 where one is too short for a step."""
        known, inverse = np.unique(np.asarray(lengths, dtype=np.int64), return_inverse=True)
        return np.array([self._length_after(int(length)) for length in known], dtype=np.int64)[inverse]

    def _length_after(self, length: int) -> int:
        try:
            return follow(self.original.record, length, self.source.rate)[0]
        except ContractError:  # too short: the rate itself was found possible when the plan was made
            return 0

    def prepare(self, records: np.ndarray) -> np.ndarray:
        """Carry out the steps on whole records.

        Args:
            records: (batch, time, leads of the source). Never changed.

        Returns:
            (batch, time at the cutting rate, leads of the model) float64.

        Raises:
            DataError: another shape, or infinite samples.
            ContractError: the records are too short.
        """
        if records.ndim != 3 or records.shape[2] != len(self.source.leads):
            raise DataError(f"records of shape {records.shape}; expected (batch, time, {len(self.source.leads)})")
        # Held as (batch, leads, time), where filters are fastest, and handed on as (batch, time, leads).
        rows = np.ascontiguousarray(records[:, :, self.lead_order].transpose(0, 2, 1), dtype=np.float64)
        if np.isinf(rows).any():
            bad = int(np.flatnonzero(np.isinf(rows).any(axis=(1, 2)))[0])
            raise DataError(
                f"{self.source.where}: record {bad} of the batch has infinite samples",
                fix="prepare the dataset again; its builder must leave such records out",
            )
        if self.factor != 1:
            rows = rows * self.factor
        return run_steps(self.original.record, rows.transpose(0, 2, 1), self.source.rate)[0]

    def finish(self, windows: np.ndarray) -> np.ndarray:
        """Carry out the steps on windows cut from prepared records.

        Args:
            windows: (batch, window, leads of the model) float64.

        Returns:
            (batch, leads, samples) float32, C-contiguous.

        Raises:
            DataError: another shape, or the result is not finite.
        """
        if windows.shape[1:] != (self.window, len(self.lead_order)):
            expected = f"(batch, {self.window}, {len(self.lead_order)})"
            raise DataError(f"windows of shape {windows.shape}; expected {expected}")
        signal, _ = run_steps(self.original.window, windows, self.cut_rate)
        done = np.ascontiguousarray(signal.transpose(0, 2, 1), dtype=np.float32)
        if not np.isfinite(done).all():
            raise DataError(f"{self.source.where}: the original preprocessing gave values that are not finite")
        return done


def plan_original(
    source: SignalSource,
    original: OriginalInput,
    where: str,
    fixed_length: int | None,
    accept_unit: str | None = None,
) -> OriginalPlan:
    """Plan the conversion of a dataset's records by a model's own preprocessing.

    Args:
        where: the model, for messages.
        fixed_length: samples per window where the architecture takes no other length, else None.
        accept_unit: as in `signals.contract.plan`.

    Raises:
        ContractError: as `signals.contract.plan`, or a step that is impossible at the dataset's rate.
    """
    target = ModelInput(original.rate, original.seconds, original.leads, where=where, fixed_length=fixed_length)
    check_rates(source, target)
    lead_order, lead_words = match_leads(source, target)
    factor, unit_words = match_units(source, target, accept_unit)
    typical = max(window_length(source.seconds or original.seconds, source.rate), 1)
    length, cut_rate = follow(original.record, typical, source.rate)
    window = window_length(original.seconds, cut_rate)
    samples, rate = follow(original.window, window, cut_rate)
    if rate != original.rate:
        raise ContractError(f"{where}: its original preprocessing ends at {rate:g} Hz, declared are {original.rate} Hz")
    check_samples(source, target, samples)
    if source.seconds is not None and length < window:
        raise ContractError(
            f"{source.where}: records have {length} samples at {cut_rate:g} Hz; the window of {where} has {window}",
            fix="choose a model with a shorter window, or longer records",
        )
    steps = (
        f"preprocessing: original, on whole records at {source.rate:g} Hz",
        lead_words,
        unit_words,
        *(step.describe() for step in original.record),
        f"window: {original.seconds:g} s = {window} samples at {cut_rate:g} Hz",
        *(step.describe() for step in original.window),
        f"input: {samples} samples at {rate:g} Hz",
    )
    return OriginalPlan(source, target, original, cut_rate, window, samples, lead_order, factor, steps)

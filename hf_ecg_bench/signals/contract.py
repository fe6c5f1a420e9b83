"""The contract between a dataset's signals and a model's input: one recorded plan, or an error."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from hf_ecg_bench.errors import ContractError, DataError
from hf_ecg_bench.signals import nan
from hf_ecg_bench.signals.kaiser_best import output_length
from hf_ecg_bench.signals.leads import LEADS
from hf_ecg_bench.signals.resampling import resampler
from hf_ecg_bench.signals.windows import window_length

# Beyond this too little of what the model looks at is in the signal (100 Hz for a 500 Hz model is the limit).
MAX_UPSAMPLING = 5.0

# Volts per unit; a unit that is not here (z-scores, counts) cannot be converted.
VOLTS = {"V": 1.0, "mV": 1e-3, "uV": 1e-6, "µV": 1e-6, "μV": 1e-6}  # both Unicode micro signs


@dataclass(frozen=True)
class SignalSource:
    """What a dataset's signals are.

    Attributes:
        rate: Hz of every stored row.
        leads: names of the columns.
        unit: `mV`, `uV`, `V`, or a name that says there is none (`z`).
        seconds: length of the records where all are the same, else None.
        where: the dataset, for messages.
    """

    rate: float
    leads: tuple[str, ...]
    unit: str
    seconds: float | None
    where: str


@dataclass(frozen=True)
class ModelInput:
    """What a model is fed with.

    Attributes:
        rate: Hz.
        seconds: length of one window.
        leads: names, in order.
        unit: the unit it was trained with.
        where: the model, for messages.
        fixed_length: samples per window where the architecture takes no other length, else None.
    """

    rate: float
    seconds: float
    leads: tuple[str, ...] = LEADS
    unit: str = "mV"
    where: str = "the model"
    fixed_length: int | None = None


@dataclass(frozen=True)
class ConversionPlan:
    """How windows of the source become input of the model; made by `plan`.

    Attributes:
        source, target: the two sides.
        window: samples of a window at the source's rate.
        samples: samples of a window at the model's rate.
        lead_order: column of the source for each of the model's leads.
        factor: source unit -> model unit.
        steps: what is done, in order, in words.
    """

    source: SignalSource
    target: ModelInput
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
        return asdict(self)

    def record_lengths(self, lengths: np.ndarray) -> np.ndarray:
        """Samples of records at the rate at which windows are cut: here the dataset's own."""
        return lengths

    def apply(self, windows: np.ndarray, *, finite: bool = False) -> np.ndarray:
        """Convert windows: unit, NaN to 0, resampling, (time, leads) to (leads, time).

        NaN become 0 before the resampling, so that they do not spread over the rest of the window.

        Args:
            windows: (batch, window, leads of the source). Never changed.
            finite: True where the caller has seen that no sample is NaN or infinite, which saves looking.

        Returns:
            (batch, leads of the model, samples) float32, C-contiguous. Shares memory with `windows` only
            where nothing has to be done, not even a change of layout.

        Raises:
            DataError: another shape, or infinite samples.
        """
        expected = (self.window, len(self.source.leads))
        if windows.ndim != 3 or windows.shape[1:] != expected:
            raise DataError(f"windows of shape {windows.shape}; expected (batch, {expected[0]}, {expected[1]})")
        if self.lead_order != tuple(range(expected[1])):
            windows = windows[:, :, self.lead_order]
        signals = np.ascontiguousarray(windows.transpose(0, 2, 1), dtype=np.float32)
        if not finite and nan.has_nonfinite(signals):
            if np.isinf(signals).any():
                bad = int(np.flatnonzero(np.isinf(signals).any(axis=(1, 2)))[0])
                raise DataError(
                    f"{self.source.where}: window {bad} of the batch has infinite samples",
                    fix="prepare the dataset again; its builder must leave such records out",
                )
            signals, _ = nan.zero(signals)
        if self.factor != 1:
            signals = signals * np.float32(self.factor)
        if self.source.rate == self.target.rate:
            return signals
        return resampler(self.window, self.source.rate, self.target.rate).last_axis(signals)


def plan(source: SignalSource, target: ModelInput, *, accept_unit: str | None = None) -> ConversionPlan:
    """Plan the conversion from a dataset's signals to a model's input.

    Args:
        accept_unit: a unit that cannot be converted and is fed as it is, on purpose (`z` for EchoNext's
            z-scores, as published); the plan's steps say so.

    Raises:
        ContractError: a rate that is not positive, upsampling by more than `MAX_UPSAMPLING`, missing leads, a
            unit that cannot be converted, records shorter than the model's window, or a window of another
            length than the only one that the model takes.
    """
    check_rates(source, target)
    lead_order, lead_step = match_leads(source, target)
    factor, unit_step = match_units(source, target, accept_unit)
    window, samples, length_steps = _match_lengths(source, target)
    steps = (length_steps[0], lead_step, unit_step, "missing samples: NaN become 0", length_steps[1])
    return ConversionPlan(source, target, window, samples, lead_order, factor, steps)


def in_words(source: SignalSource, target: ModelInput, steps: tuple[str, ...]) -> str:
    """A plan as lines for the user."""
    lines = [f"signal: {source.where} -> {target.where}"]
    return "\n".join(lines + [f"  {number}. {step}" for number, step in enumerate(steps, start=1)])


def check_rates(source: SignalSource, target: ModelInput) -> None:
    """Raise where a rate or window is not positive, or the source is too coarse or too short for the model."""
    for side in (source, target):
        if not 0 < side.rate < float("inf"):
            raise ContractError(
                f"{side.where}: sampling rate {side.rate!r} Hz; expected a positive number",
                fix="correct the sampling rate where the dataset or the model declares it",
            )
    if not 0 < target.seconds < float("inf"):
        raise ContractError(f"{target.where}: window of {target.seconds!r} s; expected a positive number")
    ratio = target.rate / source.rate
    if ratio > MAX_UPSAMPLING:
        raise ContractError(
            f"{source.where}: {source.rate:g} Hz is too coarse for {target.where} at {target.rate:g} Hz "
            f"({ratio:.3g} times up; at most {MAX_UPSAMPLING:g})",
            fix="prepare the dataset from its original recordings, at a higher sampling rate",
        )
    if source.seconds is not None and source.seconds < target.seconds:
        raise ContractError(
            f"{source.where}: records of {source.seconds:g} s are shorter than the window of "
            f"{target.where}, {target.seconds:g} s",
            fix=f"choose a model with a window of at most {source.seconds:g} s, or longer records",
        )


def check_samples(source: SignalSource, target: ModelInput, samples: int) -> None:
    """Raise where the model does not take windows of so many samples."""
    if samples < 1 or (target.fixed_length is not None and samples != target.fixed_length):
        expected = f"exactly {target.fixed_length}" if target.fixed_length is not None else "at least 1"
        raise ContractError(
            f"{target.where} takes {expected} samples; {target.seconds:g} s of {source.where} "
            f"at {source.rate:g} Hz are {samples} at {target.rate:g} Hz",
            fix="use the model's own window length and sampling rate",
        )


def match_leads(source: SignalSource, target: ModelInput) -> tuple[tuple[int, ...], str]:
    """Column of the source for each of the model's leads, by name, and the step in words."""
    columns = {lead.casefold(): column for column, lead in enumerate(source.leads)}
    absent = [lead for lead in target.leads if lead.casefold() not in columns]
    if absent or len(columns) < len(source.leads):
        problem = f"lead {', '.join(absent)} missing" if absent else "a lead appears twice"
        raise ContractError(
            f"{source.where}: {problem}; {target.where} needs {' '.join(target.leads)}, found {' '.join(source.leads)}",
            fix="prepare the dataset with hf-ecg-bench prepare, which puts the leads in order by name",
        )
    order = tuple(columns[lead.casefold()] for lead in target.leads)
    if order == tuple(range(len(source.leads))):
        return order, f"leads: {len(order)}, in the model's order already"
    return order, f"leads: {' '.join(target.leads)}, picked by name"


def match_units(source: SignalSource, target: ModelInput, accept_unit: str | None) -> tuple[float, str]:
    """Factor from the source's to the model's unit, and the step in words."""
    if source.unit == target.unit:
        return 1.0, f"unit: {source.unit}, as the model needs"
    if source.unit in VOLTS and target.unit in VOLTS:
        factor = VOLTS[source.unit] / VOLTS[target.unit]
        return factor, f"unit: {source.unit} -> {target.unit} (times {factor:g})"
    if source.unit == accept_unit:
        return 1.0, f"unit: {source.unit!r} fed as if it were {target.unit}, accepted by the user"
    raise ContractError(
        f"{source.where}: signal in {source.unit!r}, {target.where} needs {target.unit}: no conversion",
        fix=f"use data in {target.unit}, or feed it as it is on purpose: hf-ecg-bench run --accept-unit {source.unit} "
        f"... (in Python: accept_unit={source.unit!r})",
    )


def _match_lengths(source: SignalSource, target: ModelInput) -> tuple[int, int, tuple[str, str]]:
    try:
        window = window_length(target.seconds, source.rate)
    except DataError as error:
        raise ContractError(f"{source.where} and {target.where}: {error.message}") from error
    samples = window if source.rate == target.rate else output_length(window, source.rate, target.rate)
    check_samples(source, target, samples)
    cut = f"window: {window / source.rate:g} s = {window} samples at {source.rate:g} Hz, cut before resampling"
    if source.rate == target.rate:
        return window, samples, (cut, f"rate: {source.rate:g} Hz, as the model needs ({samples} samples)")
    move = f"rate: {source.rate:g} -> {target.rate:g} Hz ({samples} samples), as resampy's kaiser_best"
    if target.rate > source.rate:
        move += f"; nothing above {source.rate / 2:g} Hz is gained"
    return window, samples, (cut, move)

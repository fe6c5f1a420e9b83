"""Windows of a prepared dataset's records, converted to what a model is fed with."""

from __future__ import annotations

import numpy as np

from hf_ecg_bench.data.signal_view import SignalView
from hf_ecg_bench.errors import ContractError, DataError
from hf_ecg_bench.signals.contract import ConversionPlan
from hf_ecg_bench.signals.original import OriginalPlan

Plan = ConversionPlan | OriginalPlan


class WindowReader:
    """Reads windows in any order and applies the conversion plan to a whole batch.

    Args:
        view: the records.
        plan: from `signals.contract.plan`, for this dataset and model.

    Raises:
        ContractError: the rows have another number of leads than the plan's source, or all are shorter than
            its window.
    """

    def __init__(self, view: SignalView, plan: ConversionPlan) -> None:
        self.view = view
        self.plan = plan
        self.lengths = plan.record_lengths(view.lengths())
        check_leads(view, plan)
        check_longest(self.lengths, plan)

    def read(self, records: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Read one window for each pair of record and start.

        Args:
            records: (batch,) int, rows of the view.
            starts: (batch,) int, first samples at the dataset's own rate.

        Returns:
            (batch, leads, samples) float32, C-contiguous, writable, a new array.

        Raises:
            DataError: a record that does not exist, or a window that leaves its record.
        """
        records, starts = np.asarray(records), np.asarray(starts)
        check_windows(records, starts, self.lengths, self.plan.window)
        crops = self.view.crops(records, starts, self.plan.window)
        # Filled in the model's layout at once, and handed on as (batch, time, leads) without moving it.
        batch = np.empty((len(records), self.view.leads, self.plan.window), dtype=np.float32)
        squares = np.float32(0)
        with np.errstate(over="ignore", invalid="ignore"):
            for target, crop in zip(batch, crops, strict=True):
                # NaN and infinity show in the sum; a first pass in storage order warms the cache.
                squares += np.vdot(crop, crop)
                target[:] = crop.T
        return self.plan.apply(batch.transpose(0, 2, 1), finite=bool(np.isfinite(squares)))


def check_leads(view: SignalView, plan: Plan) -> None:
    """Raise ContractError where the rows have another number of leads than the plan's source."""
    if len(view) and view.leads != len(plan.source.leads):
        where = plan.source.where
        raise ContractError(f"{where}: rows with {view.leads} leads; the plan is for {len(plan.source.leads)}")


def check_longest(lengths: np.ndarray, plan: Plan) -> None:
    """Raise ContractError where all records are shorter than the plan's window.

    Args:
        lengths: (records,) samples at the rate at which windows are cut.
    """
    if len(lengths) and lengths.max() < plan.window:
        raise ContractError(
            f"{plan.source.where}: the longest of {len(lengths)} records has {int(lengths.max())} samples; "
            f"{plan.target.where} needs windows of {plan.window}",
            fix="choose a model with a shorter window, or longer records",
        )


def check_windows(records: np.ndarray, starts: np.ndarray, lengths: np.ndarray, window: int) -> None:
    """Raise DataError for records that do not exist and for windows that leave their record.

    Args:
        records, starts: (batch,) int.
        lengths: (all records,) samples.
    """
    if records.ndim != 1 or records.shape != starts.shape:
        raise DataError(f"records of shape {records.shape} with starts of shape {starts.shape}; expected (n,) twice")
    if not len(records):
        return
    if records.min() < 0 or records.max() >= len(lengths):
        raise DataError(f"record {int(records.min())}..{int(records.max())} asked of {len(lengths)}")
    outside = (starts < 0) | (starts + window > lengths[records])
    if outside.any():
        bad = int(np.flatnonzero(outside)[0])
        raise DataError(
            f"samples {int(starts[bad])}..{int(starts[bad]) + window - 1} asked of record "
            f"{int(records[bad])}, which has {int(lengths[records[bad]])}",
            fix="take starts from evaluation_index or training_start",
        )

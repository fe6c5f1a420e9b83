"""Windows of a prepared dataset's records after a model's own preprocessing, which needs the whole records."""

from __future__ import annotations

import numpy as np

from hf_ecg_bench.data.signal_view import SignalView
from hf_ecg_bench.data.windows import Plan, WindowReader, check_leads, check_longest, check_windows
from hf_ecg_bench.signals.original import OriginalPlan

# Records treated at a time: float64 copies of 64 records of 10 s at 500 Hz take 30 MB each.
_CHUNK = 64


class RecordWindowReader:
    """Reads whole records, treats them and cuts windows; what `WindowReader` is for the benchmark's own way.

    Every call treats its records anew; a batch treats a record once, however many of its windows are asked for.

    Args:
        view: the records.
        plan: from `signals.original.plan_original`, for this dataset and model.

    Raises:
        ContractError: the rows have another number of leads than the plan's source, or all are shorter than its
            window.
    """

    def __init__(self, view: SignalView, plan: OriginalPlan) -> None:
        self.view = view
        self.plan = plan
        check_leads(view, plan)
        self.lengths = plan.record_lengths(view.lengths())
        check_longest(self.lengths, plan)

    def read(self, records: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Read one window for each pair of record and start.

        Args:
            records: (batch,) int, rows of the view.
            starts: (batch,) int, first samples at the plan's `cut_rate`.

        Returns:
            (batch, leads, samples) float32, C-contiguous, writable, a new array.

        Raises:
            DataError: a record that does not exist, or a window that leaves its record.
        """
        records, starts = np.asarray(records), np.asarray(starts)
        check_windows(records, starts, self.lengths, self.plan.window)
        batch = np.empty((len(records), len(self.plan.lead_order), self.plan.samples), dtype=np.float32)
        raw_lengths = self.view.lengths()[records] if len(records) else np.empty(0, dtype=np.int64)
        for length in np.unique(raw_lengths):
            same = np.flatnonzero(raw_lengths == length)
            wanted = np.unique(records[same])
            for begin in range(0, len(wanted), _CHUNK):
                chunk = wanted[begin : begin + _CHUNK]
                here = same[np.isin(records[same], chunk)]
                batch[here] = self._windows(chunk, int(length), records[here], starts[here])
        return batch

    def _windows(self, chunk: np.ndarray, length: int, records: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Windows of `records`, all among the sorted `chunk` of records of one length."""
        whole = np.stack(list(self.view.crops(chunk, np.zeros(len(chunk), dtype=np.int64), length)))
        prepared = self.plan.prepare(whole)
        time = starts[:, None] + np.arange(self.plan.window)
        return self.plan.finish(prepared[np.searchsorted(chunk, records)[:, None], time])


Reader = WindowReader | RecordWindowReader


def window_reader(view: SignalView, plan: Plan) -> Reader:
    """The reader for a plan: of windows at the dataset's rate, or of windows of whole records treated before."""
    return RecordWindowReader(view, plan) if isinstance(plan, OriginalPlan) else WindowReader(view, plan)

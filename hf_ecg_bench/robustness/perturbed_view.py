"""A split's signals as they would be had the recordings been disturbed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from hf_ecg_bench.data.signal_view import SignalView
from hf_ecg_bench.errors import ContractError
from hf_ecg_bench.robustness.perturbations import Perturbation, check_rate
from hf_ecg_bench.signals.contract import VOLTS
from hf_ecg_bench.signals.leads import LEADS


class PerturbedView(SignalView):
    """Whole records are perturbed before windows are cut from them, so that a filter or a resampling has no edges in
    between. Read by every reader that reads a `SignalView`.

    Args:
        view: the split's signals.
        perturbation: what happens to each record.
        rate: Hz of the rows.
        unit: of the rows; the perturbation is made in mV.
        record_ids: one per row; decide the random numbers.
        where: the dataset, for messages.

    Raises:
        ContractError: the rate is too low for it, other leads than the twelve, or a unit without a volt.
    """

    def __init__(
        self,
        view: SignalView,
        perturbation: Perturbation,
        *,
        rate: float,
        unit: str,
        record_ids: Sequence[str],
        where: str,
    ) -> None:
        check_rate(perturbation, rate, where)
        if unit not in VOLTS:
            raise ContractError(
                f"{where}: the signals are in {unit!r}; perturbations are made in mV, on leads that keep Einthoven's "
                "relations",
                fix="leave out --perturb",
            )
        if len(view) and view.leads != len(LEADS):
            raise ContractError(f"{where}: rows with {view.leads} leads; perturbations need {len(LEADS)}")
        self.view, self.perturbation, self.rate, self.record_ids = view, perturbation, rate, record_ids
        self.to_mv = VOLTS[unit] * 1e3
        self.leads = view.leads
        # Windows of a record are asked for one after the other: the last one is kept.
        self._last: tuple[int, np.ndarray] | None = None

    def __len__(self) -> int:
        return len(self.view)

    def __getitem__(self, index: int) -> np.ndarray:
        """Row `index`, perturbed: (time, leads) float32, read-only."""
        row = index + len(self) if index < 0 else index
        if not 0 <= row < len(self):
            raise IndexError(f"row {index} of {len(self)}")
        return self._record(row)

    def crops(self, rows: np.ndarray, starts: np.ndarray, length: int) -> Iterator[np.ndarray]:
        """Samples start..start+length-1 of each perturbed row: (length, leads) float32, read-only."""
        for row, start in zip(rows.tolist(), starts.tolist(), strict=True):
            yield self._record(row)[start : start + length]

    def lengths(self) -> np.ndarray:
        """(rows,) int64: no perturbation changes them."""
        return self.view.lengths()

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_last": None}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__dict__.update(state)

    def _record(self, row: int) -> np.ndarray:
        if self._last is None or self._last[0] != row:
            signal = self.view[row] * np.float32(self.to_mv) if self.to_mv != 1 else self.view[row]
            perturbed = self.perturbation(signal, self.rate, self.record_ids[row])
            if self.to_mv != 1:
                perturbed /= np.float32(self.to_mv)
            perturbed.flags.writeable = False
            self._last = row, perturbed
        return self._last[1]

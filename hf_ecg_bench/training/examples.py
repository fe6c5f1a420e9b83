"""A few test ECGs kept with a run, so that its report can show what the model saw."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from hf_ecg_bench.files import atomic_path
from hf_ecg_bench.results.schema import EXAMPLES_FILE
from hf_ecg_bench.training.records.of_task import SplitRecords


def choose_examples(targets: np.ndarray, predictions: np.ndarray, is_regression: np.ndarray, number: int) -> np.ndarray:
    """Positions of the records the model got most wrong, most right and in between, in that proportion.

    A record's error is its mean log loss over the yes/no targets (absolute error where a task has only numbers).
    """
    if number <= 0:
        return np.array([], np.int64)
    if (~is_regression).any():
        truth, guess = targets[:, ~is_regression], np.clip(predictions[:, ~is_regression], 1e-6, 1 - 1e-6)
        errors = -(truth * np.log(guess) + (1 - truth) * np.log(1 - guess))
    else:
        errors = np.abs(targets - predictions)
    present = ~np.isnan(errors)
    mean = np.where(present, errors, 0).sum(1) / np.maximum(present.sum(1), 1)
    order = np.argsort(mean, kind="stable")
    if number >= len(order):
        return order
    return order[np.unique(np.round(np.linspace(0, len(order) - 1, number)).astype(np.int64))]


def write_examples(folder: Path, split: SplitRecords, chosen: np.ndarray, sampling_rate: int) -> None:
    """Write examples.npz: record_id, signals (n, time, 12) float32 mV cut to the shortest, sampling_rate in Hz."""
    signals = [np.asarray(split.view[int(split.records[i])]) for i in chosen]
    length = min((len(signal) for signal in signals), default=0)
    with atomic_path(folder / EXAMPLES_FILE) as temporary, temporary.open("wb") as handle:
        np.savez_compressed(
            handle,
            record_id=split.record_id[chosen].astype(str),
            signals=np.stack([s[:length] for s in signals]) if signals else np.zeros((0, 0, 12), np.float32),
            sampling_rate=np.int64(sampling_rate),
        )

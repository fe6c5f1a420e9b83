"""From a model's outputs for windows to predictions for records."""

from __future__ import annotations

import numpy as np

from hf_ecg_bench.errors import DivergedError
from hf_ecg_bench.signals.windows import mean_per_record
from hf_ecg_bench.training.loop.batches import EvaluationSet


def record_predictions(logits: np.ndarray, dataset: EvaluationSet, is_regression: np.ndarray) -> np.ndarray:
    """(records, targets): probabilities (regression: outputs) of the windows, averaged per record, in record order.

    The mean is taken over probabilities, not logits, as in the published protocol.

    Raises:
        DivergedError: outputs that are not finite.
    """
    outputs = window_predictions(logits, is_regression)
    means, _ = mean_per_record(outputs, dataset.record)
    broken = ~np.isfinite(means).all(axis=1)
    if broken.any():  # the published code scores such a network as 0.5
        raise DivergedError(
            f"the training diverged: the outputs for {int(broken.sum())} of {len(means)} records are not finite",
            fix="a smaller --learning-rate or --max-grad-norm 1, into another --output-dir",
        )
    return means.astype(np.float32)


def window_predictions(logits: np.ndarray, is_regression: np.ndarray) -> np.ndarray:
    """(windows, targets) float64, a copy: probabilities of yes/no targets, the other outputs as they are."""
    outputs = np.array(logits, np.float64)
    yes_no = ~is_regression
    outputs[:, yes_no] = 0.5 * (1.0 + np.tanh(0.5 * outputs[:, yes_no]))  # the sigmoid, without overflow
    return outputs

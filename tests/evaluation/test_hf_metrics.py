"""The `evaluate` modules give what the plain functions give, offline."""

from __future__ import annotations

import numpy as np
import pytest

from hf_ecg_bench import evaluation as ev


@pytest.fixture
def example() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    targets = (rng.random((50, 3)) < [0.3, 0.5, 0.0]).astype(float)
    targets[::7, 1] = np.nan
    return targets, rng.random((50, 3))


def test_auroc_modules(example, tmp_path) -> None:
    from hf_ecg_bench.evaluation.hf_metrics import MaskedAuroc, MaskedMacroAuroc, MaskedMicroAuroc

    targets, scores = example
    metric = MaskedMacroAuroc(cache_dir=str(tmp_path))
    for rows in (slice(0, 20), slice(20, 50)):
        metric.add_batch(predictions=scores[rows], references=targets[rows])
    assert metric.compute() == {"macro_auroc": ev.macro_auroc(targets, scores), "n_undefined": 1}
    half = MaskedMacroAuroc(cache_dir=str(tmp_path)).compute(predictions=scores, references=targets, undefined="half")
    assert half["macro_auroc"] == ev.macro_auroc(targets, scores, undefined="half")
    labels = MaskedAuroc(cache_dir=str(tmp_path)).compute(predictions=scores, references=targets)
    np.testing.assert_array_equal(labels["auroc"], ev.auroc(targets, scores))
    micro = MaskedMicroAuroc(cache_dir=str(tmp_path)).compute(predictions=scores, references=targets)
    assert micro == {"micro_auroc": ev.micro_auroc(targets, scores)}


def test_average_precision_module(example, tmp_path) -> None:
    from hf_ecg_bench.evaluation.hf_metrics import MaskedAveragePrecision

    targets, scores = example
    result = MaskedAveragePrecision(cache_dir=str(tmp_path)).compute(predictions=scores, references=targets)
    assert result["macro_average_precision"] == ev.macro_average_precision(targets, scores)
    np.testing.assert_array_equal(result["average_precision"], ev.average_precision(targets, scores))


def test_mae_module(example, tmp_path) -> None:
    from hf_ecg_bench.evaluation.hf_metrics import MaskedMae

    targets, scores = example
    result = MaskedMae(cache_dir=str(tmp_path)).compute(predictions=scores, references=targets)
    assert result["pooled_mae"] == ev.pooled_mae(targets, scores)
    assert result["macro_mae"] == ev.macro_mae(targets, scores)
    np.testing.assert_array_equal(result["mae"], ev.mae(targets, scores))

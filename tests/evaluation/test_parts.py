"""Parts of a set of targets: the same numbers as alone, from one pass over the resamples."""

from __future__ import annotations

import numpy as np
import pytest

from hf_ecg_bench.errors import PredictionsError
from hf_ecg_bench.evaluation import scores
from hf_ecg_bench.evaluation.parts import summarise_parts
from hf_ecg_bench.evaluation.summary import summarise

NAMES = ("a", "x", "b", "c", "y", "d")
KINDS = ("binary", "regression", "binary", "binary", "regression", "binary")
PARTS = {"labels": ("c", "a"), "numbers": ("x", "y"), "mixed": ("b", "y"), "some records": ("d",)}


@pytest.fixture
def arrays() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Targets, predictions and patients; `d` is missing in a third of the records."""
    random = np.random.default_rng(0)
    targets = (random.random((90, 6)) < 0.3).astype(float)
    targets[:, [1, 4]] = random.normal(size=(90, 2))
    targets[random.random((90, 6)) < 0.1] = np.nan
    targets[:, 0] = np.nan_to_num(targets[:, 0])
    targets[:, 1] = np.nan_to_num(targets[:, 1])
    targets[:, 4] = np.nan_to_num(targets[:, 4])
    targets[::3, 5] = np.nan
    return targets, random.random((90, 6)), np.array([f"p{i // 2}" for i in range(90)], dtype=object)


def _assert_close(found, expected) -> None:
    """Sums of matrix products over other columns may differ in their last digit."""
    assert type(found) is type(expected)
    if isinstance(found, dict):
        assert list(found) == list(expected)
        for key, value in found.items():
            _assert_close(value, expected[key])
    elif isinstance(found, float):
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)
    else:
        assert found == expected


@pytest.mark.parametrize("undefined", ["drop", "half"])
def test_each_part_is_what_it_is_alone(arrays, undefined):
    targets, predictions, groups = arrays
    settings = {"groups": groups, "n_resamples": 40, "seed": 3, "undefined": undefined}
    whole, parts = summarise_parts(targets, predictions, NAMES, KINDS, PARTS, **settings)
    np.testing.assert_equal(whole, summarise(targets, predictions, NAMES, KINDS, **settings))
    for part, names in PARTS.items():
        columns = [NAMES.index(name) for name in names]
        kept = ~np.isnan(targets[:, columns]).all(axis=1)
        alone = summarise(
            targets[kept][:, columns], predictions[kept][:, columns], names, [KINDS[c] for c in columns],
            **{**settings, "groups": groups[kept]},
        )  # fmt: skip
        _assert_close(parts[part], alone)
    assert parts["some records"]["n"] < 90 == parts["labels"]["n"]


def test_labels_of_all_records_are_resampled_once(arrays, monkeypatch):
    targets, predictions, _ = arrays
    estimated: list[int] = []
    real = scores.curve_blocks

    def counted(targets, *args):
        estimated.append(targets.shape[1])
        return real(targets, *args)

    monkeypatch.setattr(scores, "curve_blocks", counted)
    summarise_parts(targets, predictions, NAMES, KINDS, {**PARTS, "some records": ("a",)}, n_resamples=5)
    assert estimated == [4], "the four labels together, and nothing again"


def test_a_part_without_records_has_no_metrics(arrays):
    targets, predictions, _ = arrays
    targets[:, 5] = np.nan
    _, parts = summarise_parts(targets, predictions, NAMES, KINDS, PARTS, n_resamples=5)
    assert parts["some records"] == {"n": 0, "metrics": {}, "targets": {}, "resampling": {}}


def test_a_missing_name_is_said(arrays):
    targets, predictions, _ = arrays
    with pytest.raises(PredictionsError, match=r"labels: 1 of its 2 targets are not among the 6 .* predicted: q"):
        summarise_parts(targets, predictions, NAMES, KINDS, {"labels": ("a", "q")}, n_resamples=5)

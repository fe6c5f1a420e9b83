"""One run's predictions on a task, scored on resamples that every run on the same test records shares."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hf_ecg_bench.errors import PredictionsError, unknown_name
from hf_ecg_bench.evaluation.estimates import Estimates, estimate
from hf_ecg_bench.evaluation.resampling import Resamples, draw_resamples, known_groups
from hf_ecg_bench.evaluation.scores import MIN_SUPPORT
from hf_ecg_bench.evaluation.undefined import macro_mean
from hf_ecg_bench.results.predictions import Predictions

Floats = NDArray[np.float64]
METRICS = ("macro_auroc", "macro_auroc_supported", "macro_mae", "pooled_mae", "composite")


@dataclass(frozen=True, eq=False)
class TestSet:
    """What runs must share to be compared record by record.

    Attributes:
        digest: of record and patient ids, target names, which targets are missing, and the binary ones' values.
        n, unit: records; `patient` or `record` is resampled.
        names, kinds: (t,); `known`, `positive`: (t,) records with a value, positives (NaN for numbers).
        mean, sd: (t,) of the numbers, NaN for binary targets. They are compared with a tolerance, as scaling them
            on another machine may change their last digit.
    """

    digest: str
    n: int
    unit: str
    names: tuple[str, ...]
    kinds: tuple[str, ...]
    known: Floats
    positive: Floats
    mean: Floats
    sd: Floats

    def same(self, other: TestSet) -> bool:
        """Whether both are the same records with the same targets."""
        numbers = ((self.mean, other.mean), (self.sd, other.sd))
        return self.digest == other.digest and all(
            np.allclose(a, b, rtol=1e-4, atol=1e-4, equal_nan=True) for a, b in numbers
        )


@dataclass(frozen=True, eq=False)
class Scored:
    """A run's values: overall, per resample (B,), per target (t,), per resample and target (B, t)."""

    test: TestSet
    value: float
    samples: Floats
    target_value: Floats
    target_samples: Floats


@dataclass
class Draws:
    """Resamples by what they depend on; the last few are kept, as runs on the same records follow each other."""

    n_resamples: int
    seed: int
    _kept: dict[tuple[str, str], Resamples] = field(default_factory=dict)

    def of(self, predictions: Predictions) -> Resamples:
        """For records that are sorted by id."""
        key = _digest(predictions.record_id.tolist()), _digest(predictions.patient_id.tolist())
        if key not in self._kept:
            while len(self._kept) > 3:
                self._kept.pop(next(iter(self._kept)))
            groups = known_groups(predictions.patient_id)
            self._kept[key] = draw_resamples(
                len(predictions), n_resamples=self.n_resamples, seed=self.seed, groups=groups
            )
        return self._kept[key]


def in_order(predictions: Predictions) -> Predictions:
    """Records sorted by id: then resamples depend on the test records alone, not on the order of a file."""
    return predictions.take(np.argsort(predictions.record_id.astype(str), kind="stable"))


def score_run(metric: str, predictions: Predictions, draws: Draws, whole: Scored | None = None) -> Scored:
    """Score predictions whose records are sorted by id.

    Args:
        metric: one of `METRICS`.
        whole: the scores of a run of which these are some of the targets; used where it has the same records.

    Raises:
        PredictionsError: a metric for which there are no targets.
    """
    if metric not in METRICS:
        raise unknown_name("metric", metric, METRICS)
    resamples = draws.of(predictions)
    binary = np.array([kind == "binary" for kind in predictions.kinds])
    targets, values = predictions.targets, predictions.predictions
    blocks: dict[str, Estimates] = {}
    if binary.any():
        names = [name for name, is_binary in zip(predictions.names, binary, strict=True) if is_binary]
        blocks["auroc"] = (
            _labels_of(whole, names)
            if whole is not None and whole.test.n == len(predictions)
            else estimate("auroc", targets[:, binary], values[:, binary], resamples)
        )
    if not binary.all():
        blocks["mae"] = estimate("pooled_mae", targets[:, ~binary], values[:, ~binary], resamples)
    test = _test_set(predictions, binary, resamples.unit)
    try:
        value, samples = _overall(metric, blocks, test, binary)
    except KeyError as error:
        raise PredictionsError(f"no targets for the metric {metric}: only {', '.join(set(test.kinds))} ones") from error
    target_value = np.full(len(binary), np.nan)
    target_samples = np.full((resamples.n_resamples, len(binary)), np.nan)
    for name, block in blocks.items():
        columns = binary if name == "auroc" else ~binary
        target_value[columns], target_samples[:, columns] = block.target_value, block.target_samples
    return Scored(test, value, samples, target_value, target_samples)


def _labels_of(whole: Scored, names: Sequence[str]) -> Estimates:
    at = [whole.test.names.index(name) for name in names]
    values, samples = whole.target_value[at], np.ascontiguousarray(whole.target_samples[:, at])
    return Estimates(float(macro_mean(values)), macro_mean(samples), values, samples)


def _overall(
    metric: str, blocks: dict[str, Estimates], test: TestSet, binary: NDArray[np.bool_]
) -> tuple[float, Floats]:
    if metric == "macro_auroc":
        return blocks["auroc"].value, blocks["auroc"].samples
    if metric == "macro_auroc_supported":
        enough = ((test.positive >= MIN_SUPPORT) & (test.known - test.positive >= MIN_SUPPORT))[binary]
        block = blocks["auroc"]
        return float(macro_mean(block.target_value[enough])), macro_mean(block.target_samples[:, enough])
    if metric == "macro_mae":
        return float(macro_mean(blocks["mae"].target_value)), macro_mean(blocks["mae"].target_samples)
    if metric == "pooled_mae":
        return blocks["mae"].value, blocks["mae"].samples
    auroc, mae = blocks["auroc"], blocks["mae"]
    return 1.0 - auroc.value + mae.value, 1.0 - auroc.samples + mae.samples


def _test_set(predictions: Predictions, binary: NDArray[np.bool_], unit: str) -> TestSet:
    targets = predictions.targets
    missing = np.isnan(targets)
    known = (~missing).sum(axis=0).astype(np.float64)
    digest = hashlib.sha256()
    for part in (predictions.record_id.tolist(), predictions.patient_id.tolist(), predictions.names, predictions.kinds):
        digest.update(_digest(list(part)).encode())
    digest.update(np.packbits(missing).tobytes())
    digest.update(np.packbits(targets[:, binary] == 1).tobytes())
    mean, sd = np.full(len(binary), np.nan), np.full(len(binary), np.nan)
    for column in np.flatnonzero(~binary & (known > 0)):
        numbers = targets[~missing[:, column], column].astype(np.float64)
        mean[column], sd[column] = numbers.mean(), numbers.std()
    positive = np.where(binary, (targets == 1).sum(axis=0), np.nan)
    return TestSet(
        digest.hexdigest(), len(predictions), unit, predictions.names, predictions.kinds, known, positive, mean, sd
    )


def _digest(values: list[object]) -> str:
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()

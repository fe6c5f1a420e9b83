"""Decision thresholds, chosen on validation records: never on the records that are then scored."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hf_ecg_bench.evaluation.arrays import FloatArray, check_arrays, check_binary

Floats = NDArray[np.float64]

# Thresholds that the sample-centric F1 tries: more do not move it.
_CANDIDATES = 1000
_ROWS = 4096


@dataclass(frozen=True, eq=False)
class Thresholds:
    """From which score on a label is called present.

    Attributes:
        labels: (targets,) the score with the largest F1 of each label; NaN without positive validation records.
        sample: the score, one for all labels, with the largest sample-centric F1 (Fmax); NaN without positives.
    """

    labels: Floats
    sample: float

    def of(self, columns: NDArray[np.intp]) -> Floats:
        """The thresholds of some labels."""
        return self.labels[columns]


def choose_thresholds(targets: ArrayLike, predictions: ArrayLike) -> Thresholds:
    """The thresholds with the largest F1 on these (validation) records; of equal ones the highest.

    Args:
        targets: (records, labels) 0, 1 or NaN (left out).
        predictions: (records, labels), finite. A record is called positive from its threshold upwards.

    A label's candidates are the scores of its positive records: between two of them F1 can only fall. Those of the
    sample-centric F1 are the positive cells' scores, of more than 1,000 different ones 1,000 evenly among them.
    """
    t, p = check_arrays(targets, predictions)
    check_binary(t)
    labels = np.array([_best_of_label(t[:, column], p[:, column]) for column in range(t.shape[1])])
    return Thresholds(labels, _best_of_samples(t, p))


def _best_of_label(target: FloatArray, score: FloatArray) -> float:
    positives, negatives = np.sort(score[target == 1]), np.sort(score[target == 0])
    if not len(positives):
        return float("nan")
    candidates = np.unique(positives)[::-1]
    hit = len(positives) - np.searchsorted(positives, candidates, "left")
    false = len(negatives) - np.searchsorted(negatives, candidates, "left")
    return float(candidates[np.argmax(2 * hit / (hit + false + len(positives)))])


def _best_of_samples(t: FloatArray, p: FloatArray) -> float:
    positive = t == 1
    candidates = np.unique(p[positive])
    if not len(candidates):
        return float("nan")
    if len(candidates) > _CANDIDATES:
        candidates = candidates[np.linspace(0, len(candidates) - 1, _CANDIDATES).round().astype(np.intp)]
    # What calling the next cell of a record adds to its precision, to its recall and to the records with a call;
    # added up per candidate, so that sums from the top give the means at each of them.
    added = np.zeros((3, len(candidates) + 1))
    for start in range(0, len(t), _ROWS):
        rows = slice(start, start + _ROWS)
        score = np.where(np.isnan(t[rows]), -np.inf, p[rows])
        order = np.argsort(-score, axis=1)
        score, hit = (np.take_along_axis(values, order, axis=1) for values in (score, positive[rows]))
        found = np.cumsum(hit, axis=1)
        precision = found / np.arange(1, t.shape[1] + 1)
        recall = hit / np.maximum(found[:, -1:], 1)
        first = np.zeros_like(precision)
        first[:, 0] = 1
        index = np.searchsorted(candidates, score.ravel(), "right")  # 0: below every candidate, never called
        for total, values in zip(added, (np.diff(precision, axis=1, prepend=0), recall, first), strict=True):
            total += np.bincount(index, values.ravel(), minlength=len(total))
    precision, recall, called = np.cumsum(added[:, :0:-1], axis=1)
    precision, recall = precision / called, recall / positive.any(axis=1).sum()
    return float(candidates[::-1][np.argmax(2 * precision * recall / (precision + recall))])

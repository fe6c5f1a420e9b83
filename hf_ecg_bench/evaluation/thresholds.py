"""Decision thresholds, chosen on validation records: never on the records that are then scored."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hf_ecg_bench.evaluation.arrays import FloatArray, check_arrays, check_binary

Floats = NDArray[np.float64]

# Thresholds that the sample-centric F1 tries: more do not move it.
_CANDIDATES = 500
# Numbers (16 MB) that it holds at a time.
_NUMBERS = 2**21


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
    sample-centric F1 are the positive cells' scores, of more than 500 different ones 500 evenly among them.
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
    precision, recall, called = np.zeros((3, len(candidates)))
    rows_at_a_time = max(1, _NUMBERS // (len(candidates) + 1))
    for start in range(0, len(t), rows_at_a_time):
        rows = slice(start, start + rows_at_a_time)
        n_called, n_hit = _called(t[rows], p[rows], candidates)
        precision += (n_hit / np.maximum(n_called, 1)).sum(axis=0)
        called += (n_called > 0).sum(axis=0)
        recall += (1.0 / np.maximum(positive[rows].sum(axis=1), 1)) @ n_hit
    # Every candidate is the score of a positive cell, so that at each one some record is called.
    precision, recall = precision / called, recall / positive.any(axis=1).sum()
    return float(candidates[::-1][np.argmax((2 * precision * recall / (precision + recall))[::-1])])


def _called(t: FloatArray, p: FloatArray, candidates: FloatArray) -> tuple[Floats, Floats]:
    """(records, candidates) each: how many of a record's cells reach a candidate, and how many positive ones."""
    known, size = ~np.isnan(t), len(candidates) + 1
    index = np.searchsorted(candidates, p[known], "right")  # 0: below every candidate
    place = np.repeat(np.arange(len(t)), known.sum(axis=1)) * size + index
    number = np.bincount(place, minlength=len(t) * size), np.bincount(place[t[known] == 1], minlength=len(t) * size)
    # Sums from the highest candidate down.
    n_called, n_hit = (np.cumsum(n.reshape(-1, size)[:, ::-1], axis=1)[:, -2::-1].astype(np.float64) for n in number)
    return n_called, n_hit

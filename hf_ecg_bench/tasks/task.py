"""A task: which records of which dataset, and which of their columns a model has to predict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SelectionMetric = Literal["macro_auroc", "composite", "mae"]


@dataclass(frozen=True)
class Task:
    """One catalogue entry. What a model predicts is the label column's classes, then the named targets.

    Attributes:
        id: the id users type (`ptbxl_super`).
        name: the name in tables (`PTB-XL (super)`).
        category: the paper's clinical category (`adult_ecg_interpretation`).
        dataset: id of the dataset.
        labels: label column whose classes are predicted as independent yes/no targets, or None.
        classes: which of those classes, in order; None takes all of them.
        targets: entries of the dataset's `targets` column, in order.
        selection: the validation metric that picks the best epoch.
        trained_as: the task whose training this one shares, where the paper trains no model for it: it is a part of
            that task's outputs, or (CODE-test) a further test set for its model.

    Which records take part (length, fold) is declared once per dataset: DatasetSpec.min_seconds and needs_fold.
    """

    id: str
    name: str
    category: str
    dataset: str
    labels: str | None = None
    classes: tuple[str, ...] | None = None
    targets: tuple[str, ...] = ()
    selection: SelectionMetric = "macro_auroc"
    trained_as: str | None = None

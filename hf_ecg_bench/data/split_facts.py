"""Counts of a split's rows: records, patients, labels, missing targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


class SplitFacts:
    """Adds up tables of metadata rows; the same whether they come from an index or from the written rows.

    Args:
        label_names: label column -> class names.
        targets: names of the `targets` column's entries.
    """

    def __init__(self, label_names: Mapping[str, Sequence[str]], targets: Sequence[str]) -> None:
        self._names = {column: tuple(names) for column, names in label_names.items()}
        self._targets = tuple(targets)
        self._records = 0
        self._without_fold = 0
        self._without_patient = 0
        self._patients: set[str] = set()
        self._labels = {column: np.zeros(len(names), np.int64) for column, names in self._names.items()}
        self._unlabelled = dict.fromkeys(self._names, 0)
        self._missing = np.zeros(len(self._targets), np.int64)

    def add(self, table: pa.Table, targets: np.ndarray | None = None) -> None:
        """Count some rows.

        Args:
            table: with the columns patient_id, strat_fold and the label columns (class indices).
            targets: (rows, targets) of the same rows.
        """
        self._records += len(table)
        self._without_fold += int(pc.sum(pc.less(table["strat_fold"], 0)).as_py() or 0)
        patients = table["patient_id"].drop_null()
        self._without_patient += len(table) - len(patients)
        self._patients.update(pc.unique(patients).to_pylist())
        for column, counts in self._labels.items():
            values = pc.list_flatten(table[column]).to_numpy()
            counts += np.bincount(values, minlength=len(counts))
            self._unlabelled[column] += int(pc.sum(pc.equal(pc.list_value_length(table[column]), 0)).as_py() or 0)
        if targets is not None:
            self._missing += np.isnan(targets).sum(axis=0)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready.

        Keys: `records`; `patients` (a record without a patient id is its own patient); `without_patient` (the number
        of those); `labels` (column -> class -> records); `unlabelled` (column -> records without any label, which
        train as negative for every class); `without_fold`; `missing_targets` (name -> records where it is not known).
        """
        return {
            "records": self._records,
            "patients": len(self._patients) + self._without_patient,
            "without_patient": self._without_patient,
            "labels": {
                column: dict(zip(names, self._labels[column].tolist(), strict=True))
                for column, names in self._names.items()
            },
            "unlabelled": dict(self._unlabelled),
            "without_fold": self._without_fold,
            "missing_targets": dict(zip(self._targets, self._missing.tolist(), strict=True)),
        }

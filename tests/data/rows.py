"""Rows of a prepared dataset as plain values, by record id."""

from __future__ import annotations

from typing import Any

import datasets


def rows_of(splits: datasets.DatasetDict) -> dict[str, dict[str, Any]]:
    """Rows by record id, labels as names, with the split's name."""
    rows = {}
    for split, data in splits.items():
        columns = {name: data.features[name].feature for name in data.column_names if name.startswith("labels")}
        for row in data.with_format("numpy"):
            for name, feature in columns.items():
                row[name] = [feature.int2str(int(index)) for index in row[name]]
            rows[str(row["record_id"])] = {**row, "split": split}
    return rows

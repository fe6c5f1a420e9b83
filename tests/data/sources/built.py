"""Builds a source and gives its rows as plain values."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from hf_ecg_bench.data.ledger import Ledger
from hf_ecg_bench.data.options import parse_options
from hf_ecg_bench.data.prepare import prepare
from hf_ecg_bench.data.registry import get_builder
from hf_ecg_bench.names import INFO_FILE


def build(dataset: str, raw: Path, out: Path, **options: str) -> tuple[Ledger, dict[str, dict[str, Any]]]:
    """The ledger, and the rows by record id: labels as names, null as None, the signal as an array."""
    ledger = prepare(dataset, raw_dir=raw, output_dir=out, options=options)
    return ledger, rows_in(out)


def planned(dataset: str, raw: Path, **options: str) -> tuple[dict[str, list[str]], dict[str, dict[str, Any]]]:
    """Class names, and the rows by record id as a build would make them, but for signals, which are not read."""
    builder_class = get_builder(dataset)
    with tempfile.TemporaryDirectory() as cache_dir:
        values = parse_options(builder_class.BUILDER_CONFIG_CLASS, options)
        plan = builder_class(cache_dir=cache_dir, data_dir=str(raw), **values).plan(Ledger(dataset))
    names, rows = {}, {}
    for split, shards in plan.items():
        for shard in shards:
            names = {column: list(classes) for column, classes in shard.label_names.items()}
            for row in shard.metadata.to_pylist():
                labels = {column: [names[column][index] for index in row[column]] for column in names}
                rows[row["record_id"]] = {**row, **labels, "split": split}
    return names, rows


def class_names(out: Path) -> dict[str, list[str]]:
    """Label column -> class names in order."""
    names: dict[str, list[str]] = json.loads((out / INFO_FILE).read_text())["label_columns"]
    return names


def rows_in(out: Path) -> dict[str, dict[str, Any]]:
    """The rows of a prepared folder, with the name of their split."""
    names = class_names(out)
    rows = {}
    for file in sorted((out / "data").glob("*.parquet")):
        table = pq.read_table(file)
        signals = table["signal"].combine_chunks() if "signal" in table.column_names else None
        for number, row in enumerate(table.drop_columns(["signal"] if signals is not None else []).to_pylist()):
            for column, classes in names.items():
                row[column] = [classes[index] for index in row[column]]
            row["split"] = file.name.split("-")[0]
            if signals is not None:
                row["signal"] = np.asarray(signals.storage[number].values.flatten()).reshape(-1, 12)
            rows[row["record_id"]] = row
    return rows

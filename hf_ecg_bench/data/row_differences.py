"""What differs between two rows, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from hf_ecg_bench.data.fingerprints import same_but_for_rounding
from hf_ecg_bench.data.folder_rows import PreparedFolder, Row
from hf_ecg_bench.signals.leads import LEADS


@dataclass(frozen=True)
class Difference:
    """One value that differs: its name, and both values."""

    what: str
    first: Any
    second: Any
    remark: str = ""

    def describe(self) -> str:
        """One line."""
        return f"{self.what}: {_show(self.first)} and {_show(self.second)}" + (
            f" ({self.remark})" if self.remark else ""
        )

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {"what": self.what, "first": self.first, "second": self.second, "remark": self.remark}


def row_differences(a: PreparedFolder, row_a: Row, b: PreparedFolder, row_b: Row) -> list[Difference]:
    """All that differs between two rows of one record; labels by name, of targets and samples the first."""
    found = []
    for name in dict.fromkeys([*row_a.metadata, *row_b.metadata]):
        values = [_labels(folder, name, row.metadata.get(name)) for folder, row in ((a, row_a), (b, row_b))]
        if values[0] != values[1]:
            found.append(Difference(name, *values))
    if row_a.split != row_b.split:
        found.append(Difference("split", row_a.split, row_b.split))
    found += _target_differences(a, row_a.targets, b, row_b.targets)
    if row_a.signal is not None and row_b.signal is not None:
        found += _signal_differences(row_a.signal, row_b.signal)
    return found


def _labels(folder: PreparedFolder, column: str, value: Any) -> Any:
    names = folder.label_names.get(column)
    return value if names is None or value is None else sorted(names[index] for index in value)


def _target_differences(
    a: PreparedFolder, targets_a: np.ndarray | None, b: PreparedFolder, targets_b: np.ndarray | None
) -> list[Difference]:
    if targets_a is None and targets_b is None:
        return []
    if targets_a is None or targets_b is None or a.target_names != b.target_names:
        sizes = [0 if targets is None else len(targets) for targets in (targets_a, targets_b)]
        return [Difference("targets", f"{sizes[0]} targets", f"{sizes[1]} targets")]
    rows = np.flatnonzero(_differs(targets_a, targets_b))
    if not len(rows):
        return []
    row = int(rows[0])
    remark = f"{len(rows)} of {len(targets_a)} targets differ"
    return [Difference(f"target {a.target_names[row]}", float(targets_a[row]), float(targets_b[row]), remark)]


def _signal_differences(a: np.ndarray, b: np.ndarray) -> list[Difference]:
    if a.shape != b.shape:
        return [Difference("signal", f"{len(a)} samples", f"{len(b)} samples")]
    places = np.argwhere(_differs(a, b))
    if not len(places):
        return []
    sample, lead = (int(value) for value in places[0])
    largest = float(np.nanmax(np.abs(a.astype(np.float64) - b), initial=0))
    remark = f"{len(places)} of {a.size} samples differ, by at most {largest:.6g}"
    if same_but_for_rounding(a, b):
        remark += ": rounding"
    return [
        Difference(f"signal, sample {sample} of {LEADS[lead]}", float(a[sample, lead]), float(b[sample, lead]), remark)
    ]


def _differs(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return (a != b) & ~(np.isnan(a) & np.isnan(b))


def _show(value: Any) -> str:
    return f"{value:.8g}" if isinstance(value, float) else str(value)

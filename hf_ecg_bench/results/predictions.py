"""A model's predictions on a test set, one row per record with record and patient id, to and from disk."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hf_ecg_bench.errors import PredictionsError

KINDS = ("binary", "regression")
#: Beside a run's predictions.parquet, of the same form: what decision thresholds are chosen on.
VALIDATION_FILE = "validation_predictions.parquet"


@dataclass(frozen=True, eq=False)
class Predictions:
    """Targets and predictions of n records for t targets. Checked when made: any instance can be scored.

    Attributes:
        record_id: (n,) strings, unique.
        patient_id: (n,) strings, None where the source gives no patient.
        targets: (n, t); 0 or 1 (binary), a number (regression), NaN where the target is missing.
        predictions: (n, t), finite; probabilities (binary) or values on the targets' scale (regression).
        names: t target names, unique.
        kinds: t times `binary` or `regression`.

    Raises:
        PredictionsError: shapes that do not fit, repeated ids or names, predictions that are not finite,
            binary targets other than 0, 1 and NaN; the message names the first record and target concerned.
    """

    record_id: NDArray[np.object_]
    patient_id: NDArray[np.object_]
    targets: NDArray[Any]
    predictions: NDArray[Any]
    names: tuple[str, ...]
    kinds: tuple[str, ...]

    def __post_init__(self) -> None:
        _check(self)

    def __len__(self) -> int:
        return len(self.record_id)

    def take(self, rows: NDArray[np.integer]) -> Predictions:
        """The given rows (positions), in that order."""
        return Predictions(
            self.record_id[rows],
            self.patient_id[rows],
            self.targets[rows],
            self.predictions[rows],
            self.names,
            self.kinds,
        )


def make_predictions(
    record_id: Sequence[Any],
    patient_id: Sequence[Any] | None,
    targets: Any,
    predictions: Any,
    names: Sequence[str],
    kinds: Sequence[str] | None = None,
) -> Predictions:
    """Predictions from plain sequences: ids become strings, arrays float32 (float64 if they come as float64).

    Without `kinds` every target is binary; other values than 0, 1 and NaN are then an error, not a guess.
    """
    n = len(record_id)
    patients = [None] * n if patient_id is None else list(patient_id)
    return Predictions(
        record_id=_objects([str(value) for value in record_id]),
        patient_id=_objects([None if _is_missing(value) else str(value) for value in patients]),
        targets=as_float(targets),
        predictions=as_float(predictions),
        names=tuple(str(name) for name in names),
        kinds=tuple(kinds) if kinds is not None else ("binary",) * len(names),
    )


def read_predictions(path: str | os.PathLike[str]) -> Predictions:
    """Read predictions.parquet (or the run folder that holds one), or an .npz.

    An .npz needs `targets`, `predictions` (or `probs`) and `names` (or `labels`); `record_id`, `patient_id`
    and `kinds` are optional (rows are then numbered, patients unknown, targets binary).

    Raises:
        PredictionsError: no such file, another format, missing columns, or contents that cannot be scored.
    """
    # Imported here: the formats need pyarrow only when a file is read.
    from hf_ecg_bench.results import predictions_files

    file = Path(path)
    if file.is_dir():
        file = file / "predictions.parquet"
    readers = {".parquet": predictions_files.read_parquet, ".npz": predictions_files.read_npz}
    if not file.is_file():
        raise PredictionsError(
            f"no predictions at {file}",
            fix="give a predictions.parquet, an .npz, or the --output-dir of a finished run",
        )
    if file.suffix not in readers:
        raise PredictionsError(
            f"{file}: expected a .parquet or .npz file, found {file.suffix or 'no suffix'!r}",
            fix="hf-ecg-bench score RUN_DIR/predictions.parquet",
        )
    try:
        return readers[file.suffix](file)
    except PredictionsError as error:
        raise PredictionsError(f"{file}: {error.message}", fix=error.fix) from error


def write_predictions(path: str | os.PathLike[str], predictions: Predictions) -> Path:
    """Write predictions as Parquet, atomically; `read_predictions` gives back equal arrays."""
    from hf_ecg_bench.results import predictions_files

    return predictions_files.write_parquet(Path(path), predictions)


def align(first: Predictions, second: Predictions) -> Predictions:
    """`second` with its rows in the order of `first`, for a paired comparison.

    Raises:
        PredictionsError: other targets, other records, or other target values: not the same test set.
    """
    if first.names != second.names or first.kinds != second.kinds:
        odd = sorted(set(first.names) ^ set(second.names)) or ["the order or the kinds"]
        raise PredictionsError(
            f"the two files predict different targets ({len(first.names)} and {len(second.names)}; "
            f"differing: {', '.join(odd[:3])}{', ...' if len(odd) > 3 else ''})",
            fix="compare two runs of the same task",
        )
    position = {record: row for row, record in enumerate(second.record_id)}
    missing = [record for record in first.record_id if record not in position]
    if missing or len(first) != len(second):
        example = f", for example {missing[0]!r} is only in the first" if missing else ""
        raise PredictionsError(
            f"the two files hold different records ({len(first)} and {len(second)}{example})",
            fix="compare two runs on the same test set, without --limit on one of them",
        )
    aligned = second.take(np.array([position[record] for record in first.record_id], dtype=np.int64))
    differs = ~np.isclose(aligned.targets, first.targets, rtol=1e-6, atol=1e-6, equal_nan=True)
    if differs.any():
        row, column = (int(i) for i in np.argwhere(differs)[0])
        raise PredictionsError(
            f"record {first.record_id[row]!r}, target {first.names[column]!r}: "
            f"different targets in the two files ({first.targets[row, column]:g} and "
            f"{aligned.targets[row, column]:g})",
            fix="compare two runs on the same prepared data",
        )
    return aligned


def as_float(values: Any) -> NDArray[Any]:
    """Numbers as float32 or float64, whichever holds them without rounding."""
    array = np.asarray(values)
    if array.dtype.kind not in "biuf":
        raise PredictionsError(f"expected numbers, found an array of {array.dtype}", fix="store a plain float array")
    # float32 only where it holds every value: rounding would make ties.
    small = array.dtype.kind == "b" or (array.dtype.itemsize <= (4 if array.dtype.kind == "f" else 2))
    return array.astype(np.float32 if small else np.float64, copy=False)


def _is_missing(value: Any) -> bool:
    return value is None or value == "" or (isinstance(value, float) and value != value)


def _objects(values: list[Any]) -> NDArray[np.object_]:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def _check(p: Predictions) -> None:
    n, t = len(p.record_id), len(p.names)
    if not n or not t:
        raise PredictionsError(
            f"nothing to score: {n} records, {t} targets", fix="score a run whose test split has records"
        )
    for name in ("targets", "predictions"):
        shape = getattr(p, name).shape
        if shape != (n, t):
            raise PredictionsError(
                f"{name}: expected shape {(n, t)} for {n} records and {t} names, found {shape}",
                fix="one row per record, one column per name",
            )
    if len(p.patient_id) != n:
        raise PredictionsError(f"patient_id: expected {n} entries, one per record, found {len(p.patient_id)}")
    _check_unique("record_id", list(p.record_id), fix="average the windows of a record first: one row per record")
    _check_unique("target name", list(p.names), fix="give every target its own name")
    if len(p.kinds) != t or set(p.kinds) - set(KINDS):
        raise PredictionsError(f"kinds: expected {t} times one of {', '.join(KINDS)}, found {list(p.kinds)[:4]}")

    finite = np.isfinite(p.predictions)
    if not finite.all():
        row, column = (int(i) for i in np.argwhere(~finite)[0])
        raise PredictionsError(
            f"record {p.record_id[row]!r}, target {p.names[column]!r}: "
            f"the prediction is {p.predictions[row, column]}, expected a finite number "
            f"({int((~finite).sum())} of {finite.size} values are not)",
            fix="the training diverged or an input was broken: train again, with a lower --learning-rate",
        )
    binary = np.array([kind == "binary" for kind in p.kinds])
    wrong = np.isinf(p.targets) | (binary & ~np.isnan(p.targets) & (p.targets != 0) & (p.targets != 1))
    if wrong.any():
        row, column = (int(i) for i in np.argwhere(wrong)[0])
        expected = "0, 1 or NaN (binary)" if binary[column] else "a number or NaN (regression)"
        raise PredictionsError(
            f"record {p.record_id[row]!r}, target {p.names[column]!r}: "
            f"expected {expected}, found {p.targets[row, column]:g}",
            fix="store kinds, with 'regression' for targets that are not 0 or 1",
        )


def _check_unique(what: str, values: list[Any], *, fix: str) -> None:
    if len(set(values)) == len(values):
        return
    seen: set[Any] = set()
    for row, value in enumerate(values):
        if value in seen:
            raise PredictionsError(f"{what} {value!r} stands more than once (again at position {row})", fix=fix)
        seen.add(value)

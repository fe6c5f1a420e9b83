"""File formats of predictions: Parquet (read and written) and .npz (read)."""

from __future__ import annotations

import json
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from hf_ecg_bench.errors import PredictionsError, first_line
from hf_ecg_bench.files import atomic_path
from hf_ecg_bench.results.predictions import Predictions, make_predictions

_COLUMNS = ("record_id", "patient_id", "targets", "predictions")
_NAMES = b"target_names"
_KINDS = b"target_kinds"


def write_parquet(path: Path, predictions: Predictions) -> Path:
    """Columns record_id, patient_id, targets, predictions; the lists' metadata: names and kinds as JSON."""
    metadata = {_NAMES: json.dumps(predictions.names), _KINDS: json.dumps(predictions.kinds)}
    lists = {"targets": predictions.targets, "predictions": predictions.predictions}
    fields = [pa.field("record_id", pa.string(), nullable=False), pa.field("patient_id", pa.string())]
    arrays = [
        pa.array(predictions.record_id.tolist(), pa.string()),
        pa.array(predictions.patient_id.tolist(), pa.string()),
    ]
    for name, values in lists.items():
        column = _list_array(values)
        fields.append(pa.field(name, column.type, nullable=False, metadata=metadata))
        arrays.append(column)
    table = pa.Table.from_arrays(arrays, schema=pa.schema(fields))
    with atomic_path(path) as temporary:
        pq.write_table(table, temporary, compression="zstd")
    return path


def read_parquet(path: Path) -> Predictions:
    """Read what `write_parquet` wrote, or a file of the same columns by someone else."""
    try:
        table = pq.read_table(path)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        raise PredictionsError(
            f"not a readable Parquet file ({first_line(error)})", fix="run again, or copy the file again"
        ) from error
    missing = [name for name in _COLUMNS if name not in table.column_names]
    if missing:
        raise PredictionsError(
            f"missing column {', '.join(missing)}; "
            f"expected {', '.join(_COLUMNS)}, found {', '.join(table.column_names)}",
            fix="give the predictions.parquet that `hf-ecg-bench run` wrote",
        )
    metadata = table.schema.field("predictions").metadata or {}
    if _NAMES not in metadata or _KINDS not in metadata:
        raise PredictionsError(
            "the metadata of column 'predictions' lacks target_names or target_kinds",
            fix="write the file with hf_ecg_bench.results.predictions.write_predictions",
        )
    names, kinds = (
        _json_strings(metadata[_NAMES], "target_names"),
        _json_strings(metadata[_KINDS], "target_kinds"),
    )
    return make_predictions(
        table["record_id"].to_pylist(),
        table["patient_id"].to_pylist(),
        _matrix(table["targets"], "targets", len(names)),
        _matrix(table["predictions"], "predictions", len(names)),
        names,
        kinds,
    )


def read_npz(path: Path) -> Predictions:
    """Read targets, predictions (or probs), names (or labels); optional record_id, patient_id, kinds."""
    try:
        # Checked here, because numpy.load takes a file of any other kind for a pickle.
        if not zipfile.is_zipfile(path):
            raise zipfile.BadZipFile("not a zip archive")
        with np.load(path, allow_pickle=False) as archive:
            arrays = {key: np.asarray(archive[key]) for key in archive.files}
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError) as error:
        raise PredictionsError(
            f"not a readable .npz file ({first_line(error)})", fix="write it with numpy.savez"
        ) from error
    except ValueError as error:
        raise PredictionsError(
            f"cannot read its arrays ({first_line(error)}); pickled objects are refused: they can run code",
            fix="store text as numpy.array(values, dtype=str), numbers as float32",
        ) from error
    targets = _one_of(arrays, "targets")
    names = [str(name) for name in np.atleast_1d(_one_of(arrays, "names", "labels"))]
    predictions = _one_of(arrays, "predictions", "probs")
    if targets.ndim != 2:
        raise PredictionsError(f"targets: expected (records, targets), found shape {targets.shape}")
    kinds = [str(kind) for kind in np.atleast_1d(arrays["kinds"])] if "kinds" in arrays else None
    patients = np.atleast_1d(arrays["patient_id"]).tolist() if "patient_id" in arrays else None
    records = np.atleast_1d(arrays["record_id"]).tolist() if "record_id" in arrays else range(len(targets))
    return make_predictions(records, patients, targets, predictions, names, kinds)


def _list_array(values: NDArray[Any]) -> pa.ListArray:
    n, t = values.shape
    offsets = pa.array(np.arange(0, (n + 1) * t, t, dtype=np.int32), pa.int32())
    return pa.ListArray.from_arrays(offsets, pa.array(np.ascontiguousarray(values).reshape(-1)))


def _matrix(column: pa.ChunkedArray, name: str, width: int) -> NDArray[Any]:
    """A list column as (rows, width); null entries become NaN (missing target, refused as prediction)."""
    kind = column.type
    if not (pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)):
        raise PredictionsError(f"column {name!r}: expected a list of numbers per record, found {kind}")
    if not (pa.types.is_floating(kind.value_type) or pa.types.is_integer(kind.value_type)):
        raise PredictionsError(f"column {name!r}: expected a list of numbers per record, found {kind}")
    column = column.combine_chunks()
    lengths = column.value_lengths().to_numpy(zero_copy_only=False)
    wrong = np.flatnonzero(~(lengths == width))
    if len(wrong):
        raise PredictionsError(f"column {name!r}, row {wrong[0]}: expected {width} values, found {lengths[wrong[0]]}")
    return column.flatten().to_numpy(zero_copy_only=False).reshape(-1, width)


def _json_strings(raw: bytes, what: str) -> list[str]:
    try:
        values = json.loads(raw)
    except ValueError as error:
        raise PredictionsError(f"metadata {what} is not JSON: {error}") from error
    if not isinstance(values, list):
        raise PredictionsError(f"metadata {what}: expected a list of names, found {type(values).__name__}")
    return [str(value) for value in values]


def _one_of(arrays: dict[str, Any], *keys: str) -> NDArray[Any]:
    for key in keys:
        if key in arrays:
            value: NDArray[Any] = arrays[key]
            return value
    raise PredictionsError(
        f"missing array {' or '.join(map(repr, keys))}; found {', '.join(map(repr, arrays)) or 'none'}",
        fix="numpy.savez(file, targets=..., predictions=..., names=...)",
    )

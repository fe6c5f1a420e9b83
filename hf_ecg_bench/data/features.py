"""The columns of every dataset, as Hugging Face features and as the Arrow arrays behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import datasets
import numpy as np
import pyarrow as pa

from hf_ecg_bench.data.spec import ExtraColumn

N_LEADS = 12
SIGNAL = "signal"
TARGETS = "targets"
_EXTRA: dict[str, Any] = {
    "strings": datasets.List(datasets.Value("string")),
    "flags": datasets.List(datasets.Value("bool")),
    "text": datasets.Value("string"),
    "number": datasets.Value("float32"),
}


def row_features(
    label_names: Mapping[str, Sequence[str]],
    n_targets: int = 0,
    extra: Sequence[ExtraColumn] = (),
    *,
    signal: bool = True,
) -> datasets.Features:
    """Features of a dataset's rows, in the order of the columns.

    Args:
        label_names: label column -> its class names in order.
        n_targets: length of the `targets` column; 0 leaves the column out.
        extra: the dataset's own columns.
        signal: False for a build of the metadata alone.
    """
    columns: dict[str, object] = {
        "record_id": datasets.Value("string"),
        "patient_id": datasets.Value("string"),
        SIGNAL: datasets.Array2D((None, N_LEADS), "float32"),
        "sampling_rate": datasets.Value("int32"),
        "age": datasets.Value("float32"),
        "sex": datasets.Value("string"),
        "strat_fold": datasets.Value("int32"),
    }
    for column, names in label_names.items():
        columns[column] = datasets.List(datasets.ClassLabel(names=list(names)))
    if n_targets:
        columns[TARGETS] = datasets.List(datasets.Value("float32"), length=n_targets)
    for item in extra:
        columns[item.name] = _EXTRA[item.kind]
    if not signal:
        del columns[SIGNAL]
    return datasets.Features(columns)


def signal_array(signals: Sequence[np.ndarray], storage_type: pa.DataType) -> pa.ExtensionArray:
    """One Arrow column from records of shape (time, 12), float32, without going through Python objects.

    Args:
        signals: records, each C-contiguous or not; copied once into one buffer.
        storage_type: the extension type of the `signal` field.
    """
    lengths = np.fromiter((len(signal) for signal in signals), np.int64, len(signals))
    total = int(lengths.sum())
    flat = np.empty((total, N_LEADS), np.float32)
    if signals:
        np.concatenate(signals, out=flat)
    # 32-bit offsets are part of the type; chunks are far smaller than 2**31 values by construction.
    inner = pa.ListArray.from_arrays(
        pa.array(np.arange(total + 1, dtype=np.int32) * N_LEADS), pa.array(flat.reshape(-1))
    )
    outer = pa.ListArray.from_arrays(pa.array(np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)), inner)
    return pa.ExtensionArray.from_storage(storage_type, outer)


def target_array(targets: np.ndarray, target_type: pa.DataType) -> pa.FixedSizeListArray:
    """The `targets` column from (records, targets) float32."""
    return pa.FixedSizeListArray.from_arrays(pa.array(targets.reshape(-1)), type=target_type)


def signals_of(column: pa.ChunkedArray) -> list[np.ndarray]:
    """The records of a signal column as float32 views of shape (time, 12); the inverse of `signal_array`."""
    signals: list[np.ndarray] = []
    for chunk in column.chunks:
        rows = chunk.storage if isinstance(chunk, pa.ExtensionArray) else chunk
        bounds = rows.offsets.to_numpy()
        samples = rows.values
        widths = np.diff(samples.offsets.to_numpy()[bounds[0] : bounds[-1] + 1])
        if (widths != N_LEADS).any() or samples.values.null_count:
            raise ValueError(f"a signal with {widths.max(initial=0)} leads or missing values, expected {N_LEADS}")
        first = int(samples.offsets[int(bounds[0])].as_py()) if len(samples) else 0
        values = samples.values.to_numpy()[first:].reshape(-1, N_LEADS) if len(samples) else np.empty((0, N_LEADS))
        signals += [values[start:end] for start, end in zip(bounds - bounds[0], bounds[1:] - bounds[0], strict=False)]
    return signals

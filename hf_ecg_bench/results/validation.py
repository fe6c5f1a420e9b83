"""The validation predictions that decision thresholds are chosen on."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from hf_ecg_bench.errors import PredictionsError, some
from hf_ecg_bench.results.predictions import VALIDATION_FILE, Predictions, read_predictions


def read_validation(path: Path, own: Predictions) -> Predictions:
    """A model's validation predictions (a file, or its run's folder) for the targets of `own`, in their order.

    Args:
        own: the model's test predictions.

    Raises:
        PredictionsError: no such file, targets that are not there, or records that are in `own` too.
    """
    file = path / VALIDATION_FILE if path.is_dir() else path
    if path.is_dir() and not file.exists():
        raise PredictionsError(
            f"no {VALIDATION_FILE} in {path}: the run is older than this file",
            fix="run it again into another --output-dir, or score without --thresholds-from",
        )
    return of_targets(read_predictions(file), own, str(file))


def of_targets(validation: Predictions, own: Predictions, where: str) -> Predictions:
    """The columns of `own`'s targets, checked to be of other records.

    Raises:
        PredictionsError: targets that are not there, or records that are in `own` too; names `where`.
    """
    position = {name: column for column, name in enumerate(validation.names)}
    missing = [
        name
        for name, kind in zip(own.names, own.kinds, strict=True)
        if name not in position or validation.kinds[position[name]] != kind
    ]
    if missing:
        raise PredictionsError(
            f"{where}: {len(missing)} of {len(own.names)} targets are not there: {some(missing, 5)}",
            fix="give the validation predictions of the same run",
        )
    # Rows of an .npz without ids are numbered: the same numbers are then not the same records.
    numbered = {str(row) for row in range(max(len(own), len(validation)))}
    both = (set(own.record_id) & set(validation.record_id)) - numbered
    if both:
        raise PredictionsError(
            f"{where}: {len(both)} of its records are scored too, for example {min(both)!r}: "
            "thresholds chosen on the scored records flatter",
            fix=f"give the {VALIDATION_FILE} of the run",
        )
    columns = np.array([position[name] for name in own.names])
    return Predictions(
        validation.record_id,
        validation.patient_id,
        validation.targets[:, columns],
        validation.predictions[:, columns],
        own.names,
        own.kinds,
    )

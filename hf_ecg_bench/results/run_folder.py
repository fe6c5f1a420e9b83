"""Finding and reading finished runs: the one place where the report touches what `run` wrote."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hf_ecg_bench.errors import EcgBenchError, PredictionsError
from hf_ecg_bench.results.predictions import Predictions, read_predictions
from hf_ecg_bench.results.schema import EXAMPLES_FILE, PREDICTIONS_FILE, RESULT_FILE, Result
from hf_ecg_bench.robustness.evaluation_files import read_evaluations

_NUMBER, _TASK = (int, float), (str, type(None))
_EITHER: dict[tuple[type, ...], str] = {_NUMBER: "number", _TASK: "str or null"}
_TYPES: dict[str, type | tuple[type, ...]] = {
    "task": str,
    "dataset": dict,
    "model": dict,
    "mode": str,
    "protocol": str,
    "preprocessing": str,
    "fraction": _NUMBER,
    "seed": int,
    "hyperparameters": dict,
    "signal": dict,
    "selection": dict,
    "metrics": dict,
    "history": list,
    "cost": dict,
    "environment": dict,
    "features": dict,
    "subset": dict,
    "slices": dict,
    "subgroups": dict,
    "trained_as": _TASK,
    "warnings": list,
    "status": str,
}


@dataclass(frozen=True, eq=False)
class Examples:
    """Test records to draw.

    Attributes:
        record_id: n ids.
        signals: (n, time, 12) in mV, canonical leads.
        sampling_rate: Hz.
    """

    record_id: tuple[str, ...]
    signals: NDArray[np.floating]
    sampling_rate: float


@dataclass(frozen=True, eq=False)
class Run:
    """A run folder's contents. What a report can do without is None, with the reason in `missing`.

    Attributes:
        name: the folder, relative to where the report looked.
        missing: file name -> why it could not be used.
        evaluations: the run's tests on other datasets and on disturbed signals, as stored.
    """

    name: str
    result: Result
    predictions: Predictions | None
    examples: Examples | None
    missing: dict[str, str]
    evaluations: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class Unreadable:
    """A result file that could not be used, and why."""

    name: str
    reason: str


def find_results(results_dir: Path) -> list[Path]:
    """The folders at or below `results_dir` that hold a result.json, sorted.

    Raises:
        EcgBenchError: no such folder, or no result in it.
    """
    folder = results_dir.parent if results_dir.name == RESULT_FILE else results_dir
    if not folder.is_dir():
        raise EcgBenchError(f"no folder {folder}", fix="give the --output-dir of a run, or a folder of runs")
    found = sorted(path.parent for path in folder.rglob(RESULT_FILE) if not _is_set_aside(path.parent, folder))
    if not found:
        raise EcgBenchError(
            f"no {RESULT_FILE} at or below {folder}: a run writes it last, when it has finished",
            fix=f"hf-ecg-bench run ... --output-dir {folder}",
        )
    return found


def _is_set_aside(run: Path, below: Path) -> bool:
    """Whether a grid has replaced the run: `stale` beside a grid.json, unless one looks there on purpose."""
    parents = run.relative_to(below).parts
    return any(
        name == "stale" and (below.joinpath(*parents[:depth]) / "grid.json").is_file()
        for depth, name in enumerate(parents)
    )


def read_run(folder: Path, name: str) -> Run:
    """Read a run folder; predictions and examples may be absent or unusable, the result may not.

    Raises:
        PredictionsError: result.json is broken, or a field has the wrong type.
    """
    result = Result.load(folder)
    check_types(result)
    missing: dict[str, str] = {}
    predictions = examples = None
    try:
        predictions = read_predictions(folder / PREDICTIONS_FILE)
    except EcgBenchError as error:
        missing[PREDICTIONS_FILE] = _reason(error, folder)
    try:
        examples = read_examples(folder / EXAMPLES_FILE)
    except EcgBenchError as error:
        missing[EXAMPLES_FILE] = _reason(error, folder)
    return Run(name, result, predictions, examples, missing, tuple(read_evaluations(folder)))


def check_types(result: Result) -> None:
    """Refuse a result whose fields are not of the types that the schema declares."""
    for name, expected in _TYPES.items():
        value = getattr(result, name)
        if not isinstance(value, expected) or isinstance(value, bool):
            names = expected.__name__ if isinstance(expected, type) else _EITHER[expected]
            raise PredictionsError(
                f"{RESULT_FILE}: {name}: expected {names}, found {type(value).__name__}",
                fix="run again into an empty folder",
            )


def read_examples(path: Path) -> Examples:
    """Read examples.npz: record_id (n,), signals (n, time, 12) in mV, sampling_rate.

    Raises:
        PredictionsError: no such file, not an .npz of plain arrays, or other shapes.
    """
    fix = "run again: it stores some test records for the report"
    if not path.is_file():
        raise PredictionsError(f"no {EXAMPLES_FILE} in the run folder", fix=fix)
    try:
        with np.load(path, allow_pickle=False) as file:
            record_id = file["record_id"]
            signals = file["signals"]
            rate = float(file["sampling_rate"])
    except (OSError, ValueError, TypeError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise PredictionsError(f"{path}: not a file of examples: {error}", fix=fix) from error
    if signals.ndim != 3 or signals.shape[2] != 12 or len(record_id) != len(signals) or signals.dtype.kind != "f":
        raise PredictionsError(
            f"{path}: expected float signals (records, time, 12) with one id each, "
            f"found {signals.dtype} {signals.shape} and {record_id.shape} ids",
            fix=fix,
        )
    if not len(signals):
        raise PredictionsError("the run kept no test ECGs", fix=fix)
    if not (0 < rate < 1e5) or signals.shape[1] < 4:
        raise PredictionsError(f"{path}: {signals.shape[1]} samples at {rate:g} Hz cannot be drawn", fix=fix)
    return Examples(tuple(str(item) for item in record_id), signals, rate)


def _reason(error: EcgBenchError, folder: Path) -> str:
    """The message with paths relative to the run: reports are shared, home folders are nobody's business."""
    return error.message.replace(f"{folder}/", "").replace(str(folder), "the run folder")

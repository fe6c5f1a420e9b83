"""Where the further tests of a finished run lie, and how they are written and found.

    <run>/evaluations/<dataset>/evaluation.json, predictions.parquet
    <run>/evaluations/perturbed/<name>/evaluation.json, predictions.parquet

`evaluation.json` is written last: a folder with it is finished and is not computed again. The run's own result.json
stays as it is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hf_ecg_bench.files import write_json
from hf_ecg_bench.results.predictions import Predictions, write_predictions
from hf_ecg_bench.results.schema import PREDICTIONS_FILE
from hf_ecg_bench.robustness.perturbations import PERTURBATIONS

EVALUATIONS, PERTURBED, EVALUATION_FILE = "evaluations", "perturbed", "evaluation.json"
SCHEMA_VERSION = 1


def read_evaluations(run: Path) -> Iterator[dict[str, Any]]:
    """The finished evaluations of a run's folder: other datasets, then perturbations in the order of their table."""
    folder = run / EVALUATIONS
    elsewhere = sorted(folder.glob(f"*/{EVALUATION_FILE}"))
    perturbed = [folder / PERTURBED / name / EVALUATION_FILE for name in PERTURBATIONS]
    for path in (*elsewhere, *perturbed):
        content = read_evaluation(path)
        if content:
            yield content


def read_evaluation(path: Path) -> dict[str, Any]:
    """The content of an evaluation.json; empty where there is none, or none that this version can read."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return {}
    known = isinstance(content, dict) and content.get("schema_version") == SCHEMA_VERSION
    return content if known else {}


def is_done(folder: Path, settings: dict[str, Any]) -> bool:
    """Whether the folder holds a finished evaluation with these settings."""
    return read_evaluation(folder / EVALUATION_FILE).get("settings") == settings


def write_evaluation(folder: Path, content: dict[str, Any], predictions: Predictions) -> None:
    """Predictions, then the evaluation, each atomically."""
    write_predictions(folder / PREDICTIONS_FILE, predictions)
    write_json(folder / EVALUATION_FILE, {"schema_version": SCHEMA_VERSION, **content})

"""All checks of a run folder, for who submits it and for who takes it in."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

from hf_ecg_bench.errors import EcgBenchError, PredictionsError
from hf_ecg_bench.hub.results.manifest import MANIFEST_FILE
from hf_ecg_bench.hub.results.sharing import sharing
from hf_ecg_bench.hub.submission.checks import Check, Report, guarded
from hf_ecg_bench.hub.submission.files import check_files, read_manifest
from hf_ecg_bench.hub.submission.texts import check_texts
from hf_ecg_bench.results.predictions import Predictions
from hf_ecg_bench.results.run_folder import check_types
from hf_ecg_bench.results.schema import MODEL_FOLDER, PREDICTIONS_FILE, RESULT_FILE, Result
from hf_ecg_bench.results.target_scores import mapping


def validate_submission(
    folder: str | os.PathLike[str], *, data: str | Path | None = None, smoke: bool = True, name: str | None = None
) -> Report:
    """Check one run folder; nothing is uploaded and nobody is asked.

    A folder with `submission.json` (as `submit` makes it) is checked more strictly: no other files, each with its
    digest, nothing private in its texts.

    Args:
        data: the prepared dataset of the run; None: `./ecg-bench/<dataset>` where it is there.
        smoke: whether to load the model, where there is one, and to let it predict the stored examples.
        name: of the folder in the report.

    Returns:
        The report; a check that could not be made here says so, and is not a failure.

    Raises:
        EcgBenchError: there is no such folder.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise EcgBenchError(f"no folder {folder}", fix="give the --output-dir of a finished run")
    return Report(name or str(folder), tuple(_checks(folder, data, smoke)))


def _checks(folder: Path, data: str | Path | None, smoke: bool) -> Iterator[Check]:
    submitted = (folder / MANIFEST_FILE).exists()
    before = list(guarded("files", lambda: check_files(folder)))
    yield from before
    if any(check.passed is False and check.name in ("files", "parquet") for check in before):
        yield Check("result", None, found="not looked at, because of its files")
        return
    try:
        result = _read(folder)
        manifest = read_manifest(folder) if submitted else {}
    except EcgBenchError as error:
        yield Check("schema", False, "a result.json of this program", error.message, error.fix or "run it again")
        return
    yield Check("schema", True, found=f"version {result.schema_version}")
    raw = json.loads((folder / RESULT_FILE).read_text(encoding="utf-8"))
    yield from check_texts(raw, submitted=submitted)
    yield from _of_result(folder, result, manifest, data, smoke)


def _of_result(
    folder: Path, result: Result, manifest: dict[str, object], data: str | Path | None, smoke: bool
) -> Iterator[Check]:
    # Imported here: the registry of datasets and the training import much, and a broken file is said before that.
    from hf_ecg_bench.hub.submission.setting import check_plausible, check_setting
    from hf_ecg_bench.hub.submission.weights import check_smoke, check_weights

    setting = list(guarded("setting", lambda: check_setting(result, str(manifest.get("task_version") or ""))))
    yield from setting
    if any(check.passed is False and check.name == "setting" for check in setting):
        return
    yield from guarded("plausible values", lambda: check_plausible(result))
    found: list[Predictions] = []
    yield from guarded("predictions", lambda: _of_predictions(folder, result, data, found))
    declared = str(manifest.get("model_digest") or "")
    yield from guarded("model weights", lambda: check_weights(folder, result, declared))
    if smoke and (folder / MODEL_FOLDER).is_dir():
        yield from guarded("model", lambda: check_smoke(folder, result, found[0] if found else None))


def _of_predictions(folder: Path, result: Result, data: str | Path | None, keep: list[Predictions]) -> Iterator[Check]:
    from hf_ecg_bench.hub.submission.data import check_dataset, check_targets, find_data
    from hf_ecg_bench.hub.submission.scores import check_predictions, check_scores

    prepared = find_data(result, data)
    yield from guarded("dataset", lambda: check_dataset(result, prepared, given=data is not None))
    shared = sharing(result.task, str(result.dataset.get("id")))
    if not (folder / PREDICTIONS_FILE).is_file():
        if shared.records:
            fix = "submit the run's own folder, with predictions.parquet"
            yield Check("predictions", False, "predictions.parquet", "there is no such file", fix)
        else:
            yield Check("predictions", None, found=shared.reason)
        return
    if not shared.records and (folder / MANIFEST_FILE).exists():
        yield Check(
            "predictions", False, f"none: {shared.reason}", "predictions.parquet", "delete the request's branch"
        )
        return
    predictions, checks = check_predictions(folder, result)
    keep.append(predictions)
    yield from checks
    yield from guarded("metrics", lambda: check_scores(folder, result, predictions))
    if prepared is not None and prepared.info["digest"] == result.dataset.get("digest"):
        yield from guarded("targets", lambda: check_targets(result, predictions, prepared))
    else:
        yield Check("targets", None, found="the run's data are not here", fix="--data with the prepared dataset")


def _read(folder: Path) -> Result:
    """The result, with standard JSON alone: NaN and infinity are not numbers that others can read.

    Raises:
        PredictionsError: anything else.
    """
    result = Result.load(folder)
    check_types(result)
    for name in ("slices", "subgroups", "subset", "features"):
        mapping(getattr(result, name), name)

    def refuse(text: str) -> float:
        raise PredictionsError(f"{RESULT_FILE}: {text} is no standard JSON", fix="write it with this program")

    json.loads((folder / RESULT_FILE).read_text(encoding="utf-8"), parse_constant=refuse)
    return result

"""Run folders as they go to the Hub: no weights, no signals, no private texts, no records of closed data."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hf_ecg_bench.errors import EcgBenchError, PredictionsError, some
from hf_ecg_bench.files import dumps_json, write_json, write_text
from hf_ecg_bench.hub.fetching import RUNS_FOLDER
from hf_ecg_bench.hub.results.machine import private_texts
from hf_ecg_bench.hub.results.manifest import MANIFEST_FILE, Manifest, file_facts
from hf_ecg_bench.hub.results.scrubbing import Scrubbed, describe, scrub
from hf_ecg_bench.hub.results.sharing import Sharing, sharing
from hf_ecg_bench.models.resolve import weights_digest
from hf_ecg_bench.results.predictions import VALIDATION_FILE
from hf_ecg_bench.results.run_folder import check_types, find_results
from hf_ecg_bench.results.schema import MODEL_FOLDER, PREDICTIONS_FILE, RESULT_FILE, Result
from hf_ecg_bench.robustness.evaluation_files import EVALUATION_FILE, EVALUATIONS, PERTURBED
from hf_ecg_bench.saying import Say
from hf_ecg_bench.tasks.catalogue import CATALOGUE
from hf_ecg_bench.tasks.version import task_version


@dataclass(frozen=True)
class Staged:
    """A run folder that is ready to go.

    Attributes:
        path: in the repository, `runs/<model>/<task>/<mode>/fraction-<f>/seed-<s>/<identity>`.
        source: the run's folder on this machine.
        withheld: why its predictions stay here; empty where they go.
    """

    path: str
    source: Path
    withheld: str


def stage_runs(
    folder: Path, staging: Path, *, say: Say, model_repo: str = "", model_revision: str = ""
) -> list[Staged]:
    """Copy what may go of every run at or below `folder` to `staging/runs/...`; says aloud what may not.

    Raises:
        EcgBenchError: no result at or below the folder, or none that can be used.
    """
    staged: dict[str, Staged] = {}
    known = private_texts()
    scrubbed: list[Scrubbed] = []
    for run in find_results(folder):
        name = run.relative_to(folder).as_posix() if run != folder else str(run)
        try:
            result = Result.load(run)
            check_types(result)
            if result.task not in CATALOGUE:
                raise PredictionsError(f"{name}: its task {result.task!r} is not in the catalogue")
        except EcgBenchError as error:
            say(f"left out: {error.message}")
            continue
        path = repository_path(result)
        if path in staged:
            say(f"left out: {name} is the same run as {staged[path].source}: one of them goes")
            continue
        found, withheld = _stage(run, result, staging / path, known, model_repo, model_revision)
        scrubbed += found
        if withheld:
            say(f"without predictions: {name}: {withheld}")
        staged[path] = Staged(path, run, withheld)
    if not staged:
        raise EcgBenchError(f"{folder}: no result that can be pushed", fix="hf-ecg-bench report " + str(folder))
    if scrubbed:
        say(f"taken out before the push: {describe(scrubbed)}")
    return list(staged.values())


def repository_path(result: Result) -> str:
    """Where a run lies in the repository. The same run again gets the same place, another one never does."""
    identity = {
        name: getattr(result, name)
        for name in ("task", "mode", "protocol", "preprocessing", "fraction", "seed", "subset", "hyperparameters")
    }
    identity["model"] = [result.model.get(name) for name in ("id", "digest")]
    identity["dataset"] = [result.dataset.get(name) for name in ("id", "digest")]
    # Numbers only: a path or a note in it must not decide whether two runs are one.
    text = json.dumps(identity, sort_keys=True, default=str)
    digest = hashlib.sha256(text.encode()).hexdigest()[:10]
    parts = [str(result.model.get("id", "")), result.task, result.mode]
    parts += [f"fraction-{float(result.fraction):g}", f"seed-{result.seed}", digest]
    return "/".join([RUNS_FOLDER, *map(_slug, parts)])


def _slug(text: str) -> str:
    return re.sub(r"[^\w.+-]+", "-", text, flags=re.ASCII).strip(".-")[:80] or "unnamed"


def _stage(
    run: Path, result: Result, target: Path, known: dict[str, str], model_repo: str, model_revision: str
) -> tuple[list[Scrubbed], str]:
    shared = sharing(result.task, str(result.dataset.get("id", "")))
    target.mkdir(parents=True)
    clean, scrubbed = scrub(asdict(result), known)
    write_json(target / RESULT_FILE, clean)
    for name in (PREDICTIONS_FILE, VALIDATION_FILE) if shared.records else ():
        if (run / name).is_file():
            shutil.copyfile(run / name, target / name)
    withheld = [shared.reason] if not shared.records else []
    if shared.records and not (run / PREDICTIONS_FILE).is_file():
        withheld.append(f"there is no {PREDICTIONS_FILE}")
    for file in sorted((run / EVALUATIONS).rglob(EVALUATION_FILE)):
        found, reason = _stage_evaluation(file, run, result, shared, target, known)
        scrubbed += found
        withheld += [reason] if reason else []
    reason = "; ".join(dict.fromkeys(withheld))
    model = run / MODEL_FOLDER
    manifest = Manifest(
        task_version=task_version(CATALOGUE[result.task]),
        files=file_facts(target),
        withheld=reason,
        model_digest=(weights_digest(model) or "") if model.is_dir() else "",
        model_repo=model_repo,
        model_revision=model_revision,
        scrubbed=describe(scrubbed),
    )
    write_text(target / MANIFEST_FILE, dumps_json(asdict(manifest)) + "\n")
    return scrubbed, reason


def _stage_evaluation(
    file: Path, run: Path, result: Result, own: Sharing, target: Path, known: dict[str, str]
) -> tuple[list[Scrubbed], str]:
    """A test on another dataset or on disturbed signals; its predictions only where both datasets are open."""
    place = target / file.parent.relative_to(run)
    try:
        content: Any = json.loads(file.read_text(encoding="utf-8"))
    except ValueError:
        return [], f"{file.parent.relative_to(run).as_posix()} cannot be read and is left out"
    clean, scrubbed = scrub(content, known)
    write_json(place / EVALUATION_FILE, clean)
    # Both what it says of itself and the folder that `run` gave it: either may name a closed dataset.
    dataset = clean.get("dataset") if isinstance(clean, dict) else None
    said = dataset.get("id") if isinstance(dataset, dict) else dataset
    kind = file.parent.relative_to(run / EVALUATIONS).parts[0]
    named = [str(name) for name in (said, None if kind == PERTURBED else kind) if name]
    shared = sharing(result.task, *named) if own.records else own
    predictions = file.parent / PREDICTIONS_FILE
    if shared.records and predictions.is_file():
        shutil.copyfile(predictions, place / PREDICTIONS_FILE)
        return scrubbed, ""
    return scrubbed, "" if shared.records else f"{some(named)}: {shared.reason}"

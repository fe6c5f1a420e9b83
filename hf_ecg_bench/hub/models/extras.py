"""What a model's repository holds beyond the saved folder: a complete card, the run's result, evaluation results."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hf_ecg_bench.errors import PredictionsError
from hf_ecg_bench.files import dumps_json
from hf_ecg_bench.front_matter import split_front_matter
from hf_ecg_bench.hub.models.card import complete_card
from hf_ecg_bench.hub.models.evaluations import EVAL_RESULTS, evaluation_files
from hf_ecg_bench.hub.models.facts import ModelFacts, model_facts
from hf_ecg_bench.hub.remote import Remote, readable
from hf_ecg_bench.hub.results.machine import private_texts
from hf_ecg_bench.hub.results.scrubbing import describe, scrub
from hf_ecg_bench.names import CARD_FILE, INFO_FILE, NAMESPACE
from hf_ecg_bench.results.run_folder import check_types
from hf_ecg_bench.results.schema import MODEL_FOLDER, RESULT_FILE, Result
from hf_ecg_bench.saying import Say


def own_model_folder(folder: Path) -> tuple[Path, Result | None]:
    """The model's folder and the result of the run that trained it, from the run's folder or the model's.

    Raises:
        PredictionsError: there is a result, but it cannot be read.
    """
    if (folder / RESULT_FILE).is_file() and (folder / MODEL_FOLDER).is_dir():
        run, model = folder, folder / MODEL_FOLDER
    else:
        run, model = folder.absolute().parent, folder
        if folder.absolute().name != MODEL_FOLDER or not (run / RESULT_FILE).is_file():
            return folder, None
    result = Result.load(run)
    check_types(result)
    return model, result


def model_extras(remote: Remote, folder: Path, run: Result | None, revision: str, *, say: Say) -> dict[str, bytes]:
    """The card (README.md), and for a model that a run trained `result.json` and `.eval_results/<task>.yaml`.

    Args:
        revision: the tag or branch under which they will be found, for the address of the result.

    Raises:
        CheckpointError: the folder's own card has front matter that cannot be read.
        PredictionsError: the result's metrics are not of the form that `run` writes.
    """
    clean: Result | None = None
    if run is not None:
        values, found = scrub(asdict(run), private_texts())
        clean = Result(**values)
        if found:
            say(f"taken out of {RESULT_FILE} before the push: {describe(found)}")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    dataset_revision = _dataset_revision(clean) if clean is not None else None
    facts = model_facts(remote.repo_id, folder, config, clean, dataset_revision)
    source = f"{remote.page}/blob/{revision}/{RESULT_FILE}"
    card = complete_card(folder / CARD_FILE, facts, source)
    _warn(facts, card, say)
    files = {CARD_FILE: card.encode()}
    if clean is not None:
        files[RESULT_FILE] = (dumps_json(asdict(clean)) + "\n").encode()
        for task, text in evaluation_files(facts, source).items():
            files[f"{EVAL_RESULTS}/{task}.yaml"] = text.encode()
    return files


def _warn(facts: ModelFacts, card: str, say: Say) -> None:
    for warning in facts.warnings:
        say(f"note: {warning}")
    if not split_front_matter(card)[0].get("license"):
        say("note: no licence is stated: put `license:` into the README.md of the model's folder and push again")


def _dataset_revision(result: Result) -> str | None:
    """The commit of the dataset's repository whose data have the digest of the run's; None where there is none."""
    from huggingface_hub.errors import HfHubHTTPError

    known, dataset = result.dataset.get("revision"), result.dataset.get("id")
    # Of that very repository: the same data in somebody else's have other commits.
    if result.dataset.get("source") == f"{NAMESPACE}/{dataset}" and isinstance(known, str) and len(known) == 40:
        return known
    if not isinstance(dataset, str) or not dataset:
        raise PredictionsError(f"{RESULT_FILE}: dataset.id: expected a name, found {dataset!r}", fix="run again")
    there = readable("dataset", f"{NAMESPACE}/{dataset}")
    try:
        head = there.head()
        content: Any = json.loads(there.read(INFO_FILE, head) or b"null")
    except ValueError:
        return None
    except HfHubHTTPError as error:
        if error.response.status_code in (401, 403, 404):  # not there, or not for this user
            return None
        raise
    same = isinstance(content, dict) and content.get("digest") == result.dataset.get("digest")
    return head if same else None

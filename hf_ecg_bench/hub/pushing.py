"""Prepared datasets and saved models to the Hub."""

from __future__ import annotations

import logging
import os
from fnmatch import fnmatch
from pathlib import Path

from hf_ecg_bench import __version__
from hf_ecg_bench.errors import EcgBenchError, unknown_name
from hf_ecg_bench.hub.committing import Change, commit
from hf_ecg_bench.hub.dataset_extras import dataset_extras
from hf_ecg_bench.hub.dataset_folder import check_dataset_folder
from hf_ecg_bench.hub.explaining import explained
from hf_ecg_bench.hub.folders import CheckedFolder, Kind
from hf_ecg_bench.hub.model_folder import check_model_folder
from hf_ecg_bench.hub.models.extras import model_extras, own_model_folder
from hf_ecg_bench.hub.options import PushOptions, address, make_ready, tag_commit
from hf_ecg_bench.hub.remote import MAIN, Gated, check_repo_id, writable
from hf_ecg_bench.models.adapters.folders import ADAPTER_CONFIG
from hf_ecg_bench.saying import Say, to_stderr

logger = logging.getLogger(__name__)

KINDS = ("dataset", "model", "results")
_CHECKS = {"dataset": check_dataset_folder, "model": check_model_folder}
# Left over from an earlier push, these would be loaded together with the new files (or speak of other weights).
_REPLACED = {
    "dataset": ["*.parquet"],
    "model": ["*.safetensors", "*.safetensors.index.json", ADAPTER_CONFIG, ".eval_results/*.yaml", "result.json"],
}


def push_folder(
    kind: Kind,
    folder: str | os.PathLike[str],
    repo_id: str | None = None,
    *,
    private: bool = False,
    create_pr: bool = False,
    commit_message: str | None = None,
    gated: Gated | None = None,
    revision: str | None = None,
    tag: str | None = None,
    say: Say = to_stderr,
) -> str:
    """Upload a prepared dataset, a saved model or results to the Hub at HF_ENDPOINT, after checking what it is.

    A missing repository is created, its card completed. Data or weights of an earlier push are replaced in the same
    commit; rows of other runs in a repository of results are kept.

    Args:
        kind: `dataset` (output of `prepare`), `model` (output of `convert`, `save_pretrained` or `run`: the run's
            folder, or the model's in it) or `results` (a run's folder, or a folder of runs).
        folder: what to upload. Files that do not belong to it are logged and left out.
        repo_id: `namespace/name`; the default `ecg-bench/<id>` is for complete default builds and backbones,
            `ecg-bench/results` for results.
        private, create_pr, gated, revision, tag, commit_message: see `PushOptions`.
        say: gets the lines that the user should see: what was left out or scrubbed, licences.

    Returns:
        The address of the repository, or of the pull request.

    Raises:
        DataError, CheckpointError: the folder is not what it should be, or its data may not be passed on.
        EcgBenchError: no token, no permission, no connection; the message never holds the token.
    """
    if kind not in KINDS:
        raise unknown_name("kind", kind, KINDS)
    options = PushOptions(private, gated, create_pr, revision, tag, commit_message)
    place = Path(folder)
    if kind == "results":
        from hf_ecg_bench.hub.results.pushing import push_results

        return push_results(place, repo_id, options, say=say)
    run = None
    if kind == "model":
        place, run = own_model_folder(place)
    checked = _CHECKS[kind](place)
    repo_id = _choose_repo(kind, place, repo_id, checked)
    if checked.left_out:
        logger.warning("not uploaded, as they do not belong to a %s: %s", kind, ", ".join(checked.left_out))
    message = options.message or f"Upload {checked.title} with hf-ecg-bench {__version__}"
    remote = writable(kind, repo_id)
    with explained(remote):
        make_ready(remote, options)
        branch = options.revision or MAIN
        cited = options.tag or branch  # what a tag names stays
        extras = dataset_extras(place) if kind == "dataset" else model_extras(remote, place, run, cited, say=say)

        def plan(parent: str) -> Change:
            wanted = {name: place / name for name in checked.files}
            there = remote.files(parent)
            # As the Hub's own tools do: a pattern may match anywhere in the path.
            old = [name for name in there if any(fnmatch(name, pattern) for pattern in _REPLACED[kind])]
            return Change({**wanted, **extras}, [name for name in old if name not in {**wanted, **extras}])

        committed = commit(remote, plan, message, revision=branch, create_pr=options.create_pr)
        tag_commit(remote, options.tag, committed)
    return address(remote, committed, options)


def _choose_repo(kind: Kind, folder: Path, repo_id: str | None, checked: CheckedFolder) -> str:
    chosen = repo_id or checked.default_repo
    if chosen is None:
        message = f"{folder} has no default repository: {checked.why_no_default}"
        raise EcgBenchError(message, fix=f"hf-ecg-bench push {kind} {folder} --repo YOUR_NAME/NAME")
    return check_repo_id(chosen)

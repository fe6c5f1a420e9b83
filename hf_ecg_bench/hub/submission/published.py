"""The trained weights of a submission, where they are on the Hub: pinned to a commit and compared by digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from hf_ecg_bench.errors import EcgBenchError
from hf_ecg_bench.hub.explaining import explained
from hf_ecg_bench.hub.remote import check_repo_id, readable
from hf_ecg_bench.hub.submission.checks import Check, verdict
from hf_ecg_bench.models.adapters.folders import ADAPTER_WEIGHTS

_FIX = "hf-ecg-bench push model RUN_FOLDER, then submit with --model-repo"


def published_weights(repo_id: str, revision: str | None = None) -> tuple[str, str]:
    """(commit, digest) of a model's repository, the digest as `resolve.weights_digest` gives it of a folder.

    Nothing is downloaded but two small files: the Hub knows the SHA-256 of every large one.

    Raises:
        EcgBenchError: it is not there, or holds no weights.
    """
    remote = readable("model", check_repo_id(repo_id))
    with explained(remote, "look at"):
        commit = remote.head(revision or "main")
        listed: list[Any] = list(remote.ask("list_repo_tree", revision=commit))
        found = {item.path: item.lfs.sha256 for item in listed if getattr(item, "lfs", None) is not None}
        weights = {path: digest for path, digest in sorted(found.items()) if path.endswith(".safetensors")}
        if not weights:
            raise EcgBenchError(f"{repo_id} at {commit[:8]} holds no weights", fix=_FIX)
        if ADAPTER_WEIGHTS in weights:
            base = json.loads(remote.read("config.json", commit) or b"{}").get("base_digest")
            return commit, _sha256(f"{weights[ADAPTER_WEIGHTS]} {base}\n")
    if len(weights) == 1:
        return commit, next(iter(weights.values()))
    return commit, _sha256("".join(f"{path} {digest}\n" for path, digest in weights.items()))


def check_published(repo_id: str, revision: str, digest: str) -> Iterator[Check]:
    """Whether the repository holds, at that commit, the weights of the submission."""
    name = "published weights"
    commit, found = published_weights(repo_id, revision)
    problems = [] if found == digest else [f"SHA-256 {found[:16]}"]
    problems += [] if commit == revision else [f"{revision[:40]!r} is no whole commit id"]
    yield verdict(name, problems, expected=f"{repo_id} with SHA-256 {digest[:16]}, at a commit", fix=_FIX)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()

"""`submission.json`: what a run folder in the repository of results holds, with the digest of each file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hf_ecg_bench import __version__
from hf_ecg_bench.files import sha256_file

MANIFEST_FILE = "submission.json"
MANIFEST_VERSION = 1


@dataclass(frozen=True)
class Manifest:
    """What is said about a run folder.

    Attributes:
        task_version: of the definition of its task when it was pushed.
        files: name -> {sha256, size}, of every other file in the folder.
        withheld: why there are no predictions; empty where there are.
        model_digest: SHA-256 of the trained weights (`resolve.weights_digest`); empty where they were not at hand.
        model_repo, model_revision: where the trained weights are on the Hub; empty where they are not there.
        scrubbed: what was taken out of its texts, in words.
    """

    task_version: str
    files: Mapping[str, Mapping[str, Any]]
    withheld: str = ""
    model_digest: str = ""
    model_repo: str = ""
    model_revision: str = ""
    scrubbed: str = ""
    program: str = __version__
    schema_version: int = field(default=MANIFEST_VERSION)


def file_facts(folder: Path) -> dict[str, dict[str, Any]]:
    """Name -> {sha256, size} of every file below the folder but the manifest itself."""
    return {
        file.relative_to(folder).as_posix(): {"sha256": sha256_file(file), "size": file.stat().st_size}
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file.name != MANIFEST_FILE
    }

"""Results from the Hub, in the form in which `run` left them on somebody's disk."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from hf_ecg_bench.errors import DownloadError
from hf_ecg_bench.hub.remote import check_repo_id
from hf_ecg_bench.names import NAMESPACE

RESULTS_REPO = f"{NAMESPACE}/results"
RUNS_FOLDER = "runs"
ROWS_FILE = "rows.parquet"


@dataclass(frozen=True)
class Fetched(os.PathLike[str]):
    """A folder of results, usable wherever a path is.

    Attributes:
        folder: with `runs/<...>/result.json`, as `report`, `leaderboard` and `read_rows` take it.
        repo_id: where it came from.
        revision: the commit, 40 hex digits: with it the same results come back whatever is pushed since.
    """

    folder: Path
    repo_id: str
    revision: str

    def __fspath__(self) -> str:
        return str(self.folder)


def fetch_results(repo_id: str = RESULTS_REPO, revision: str | None = None) -> Fetched:
    """Download the run folders and the table of rows of a results repository.

    Offline, or where the Hub cannot be reached, it is what the cache holds.

    Args:
        repo_id: a dataset repository that `push results` made.
        revision: a branch, tag, commit or `refs/pr/N`; None: the newest commit of `main`.

    Raises:
        DownloadError: it cannot be had, or holds no results.
    """
    from hf_ecg_bench.models.hub_snapshots import hub_snapshot

    check_repo_id(repo_id)
    patterns = [f"{RUNS_FOLDER}/**", ROWS_FILE, "*.md"]
    folder = hub_snapshot(repo_id, patterns, revision, repo_type="dataset")
    if not any((folder / RUNS_FOLDER).rglob("result.json")):
        raise DownloadError(f"{repo_id} on the Hub holds no results", fix="hf-ecg-bench push results DIR --repo ...")
    return Fetched(folder, repo_id, folder.name)

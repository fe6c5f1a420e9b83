"""rows.parquet of the repository of results: the rows that are there, those of merged requests, and the new ones."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from hf_ecg_bench.errors import EcgBenchError
from hf_ecg_bench.hub.fetching import ROWS_FILE, RUNS_FOLDER
from hf_ecg_bench.hub.remote import Remote
from hf_ecg_bench.results.row import Row
from hf_ecg_bench.results.row_files import read_row_file, write_rows
from hf_ecg_bench.results.rows import rows_of
from hf_ecg_bench.results.run_folder import check_types
from hf_ecg_bench.results.schema import PREDICTIONS_FILE, RESULT_FILE, Result
from hf_ecg_bench.saying import Say


def merged_rows(remote: Remote, revision: str, own: Sequence[Row], *, say: Say) -> list[Row]:
    """All rows of the repository at `revision` with `own` put in: those of the same folders are replaced.

    Runs that are there without a row (a pull request does not touch the table) get theirs, and so do those whose row
    does not know the settings, as rows of version 1.
    """
    folders = run_folders(remote.files(revision))
    replaced = {row.folder for row in own}
    there = [row for row in _rows_there(remote, revision, say) if row.settings]
    kept = [row for row in there if row.folder in folders and row.folder not in replaced]
    missing = sorted(folders - replaced - {row.folder for row in kept})
    rows = [*kept, *_rows_of_folders(remote, revision, missing, say), *own]
    return sorted(rows, key=lambda row: (row.task, row.model, row.mode, row.fraction, row.seed, row.folder))


def run_folders(files: Collection[str]) -> set[str]:
    """The folders below runs/ that hold a result."""
    ending = f"/{RESULT_FILE}"
    return {name.removesuffix(ending) for name in files if name.startswith(f"{RUNS_FOLDER}/") and name.endswith(ending)}


def rows_bytes(rows: Sequence[Row]) -> bytes:
    """The content of rows.parquet."""
    with tempfile.TemporaryDirectory() as folder:
        return write_rows(rows, Path(folder) / ROWS_FILE).read_bytes()


def _rows_there(remote: Remote, revision: str, say: Say) -> list[Row]:
    content = remote.read(ROWS_FILE, revision)
    if content is None:
        return []
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / ROWS_FILE
        file.write_bytes(content)
        try:
            return read_row_file(file)
        except EcgBenchError as error:
            say(f"{ROWS_FILE} of {remote.repo_id} is written anew: {error.message.replace(str(file), ROWS_FILE)}")
            return []


def _rows_of_folders(remote: Remote, revision: str, folders: Sequence[str], say: Say) -> list[Row]:
    digests = _prediction_digests(remote, revision, folders)
    rows: list[Row] = []
    for name in folders:
        content = remote.read(f"{name}/{RESULT_FILE}", revision)
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / RESULT_FILE).write_bytes(content or b"")
            try:
                result = Result.load(Path(folder))
                check_types(result)
                found = rows_of(result, folder=name, predictions_digest=digests.get(name, ""))
                rows_bytes(found)  # one row that no table can hold must not keep out all others
                rows += found
            except EcgBenchError as error:
                say(f"no row for {name}: {error.message.replace(folder, name)}")
    return rows


def _prediction_digests(remote: Remote, revision: str, folders: Sequence[str]) -> dict[str, str]:
    """SHA-256 by folder, as the Hub knows it of large files."""
    if not folders:
        return {}
    paths = [f"{name}/{PREDICTIONS_FILE}" for name in folders]
    found: list[Any] = list(remote.ask("get_paths_info", paths=paths, revision=revision))
    return {item.path.removesuffix(f"/{PREDICTIONS_FILE}"): item.lfs.sha256 for item in found if item.lfs is not None}

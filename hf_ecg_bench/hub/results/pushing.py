"""Results to the repository that collects them: runs are added, the table is merged, nobody else's rows are lost."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hf_ecg_bench import __version__
from hf_ecg_bench.errors import PredictionsError
from hf_ecg_bench.hub.committing import Change, commit
from hf_ecg_bench.hub.explaining import explained
from hf_ecg_bench.hub.fetching import RESULTS_REPO, ROWS_FILE
from hf_ecg_bench.hub.options import PushOptions, address, make_ready, tag_commit
from hf_ecg_bench.hub.remote import MAIN, check_repo_id, writable
from hf_ecg_bench.hub.results.card import render_results_card
from hf_ecg_bench.hub.results.index import merged_rows, rows_bytes
from hf_ecg_bench.hub.results.staging import Staged, stage_runs
from hf_ecg_bench.names import CARD_FILE
from hf_ecg_bench.results.rows import read_rows
from hf_ecg_bench.saying import Say, to_stderr


def push_results(
    folder: Path,
    repo_id: str | None = None,
    options: PushOptions | None = None,
    *,
    model: tuple[str, str] = ("", ""),
    say: Say = to_stderr,
) -> str:
    """Upload the runs at or below a folder, without weights, to a dataset repository; returns its address.

    `rows.parquet` and the card are rebuilt from the rows that are there and the new ones; who pushes at the same time
    loses nothing. A pull request holds the run folders alone, so that several can be merged: the next push to `main`
    (or `submit --merge`) adds their rows.

    Args:
        model: repository and commit of the trained weights on the Hub, where they are there.

    Raises:
        EcgBenchError: no usable result; no token, permission or connection.
    """
    options = options or PushOptions()
    repo_id = check_repo_id(repo_id or RESULTS_REPO)
    with tempfile.TemporaryDirectory(prefix="hf_ecg_bench_") as temporary:
        staging = Path(temporary)
        staged = stage_runs(folder, staging, say=say, model_repo=model[0], model_revision=model[1])
        own, unreadable = read_rows(staging)
        if unreadable:
            raise PredictionsError(
                f"{unreadable[0].name}: {unreadable[0].reason}", fix="give plain names, and run again"
            )
        remote = writable("dataset", repo_id)
        with explained(remote):
            make_ready(remote, options)
            files = {path.relative_to(staging).as_posix(): path for path in staging.rglob("*") if path.is_file()}

            def plan(parent: str) -> Change:
                old = [name for name in remote.files(parent) if name not in files and _is_below(name, staged)]
                if options.create_pr:
                    return Change(files, old)
                rows = merged_rows(remote, parent, own, say=say)
                table = {ROWS_FILE: rows_bytes(rows), CARD_FILE: render_results_card(repo_id, rows).encode()}
                return Change({**files, **table}, old)

            committed = commit(
                remote,
                plan,
                options.message or _title(staged),
                revision=options.revision or MAIN,
                create_pr=options.create_pr,
            )
            tag_commit(remote, options.tag, committed)
    return address(remote, committed, options)


def index_results(repo_id: str, *, say: Say = to_stderr) -> str:
    """Give runs of merged pull requests their rows, and the card its counts; returns the repository's address."""
    remote = writable("dataset", check_repo_id(repo_id))
    with explained(remote):

        def plan(parent: str) -> Change:
            rows = merged_rows(remote, parent, [], say=say)
            return Change({ROWS_FILE: rows_bytes(rows), CARD_FILE: render_results_card(repo_id, rows).encode()})

        commit(remote, plan, f"Rows of all runs, by hf-ecg-bench {__version__}")
    return remote.page


def _is_below(name: str, staged: list[Staged]) -> bool:
    """Whether it is a left-over of an earlier push of one of these runs."""
    return any(name.startswith(f"{item.path}/") for item in staged)


def _title(staged: list[Staged]) -> str:
    runs = f"{len(staged)} run{'s' if len(staged) > 1 else ''}"
    return f"Upload {runs} with hf-ecg-bench {__version__}"

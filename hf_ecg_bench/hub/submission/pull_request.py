"""What a pull request brings, checked without trusting it, and taken in."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hf_ecg_bench.errors import EcgBenchError
from hf_ecg_bench.hub.explaining import explained
from hf_ecg_bench.hub.fetching import RUNS_FOLDER
from hf_ecg_bench.hub.remote import MAIN, Remote, check_repo_id, readable, writable
from hf_ecg_bench.hub.results.manifest import MANIFEST_FILE
from hf_ecg_bench.hub.results.pushing import index_results
from hf_ecg_bench.hub.submission.checks import Check, Report, guarded, shown, verdict
from hf_ecg_bench.hub.submission.files import name_problems, read_manifest
from hf_ecg_bench.hub.submission.published import check_published
from hf_ecg_bench.hub.submission.submit import Submitted
from hf_ecg_bench.hub.submission.validate import validate_submission
from hf_ecg_bench.results.schema import RESULT_FILE
from hf_ecg_bench.saying import Say, to_stderr

_PARTS = 7  # runs/<model>/<task>/<mode>/<fraction>/<seed>/<identity>
_MOST_FILES = 20_000
_FIX = "ask for a request that `hf-ecg-bench submit` made"


def parse_reference(text: str) -> tuple[str, str]:
    """`REPO@refs/pr/3` (or another revision) as repository and revision.

    Raises:
        EcgBenchError: anything else.
    """
    repo_id, found, revision = text.partition("@")
    if not found or not re.fullmatch(r"[\w./-]+", revision, re.ASCII) or ".." in revision:
        raise EcgBenchError(f"{text!r}: expected REPOSITORY@REVISION", fix="for example ecg-bench/results@refs/pr/3")
    return check_repo_id(repo_id), revision


def check_pull_request(reference: str, *, data: str | Path | None = None) -> Submitted:
    """Check the runs that a revision adds to `main`. Names and sizes are looked at before anything is downloaded.

    Raises:
        EcgBenchError: the repository or revision is not there, or there is no connection.
    """
    repo_id, revision = parse_reference(reference)
    remote = readable("dataset", repo_id)
    with explained(remote, "check"):
        commit = remote.head(revision)  # what is checked stays the same, whatever is pushed to the request meanwhile
        there, after = _files(remote, MAIN), _files(remote, commit)
        # What others have pushed to main since the request was opened is none of its changes.
        base = _base(remote, commit)
        before = there if base is None else _files(remote, base)
        changed = {path: size for path, (size, oid) in after.items() if before.get(path, (0, ""))[1] != oid}
        request = Report(reference, tuple(_of_request(before, after, changed, there)))
        if not request.passed:
            return Submitted((request,))
        with tempfile.TemporaryDirectory(prefix="hf_ecg_bench_") as temporary:
            _download(remote, sorted(changed), commit, Path(temporary))
            folders = sorted({_run_of(path) for path in changed})
            reports = [_check_run(Path(temporary) / name, name, data) for name in folders]
    return Submitted((request, *reports))


def _check_run(folder: Path, name: str, data: str | Path | None) -> Report:
    """The checks of the folder, and of the weights that it says are on the Hub."""
    report = validate_submission(folder, data=data, name=name)
    if not report.passed:
        return report
    if not (folder / MANIFEST_FILE).is_file():
        fix = "hf-ecg-bench submit RUN_FOLDER"
        missing = Check("digests", False, f"a {MANIFEST_FILE} with the digest of each file", "there is none", fix)
        return Report(name, (*report.checks, missing))
    manifest = read_manifest(folder)
    repo_id, revision, digest = (str(manifest.get(f"model_{key}") or "") for key in ("repo", "revision", "digest"))
    if not repo_id:
        return report
    published = guarded("published weights", lambda: check_published(repo_id, revision, digest))
    return Report(name, (*report.checks, *published))


def merge_pull_request(reference: str, *, data: str | Path | None = None, say: Say = to_stderr) -> Submitted:
    """Check a pull request, merge it where everything passed, and give its runs their rows.

    Raises:
        EcgBenchError: it is no pull request, or you may not merge.
    """
    repo_id, revision = parse_reference(reference)
    number = revision.removeprefix("refs/pr/")
    if not number.isdigit():
        raise EcgBenchError(f"{revision} is no pull request", fix=f"{repo_id}@refs/pr/NUMBER")
    remote = writable("dataset", repo_id)
    with explained(remote, "merge into"):
        commit = remote.head(revision)
        done = check_pull_request(f"{repo_id}@{commit}", data=data)
        if not done.passed:
            return done
        if remote.head(revision) != commit:
            raise EcgBenchError(f"{reference} changed while it was checked", fix="check it again")
        remote.api.merge_pull_request(repo_id, int(number), repo_type="dataset")
    return Submitted(done.reports, index_results(repo_id, say=say))


def _base(remote: Remote, commit: str) -> str | None:
    """The newest commit of main that the request rests on, by main's own order; None where there is none."""
    own = {item.commit_id for item in remote.ask("list_repo_commits", revision=commit)}
    return next(
        (item.commit_id for item in remote.ask("list_repo_commits", revision=MAIN) if item.commit_id in own), None
    )


def _of_request(
    before: dict[str, tuple[int, str]],
    after: dict[str, tuple[int, str]],
    changed: dict[str, int],
    there: dict[str, tuple[int, str]],
) -> Iterator[Check]:
    """`before`: where the request was opened; `there`: main as it is now."""
    problems = [f"{shown(path, 120)}: deleted" for path in before if path not in after]
    strangers = [path for path in changed if not path.startswith(f"{RUNS_FOLDER}/") or path.count("/") < _PARTS]
    problems += [f"{shown(path, 120)}: not in a run's folder" for path in strangers]
    runs: dict[str, dict[str, int]] = {}
    for path, size in changed.items():
        if path not in strangers:
            runs.setdefault(_run_of(path), {})[path.removeprefix(_run_of(path) + "/")] = size
    for name, files in runs.items():
        if any(not re.fullmatch(r"[\w+-][\w.+-]*", part, re.ASCII) for part in name.split("/")):
            problems.append(f"{shown(name, 120)}: not a plain folder name")
        problems += name_problems(files, below=f"{name}/")
        if f"{name}/{RESULT_FILE}" in {**before, **there}:
            problems.append(f"{name}: replaces a run that is there")
        elif f"{name}/{RESULT_FILE}" not in after:
            problems.append(f"{name}: no {RESULT_FILE}")
    if not changed:
        problems.append("it changes nothing")
    if len(changed) > _MOST_FILES:
        problems.append(f"{len(changed):,} files, at most {_MOST_FILES:,}")
    yield verdict("request", problems, expected="new run folders and nothing else", fix=_FIX)


def _run_of(path: str) -> str:
    return "/".join(path.split("/")[:_PARTS])


def _files(remote: Remote, revision: str) -> dict[str, tuple[int, str]]:
    """Path -> (bytes, identity) of every file of a revision."""
    found: list[Any] = list(remote.ask("list_repo_tree", recursive=True, revision=revision))
    return {item.path: (item.size, item.blob_id) for item in found if hasattr(item, "blob_id")}


def _download(remote: Remote, paths: list[str], commit: str, folder: Path) -> None:
    """Plain files, without links into a cache."""
    for path in paths:
        remote.ask("hf_hub_download", filename=path, revision=commit, local_dir=folder)

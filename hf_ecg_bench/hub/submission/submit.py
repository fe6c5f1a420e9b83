"""Offering runs to the repository of results: checked first, then a pull request."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hf_ecg_bench.errors import EcgBenchError
from hf_ecg_bench.hub.fetching import RESULTS_REPO
from hf_ecg_bench.hub.options import PushOptions
from hf_ecg_bench.hub.results.pushing import push_results
from hf_ecg_bench.hub.results.staging import stage_runs
from hf_ecg_bench.hub.submission.checks import Check, Report
from hf_ecg_bench.hub.submission.files import check_files
from hf_ecg_bench.hub.submission.published import check_published, published_weights
from hf_ecg_bench.hub.submission.texts import check_texts
from hf_ecg_bench.hub.submission.validate import validate_submission
from hf_ecg_bench.models.resolve import weights_digest
from hf_ecg_bench.results.run_folder import find_results
from hf_ecg_bench.results.schema import MODEL_FOLDER, RESULT_FILE
from hf_ecg_bench.saying import Say, silent, to_stderr


@dataclass(frozen=True)
class Submitted:
    """What was checked, and the pull request where one was opened."""

    reports: tuple[Report, ...]
    pull_request: str = ""

    @property
    def passed(self) -> bool:
        return all(report.passed for report in self.reports)


def submit(
    folder: str | os.PathLike[str],
    repo_id: str = RESULTS_REPO,
    *,
    check_only: bool = False,
    data: str | Path | None = None,
    smoke: bool = True,
    model_repo: str = "",
    say: Say = to_stderr,
) -> Submitted:
    """Check every run at or below a folder, as it is here and as others will get it; where all pass, open a request.

    Args:
        data, smoke: see `validate_submission`.
        model_repo: the Hub's repository with the trained weights of the run (of one run); pinned to its newest commit.

    Raises:
        EcgBenchError: no result there; or no token, permission or connection.
    """
    folder = Path(folder)
    runs = find_results(folder)
    if model_repo and len(runs) > 1:
        raise EcgBenchError(
            f"{folder} holds {len(runs)} runs, and {model_repo} is one model", fix="submit the run's own folder"
        )
    revision = ""
    reports = []
    for run in runs:
        name = run.relative_to(folder).as_posix() if run != folder else str(folder)
        report = validate_submission(run, data=data, smoke=smoke, name=name)
        reports.append(Report(name, (*report.checks, *_as_submitted(run))) if report.passed else report)
    if model_repo:
        revision, checks = _published(model_repo, runs[0])
        reports = [Report(reports[0].folder, (*reports[0].checks, *checks))]
    done = Submitted(tuple(reports))
    if check_only or not done.passed:
        return done
    url = push_results(folder, repo_id, PushOptions(create_pr=True), say=say, model=(model_repo, revision))
    return Submitted(done.reports, url)


def _published(repo_id: str, run: Path) -> tuple[str, list[Check]]:
    """The commit, and whether it holds the weights of the run's own model folder."""
    own = weights_digest(run / MODEL_FOLDER) if (run / MODEL_FOLDER).is_dir() else None
    if own is None:
        fix = "submit the folder as `run` left it"
        return "", [Check("published weights", False, "the run's model folder, to compare with", "there is none", fix)]
    revision, _ = published_weights(repo_id)
    return revision, list(check_published(repo_id, revision, own))


def _as_submitted(run: Path) -> Sequence[Check]:
    """What only the copy for the Hub can fail: that nothing private is left, that its files are listed."""
    with tempfile.TemporaryDirectory(prefix="hf_ecg_bench_") as temporary:
        try:
            staged = stage_runs(run, Path(temporary), say=silent)
        except EcgBenchError as error:
            return [Check("copy for the Hub", False, "a run that can be pushed", error.message, error.fix or "")]
        copy = Path(temporary) / staged[0].path
        raw = json.loads((copy / RESULT_FILE).read_text(encoding="utf-8"))
        checks = [*check_files(copy), *check_texts(raw, submitted=True)]
    return [check for check in checks if check.name in ("digests", "private texts") or not check.passed]

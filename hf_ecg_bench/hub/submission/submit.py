"""Offering runs to the repository of results: checked first, then a pull request."""

from __future__ import annotations

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
from hf_ecg_bench.hub.submission.validate import validate_submission
from hf_ecg_bench.results.run_folder import find_results
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
    say: Say = to_stderr,
) -> Submitted:
    """Check every run at or below a folder, as it is here and as others will get it; where all pass, open a request.

    Raises:
        EcgBenchError: no result there; or no token, permission or connection.
    """
    folder = Path(folder)
    reports = []
    for run in find_results(folder):
        name = run.relative_to(folder).as_posix() if run != folder else str(folder)
        report = validate_submission(run, data=data, smoke=smoke, name=name)
        reports.append(Report(name, (*report.checks, *_as_submitted(run))) if report.passed else report)
    done = Submitted(tuple(reports))
    if check_only or not done.passed:
        return done
    url = push_results(folder, repo_id, PushOptions(create_pr=True), say=say)
    return Submitted(done.reports, url)


def _as_submitted(run: Path) -> Sequence[Check]:
    """What only the copy for the Hub can fail: that nothing private is left, that its files are listed."""
    with tempfile.TemporaryDirectory(prefix="hf_ecg_bench_") as temporary:
        try:
            staged = stage_runs(run, Path(temporary), say=silent)
        except EcgBenchError as error:
            return [Check("copy for the Hub", False, "a run that can be pushed", error.message, error.fix or "")]
        report = validate_submission(Path(temporary) / staged[0].path, smoke=False)
    return [check for check in report.checks if check.name in ("digests", "private texts")]

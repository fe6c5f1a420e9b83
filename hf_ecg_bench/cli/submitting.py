"""`submit`: runs to the repository of results, after the checks that its maintainers make; and those checks."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from hf_ecg_bench.cli.arguments import example
from hf_ecg_bench.cli.printing import print_json, print_table
from hf_ecg_bench.texts import printable

if TYPE_CHECKING:
    from hf_ecg_bench.hub.submission.submit import Submitted

_MISTAKE = 2


def register(verbs: Any) -> None:
    """Add the verb to the parser."""
    submit = verbs.add_parser(
        "submit",
        help="check a run and offer it to the leaderboard; or check what others offer",
        **example(
            "hf-ecg-bench submit runs/s4 --check-only",
            "hf-ecg-bench submit runs --repo ecg-bench/results",
            "hf-ecg-bench submit --check ecg-bench/results@refs/pr/3",
            "hf-ecg-bench submit --check ecg-bench/results@refs/pr/3 --merge",
        ),
    )
    submit.add_argument("folder", nargs="?", metavar="DIR", help="a run's folder, or a folder of runs")
    submit.add_argument("--repo", metavar="ID", default="ecg-bench/results", help="default: ecg-bench/results")
    submit.add_argument("--check-only", action="store_true", help="check, and upload nothing")
    submit.add_argument("--check", metavar="REPO@REVISION", help="check what a pull request adds")
    submit.add_argument("--merge", action="store_true", help="with --check: merge it where everything passed")
    submit.add_argument(
        "--data", metavar="DIR", help="the prepared dataset; default: ./ecg-bench/NAME where it is there"
    )
    submit.add_argument("--model-repo", metavar="ID", default="", help="where the run's trained weights are on the Hub")
    submit.add_argument("--no-model", action="store_true", help="do not load the model to predict the stored examples")
    submit.add_argument("--json", action="store_true", help="print JSON")
    submit.set_defaults(handler=_submit)


def _submit(arguments: argparse.Namespace) -> int:
    from hf_ecg_bench.errors import EcgBenchError
    from hf_ecg_bench.hub.submission.pull_request import check_pull_request, merge_pull_request
    from hf_ecg_bench.hub.submission.submit import submit
    from hf_ecg_bench.progress import quiet_libraries

    quiet_libraries()
    if (arguments.folder is None) == (arguments.check is None):
        raise EcgBenchError("submit takes either a folder or --check", fix="hf-ecg-bench submit --help")
    if arguments.merge and arguments.check is None:
        raise EcgBenchError("--merge goes with --check", fix="hf-ecg-bench submit --check REPO@refs/pr/3 --merge")
    if arguments.merge:
        done = merge_pull_request(arguments.check, data=arguments.data)
    elif arguments.check:
        done = check_pull_request(arguments.check, data=arguments.data)
    else:
        done = submit(
            arguments.folder,
            arguments.repo,
            check_only=arguments.check_only,
            data=arguments.data,
            smoke=not arguments.no_model,
            model_repo=arguments.model_repo,
        )
    _print(done, as_json=arguments.json)
    return 0 if done.passed else _MISTAKE


def _print(done: Submitted, *, as_json: bool) -> None:
    if as_json:
        reports = [report.to_dict() for report in done.reports]
        print_json({"passed": done.passed, "pull_request": done.pull_request or None, "reports": reports})
        return
    for report in done.reports:
        print(printable(report.folder))
        rows = [["  " + check.name, check.state, printable(check.found)[:160]] for check in report.checks]
        print_table(["  check", "", ""], rows)
        print()
        for check in report.failed:
            differs = f"expected {printable(check.expected)}, found {printable(check.found)}"
            print(f"error: {check.name}: {differs}", file=sys.stderr)
            print(f"  fix: {printable(check.fix)}", file=sys.stderr)
    if done.pull_request:
        print(done.pull_request)

"""`leaderboard`: who is ahead over many tasks, on the terminal or as a Space."""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hf_ecg_bench.cli.arguments import example
from hf_ecg_bench.cli.printing import print_json, print_table
from hf_ecg_bench.texts import plural, printable

if TYPE_CHECKING:
    from hf_ecg_bench.standings.overall import OverallStanding


def register(verbs: Any) -> None:
    """Add the verb to the parser."""
    board = verbs.add_parser(
        "leaderboard",
        help="rank models over tasks, with tied groups and intervals; write the leaderboard Space",
        **example(
            "hf-ecg-bench leaderboard                                    the published results",
            "hf-ecg-bench leaderboard --results runs --mode best",
            "hf-ecg-bench leaderboard --results ecg-bench/results --export-space space",
            "hf-ecg-bench leaderboard --results runs --serve             in the browser, on this machine",
        ),
    )
    board.add_argument("--results", metavar="DIR_OR_REPO", help="folder of runs, or a results repository on the Hub")
    board.add_argument("--export-space", type=Path, metavar="DIR", help="write a Gradio Space that can be pushed")
    board.add_argument("--serve", action="store_true", help="start the Space here (needs gradio)")
    board.add_argument("--no-published", action="store_true", help="without the rows that the paper published")
    board.add_argument(
        "--source",
        choices=["ours", "published", "both"],
        help="which rows to print (default: ours, where there are any)",
    )
    board.add_argument("--mode", default="best", help="a mode, `all`, or each model's `best` (default)")
    board.add_argument(
        "--contamination",  # as `report` calls it
        "--policy",
        dest="policy",
        choices=["keep", "hide", "impute"],
        default="keep",
        help="results of models that have seen the test records (keep)",
    )
    board.add_argument(
        "--rule", choices=["anchor", "paper"], default="anchor", help="how a task's ranks are found (anchor)"
    )
    board.add_argument("--n-resamples", type=int, default=1000, metavar="N", help="of test patients (1000)")
    board.add_argument("--seed", type=int, default=0, metavar="N", help="of the resamples (0)")
    board.add_argument("--json", action="store_true", help="print the table as JSON")
    board.set_defaults(handler=_leaderboard)


def _leaderboard(arguments: argparse.Namespace) -> None:
    from hf_ecg_bench.leaderboard.gathering import gather
    from hf_ecg_bench.leaderboard.serving import check_gradio, serve
    from hf_ecg_bench.progress import progress

    _check(arguments)
    if arguments.serve:
        check_gradio()
    folder, repo_id = _results(arguments.results)
    with progress(desc="predictions", unit="file", total=0) as bar:

        def show(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        results = gather(
            folder,
            published=not arguments.no_published,
            n_resamples=arguments.n_resamples,
            seed=arguments.seed,
            progress=show,
        )
    for item in results.unreadable:
        _note(f"left out: {item.name}: {item.reason}")
    excluded = [(task, out) for task, scores in results.scores.items() for out in scores.excluded]
    notes = [f"{task}: left out: {out.name}: {out.reason}" for task, out in excluded if out.kind == "unusable"]
    notes += [f"{task}: {note}" for task, scores in results.scores.items() for note in scores.notes]
    for note in notes[:_SHOWN]:
        _note(note)
    if len(notes) > _SHOWN:
        _note(f"{len(notes) - _SHOWN} more notes on what is left out; --json and --export-space list all")
    if copies := sum(out.kind == "copy" for _, out in excluded):
        _note(f"{plural(copies, 'copy of a result is', 'copies of results are')} not counted again")
    if arguments.export_space is not None:
        from hf_ecg_bench.leaderboard.export import export_space

        export_space(results, arguments.export_space, repo_id=repo_id)
        print(arguments.export_space)
    if arguments.serve:
        serve(results, arguments.export_space, repo_id)
    if arguments.export_space is None and not arguments.serve:
        _print(results, arguments)


_SHOWN = 8


def _check(arguments: argparse.Namespace) -> None:
    """Refuse options that cannot be, before anything is read."""
    from hf_ecg_bench.errors import EcgBenchError

    if arguments.n_resamples < 1:
        raise EcgBenchError(f"--n-resamples {arguments.n_resamples}: expected at least 1")
    if arguments.seed < 0:
        raise EcgBenchError(f"--seed {arguments.seed}: expected 0 or more")
    if arguments.no_published and arguments.source in ("published", "both"):
        raise EcgBenchError(
            f"--source {arguments.source} and --no-published contradict each other", fix="leave out one of them"
        )
    if arguments.no_published and arguments.results is None:
        raise EcgBenchError("nothing to rank without the published results", fix="--results DIR_OR_REPO")


def _results(given: str | None) -> tuple[Path | None, str | None]:
    """A folder of results, and the repository it came from."""
    from hf_ecg_bench.hub.fetching import fetch_results

    if given is None:
        return None, None
    path = Path(given)
    if path.exists() or given.count("/") != 1 or given.startswith((".", "/", "~")):
        return path, None
    fetched = fetch_results(given)
    _note(f"results of {fetched.repo_id} at {fetched.revision[:12]}")
    return fetched.folder, fetched.repo_id


def _print(results: Any, arguments: argparse.Namespace) -> None:
    from hf_ecg_bench.errors import EcgBenchError, unknown_name
    from hf_ecg_bench.leaderboard.views import modes_of, rank_view
    from hf_ecg_bench.training.modes import MODES

    origins = {entry.origin for scores in results.scores.values() for entry in scores.entries}
    source = arguments.source or ("ours" if "ours" in origins else "published")
    there = modes_of(results)
    if arguments.mode not in (known := list(dict.fromkeys(["all", "best", *MODES, *there]))):
        raise unknown_name("mode", arguments.mode, known)
    overall = rank_view(results, source, arguments.mode, arguments.policy, arguments.rule)
    if overall is None:
        raise EcgBenchError(
            f"no result to rank: source {source}, mode {arguments.mode}; modes with results: {', '.join(there)}",
            fix="hf-ecg-bench leaderboard --mode all",
        )
    if arguments.json:
        from hf_ecg_bench.standings.numbers import order_numbers

        print_json({**order_numbers(overall), **left_out_json(results)})
        return
    what = f"{plural(len(overall.entries), 'entry', 'entries')} over {plural(len(overall.tasks), 'task')}"
    print(f"{what}: {source}, mode {arguments.mode}\n")
    print_table(
        ["Group", "Model", "Mode", "Mean rank [95 %]", "Over datasets", "Skill [95 %]", "Wins", "Tasks", "Missing"],
        [_line(overall, i) for i in range(len(overall.entries))],
    )
    if overall.friedman:
        test = overall.friedman
        print(
            f"\nFriedman: chi2 = {test['chi2']:.1f}, p = {test['p']:.2g} over {test['n_tasks']} tasks that all "
            f"{test['n_entries']} have; critical difference (Nemenyi): {test['critical_difference']:.2f}"
            + (f", over {by['n_datasets']} data sets {by['critical_difference']:.2f}" if (by := _blocks(test)) else "")
        )
    for note in overall.notes:
        _note(note)


def _blocks(test: Any) -> dict[str, Any]:
    found: dict[str, Any] = test.get("datasets", {})
    return found


def left_out_json(results: Any) -> dict[str, Any]:
    """What is not ranked, and what must be known of what is, as plain values: all sources and modes."""
    return {
        "left_out": [
            {"task": task, "entry": item.entry.key, "run": item.name, "kind": item.kind, "reason": item.reason}
            for task, scores in results.scores.items()
            for item in scores.excluded
        ],
        "task_notes": {task: list(scores.notes) for task, scores in results.scores.items() if scores.notes},
        "unreadable": [{"name": item.name, "reason": item.reason} for item in results.unreadable],
    }


def _line(overall: OverallStanding, i: int) -> list[str]:
    entry = overall.entries[i]
    origin = ["published"] if entry.origin == "published" else []
    hidden = f" + {overall.hidden[i]} hidden" if overall.hidden[i] else ""
    return [
        str(overall.group[i]) if overall.group[i] else "-",
        _plain(entry.model),
        _plain(", ".join([entry.mode, *entry.unusual, *origin])),
        _with_ends(overall.mean_rank[i], overall.rank_low[i], overall.rank_high[i], 2),
        "-" if math.isnan(overall.dataset_low[i]) else f"{overall.dataset_low[i]:.1f} to {overall.dataset_high[i]:.1f}",
        _with_ends(overall.skill[i], overall.skill_low[i], overall.skill_high[i], 3),
        "-" if overall.win_rate[i] != overall.win_rate[i] else f"{overall.win_rate[i]:.2f}",
        str(len(overall.tasks) - int(overall.missing[i]) - int(overall.hidden[i])),
        f"{overall.missing[i]}{hidden}",
    ]


def _with_ends(value: float, low: float, high: float, digits: int) -> str:
    if value != value:
        return "-"
    ends = f" [{low:.{digits}f}, {high:.{digits}f}]" if low == low else ""
    return f"{value:.{digits}f}{ends}"


def _plain(text: str, longest: int = 48) -> str:
    """A stranger's text for a terminal: no control characters, on one line."""
    clean = printable(text, "\N{REPLACEMENT CHARACTER}")
    return clean if len(clean) <= longest else clean[: longest - 1] + "\N{HORIZONTAL ELLIPSIS}"


def _note(text: str) -> None:
    print(f"note: {_plain(text, 400)}", file=sys.stderr)

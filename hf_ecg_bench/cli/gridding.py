"""`grid` and `status`: many runs from one file, and how far they are."""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hf_ecg_bench.cli.arguments import example
from hf_ecg_bench.cli.printing import print_json, print_table
from hf_ecg_bench.errors import some
from hf_ecg_bench.results.quantities import duration
from hf_ecg_bench.saying import to_stderr
from hf_ecg_bench.texts import plural, printable

if TYPE_CHECKING:
    from hf_ecg_bench.grid.run import Situation
    from hf_ecg_bench.grid.spec import GridSpec
    from hf_ecg_bench.grid.survey import Seen

_SHOWN = 40  # lines of a table; --json has all
_WATCH = 5.0  # seconds


def register(verbs: Any) -> None:
    """Add the verbs to the parser."""
    grid = verbs.add_parser(
        "grid",
        help="models x tasks x modes x fractions x seeds, each an ordinary run",
        **example(
            "hf-ecg-bench grid grid.yaml --output-dir grids/first --dry-run",
            "hf-ecg-bench grid grid.yaml --output-dir grids/first --workers 2",
            "hf-ecg-bench grid grid.yaml --output-dir grids/first --executor slurm --no-wait",
            "grid.yaml:",
            "  models: [s4, ecg_*]           # ids with *, folders, Hub ids",
            "  tasks: [headline]             # ids with *, suites",
            "  modes: [linear, finetune, scratch]",
            "  seeds: [0, 1]",
            "  data: {ptbxl: ecg-bench/ptbxl}",
        ),
    )
    grid.add_argument("spec", type=Path, metavar="SPEC.yaml", help="what to run, see docs/grids.md")
    grid.add_argument("--output-dir", type=Path, required=True, metavar="DIR", help="of the grid; start again: goes on")
    grid.add_argument("--dry-run", action="store_true", help="print the plan and what it will cost; write nothing")
    grid.add_argument("--executor", choices=("local", "slurm"), help="in place of the file's")
    grid.add_argument("--workers", type=int, metavar="N", help="processes of this machine (default: one a GPU)")
    grid.add_argument("--retry-failed", action="store_true", help="run failed cells again")
    grid.add_argument("--rerun-stale", action="store_true", help="move stale runs to DIR/stale and run them again")
    grid.add_argument("--no-wait", action="store_true", help="slurm: leave when the jobs are submitted")
    grid.add_argument("--json", action="store_true", help="print every cell as JSON")
    grid.set_defaults(handler=_grid)

    status = verbs.add_parser(
        "status",
        help="how far a grid is, from its folder alone",
        **example("hf-ecg-bench status grids/first", "hf-ecg-bench status grids/first --watch"),
    )
    status.add_argument("grid_dir", type=Path, metavar="DIR", help="--output-dir of a grid")
    status.add_argument("--watch", action="store_true", help="again every few seconds, until nothing runs")
    status.add_argument("--json", action="store_true", help="print every cell as JSON")
    status.set_defaults(handler=_status)


def _grid(arguments: argparse.Namespace) -> int:
    from hf_ecg_bench.errors import EcgBenchError
    from hf_ecg_bench.grid.reading import read_grid
    from hf_ecg_bench.grid.run import plan_grid

    if arguments.workers is not None and arguments.workers < 1:
        raise EcgBenchError(f"--workers {arguments.workers}: expected at least 1")
    spec = read_grid(arguments.spec)
    kind = arguments.executor or spec.executor.kind
    if kind == "local" and arguments.no_wait:
        raise EcgBenchError("--no-wait: processes of this machine end with this one", fix="--executor slurm --no-wait")
    if kind == "slurm" and arguments.workers:
        raise EcgBenchError(
            "--workers is for this machine, not for SLURM", fix="`parallel:` below executor, or --executor local"
        )
    situation = plan_grid(spec, arguments.output_dir)
    for note in situation.plan.notes:
        to_stderr(note)
    for reason, number in situation.plan.left_out.items():
        to_stderr(f"left out: {number} combinations ({reason})")
    _say_others(situation)
    return _dry_run(situation, arguments) if arguments.dry_run else _compute(situation, spec, arguments)


def _dry_run(situation: Situation, arguments: argparse.Namespace) -> int:
    from hf_ecg_bench.grid.estimates import estimate_cells
    from hf_ecg_bench.grid.run import to_compute
    from hf_ecg_bench.grid.telling import plan_json, said_total, table_rows

    rough = estimate_cells(situation.seen)
    unknown = [item.cell for item in situation.seen if item.cell.id in rough and rough[item.cell.id].seconds is None]
    counted, rate = {}, None
    if unknown:
        from hf_ecg_bench.grid.counting import count, machine_rate

        counted, rate = count(unknown, to_stderr), machine_rate()
    estimates = estimate_cells(situation.seen, counted, rate)
    left = to_compute(situation.seen, retry_failed=arguments.retry_failed)
    wanted = [estimates[cell.id] for cell in left]
    if arguments.json:
        print_json(plan_json(situation, estimates, wanted))
        return 0
    rows = table_rows(situation.seen, estimates)
    print_table(["model", "mode", "task", "runs", "state", "epochs", "each", "from"], rows[:_SHOWN])
    if len(rows) > _SHOWN:
        print(f"... and {len(rows) - _SHOWN} more lines (--json has every cell)")
    print(f"\n{_counts(situation.seen)}; {situation.plan.asked} combinations asked for")
    for line in said_total(wanted, len(left)):
        print(line)
    return 0


def _compute(situation: Situation, spec: GridSpec, arguments: argparse.Namespace) -> int:
    from hf_ecg_bench.grid.run import compute, set_stale_aside
    from hf_ecg_bench.progress import progress

    executor = spec.executor
    if arguments.executor:
        executor = replace(executor, kind=arguments.executor)
    if arguments.workers:
        executor = replace(executor, workers=arguments.workers)
    if arguments.rerun_stale:
        situation = set_stale_aside(situation)
    to_stderr(f"{situation.folder}: {_counts(situation.seen)}")
    started = time.monotonic()
    states = [item.state.state for item in situation.seen]
    total = states.count("missing") + (states.count("failed") if arguments.retry_failed else 0)
    with progress(total=total, desc="cells", unit="cell") as bar:

        def ended(item: Seen, seconds: float, left: int) -> None:
            bar.update()
            text = f"{item.state.state}: {item.cell.id} ({duration(seconds)}), {left} left"
            reason = f"\n  {printable(item.state.reason)}" if item.state.state != "done" and item.state.reason else ""
            bar.write(text + reason, file=sys.stderr)

        situation = compute(
            situation,
            executor,
            ended,
            command=shlex.join(["hf-ecg-bench", *sys.argv[1:]]),
            retry_failed=arguments.retry_failed,
            wait=not arguments.no_wait,
        )
    return _summary(situation, time.monotonic() - started, arguments)


def _summary(situation: Situation, seconds: float, arguments: argparse.Namespace) -> int:
    from hf_ecg_bench.grid.telling import cells_json

    seen = situation.seen
    if arguments.json:
        print_json({"seconds": seconds, "counts": _number(seen), "cells": cells_json(situation)})
    else:
        _print_problems(seen)
        print(f"{_counts(seen)}; {duration(seconds)}")
    folder = arguments.output_dir
    states = {item.state.state for item in seen}
    if "stale" in states:
        to_stderr(
            "stale runs are no longer what the file asks for: they were left alone\n"
            "  fix: --rerun-stale (moves them aside), or put the file or the data back"
        )
    _say_failed(situation)
    if states & {"running", "queued"}:
        to_stderr(f"still at work: hf-ecg-bench status {folder} --watch")
    if "done" in states:
        to_stderr(f"results: {folder}\nreport: hf-ecg-bench report {folder}")
    faults = [i for i in seen if i.state.state == "failed" and i.failure is not None and not i.failure.is_mistake]
    if faults:
        return 1
    unfinished = states - {"done"} if not arguments.no_wait else states & {"failed", "stale"}
    return 2 if unfinished else 0


def _status(arguments: argparse.Namespace) -> int:
    from hf_ecg_bench.grid.estimates import estimate_cells
    from hf_ecg_bench.grid.folder import read_plan
    from hf_ecg_bench.grid.live import running
    from hf_ecg_bench.grid.run import Situation, survey
    from hf_ecg_bench.grid.telling import cells_json, said_total

    folder = arguments.grid_dir.absolute()
    while True:
        plan, inputs = read_plan(folder)
        situation = Situation(folder, plan, inputs, survey(folder, plan, inputs))
        estimates = estimate_cells(situation.seen)
        now = running(folder, situation.seen, estimates)
        if arguments.watch and sys.stdout.isatty() and not arguments.json:
            print("\033[2J\033[H", end="")
        if arguments.json:
            print_json({"counts": _number(situation.seen), "cells": cells_json(situation, estimates, now)})
        else:
            _print_problems(situation.seen)
            if now:
                rows = [
                    [
                        name,
                        f"{at.epoch} of {at.epochs}" if at.epoch else "-",
                        duration(at.elapsed),
                        "-" if at.left is None else duration(at.left),
                    ]
                    for name, at in now.items()
                ]
                print_table(["running", "epoch", "since", "left, about"], rows[:_SHOWN])
            print(_counts(situation.seen))
            left = [i.cell.id for i in situation.seen if i.state.state in ("missing", "queued")]
            wanted = [estimates[name] for name in left if name in estimates and name not in now]
            for line in said_total(wanted, len(wanted)):
                print(line)
            _say_others(situation)
            _say_failed(situation)
        alive = any(item.state.state in ("running", "queued") for item in situation.seen)
        if not (arguments.watch and alive):
            return 0
        sys.stdout.flush()
        time.sleep(_WATCH)


def _say_others(situation: Situation) -> None:
    """Runs of another file in this folder: nothing is wrong with them, but nobody asks for them now."""
    from hf_ecg_bench.grid.folder import other_runs

    if others := other_runs(situation.folder, situation.plan):
        to_stderr(
            f"{plural(len(others), 'finished run')} here that this grid does not ask for "
            f"({printable(some(others, 2))}): they stay, and reports read them"
        )


def _say_failed(situation: Situation) -> None:
    if any(item.state.state == "failed" for item in situation.seen):
        to_stderr(f"failed cells: see {situation.folder}/cells/<cell>/log.txt\n  fix: mend it, then: --retry-failed")


def _print_problems(seen: Sequence[Seen]) -> None:
    rows = [
        [item.cell.id, item.state.state, printable(item.state.reason)[:100]]
        for item in seen
        if item.state.state in ("failed", "stale")
    ]
    if rows:
        print_table(["cell", "state", "why"], rows[:_SHOWN])
        if len(rows) > _SHOWN:
            print(f"... and {len(rows) - _SHOWN} more (--json has all)")
        print()


def _number(seen: Iterable[Seen]) -> dict[str, int]:
    from hf_ecg_bench.grid.states import STATES

    states = [item.state.state for item in seen]
    return {state: states.count(state) for state in STATES if state in states}


def _counts(seen: Sequence[Seen]) -> str:
    return f"{plural(len(seen), 'run')}: " + ", ".join(f"{number} {state}" for state, number in _number(seen).items())

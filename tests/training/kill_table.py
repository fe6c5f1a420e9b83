"""Ends runs at random moments again and again, finishes them, and compares them with the undisturbed run.

    python -m tests.training.kill_table --kills 60 --seed 0

A run is ended one to three times, by SIGKILL or SIGTERM, at one of the program's moments (see `moments`) or at a random
time, and then left to finish. Printed: per case, phase and signal, how many kills there were, and after how many of
them the run ended in the same result, bit for bit.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from hf_ecg_bench.files import sha256_file
from tests.support.zygote import Zygote

_CALL = "tests.training.moments:command"
_TRAIN = ("--epochs", "3", "--batch-size", "16", "--limit", "48", "--n-resamples", "10", "--learning-rate", "0.01")
_S4 = ("--model", "s4", "--mode", "scratch", "--model-option", "hidden_size=16", "--model-option", "n_layers=1")
_EXPECTED_CODES = {signal.SIGKILL: -signal.SIGKILL, signal.SIGTERM: 128 + signal.SIGTERM}


@dataclass(frozen=True)
class Case:
    """A command that is ended.

    Attributes:
        arguments: of the command line, without --output-dir.
        outcome: what must not depend on the kills, of the output folder.
        processes: of the launch.
        cached: whether it fills a feature store, which is then its own.
    """

    name: str
    arguments: tuple[str, ...]
    outcome: Callable[[Path], Any]
    processes: int = 1
    cached: bool = False


@dataclass
class Counts:
    """Kills by (case, phase, signal), and what became of the runs."""

    kills: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    different: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    complaints: list[str] = field(default_factory=list)

    def table(self) -> str:
        """One line per case, phase and signal."""
        lines = [f"{'case':10} {'phase':16} {'signal':8} {'kills':>6} {'equal':>6} {'different':>10}"]
        for key, number in sorted(self.kills.items()):
            case, phase, name = key
            wrong = self.different[key]
            lines.append(f"{case:10} {phase:16} {name:8} {number:6} {number - wrong:6} {wrong:10}")
        total, wrong = self.kills.total(), self.different.total()
        lines.append(f"{'all':10} {'':16} {'':8} {total:6} {total - wrong:6} {wrong:10}")
        return "\n".join(lines)


def run_outcome(folder: Path) -> Any:
    """Everything of a run's result but what it cost and when: numbers as they are, files by their bytes."""
    result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    for name in ("cost", "environment"):
        result.pop(name)
    # Whether features were computed or found, and that the run was resumed, is about this start.
    for name in ("extracted", "seconds"):
        result["features"].pop(name, None)
    result["warnings"] = [line for line in result["warnings"] if "resumed" not in line and "started" not in line]
    files = sorted(
        path for path in folder.rglob("*") if path.is_file() and path.name not in ("result.json", "run.json")
    )
    return result, {str(path.relative_to(folder)): sha256_file(path) for path in files}


def folder_outcome(folder: Path) -> Any:
    """All files, by their bytes."""
    return {str(path.relative_to(folder)): sha256_file(path) for path in sorted(folder.rglob("*")) if path.is_file()}


def cases(data: Path, backbone: Path) -> dict[str, Case]:
    """What is ended."""
    task = ("--task", "synthetic", "--data", str(data))
    run, tuned = ("run", *task, *_TRAIN), ("--model", str(backbone), "--mode")
    found = [
        Case("prepare", ("prepare", "synthetic", "--option", "n_records=60"), folder_outcome),
        Case("scratch", (*run, *_S4), run_outcome),
        Case("frozen", (*run, *tuned, "frozen"), run_outcome, cached=True),
        Case("lora", (*run, *tuned, "lora", "--adapter-dropout", "0.1"), run_outcome),
        Case("search", (*run[:-2], *tuned, "linear", "--learning-rates", "1e-3,1e-2"), run_outcome, cached=True),
        Case("two", (*run, *_S4), run_outcome, processes=2),
    ]
    return {case.name: case for case in found}


class Killer:
    """Ends one case in one folder after the other."""

    def __init__(self, zygote: Zygote, case: Case, folder: Path, counts: Counts) -> None:
        self.zygote, self.case, self.folder, self.counts = zygote, case, folder / case.name, counts
        self.number = 0
        self.folder.mkdir(parents=True)
        began = time.monotonic()
        whole = self.folder / "whole"
        codes, self.moments = self.start(whole, "whole")
        if any(codes):
            raise AssertionError(f"{case.name}, undisturbed: {self.said}")
        self.seconds = time.monotonic() - began
        self.expected = case.outcome(whole)

    def start(
        self, out: Path, cache: str, die_at: int | str | None = None, number: int = signal.SIGKILL,
        after: float | None = None, victim: int = 0,
    ) -> tuple[list[int], list[list[str]]]:  # fmt: skip
        """Start the command once, end it at a moment or after seconds; returns exit codes and its moments."""
        journal = self.folder / "journal"
        journal.unlink(missing_ok=True)
        arguments = [*self.case.arguments, "--output-dir", str(out)]
        environment = {"HF_ECG_BENCH_CACHE": str(self.folder / "caches" / cache)} if self.case.cached else {}
        if self.case.processes == 1:
            children = [self.zygote.start(_CALL, arguments, die_at, number, str(journal), **environment)]
        else:
            children = self.zygote.launch(
                _CALL, arguments, die_at, number, str(journal), victim, processes=self.case.processes, **environment
            )
        if after is not None:
            time.sleep(after)
            children[victim].signal(number)
        codes = [children[victim].wait()]
        for child in children:
            if child is not children[victim]:
                if codes[0]:  # as a launcher does
                    child.signal(signal.SIGTERM)
                    child.signal(signal.SIGKILL)
                codes.append(child.wait())
        self.said = "\n".join(child.said() for child in children)
        lines = journal.read_text(encoding="utf-8").splitlines() if journal.exists() else []
        return codes, [json.loads(line) for line in lines]

    def disturb(self, plan: list[dict[str, Any]]) -> None:
        """End a run as often as planned, let it finish, and compare."""
        self.number += 1
        name = f"{self.number:03}"
        out, keys = self.folder / name, []
        for kill in plan:
            codes, moments = self.start(out, name, **kill)
            if codes[0] == 0:
                break  # it was done before the signal came
            phase = moments[-1][0] if moments else "start"
            keys.append((self.case.name, phase, signal.Signals(kill["number"]).name))
            # Else it had not yet begun to listen to signals, or no longer did: it was done and ending.
            if moments and not ("after" in kill and codes[0] == -signal.SIGTERM):
                self.check_end(out, kill, codes[0], first=kill is plan[0])
        codes, _ = self.start(out, name)
        self.counts.kills.update(keys)
        same = codes == [0] * len(codes) and self.case.outcome(out) == self.expected
        if not same:
            self.counts.different.update(keys)
            self.counts.complaints.append(
                f"{self.case.name} {plan}: {codes} {self.differences(out)} {self.said[-600:]}"
            )
        leftovers = [str(path) for path in self.folder.rglob("*.part") if name in str(path)]
        if leftovers:
            self.counts.complaints.append(f"{self.case.name} {plan}: left {leftovers}")
        shutil.rmtree(out, ignore_errors=True)
        shutil.rmtree(self.folder / "caches" / name, ignore_errors=True)

    def check_end(self, out: Path, kill: dict[str, Any], code: int, first: bool) -> None:
        """SIGTERM lets the process clean up and say what to do. An earlier SIGKILL may have left files."""
        if code != _EXPECTED_CODES[kill["number"]]:
            self.counts.complaints.append(f"{self.case.name} {kill}: exit code {code}: {self.said[-2000:]}")
        if kill["number"] == signal.SIGTERM and self.case.processes == 1:
            parts = [str(path) for path in out.rglob("*.part")] if first else []
            if parts or "the same command goes on" not in self.said:
                self.counts.complaints.append(f"{self.case.name} {kill}: left {parts}, said {self.said}")

    def differences(self, out: Path) -> list[str]:
        """Names of what differs, for the message."""
        try:
            mine = self.case.outcome(out)
        except FileNotFoundError as error:
            return [str(error)]
        pairs = zip(mine, self.expected, strict=True) if isinstance(mine, tuple) else [(mine, self.expected)]
        return [key for a, b in pairs for key in sorted(a.keys() | b.keys()) if a.get(key) != b.get(key)]

    def random_plan(self, generator: np.random.Generator) -> list[dict[str, Any]]:
        """One to three ends; each start has fewer moments left, so that some are never reached."""
        plan = []
        for _ in range(int(generator.integers(1, 4))):
            number = signal.SIGTERM if generator.random() < 0.35 else signal.SIGKILL
            victim = int(generator.integers(self.case.processes))
            kill: dict[str, Any] = {"number": int(number), "victim": victim}
            if generator.random() < 0.75:
                kill["die_at"] = int(generator.integers(len(self.moments)))
            else:
                kill["after"] = float(generator.uniform(0, self.seconds))
            plan.append(kill)
        return plan


def prepare_inputs(folder: Path) -> tuple[Path, Path]:
    """A small dataset, and a small pretrained backbone as `convert` writes it."""
    import torch

    from hf_ecg_bench.data.prepare import prepare
    from hf_ecg_bench.models.loading import load_model
    from hf_ecg_bench.models.saving import save_model

    data = folder / "ecg-bench" / "synthetic"
    prepare("synthetic", raw_dir=None, output_dir=data, options={"n_records": "160"})
    torch.manual_seed(0)
    model = load_model(
        "ecg_founder", pretrained=False, base_width=16, widths=[16] * 4, depths=[1] * 4, window_seconds=2.5
    )
    return data, save_model(model, folder / "founder")


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cases", default="", help="names with commas between (default: all)")
    options = parser.parse_args()
    counts, generator = Counts(), np.random.default_rng(options.seed)
    with tempfile.TemporaryDirectory(prefix="kill_table_") as name:
        folder = Path(name)
        zygote = Zygote(folder / "logs")
        known = cases(*prepare_inputs(folder))
        chosen = [known[case] for case in options.cases.split(",")] if options.cases else list(known.values())
        for number, case in enumerate(chosen, 1):
            killer = Killer(zygote, case, folder / "runs", counts)
            while counts.kills.total() < options.kills * number / len(chosen):
                killer.disturb(killer.random_plan(generator))
        zygote.close()
    print(counts.table())
    for complaint in counts.complaints:
        print(complaint)
    raise SystemExit(bool(counts.complaints))


if __name__ == "__main__":
    main()

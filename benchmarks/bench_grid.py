"""A grid that is killed in the middle and started again, on real and synthetic records, with tiny networks.

    python benchmarks/bench_grid.py --data FOLDER [--output-dir DIR] [--workers 2] [--json]

Four models with random weights (saved as folders, then adapted as public weights would be) and S4 from scratch, the
PTB-XL tasks of FOLDER (`hf-ecg-bench prepare ptbxl ...`; without it synthetic records alone) and the synthetic task,
modes linear, frozen, finetune and scratch, two seeds. The whole process group is killed (SIGKILL) when a part of the
cells is finished; the same command goes on. Checked: finished cells are not touched (time of change and digest of every
file), the results of some cells are those of the same `run` alone, in its own folder. Printed: seconds of all of it,
of a cell and of its phases, what shared runs and stored features save. The numbers of the table say nothing about the
models: their weights are random.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from statistics import mean, median
from typing import Any

import yaml
from bench_modes import backbone, tiny_options

from hf_ecg_bench.data.prepare import prepare
from hf_ecg_bench.grid.command import command_of
from hf_ecg_bench.grid.folder import read_plan
from hf_ecg_bench.progress import quiet_libraries

MODELS = ("ecg_founder", "st_mem", "merl", "ecg_cpc")
S4 = {"name": "s4", "architecture": "s4", "model_options": {"hidden_size": 16, "n_layers": 1}}


def write_spec(folder: Path, arguments: argparse.Namespace) -> Path:
    """The grid file, with weights and synthetic records beside it."""
    quiet_libraries()
    for model in MODELS:
        backbone(model, tiny_options(model), folder)
    if not (folder / "synthetic").exists():
        prepare("synthetic", raw_dir=None, output_dir=folder / "synthetic", options={"n_records": "320"})
    data = {"synthetic": "synthetic"} | ({"ptbxl": str(Path(arguments.data).resolve())} if arguments.data else {})
    values = {
        "models": [*({"name": model, "weights": f"backbones/{model}"} for model in MODELS), S4],
        "tasks": [*(["ptbxl_*"] if arguments.data else []), "synthetic"],
        "modes": ["linear", "frozen", "finetune", "scratch"],
        "seeds": [0, 1],
        "data": data,
        "hyperparameters": {"epochs": arguments.epochs, "batch_size": 32},
        "n_resamples": 200,
        "examples": 2,
    }
    spec = folder / "grid.yaml"
    spec.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
    return spec


def run_until(command: list[str], folder: Path, finished: int | None, environment: dict[str, str]) -> float:
    """Start the grid; kill its process group when so many cells are finished (None: let it end). Seconds it took."""
    started = time.monotonic()
    with open(folder.parent / "out.txt", "a", encoding="utf-8") as out:
        process = subprocess.Popen(command, env=environment, stdout=out, stderr=out, start_new_session=True)
        while process.poll() is None:
            if finished is not None and len(list(folder.rglob("result.json"))) >= finished:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                return time.monotonic() - started
            time.sleep(0.05)
    if finished is not None:
        raise SystemExit(f"the grid ended before it could be killed, see {folder.parent / 'out.txt'}")
    if process.returncode:
        print(f"the grid ended with exit code {process.returncode}, see {folder.parent / 'out.txt'}", file=sys.stderr)
    return time.monotonic() - started


def files_of(folder: Path) -> dict[str, tuple[int, str]]:
    """Time of change and digest of every file of finished runs."""
    return {
        str(file): (file.stat().st_mtime_ns, hashlib.sha256(file.read_bytes()).hexdigest())
        for result in folder.rglob("result.json")
        for file in result.parent.rglob("*")
        if file.is_file()
    }


def same_alone(cells: list[Any], folder: Path, environment: dict[str, str]) -> list[dict[str, Any]]:
    """Some cells again as plain `run`s into folders of their own: are metrics and predictions the same?"""
    found = []
    for number, cell in enumerate(cells):
        alone = folder / "alone" / str(number)
        words = shlex.split(command_of(replace(cell.run, output_dir=alone)))
        done = subprocess.run([sys.executable, "-m", "hf_ecg_bench", *words[1:]], env=environment, capture_output=True)
        entry: dict[str, Any] = {"cell": cell.id, "exit": done.returncode, "same": False}
        if done.returncode == 0:
            ours, theirs = (json.loads((f / "result.json").read_text()) for f in (Path(cell.run.output_dir), alone))
            entry["resumed"] = ours["environment"]["resumed"]
            entry["same"] = ours["metrics"] == theirs["metrics"] and ours["history"] == theirs["history"]
        found.append(entry)
    return found


def timings(cells: list[Any], seconds: float, workers: int, asked: int) -> dict[str, Any]:
    """What the cells themselves measured, against the clock."""
    results = [json.loads((Path(cell.run.output_dir) / "result.json").read_text()) for cell in cells]
    phases = [{name: spent["wall"] for name, spent in result["cost"]["phases"].items()} for result in results]
    training = [phase.get("train", 0) + phase.get("validation", 0) for phase in phases]
    inside = [sum(phase.values()) for phase in phases]
    first = [p["features"] for p, r in zip(phases, results, strict=True) if r["features"].get("extracted")]
    later = [p["features"] for p, r in zip(phases, results, strict=True) if r["features"].get("extracted") == 0]
    reused = len(later) * max(0.0, mean(first) - mean(later)) if first and later else 0.0
    shared = (asked - len(cells)) * median(inside)
    each = seconds * workers / len(cells)
    return {
        "seconds": seconds, "cells": len(cells), "asked": asked, "each": each, "training": mean(training),
        "phases": mean(inside), "overhead": each - mean(inside), "saved_by_shared_runs": shared,
        "saved_by_stored_features": reused, "saved_share": (shared + reused) / (shared + reused + seconds * workers),
        "resumed": sum(bool(result["environment"]["resumed"]) for result in results),
    }  # fmt: skip


def main() -> int:
    """Print the findings; 1 where something was lost, touched or came out different."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help="a prepared PTB-XL folder (default: synthetic records alone)")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--kill-after", type=float, default=0.4, metavar="SHARE", help="of the cells")
    parser.add_argument("--sample", type=int, default=3, help="cells that are repeated alone")
    parser.add_argument("--output-dir", type=Path, help="keep the grid there (must not exist)")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = (arguments.output_dir or Path(temporary) / "bench").absolute()
        folder.mkdir(parents=True)
        told = measure(folder, arguments)
    print(json.dumps(told, indent=2) if arguments.json else said(told))
    good = told["touched"] == 0 and told["done"] == told["cells"] and all(entry["same"] for entry in told["alone"])
    return int(not good)


def measure(folder: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """Run, kill, run again, compare."""
    spec, grid = write_spec(folder, arguments), folder / "grid"
    words = [sys.executable, "-m", "hf_ecg_bench", "grid", str(spec), "--output-dir", str(grid)]
    command = [*words, "--workers", str(arguments.workers)]
    # Threads as each worker has them, and a feature store of its own: nothing is found that an earlier run has left.
    threads = str(max(1, len(os.sched_getaffinity(0)) // arguments.workers))
    environment = {**os.environ, "OMP_NUM_THREADS": threads, "HF_ECG_BENCH_CACHE": str(folder / "cache")}
    dry = subprocess.run([*words, "--dry-run", "--json"], env=environment, capture_output=True, text=True, check=True)
    planned = json.loads(dry.stdout)
    number = len(planned["cells"])
    before = run_until(command, grid, round(number * arguments.kill_after), environment)
    kept = files_of(grid)
    finished = sum(name.endswith("/result.json") for name in kept)
    after = run_until(command, grid, None, environment)
    now = files_of(grid)
    cells = [cell for cell in read_plan(grid)[0].cells if (cell.run.output_dir / "result.json").exists()]
    facts = timings(cells, before + after, arguments.workers, planned["asked"])
    resumed = [c for c in cells if json.loads((c.run.output_dir / "result.json").read_text())["environment"]["resumed"]]
    # Those that were gone on with after the kill, then some others.
    sample = [*resumed, *cells[:: max(1, len(cells) // arguments.sample)]][: arguments.sample]
    environment["HF_ECG_BENCH_CACHE"] = str(folder / "cache-alone")
    alone = same_alone(sample, folder, environment)
    shutil.rmtree(folder / "alone", ignore_errors=True)
    return {
        **facts, "done": len(cells), "cells": number, "killed_after": before, "finished_at_kill": finished,
        "rest": after, "touched": sum(now.get(name) != value for name, value in kept.items()), "files": len(kept),
        "estimated": planned["cost"], "left_out": planned["left_out"], "alone": alone,
    }  # fmt: skip


def said(told: dict[str, Any]) -> str:
    """The findings in lines."""
    guess = told["estimated"]
    lines = [
        f"{told['asked']} combinations asked for, {told['cells']} runs; left out: {sum(told['left_out'].values())}",
        f"killed after {told['killed_after']:.0f} s with {told['finished_at_kill']} runs finished; the rest took "
        f"{told['rest']:.0f} s, together {told['seconds']:.0f} s; {told['done']} of {told['cells']} done",
        f"files of finished runs touched by the second start: {told['touched']} of {told['files']}",
        f"runs gone on with from their own checkpoints: {told['resumed']}",
        f"a run: {told['each']:.1f} s of a worker, of which {told['phases']:.1f} s in its phases, "
        f"{told['training']:.1f} s training; the rest: {told['overhead']:.1f} s",
        f"saved: {told['saved_by_shared_runs']:.0f} s by shared runs, {told['saved_by_stored_features']:.0f} s by "
        f"stored features ({told['saved_share']:.0%} of the work)",
        f"estimate before anything had run: {guess['seconds']:.0f} s of one worker "
        f"({guess['low']:.0f} to {guess['high']:.0f})",
    ]
    for entry in told["alone"]:
        how = "same metrics and history" if entry["same"] else f"DIFFERENT (exit code {entry['exit']})"
        lines.append(f"alone: {entry['cell']}{' (resumed in the grid)' if entry.get('resumed') else ''}: {how}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())

"""Every model at the paper's input against a plain implementation and against its floor, all in this run.

    python benchmarks/bench_models.py [--models s4,net1d] [--repeats 3] [--json FILE] [--markdown]

Full size, random weights, one thread unless --threads says otherwise. Forward in eval mode without gradients;
forward + backward in train mode with the linear head. Times are medians over turns that ours, the yardstick and the
floor take one after the other (--repeats of them; more of short calls, two of very long ones); ratios are medians of
the turns' ratios.

Yardstick: a straightforward implementation of the same architecture with the same weights (models/naive_*.py);
its output is compared with ours first, and a difference of more than 1e-4 of the scale stops the run.
Floor: the matrix products, convolutions and FFTs of our own forward (and backward) pass, recorded, then done alone on
random numbers; share = floor / ours. Quoted: times from elsewhere (models/cases.py), for orientation.
Peak memory: one process per model; the resident memory's growth from before the model was built to the peak of one
call (VmHWM, on other systems than Linux ru_maxrss; on a GPU torch's allocator).

--device cuda synchronises around each call; --dtype bfloat16 or float16 runs under autocast (models that the protocol
trains in float32 stay there). The GPU path has not been tried: published figures are from a CPU. Needs the `dev` extra.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import json
import multiprocessing
import platform
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # also when started as a script

import torch

from benchmarks.models.cases import case_names
from benchmarks.models.measure import Settings, measure
from benchmarks.models.report import as_markdown, as_text, notes, tables


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", help="comma-separated rows (default: all): " + ", ".join(case_names()))
    parser.add_argument("--repeats", type=int, default=3, help="turns at least; short calls get more")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--dtype", default="float32", choices=("float32", "bfloat16", "float16"))
    parser.add_argument("--json", metavar="FILE", help="also write the figures there")
    parser.add_argument("--markdown", action="store_true", help="Markdown tables")
    arguments = parser.parse_args()
    names = arguments.models.split(",") if arguments.models else case_names()
    if unknown := [name for name in names if name not in case_names()]:
        parser.error(f"no such row: {', '.join(unknown)}; there are {', '.join(case_names())}")
    if arguments.device == "cuda" and not torch.cuda.is_available():
        parser.error("there is no CUDA device here")
    settings = Settings(arguments.repeats, arguments.threads, arguments.device, arguments.dtype)

    started = time.perf_counter()
    rows = [row for name in names if (row := run(name, settings)) is not None]
    facts = environment(settings) | {"seconds": round(time.perf_counter() - started)}
    if arguments.json:
        Path(arguments.json).write_text(json.dumps({"environment": facts, "rows": rows}, indent=1) + "\n")
    print(", ".join(f"{name} {value}" for name, value in facts.items()))
    layout = as_markdown if arguments.markdown else as_text
    for table in tables(rows):
        print("\n" + layout(table))
    print("".join(f"\n{line}" for line in notes(rows)))
    if len(rows) < len(names):
        sys.exit(1)


def run(name: str, settings: Settings) -> dict[str, Any] | None:
    """A row, measured in a fresh process; None and a message where that failed."""
    print(f"{name} ...", file=sys.stderr, flush=True)
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        future = pool.submit(measure, name, settings)
    if error := future.exception():
        print(f"{name} failed: {type(error).__name__}: {error}", file=sys.stderr)
        return None
    return future.result()


def environment(settings: Settings) -> dict[str, Any]:
    """Where the figures come from."""
    return {
        "device": torch.cuda.get_device_name() if settings.device == "cuda" else processor(),
        "threads": settings.threads,
        "dtype": settings.dtype,
        "torch": torch.__version__,
        "repeats": settings.repeats,
    }


def processor() -> str:
    """The CPU's name where the system tells it, and how many there are."""
    facts = Path("/proc/cpuinfo")
    lines = facts.read_text().splitlines() if facts.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{os.cpu_count()} x {next(iter(names), platform.machine())}"


if __name__ == "__main__":
    main()

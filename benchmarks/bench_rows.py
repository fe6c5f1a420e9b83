"""How long results take to read: 10,000 rows from a file, 1,000 result.json from folders, and the published audit.

    python benchmarks/bench_rows.py

Prints the median of some repetitions, in seconds.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from hf_ecg_bench.results.row_files import SUFFIXES, read_row_file, write_rows
from hf_ecg_bench.results.rows import read_rows

RESULT = Path(__file__).parents[1] / "tests" / "results" / "historic" / "v1-f08278a"
AUDIT = "from hf_ecg_bench.published import published_rows; published_rows()"


def seconds(call: Callable[[], object], repetitions: int) -> float:
    """Median wall time of a call."""
    times = []
    for _ in range(repetitions):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=1_000)
    parser.add_argument("--repetitions", type=int, default=5)
    arguments = parser.parse_args()
    [row], _ = read_rows(RESULT)
    rows = [
        replace(
            row, task=f"task{n % 28}", seed=n, folder=f"runs/{n}", value=0.5 + n / 1e6, predictions_digest=f"{n:064x}"
        )
        for n in range(arguments.rows)
    ]
    with tempfile.TemporaryDirectory() as place:
        for suffix in SUFFIXES:
            path = Path(place) / f"rows{suffix}"
            writing = seconds(lambda path=path: write_rows(rows, path), arguments.repetitions)
            reading = seconds(lambda path=path: read_row_file(path), arguments.repetitions)
            size = path.stat().st_size / 1e6
            print(f"{len(rows):,} rows {suffix}: write {writing:.3f} s, read {reading:.3f} s, {size:.1f} MB")
        for number in range(arguments.runs):
            shutil.copytree(RESULT, Path(place) / "runs" / f"model{number % 10}" / f"seed-{number}")
        reading = seconds(lambda: read_rows(Path(place) / "runs"), arguments.repetitions)
        print(f"{arguments.runs:,} run folders, with digests of their predictions: read {reading:.3f} s")
    start = seconds(lambda: subprocess.run([sys.executable, "-c", "import numpy"], check=True), arguments.repetitions)
    audit = seconds(lambda: subprocess.run([sys.executable, "-c", AUDIT], check=True), arguments.repetitions)
    print(f"published rows with their audit, in a new process: {audit:.3f} s, of which Python and numpy {start:.3f} s")


if __name__ == "__main__":
    main()

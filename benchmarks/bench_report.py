"""How long `report` takes over a folder of runs, and how large its page is.

    python benchmarks/bench_report.py RESULTS_DIR [--runs 120]

Without RESULTS_DIR a grid of invented runs is made. The second time uses the cached scores.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from hf_ecg_bench.overview.report import write_overview
from tests.overview.fake_grid import SKILLS, make_grid

_PER_TASK = 22  # runs: two models from scratch and three in three modes, two seeds each
_TASKS = ("ptbxl_super", "chapman", "echonext", "mimic_age", "zzu_pecg", "sph", "code15", "georgia", "ningbo", "ptb")


def main() -> None:
    """Make a grid where none is given, report on it twice, print seconds and sizes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results_dir", type=Path, nargs="?")
    parser.add_argument("--runs", type=int, default=120)
    parser.add_argument("--records", type=int, default=2000, help="test records of an invented run")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.results_dir
        if folder is None:
            folder = Path(temporary) / "grid"
            tasks = _TASKS[: max(1, round(arguments.runs / _PER_TASK))]
            modes = ("finetune", "frozen", "linear")
            make_grid(folder, models=SKILLS, tasks=tasks, modes=modes, n=arguments.records, n_resamples=2)
        for name in ("first", "again"):
            start = time.perf_counter()
            page, numbers = write_overview(folder, Path(temporary) / "report")
            seconds = time.perf_counter() - start
            print(f"{name}: {numbers['runs']} runs, {seconds:.1f} s, page {page.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()

"""Time and memory of reading MIMIC's tables at full size, on made-up ones: rows of every table, and a whole build.

python -m benchmarks.bench_mimic                                # 200,000 ECGs, 20 million events, 0.6 GB of disk
python -m benchmarks.bench_mimic --ecgs 800000 --used 0.145     # as many ECGs as the release, and as many of them used
python -m benchmarks.bench_mimic --ecgs 10000 --keep FOLDER     # smaller; the tables stay for another run
"""

from __future__ import annotations

import argparse
import gzip
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np

from hf_ecg_bench.data.ledger import Ledger
from hf_ecg_bench.data.sources.mimic.charted import read_charted
from hf_ecg_bench.data.sources.mimic.example import write_example
from hf_ecg_bench.data.sources.mimic.joins import acute_targets, ecg_feature_targets
from hf_ecg_bench.data.sources.mimic.laboratory import LaboratoryEvents
from hf_ecg_bench.data.sources.mimic.layout import STUDIES, find_tables
from hf_ecg_bench.data.sources.mimic.nearest import Moments
from hf_ecg_bench.data.sources.mimic.studies import read_studies
from hf_ecg_bench.data.sources.mimic.vitals import read_biometrics, read_vitals

T = TypeVar("T")
_BUILD = """
import sys
from hf_ecg_bench.data.prepare import prepare
ledger = prepare("mimic_iv_ecg", raw_dir=sys.argv[1], output_dir=sys.argv[2], metadata_only=True)
print(ledger.kept)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ecgs", type=int, default=200_000)
    parser.add_argument("--events-per-ecg", type=int, default=50, help="rows of labevents, and of chartevents, each")
    parser.add_argument(
        "--used", type=float, default=0.58, help="share of ECGs that get rows: 116,000 as in the release"
    )
    parser.add_argument("--keep", type=Path, help="folder for the tables; used again where it has them")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench_mimic_") as temporary:
        root = arguments.keep or Path(temporary) / "raw"
        if not (root / f"{STUDIES}.csv").is_file():
            start = time.perf_counter()
            write_example(
                str(root), arguments.ecgs, events_per_ecg=arguments.events_per_ecg, used=arguments.used, signals=False
            )
            size = sum(path.stat().st_size for path in root.rglob("*") if path.is_file())
            print(f"tables written: {size / 1e9:.2f} GB in {time.perf_counter() - start:.0f} s")
        read_tables(root)
        whole_build(root, Path(temporary) / "out")


def read_tables(root: Path) -> None:
    """Each table by itself, with the peak of this process while it was read."""
    ledger = Ledger("mimic_iv_ecg")
    tables = find_tables(root, "all", ledger)
    print("| table | million rows | seconds | million rows/s | peak memory MiB |\n| --- | ---: | ---: | ---: | ---: |")

    def timed(name: str, read: Callable[[], T]) -> T:
        reset_peak()
        start = time.perf_counter()
        result = read()
        seconds = time.perf_counter() - start
        rows = count_rows(tables[name]) / 1e6
        print(f"| {name} | {rows:.2f} | {seconds:.1f} | {rows / seconds:.2f} | {peak_mib():.0f} |", flush=True)
        return result

    studies = timed(STUDIES, lambda: read_studies(tables[STUDIES]))
    used = np.flatnonzero(studies.unused < 0)
    subjects = np.unique(studies.subject)
    moments = Moments(studies.subject[used], studies.time[used])
    timed("mds_ed", lambda: acute_targets(tables["mds_ed"], studies, used, ledger))
    timed("machine_measurements", lambda: ecg_feature_targets(tables["machine_measurements"], studies, used, ledger))
    timed("omr", lambda: read_biometrics(tables["omr"], moments, ledger))
    timed("vitalsign", lambda: read_vitals(tables["vitalsign"], moments))
    timed("labevents", lambda: LaboratoryEvents(tables["labevents"], subjects, moments))
    timed("chartevents", lambda: read_charted(tables["chartevents"], tables["d_items"], subjects, moments, 1000))


def whole_build(root: Path, output: Path) -> None:
    """Tables to rows with all targets, without signals, in a process of its own."""
    start = time.perf_counter()
    command = [sys.executable, "-c", _PEAK + _BUILD + "print(peak())", str(root), str(output)]
    kept, peak = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    seconds = time.perf_counter() - start
    print(f"whole build: {int(kept):,} rows with 1,127 targets in {seconds:.0f} s, peak memory {float(peak):.0f} MiB")


# The peak that the kernel remembers, and forgets when it is told to; both as text for the process that builds.
_PEAK = """
def peak():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024
"""


def peak_mib() -> float:
    """Largest resident memory since `reset_peak`, in MiB."""
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024


def reset_peak() -> None:
    """Forget the peak so far."""
    Path("/proc/self/clear_refs").write_text("5")


def count_rows(path: Path) -> int:
    """Lines below the header of a plain or gzip table."""
    lines = 0
    with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as handle:
        while block := handle.read(1 << 22):
            lines += block.count(b"\n")
    return lines - 1


if __name__ == "__main__":
    main()

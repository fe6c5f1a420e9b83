"""How fast `prepare` builds every dataset, and how fast folds are made; all yardsticks in the same run.

    python benchmarks/bench_data.py                                  # every dataset on a made-up tree of its own layout
    python benchmarks/bench_data.py --datasets ptbxl,code15 --processes
    python benchmarks/bench_data.py --datasets ptbxl --raw-dir ptb-xl-1.0.3

One process unless a column says otherwise. Every number is the best of --repeats turns; the contenders take turns, so
that a busy machine slows all. The page cache is warm: it is the work that is compared, not the disk.

Yardsticks: for WFDB sources a plain loop of `wfdb.rdrecord` and `numpy.save` over the first records; for all sources
`pyarrow.parquet.write_table` of the same signals, which lie ready in memory, with its default settings and with those
of `prepare`. Folds: a plain implementation of the same algorithm (data/plain_folds.py), which must give the same folds.

Known ceilings. `prepare` reads, decodes, checks, hashes and counts before it writes; the last yardstick only writes.
HDF5 and NumPy sources are stored as float32 or float16: their reading is a copy or an inflate, so they come closest to
it. Text (Chapman's CSV) is bound by parsing numbers. PTB's records of one to two minutes are few and large. Two
processes pay a second and a half for starting Python twice, which a thousand records do not earn back by themselves.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_ECG_BENCH_NO_PROGRESS", "1")

import argparse
import csv
import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # also when started as a script

import numpy as np

from benchmarks.data.plain_folds import plain_stratify
from benchmarks.data.sources import SourceTimes, best_of, measure_source
from hf_ecg_bench.data.folds.stratify import stratify
from hf_ecg_bench.data.registry import list_datasets
from hf_ecg_bench.data.vocabulary import read_label_table

CHAPMAN = 10_646
REFERENCE_SECONDS = 23.7
# Datasets whose numbers with two processes are shown by default: one per kind of file.
SCALED = {"ptbxl", "chapman", "sph", "code15", "echonext"}


def chapman_like_labels(seed: int = 0) -> list[list[str]]:
    """Made-up labels of as many records as Chapman has: one rhythm, and conditions as frequent as there."""
    rng = np.random.default_rng(seed)
    rows = read_label_table("chapman")
    rhythms = [row for row in rows if row["kind"] == "rhythm"]
    conditions = [row for row in rows if row["kind"] != "rhythm"]
    share = np.array([int(row["records"]) for row in rhythms], float)
    drawn = rng.choice(len(rhythms), CHAPMAN, p=share / share.sum())
    has = rng.random((CHAPMAN, len(conditions))) < [int(row["records"]) / CHAPMAN for row in conditions]
    return [
        [*(conditions[c]["label"] for c in np.flatnonzero(own)), rhythms[rhythm]["label"]]
        for own, rhythm in zip(has, drawn, strict=True)
    ]


def chapman_labels(table: Path) -> list[list[str]]:
    """The labels of Chapman's `Diagnostics` table as CSV: conditions, then rhythm."""
    with open(table, newline="", encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    return [(row["Beat"].split(" ") if row["Beat"] != "NONE" else []) + row["Rhythm"].split(" ") for row in rows]


def measure_folds(labels: list[list[str]], repeats: int) -> dict[str, float]:
    """Seconds for ten folds of all records."""
    classes = sorted({label for own in labels for label in own})
    ratios = [0.1] * 10
    ours = best_of({"ours": lambda: stratify(labels, classes, ratios)}, max(repeats, 3))["ours"]
    started = time.perf_counter()
    plain = plain_stratify(labels, classes, ratios)
    seconds = time.perf_counter() - started
    if plain != stratify(labels, classes, ratios):
        raise SystemExit("the plain implementation gives other folds")
    return {"records": len(labels), "ours": ours, "plain": seconds, "reference": REFERENCE_SECONDS}


COLUMNS: dict[str, Callable[[SourceTimes], Any]] = {
    "dataset": lambda t: t.dataset,
    "files": lambda t: t.kind,
    "records": lambda t: t.records,
    "prepare [rec/s]": lambda t: t.prepare,
    "wfdb loop [rec/s]": lambda t: t.wfdb_loop,
    "times wfdb": lambda t: t.times_wfdb,
    "write_table [rec/s]": lambda t: t.write_table,
    "share": lambda t: t.share,
    "same settings [rec/s]": lambda t: t.write_table_same,
    "2 processes [rec/s]": lambda t: t.two_processes,
    "kB/rec": lambda t: t.kilobytes,
    "default kB/rec": lambda t: t.kilobytes_default,
}


def row(times: SourceTimes) -> str:
    """One line of the Markdown table."""
    cells = [_text(get(times)) for get in COLUMNS.values()]
    return "| " + " | ".join(cells) + " |"


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.2f}" if value < 10 else f"{value:,.0f}"
    return "-" if value is None else str(value)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--datasets", help="comma-separated ids (default: all)")
    parser.add_argument("--raw-dir", type=Path, help="original files of the one dataset named by --datasets")
    parser.add_argument("--records", type=int, default=1000, help="of a made-up tree (default 1000)")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--processes", action="store_true", help="two processes for every dataset")
    parser.add_argument("--chapman-table", type=Path, help="real labels for the folds: CSV with Rhythm and Beat")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    datasets = arguments.datasets.split(",") if arguments.datasets else list_datasets()
    if arguments.raw_dir is not None and len(datasets) != 1:
        parser.error("--raw-dir needs exactly one --datasets ID")
    results: dict[str, Any] = {"sources": []}
    if not arguments.json:
        print("| " + " | ".join(COLUMNS) + " |\n|" + " --- |" * len(COLUMNS))
    for dataset in datasets:
        times = measure_source(
            dataset, arguments.records, arguments.repeats, raw_dir=arguments.raw_dir,
            scale=arguments.processes or dataset in SCALED,
        )  # fmt: skip
        results["sources"].append(asdict(times) | {"times_wfdb": times.times_wfdb, "share": times.share})
        if not arguments.json:
            print(row(times), flush=True)
    labels = chapman_labels(arguments.chapman_table) if arguments.chapman_table else chapman_like_labels()
    folds = results["folds"] = measure_folds(labels, arguments.repeats)
    if arguments.json:
        json.dump(results, sys.stdout, indent=2)
        print()
        return
    print(
        f"\nfolds of {folds['records']:,} records: {folds['ours']:.2f} s; plain implementation {folds['plain']:.1f} s; "
        f"reference {folds['reference']:.1f} s (quoted)"
    )


if __name__ == "__main__":
    main()

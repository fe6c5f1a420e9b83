"""How fast `prepare ptbxl` is, against a plain loop with wfdb and against pyarrow's own writer, in one run.

    python benchmarks/bench_data.py                         # 1,000 generated records
    python benchmarks/bench_data.py --raw-dir ptb-xl-1.0.3  # real ones, repeated up to --records

Every number is the best of --repeats turns; the contenders take turns, so that a busy machine slows all.
"""

from __future__ import annotations

import argparse
import csv
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import wfdb

from hf_ecg_bench.data.features import row_features, signal_array
from hf_ecg_bench.data.formats.wfdb_reader import read_record
from hf_ecg_bench.data.parquet import COMPRESSION
from hf_ecg_bench.data.prepare import prepare
from hf_ecg_bench.data.rows import CHUNK_RECORDS

COLUMNS = ("ecg_id", "patient_id", "age", "sex", "scp_codes", "strat_fold", "filename_hr")


def generated_ecg(seed: int, samples: int = 5000) -> np.ndarray:
    """(time, 12) int16 in microvolts: beats of five Gaussian waves, wander, noise; consistent limb leads."""
    rng = np.random.default_rng(seed)
    phase = np.cumsum(np.full(samples, rng.uniform(0.9, 1.6) / 500)) % 1
    waves = [
        (0.3, 0.03, 120),
        (0.43, 0.008, -80),
        (0.45, 0.012, 1000),
        (0.47, 0.009, -200),
        (0.68, 0.05, 250),
    ]
    beat = sum(height * np.exp(-0.5 * ((phase - at) / width) ** 2) for at, width, height in waves)
    leads = rng.uniform(-1, 1, 8)[None] * beat[:, None] + rng.normal(0, 8, (samples, 8))
    leads += 60 * np.sin(np.arange(samples) / 900 + rng.uniform(0, 6, (8, 1))).T
    i, ii = leads[:, 0], leads[:, 1]
    limbs = np.stack([i, ii, ii - i, -(i + ii) / 2, i - ii / 2, ii - i / 2], axis=1)
    return np.round(np.concatenate([limbs, leads[:, 2:]], axis=1)).astype("<i2")


def source_records(raw_dir: Path | None, folder: Path) -> list[Path]:
    """Paths without extension of the records to repeat."""
    if raw_dir is not None:
        return sorted(path.with_suffix("") for path in (raw_dir / "records500").rglob("*.hea"))
    names = ["I", "II", "III", "AVR", "AVL", "AVF", "V1", "V2", "V3", "V4", "V5", "V6"]
    folder.mkdir(parents=True)
    for seed in range(100):
        digital = generated_ecg(seed)
        wfdb.wrsamp(
            f"source{seed:03d}", 500, ["mV"] * 12, names, d_signal=digital.astype(np.int64),
            fmt=["16"] * 12, adc_gain=[1000.0] * 12, baseline=[0] * 12, write_dir=str(folder),
        )  # fmt: skip
    return sorted(path.with_suffix("") for path in folder.glob("*.hea"))


def make_tree(sources: list[Path], root: Path, n: int) -> list[str]:
    """A PTB-XL tree of `n` records that repeat the sources; returns their paths without extension."""
    (root / "records500").mkdir(parents=True)
    paths = []
    with open(root / "ptbxl_database.csv", "w", newline="", encoding="utf-8") as handle:
        table = csv.writer(handle)
        table.writerow(COLUMNS)
        for number in range(1, n + 1):
            source = sources[number % len(sources)]
            name = f"records500/{number:05d}_hr"
            header = source.with_suffix(".hea").read_text().replace(source.name, f"{number:05d}_hr")
            (root / f"{name}.hea").write_text(header)
            shutil.copyfile(source.with_suffix(".dat"), root / f"{name}.dat")
            table.writerow([number, number, 60, number % 2, "{'NORM': 100.0}", number % 10 + 1, name])
            paths.append(str(root / name))
    return paths


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def measure(raw_dir: Path | None, n: int, repeats: int) -> dict[str, float]:
    """Seconds per record of each contender, sizes, and the ratios that matter."""
    with tempfile.TemporaryDirectory(prefix="bench_data_") as name:
        folder = Path(name)
        paths = make_tree(source_records(raw_dir, folder / "source"), folder / "raw", n)
        schema = pa.schema([row_features({}).arrow_schema.field("signal")])
        chunks = []
        for start in range(0, n, CHUNK_RECORDS):
            signals = [read_record(path).signal for path in paths[start : start + CHUNK_RECORDS]]
            chunks.append(pa.table([signal_array(signals, schema.field("signal").type)], schema=schema))
        table = pa.concat_tables(chunks)
        turn = iter(range(1000))

        def wfdb_loop() -> None:
            for path in paths:
                np.save(folder / "record.npy", wfdb.rdrecord(path).p_signal.astype(np.float32))

        contenders: dict[str, Callable[[], object]] = {
            "wfdb.rdrecord + numpy.save": wfdb_loop,
            "our reader alone, checksums verified": lambda: [read_record(path) for path in paths],
            "pyarrow write_table, default settings": lambda: pq.write_table(table, folder / "default.parquet"),
            "pyarrow write_table, prepare's settings": lambda: pq.write_table(
                table,
                folder / "same.parquet",
                row_group_size=CHUNK_RECORDS,
                write_statistics=False,
                **COMPRESSION,
            ),
            "prepare ptbxl, one process": lambda: prepare(
                "ptbxl", raw_dir=folder / "raw", output_dir=folder / f"out{next(turn)}"
            ),
        }
        best = dict.fromkeys(contenders, float("inf"))
        for _ in range(repeats):
            for label, work in contenders.items():
                best[label] = min(best[label], seconds(work) / n)
        parquet = sum(file.stat().st_size for file in (folder / "out0" / "data").iterdir())
        ours = best["prepare ptbxl, one process"]
        return {
            **{f"{label} [ms/record]": 1000 * value for label, value in best.items()},
            "prepare, times the wfdb loop": best["wfdb.rdrecord + numpy.save"] / ours,
            "prepare, share of write_table's rate (default settings)": best["pyarrow write_table, default settings"]
            / ours,
            "prepare, share of write_table's rate (same settings)": best["pyarrow write_table, prepare's settings"]
            / ours,
            "Parquet, prepare [kB/record]": parquet / n / 1000,
            "Parquet, default settings [kB/record]": (folder / "default.parquet").stat().st_size / n / 1000,
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--raw-dir", type=Path, help="a PTB-XL folder (default: generated records)")
    parser.add_argument("--records", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    results = measure(arguments.raw_dir, arguments.records, arguments.repeats)
    if arguments.json:
        json.dump(results, sys.stdout, indent=2)
        print()
    else:
        for label, value in results.items():
            print(f"{label:<62}{value:10.3f}")


if __name__ == "__main__":
    main()

"""A dataset as large as the largest: builds it and prints the time and the peak of memory.

    python -m tests.data.large FOLDER [RECORDS] [--metadata-only]

300,000 records with short signals, and 1,127 targets in a memory-mapped file (1.35 GB). Every record has a defect, and
every 300th cannot be read.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from pathlib import Path
from typing import Any

import numpy as np

from hf_ecg_bench.data.builder import EcgBuilder, EcgBuilderConfig
from hf_ecg_bench.data.ledger import Ledger, RecordProblem
from hf_ecg_bench.data.prepare import build
from hf_ecg_bench.data.records import RecordIndex
from hf_ecg_bench.data.spec import DatasetSpec, TargetSpec

N_TARGETS = 1127
CLASSES = tuple(f"class {number}" for number in range(60))


class Large(EcgBuilder):
    SPEC = DatasetSpec(
        id="large",
        title="Large",
        homepage="https://example.org",
        license="cc0-1.0",
        access="open",
        citation="@misc{large}",
        sampling_rate=100,
        seconds=None,
        label_columns={"labels": CLASSES},
        targets=tuple(TargetSpec(f"target {number}", "regression") for number in range(N_TARGETS)),
        description="For tests of memory.",
    )

    def index(self, raw_dir: str | None, config: EcgBuilderConfig, ledger: Ledger) -> RecordIndex:
        targets = np.memmap(f"{raw_dir}/targets.bin", np.float32, "r").reshape(-1, N_TARGETS)
        n = ledger.found = len(targets)
        for number in range(n):
            ledger.defect(f"record-{number:07d}", "something in the table", f"odd value {number}, expected another")
        return RecordIndex(
            record_id=[f"record-{number:07d}" for number in range(n)],
            patient_id=[f"patient-{number // 2:07d}" for number in range(n)],
            age=[20.0 + number % 70 for number in range(n)],
            sex=[("female", "male")[number // 2 % 2] for number in range(n)],
            strat_fold=[number // 2 % 10 + 1 for number in range(n)],
            labels={"labels": [[CLASSES[number % 60], CLASSES[number % 7]] for number in range(n)]},
            label_names={"labels": CLASSES},
            references=[(f"{raw_dir}/records/{number // 1000:05d}/{number:07d}", number) for number in range(n)],
            stamps=[f"{number}-{1_700_000_000_000_000_000 + number}" for number in range(n)],
            targets=targets,
        )

    def read(self, reference: tuple[str, int], ledger: Ledger) -> np.ndarray:
        _, number = reference
        if number % 300 == 299:
            raise RecordProblem("unreadable", "made up")
        ledger.defect(f"record-{number:07d}", "something in the signal", "made up")
        return np.random.default_rng(number).random((20, 12), np.float32)


def write_targets(path: Path, n: int) -> None:
    generator = np.random.default_rng(0)
    with open(path, "wb") as file:
        for start in range(0, n, 1000):
            values = generator.random((min(1000, n - start), N_TARGETS), np.float32)
            values[values < 0.3] = np.nan
            file.write(values.tobytes())


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("records", type=int, nargs="?", default=300_000)
    parser.add_argument("--metadata-only", action="store_true")
    parsed = parser.parse_args(arguments)
    raw = parsed.folder / "raw"
    raw.mkdir(parents=True, exist_ok=True)
    write_targets(raw / "targets.bin", parsed.records)
    start = time.perf_counter()
    builder = Large(cache_dir=str(parsed.folder / "c"), data_dir=str(raw), metadata_only=parsed.metadata_only)
    ledger = build(builder, parsed.folder / "out")
    return {
        "seconds": round(time.perf_counter() - start, 1),
        "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "kept": ledger.kept,
        "defects": sum(ledger.defect_counts.values()),
        "info_mib": round((parsed.folder / "out" / "ecg_bench.json").stat().st_size / 2**20, 1),
        "fingerprints_mib": round(sum(p.stat().st_size for p in (parsed.folder / "out").glob("fing*/*")) / 2**20),
    }


if __name__ == "__main__":
    print(json.dumps(main()))

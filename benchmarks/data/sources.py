"""One source: `prepare` against a loop with wfdb, against pyarrow's own writer, and over processes."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import wfdb

from hf_ecg_bench.data.parquet import COMPRESSION
from hf_ecg_bench.data.prepare import prepare
from hf_ecg_bench.data.registry import get_builder
from hf_ecg_bench.data.rows import CHUNK_RECORDS

# Where the usual number of records would take too long or too much memory: 1000 Hz, generated ones.
RECORDS = {"ptb": 500, "synthetic": 300}
# A rate needs no more, and wfdb reads 200 records a second.
WFDB_RECORDS = 100
BINARY = {".dat", ".mat", ".h5", ".hdf5", ".npy", ".zip"}
Work = Callable[[], object]


@dataclass(frozen=True)
class SourceTimes:
    """Records per second of each contender (None: does not apply), and sizes.

    Attributes:
        kind: suffix of the signal files.
        write_table: pyarrow.parquet.write_table of the same signals from memory, default settings.
        write_table_same: the same with the settings of `prepare`.
        kilobytes, kilobytes_default: Parquet per record, of `prepare` and of the default settings.
    """

    dataset: str
    kind: str
    records: int
    prepare: float
    two_processes: float | None
    wfdb_loop: float | None
    write_table: float
    write_table_same: float
    kilobytes: float
    kilobytes_default: float

    @property
    def times_wfdb(self) -> float | None:
        return None if self.wfdb_loop is None else self.prepare / self.wfdb_loop

    @property
    def share(self) -> float:
        """Of the rate of write_table with its default settings."""
        return self.prepare / self.write_table

    @property
    def is_binary(self) -> bool:
        return self.kind in BINARY


def measure_source(dataset: str, n: int, repeats: int, *, raw_dir: Path | None = None, scale: bool) -> SourceTimes:
    """All numbers of one source, from `raw_dir` or from a made-up tree of about `n` records.

    Args:
        scale: also with two processes.
    """
    with tempfile.TemporaryDirectory(prefix="bench_data_") as name:
        folder = Path(name)
        options = {}
        if raw_dir is None and get_builder(dataset).SPEC.needs_raw_dir:
            raw_dir = folder / "raw"
            raw_dir.mkdir()
            get_builder(dataset).example(str(raw_dir), min(n, RECORDS.get(dataset, n)))
        elif raw_dir is None:
            options = {"n_records": str(min(n, RECORDS.get(dataset, n)))}
        out = folder / "out"

        def build(num_proc: int) -> None:
            shutil.rmtree(out, ignore_errors=True)
            prepare(dataset, raw_dir=raw_dir, output_dir=out, options=options, num_proc=num_proc)

        build(1)  # warms the page cache, and gives the signals
        table = pa.concat_tables([pq.read_table(file, columns=["signal"]) for file in sorted((out / "data").iterdir())])
        headers = [] if raw_dir is None else _headers(raw_dir, folder / "unpacked")
        default, same = folder / "default.parquet", folder / "same.parquet"
        contenders: dict[str, Work] = {
            "prepare": lambda: build(1),
            "write_table": lambda: pq.write_table(table, default),
            "write_table_same": lambda: pq.write_table(
                table, same, row_group_size=CHUNK_RECORDS, write_statistics=False, **COMPRESSION
            ),
        }
        if headers:
            contenders["wfdb"] = lambda: wfdb_loop(headers, folder / "record.npy")
        if scale:
            contenders["two"] = lambda: build(2)
        best = best_of(contenders, repeats)
        size = sum(file.stat().st_size for file in (out / "data").iterdir())
        records = len(table)
        return SourceTimes(
            dataset,
            _kind(raw_dir),
            records,
            prepare=records / best["prepare"],
            two_processes=records / best["two"] if scale else None,
            wfdb_loop=len(headers) / best["wfdb"] if headers else None,
            write_table=records / best["write_table"],
            write_table_same=records / best["write_table_same"],
            kilobytes=size / records / 1000,
            kilobytes_default=default.stat().st_size / records / 1000,
        )


def _headers(raw_dir: Path, unpacked: Path) -> list[Path]:
    """The first WFDB headers of a source; those in an archive are unpacked, which the loop need not do."""
    if not (headers := sorted(raw_dir.rglob("*.hea"))[:WFDB_RECORDS]):
        for path in sorted(raw_dir.rglob("*.zip")):
            with ZipFile(path) as archive:
                for name in [name for name in archive.namelist() if name.endswith(".hea")][:WFDB_RECORDS]:
                    headers.append(Path(archive.extract(name, unpacked)))
                    archive.extract(name.removesuffix(".hea") + ".dat", unpacked)
    return headers


def wfdb_loop(headers: list[Path], target: Path) -> None:
    """What a plain script does with a WFDB database."""
    for header in headers:
        np.save(target, wfdb.rdrecord(str(header.with_suffix(""))).p_signal.astype(np.float32))


def best_of(contenders: Mapping[str, Work], repeats: int) -> dict[str, float]:
    """Seconds of each contender's best turn; they take turns, so that a busy machine slows all."""
    best = dict.fromkeys(contenders, float("inf"))
    for _ in range(repeats):
        for name, work in contenders.items():
            started = time.perf_counter()
            work()
            best[name] = min(best[name], time.perf_counter() - started)
    return best


def _kind(raw_dir: Path | None) -> str:
    """The suffix that holds most bytes."""
    sizes: dict[str, int] = {}
    for file in raw_dir.rglob("*") if raw_dir is not None else ():
        if file.is_file():
            sizes[file.suffix] = sizes.get(file.suffix, 0) + file.stat().st_size
    return max(sizes, key=sizes.__getitem__, default="generated")

"""Writing a shard's rows as one Parquet file."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from hf_ecg_bench.data.features import SIGNAL
from hf_ecg_bench.data.readahead import read_ahead
from hf_ecg_bench.data.rows import ShardReport, ShardRows
from hf_ecg_bench.files import atomic_path

# Measured on 10 s, 500 Hz records (benchmarks/bench_data.py). ECGs take few distinct values, so a dictionary
# with the fastest
# zstd gives the smallest files at the speed of the default; byte-stream-split or no dictionary gives files
# 1.7 times as large.
COMPRESSION: dict[str, Any] = {"compression": "zstd", "compression_level": 1, "use_dictionary": True}


def write_shard(rows: ShardRows, folder: Path) -> ShardReport:
    """Write `folder/<shard>.parquet` atomically, one row group per chunk, and return the shard's report."""
    started = time.perf_counter()
    path = folder / f"{rows.shard.name}.parquet"
    # Minima and maxima of signal values help nobody and cost a pass over them.
    statistics = [name for name in rows.schema.names if name != SIGNAL]
    with (
        atomic_path(path) as temporary,
        pq.ParquetWriter(temporary, rows.schema, write_statistics=statistics, **COMPRESSION) as writer,
    ):
        for table in read_ahead(rows):
            if table.num_rows:
                writer.write_table(table, row_group_size=table.num_rows)
    rows.report.file_size = path.stat().st_size
    rows.report.seconds = time.perf_counter() - started
    return rows.report

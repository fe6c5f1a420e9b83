"""The rows that a selection rests on: our results, a file of rows, the published ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hf_ecg_bench.results.row import Row
from hf_ecg_bench.results.row_files import read_row_file
from hf_ecg_bench.results.rows import read_rows
from hf_ecg_bench.saying import Say


def read_evidence(results: Sequence[Path], *, published: bool, say: Say) -> list[Row]:
    """All rows; a file is one of rows (.parquet, .csv, .jsonl), a folder is one of runs.

    Raises:
        EcgBenchError: nothing there, or nothing that can be read.
    """
    rows: list[Row] = []
    for path in results:
        if path.is_file():
            rows += read_row_file(path)
            continue
        own, unreadable = read_rows(path)
        rows += own
        for item in unreadable:
            say(f"left out: {item.name}: {item.reason}")
    if published:
        from hf_ecg_bench.published import published_rows

        rows += published_rows()
    return rows

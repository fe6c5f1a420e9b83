"""A dataset of few, short records, whose every value a test decides."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from hf_ecg_bench.data.builder import EcgBuilder, EcgBuilderConfig
from hf_ecg_bench.data.ledger import Ledger
from hf_ecg_bench.data.prepare import build
from hf_ecg_bench.data.records import RecordIndex
from hf_ecg_bench.data.spec import DatasetSpec, ExtraColumn, TargetSpec
from tests.data import tiny_files
from tests.data.tiny_files import records, signals


class Tiny(EcgBuilder):
    SPEC = DatasetSpec(
        id="tiny",
        title="Tiny",
        homepage="https://example.org",
        license="cc0-1.0",
        access="open",
        citation="@misc{tiny}",
        sampling_rate=100,
        seconds=None,
        label_columns={"labels": ("A", "B")},
        targets=(TargetSpec("number", "regression"), TargetSpec("flag", "binary")),
        extra_columns=(ExtraColumn("words", "strings", "words"),),
        description="For tests.",
    )

    def index(self, raw_dir: str | None, config: EcgBuilderConfig, ledger: Ledger) -> RecordIndex:
        assert raw_dir is not None
        rows = tiny_files.read_rows(raw_dir)
        ledger.found = len(rows)
        return RecordIndex(
            record_id=[row["id"] for row in rows],
            patient_id=[row["patient"] for row in rows],
            age=[row["age"] for row in rows],
            sex=[row["sex"] for row in rows],
            strat_fold=[row["fold"] for row in rows],
            labels={"labels": [row["labels"] for row in rows]},
            label_names=dict(self.SPEC.label_columns),
            references=[(raw_dir, number) for number in range(len(rows))],
            stamps=[f"{number} {row.get('stamp')}" for number, row in enumerate(rows)],
            targets=np.array([row["targets"] for row in rows], np.float32),
            split=[row["split"] for row in rows] if "split" in rows[0] else None,
            extra={"words": [row["words"] for row in rows]},
        )

    def read(self, reference: tuple[str, int], ledger: Ledger) -> np.ndarray:
        return tiny_files.read_signal(reference)


class TinyAt500(Tiny):
    """The same, at the rate of real recordings."""

    SPEC = replace(Tiny.SPEC, sampling_rate=500)


def build_tiny(
    folder: Path,
    rows: list[dict[str, Any]] | None = None,
    values: np.ndarray | None = None,
    *,
    num_proc: int = 1,
    rate: int = 100,
    **options: Any,
) -> Ledger:
    """Build `folder` from `rows` (default: 40 records) with the signals `values`."""
    rows = records(40) if rows is None else rows
    values = signals(len(rows)) if values is None else values
    raw = tiny_files.write_tiny(folder.with_name(f"{folder.name}-raw"), rows, values)
    builder = (Tiny if rate == 100 else TinyAt500)(
        cache_dir=str(folder.with_name("cache")), data_dir=str(raw), **options
    )
    return build(builder, folder, num_proc=num_proc)

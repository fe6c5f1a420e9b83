"""The overview for machines: standing and cells unrounded, tables as shown."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from hf_ecg_bench.overview.study import Study
from hf_ecg_bench.overview.verdicts import verdicts
from hf_ecg_bench.results.table_formats import harmless
from hf_ecg_bench.results.tables import Table
from hf_ecg_bench.standings.numbers import entry_numbers

SCHEMA_VERSION = 1


def cell_numbers(study: Study) -> list[dict[str, Any]]:
    """One flat object per entry and task; NaN where something is unknown."""
    found = []
    for task, standing in study.standings.items():
        scores = standing.scores
        judged = verdicts(standing, study.choices.contamination)
        for i, entry in enumerate(scores.entries):
            found.append(
                {
                    "task": task,
                    "category": study.categories[task],
                    **asdict(entry),
                    "metric": scores.metric,
                    **{name: float(getattr(scores, name)[i]) for name in ("value", "low", "high", "seed_sd")},
                    "n_seeds": int(scores.n_seeds[i]),
                    "rank": int(standing.rank[i]),
                    "rank_low": int(standing.rank_low[i]),
                    "rank_high": int(standing.rank_high[i]),
                    "tested": bool(standing.tested[i]),
                    "best": judged[i].best,
                    "minus_best": judged[i].difference,
                    "p_adjusted": judged[i].p_adjusted,
                    "contamination": scores.contamination[i],
                    "folders": [row.folder for row in scores.rows[i]],
                }
            )
    return found


def study_numbers(study: Study, tables: Iterable[Table]) -> dict[str, Any]:
    """{schema_version, choices, runs, standing, friedman, cells, failures, waiting, unreadable, left_out, task_notes,
    notes, tables: {key: ...}}."""
    overall = study.overall
    return {
        "schema_version": SCHEMA_VERSION,
        "choices": asdict(study.choices),
        "runs": len({row.folder for row in study.rows}),
        "standing": [] if overall is None else entry_numbers(overall),
        "friedman": {} if overall is None else dict(overall.friedman),
        "cells": cell_numbers(study),
        "failures": [asdict(failure) for failure in study.grid.failures],
        "waiting": list(study.grid.waiting),
        "unreadable": [{"name": item.name, "reason": item.reason} for item in study.unreadable],
        # All of them: the page's tables are cut.
        "left_out": [
            {"task": task, "entry": item.entry.key, "run": item.name, "kind": item.kind, "reason": item.reason}
            for task, standing in study.standings.items()
            for item in standing.scores.excluded
        ],
        "task_notes": {
            task: list(standing.scores.notes) for task, standing in study.standings.items() if standing.scores.notes
        },
        "notes": [] if overall is None else list(overall.notes),
        "tables": {
            table.key: {
                "caption": table.caption,
                "columns": [column.title for column in table.columns],
                "rows": [[cell.text for cell in row] for row in table.rows],
            }
            for table in tables
        },
    }


def cells_csv(cells: Sequence[dict[str, Any]]) -> str:
    """The cells as CSV, in full precision; empty where unknown. Folders are separated by spaces."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    if cells:
        writer.writerow(cells[0])
    for cell in cells:
        writer.writerow([_plain(value) for value in cell.values()])
    return buffer.getvalue()


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return "" if value != value else repr(value)
    if isinstance(value, list):
        return harmless(" ".join(str(item) for item in value))
    return harmless(value) if isinstance(value, str) else value

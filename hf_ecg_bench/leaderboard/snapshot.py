"""The snapshot that the Space shows: everything it needs, worked out and written as JSON."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hf_ecg_bench import __version__
from hf_ecg_bench.errors import EcgBenchError
from hf_ecg_bench.files import explain_os_errors
from hf_ecg_bench.leaderboard.about import ABOUT
from hf_ecg_bench.leaderboard.cells import cells, entry_facts
from hf_ecg_bench.leaderboard.curves import curves, off_curves
from hf_ecg_bench.leaderboard.facts import category_facts, dataset_facts, model_facts, task_facts, task_ids
from hf_ecg_bench.leaderboard.gathering import Results, gather
from hf_ecg_bench.leaderboard.space.board.snapshot import (
    INDEX,
    PAIRS,
    SCALING,
    SNAPSHOT_VERSION,
    TASKS,
    VIEWS,
    AuditNote,
    Index,
)
from hf_ecg_bench.leaderboard.task_pages import pair_rows, task_page
from hf_ecg_bench.leaderboard.views import SAFE, modes_of, views
from hf_ecg_bench.published import published_findings


def write_snapshot(
    results: Results | Path | None,
    data_dir: Path,
    *,
    published: bool = True,
    n_resamples: int = 1000,
    seed: int = 0,
    created: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Write a Space's data folder: as a whole or not at all, the same bytes for the same results and `created`.

    Args:
        results: a folder of runs, what `gather` made of one, or None for the published rows alone.
        data_dir: is replaced where it holds a snapshot.
        published, n_resamples, seed, progress: as `gather`, for a folder.
        created: when, for people; default now (or SOURCE_DATE_EPOCH), to the minute, in UTC.

    Returns:
        `data_dir`.

    Raises:
        EcgBenchError: no results, or `data_dir` holds something else.
    """
    _check_target(data_dir)
    if not isinstance(results, Results):
        results = gather(results, published=published, n_resamples=n_resamples, seed=seed, progress=progress)
    part = data_dir.parent / f".{data_dir.name}.{secrets.token_hex(4)}.part"
    with explain_os_errors(data_dir):
        part.mkdir(parents=True)
        try:
            _write(results, part, created or _now())
            _replace(part, data_dir)
        finally:
            shutil.rmtree(part, ignore_errors=True)
    return data_dir


def _write(results: Results, folder: Path, created: str) -> None:
    entries = {entry: i for i, entry in enumerate(results.entries)}
    ids = task_ids(results.rows)
    tasks = task_facts(results, ids)
    names = []
    for view in views(results, entries):
        names.append(view["view"])
        _dump(folder / VIEWS / f"{view['view']}.json", view)
    for task, standing in results.standings.items():
        if SAFE.fullmatch(task):
            _dump(folder / TASKS / f"{task}.json", task_page(standing, entries))
    for entry, number in entries.items():
        if pairs := pair_rows(results.standings, entry, entries):
            _dump(folder / PAIRS / f"{number}.json", pairs)
    _dump(folder / SCALING, curves(results, entries))
    index: Index = {
        "snapshot_version": SNAPSHOT_VERSION,
        "created": created,
        "program": __version__,
        "n_rows": len(results.rows),
        "categories": category_facts(tasks),
        "models": model_facts(sorted({entry.model for entry in entries})),
        "tasks": tasks,
        "datasets": dataset_facts(sorted({task["dataset"] for task in tasks if task["dataset"]})),
        "entries": entry_facts(results),
        "cells": cells(results, entries, {task: i for i, task in enumerate(ids)}),
        "views": names,
        "modes": modes_of(results),
        "audit": audit_notes(results),
        "unreadable": _left_out(results),
        "about": dict(ABOUT),
    }
    _dump(folder / INDEX, index)  # last: with it the snapshot is there


def audit_notes(results: Results) -> list[AuditNote]:
    """What is known against the published rows that are among these, the gravest first."""
    named = [name for row in results.rows for name in row.audit.split(",")]
    return [
        {
            "id": finding.id,
            "title": finding.title,
            "evidence": finding.evidence,
            "rows": named.count(finding.id),
            "source": finding.source,
        }
        for finding in published_findings()
        if finding.id in named
    ]


def _left_out(results: Results) -> list[dict[str, str]]:
    """Result files that could not be read, and runs that are not ranked."""
    found = [(item.name, item.reason) for item in results.unreadable]
    for task, scores in results.scores.items():
        found += [(item.name, f"{task}: {item.reason}") for item in scores.excluded]
        found += [(task, note) for note in scores.notes]
        if not SAFE.fullmatch(task):
            found.append((task[:80], "a task of this name has no page: it cannot be the name of a file"))
    found += [(name, f"{task}, not on its curve: {reason}") for task, name, reason in off_curves(results)]
    return [{"name": name, "reason": reason} for name, reason in found]


def _dump(path: Path, value: Any) -> None:
    path.parent.mkdir(exist_ok=True)
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    path.write_text(text + "\n", encoding="utf-8")


def _check_target(data_dir: Path) -> None:
    if data_dir.exists() and (not data_dir.is_dir() or _foreign(list(data_dir.iterdir()))):
        raise EcgBenchError(
            f"{data_dir}: expected an empty folder or the snapshot of a leaderboard, found something else",
            fix="give a folder of its own",
        )


def _foreign(inside: Sequence[Path]) -> bool:
    return bool({path.name for path in inside} - {INDEX, SCALING, VIEWS, TASKS, PAIRS})


def _replace(part: Path, data_dir: Path) -> None:
    """Two renames: a reader in between sees no folder, never half of one."""
    old = part.with_suffix(".old")
    if data_dir.exists():
        data_dir.rename(old)
    try:
        part.rename(data_dir)
    except OSError:
        if old.exists():
            old.rename(data_dir)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _now() -> str:
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    now = datetime.fromtimestamp(int(epoch), UTC) if epoch.isdigit() else datetime.now(UTC)
    return now.strftime("%Y-%m-%d %H:%M UTC")

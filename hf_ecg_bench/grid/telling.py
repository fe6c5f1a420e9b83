"""A grid in words and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from hf_ecg_bench.features.size import human
from hf_ecg_bench.grid.command import command_of
from hf_ecg_bench.grid.effort import effort_of
from hf_ecg_bench.grid.estimates import Estimate, total
from hf_ecg_bench.grid.live import Progress
from hf_ecg_bench.grid.run import Situation
from hf_ecg_bench.grid.survey import Seen
from hf_ecg_bench.results.quantities import duration


def table_rows(seen: Sequence[Seen], estimates: Mapping[str, Estimate]) -> list[list[Any]]:
    """A line for each model, mode, task and state: how many runs, of how many epochs, how long each."""
    groups: dict[tuple[str, str, str, str], list[Seen]] = {}
    for item in seen:
        run = item.cell.run
        groups.setdefault((item.cell.model, run.mode, run.task, item.state.state), []).append(item)
    rows: list[list[Any]] = []
    for (model, mode, task, state), items in groups.items():
        known = [estimates[item.cell.id] for item in items if item.cell.id in estimates]
        seconds = [entry.seconds for entry in known if entry.seconds is not None]
        each = "-" if not seconds else duration(sum(seconds) / len(seconds))
        basis = known[0].basis.split(",")[0] if known and seconds else ""
        rows.append([model, mode, task, len(items), state, effort_of(items[0].cell).epochs, each, basis])
    return rows


def said_total(estimates: Sequence[Estimate], cells: int) -> Iterator[str]:
    """What is left, in lines: time with its range and where that is from, and room on the disk."""
    if not cells:
        return
    found = total(estimates)
    if found.seconds:
        yield (
            f"left: about {duration(found.seconds)} of one worker for {cells - found.unknown} runs "
            f"(between {duration(found.low)} and {duration(found.high)})"
        )
        for basis, number in found.bases.items():
            yield f"  {number}: {basis}"
    elif found.unknown:
        yield f"left: {found.unknown} runs of unknown length"
    if found.bytes:
        yield f"disk: about {human(found.bytes)} for the runs, {human(found.store_bytes)} for stored features"


def cells_json(
    situation: Situation,
    estimates: Mapping[str, Estimate] | None = None,
    progress: Mapping[str, Progress] | None = None,
) -> list[dict[str, Any]]:
    """Every cell as JSON values."""
    found = []
    for item in situation.seen:
        cell = item.cell
        entry: dict[str, Any] = {
            "id": cell.id, "model": cell.model, "task": cell.run.task, "mode": cell.run.mode,
            "fraction": cell.run.fraction, "seed": cell.run.seed, "answers": list(cell.answers),
            "state": item.state.state, "reason": item.state.reason, "folder": cell.run.output_dir,
            "command": command_of(cell.run),
        }  # fmt: skip
        if item.failure is not None and item.state.state == "failed":
            entry["failure"] = asdict(item.failure)
        if estimates and cell.id in estimates:
            entry["estimate"] = asdict(estimates[cell.id])
        if progress and cell.id in progress:
            entry["progress"] = asdict(progress[cell.id])
        found.append(entry)
    return found


def plan_json(situation: Situation, estimates: Mapping[str, Estimate], wanted: Sequence[Estimate]) -> dict[str, Any]:
    """The plan as JSON values."""
    plan = situation.plan
    return {
        "asked": plan.asked,
        "left_out": plan.left_out,
        "notes": list(plan.notes),
        "cost": asdict(total(wanted)),
        "cells": cells_json(situation, estimates),
    }

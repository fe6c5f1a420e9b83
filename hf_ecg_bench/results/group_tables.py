"""Tables of a result's parts: the tasks it serves besides its own, and its test records by age and sex."""

from __future__ import annotations

import math
from typing import Any

from hf_ecg_bench.results.estimate import Estimate, number
from hf_ecg_bench.results.metrics import COMPARED, metric_estimates, metric_name, primary_metric
from hf_ecg_bench.results.quantities import p_value
from hf_ecg_bench.results.schema import Result
from hf_ecg_bench.results.slices import slice_results
from hf_ecg_bench.results.tables import Cell, Column, Table, in_original_units
from hf_ecg_bench.results.target_scores import mapping, target_scores


def slice_tables(result: Result, key: str) -> tuple[Table, ...]:
    """The tasks that are parts of the result's, then their regression targets; empty where there are no parts."""
    parts = slice_results(result)
    if not parts:
        return ()
    metrics = [name for name in COMPARED if any(name in metric_estimates(part) for part in parts)]
    any_excluded = any(_excluded(result, part.task) for part in parts)
    rows, numbers = [], []
    for part in parts:
        estimates, scores = metric_estimates(part), target_scores(part)
        excluded = _excluded(result, part.task)
        rows.append(
            (
                Cell(part.task),
                Cell(f"{len(scores):,}"),
                Cell(f"{part.metrics['n']:,}"),
                *((Cell(f"{excluded:,}"),) if any_excluded else ()),
                *(Cell(estimates[name].format() if name in estimates else "") for name in metrics),
            )
        )
        for score in scores:
            if score.kind == "regression":
                records = "" if score.records is None else f"{score.records:,}"
                cells = (part.task, score.name, records, score.estimate.format(), in_original_units(score))
                numbers.append(tuple(Cell(text) for text in cells))
    columns = [Column("Task")] + [Column(name, "right") for name in ("Targets", "Records")]
    columns += [Column("Without any target", "right")] if any_excluded else []
    columns += [Column(f"{metric_name(name)} [95 %]", "right") for name in metrics]
    tables = [Table(f"{key}-parts", f"Tasks that are parts of {result.task}", tuple(columns), tuple(rows))]
    if numbers:
        columns = [Column("Task"), Column("Target")]
        columns += [Column(name, "right") for name in ("Records", "MAE, z-units [95 %]", "MAE, original units [95 %]")]
        caption = "Mean absolute error per regression target, by task"
        tables.append(Table(f"{key}-parts-regression", caption, tuple(columns), tuple(numbers)))
    return tuple(tables)


def _excluded(result: Result, task: str) -> int:
    where = f"slices.{task}"
    value = number(mapping(result.slices[task], where).get("n_excluded"), f"{where}.n_excluded")
    return 0 if math.isnan(value) else int(value)


def subgroup_rows(result: Result) -> list[tuple[str, dict[str, Any], Estimate]]:
    """(`age 40-49`, its entry, its primary metric) of each group; undefined where it is too small for one."""
    metric = primary_metric(result)
    found = []
    for axis, groups in mapping(result.subgroups, "subgroups").items():
        for group, raw in mapping(groups, f"subgroups.{axis}").items():
            where = f"subgroups.{axis}.{group}"
            entry = mapping(raw, where)
            metrics = mapping(entry.get("metrics"), f"{where}.metrics")
            found.append((f"{axis} {group}", entry, Estimate.from_json(metrics.get(metric), f"{where}.{metric}")))
    return found


def subgroup_table(result: Result, key: str) -> Table | None:
    """One row per age decade and sex: the primary metric, and its difference from all other records."""
    rows, metric = [], primary_metric(result)
    for name, entry, estimate in subgroup_rows(result):
        where = f"subgroups.{name}"
        raw = mapping(mapping(entry.get("difference"), f"{where}.difference").get(metric), f"{where}.{metric}")
        difference = Estimate.from_json(raw or None, f"{where}.difference")
        p = number(raw.get("p_adjusted"), f"{where}.p_adjusted")
        note = str(entry.get("note", ""))
        rows.append(
            (
                Cell(name),
                Cell(_count(entry, "n")),
                Cell(_count(entry, "n_patients")),
                Cell(estimate.format() if estimate.defined else note, weak=not estimate.defined),
                Cell(difference.format() if difference.defined else "", weak=True),
                Cell(p_value(p), strong=p < 0.05),
            )
        )
    if not rows:
        return None
    titles = ("Records", "Patients", f"{metric_name(metric)} [95 %]", "Minus all others [95 %]", "p, adjusted")
    columns = (Column("Group"), *(Column(title, "right") for title in titles))
    return Table(key, f"{metric_name(metric)} by age in years and by sex", columns, tuple(rows))


def _count(entry: dict[str, Any], key: str) -> str:
    return f"{entry[key]:,}" if isinstance(entry.get(key), int) else ""

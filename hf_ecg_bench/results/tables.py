"""Tables as data: results in, rows of text out. How a table is written down is in `table_formats`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from hf_ecg_bench.results.estimate import Estimate, number
from hf_ecg_bench.results.metrics import (
    COMPARED,
    METRICS,
    TARGET_METRICS,
    higher_is_better,
    metric_estimates,
    metric_name,
    sort_results,
)
from hf_ecg_bench.results.quantities import duration, energy, milliseconds, operations, quantity
from hf_ecg_bench.results.schema import Result
from hf_ecg_bench.results.settings import differing_settings
from hf_ecg_bench.results.target_scores import TargetScore, mapping

# What a comparison says of the runs' costs, where it is known: title, and the number in words.
_COSTS = {
    "latency_ms": ("10 s record", milliseconds),
    "training_flops": ("Operations", operations),
    "energy_joules": ("Energy", energy),
}


@dataclass(frozen=True)
class Cell:
    """One cell; `strong` marks the best of its column, `tied` what does not differ from it significantly, `weak` a
    number to distrust."""

    text: str
    strong: bool = False
    weak: bool = False
    tied: bool = False


@dataclass(frozen=True)
class Column:
    title: str
    align: Literal["left", "right"] = "left"


@dataclass(frozen=True)
class Table:
    """A caption, columns and rows of cells; `key` is a stable id for LaTeX labels."""

    key: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]


def to_row(result: Result) -> dict[str, Any]:
    """One flat row of a result: identity, metrics with their ends, cost. NaN where something is unknown."""
    row: dict[str, Any] = {
        "task": result.task,
        "trained_as": result.trained_as or result.task,
        "dataset": result.dataset.get("id"),
        "dataset_digest": result.dataset.get("digest"),
        "model": result.model.get("id"),
        "model_digest": result.model.get("digest"),
        "mode": result.mode,
        "protocol": result.protocol,
        "preprocessing": result.preprocessing,
        "fraction": result.fraction,
        "seed": result.seed,
        "records": result.metrics.get("n"),
    }
    for name, estimate in metric_estimates(result).items():
        row |= {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}
    row["resamples"] = mapping(result.metrics.get("resampling"), "metrics.resampling").get("n_resamples")
    for key in (
        "train_seconds",
        "evaluate_seconds",
        "peak_memory_bytes",
        "parameters",
        "trainable_parameters",
        "latency_ms",
        "training_flops",
        "energy_joules",
    ):
        row[key] = number(result.cost.get(key), f"cost.{key}")
    return row | {"schema_version": result.schema_version}


def overall_table(result: Result, *, key: str = "overall", caption: str = "Overall") -> Table:
    """One row per overall metric, with what it means."""
    rows = tuple(
        (
            Cell(metric_name(name)),
            Cell(estimate.format()),
            Cell(METRICS[name].meaning if name in METRICS else ""),
        )
        for name, estimate in metric_estimates(result).items()
    )
    return Table(key, caption, (Column("Metric"), Column("Value [95 %]", "right"), Column("Meaning")), rows)


def target_table(scores: Sequence[TargetScore], *, key: str = "targets", caption: str = "Per target") -> Table:
    """One row per yes/no target: positives, share, AUROC with its interval, other metrics; undefined ones say so."""
    rows = []
    own = [score for score in scores if score.kind != "regression"]
    others = _other_metrics(own)
    for score in own:
        share = "" if not score.records or score.positives is None else f"{100 * score.positives / score.records:.1f} %"
        doubtful = score.few or not score.estimate.defined
        rows.append(
            (
                Cell(score.name),
                Cell(_integer(score.records)),
                Cell(_integer(score.positives), weak=doubtful),
                Cell(share),
                Cell(score.estimate.format(), weak=doubtful),
                *(Cell(_value(score, name), weak=doubtful) for name in others),
            )
        )
    titles = ("Label", "Records", "Positives", "Share", "AUROC [95 %]", *(TARGET_METRICS[name].name for name in others))
    return Table(key, caption, columns_of(titles), tuple(rows))


def regression_table(
    scores: Sequence[TargetScore], *, key: str = "regression", caption: str = "Regression targets"
) -> Table:
    """One row per regression target: mean absolute error in z-units and, where known, in its unit; other metrics."""
    rows = []
    own = [score for score in scores if score.kind == "regression"]
    others = _other_metrics(own)
    for score in own:
        cells = (score.name, _integer(score.records), score.estimate.format(), in_original_units(score))
        rows.append(tuple(Cell(text) for text in (*cells, *(_value(score, name) for name in others))))
    titles = (
        "Target",
        "Records",
        "MAE, z-units [95 %]",
        "MAE, original units [95 %]",
        *(TARGET_METRICS[name].name for name in others),
    )
    return Table(key, caption, columns_of(titles), tuple(rows))


def _other_metrics(scores: Sequence[TargetScore]) -> list[str]:
    """The metrics beside the first one that any of these targets has; older results have none."""
    return [name for name in TARGET_METRICS if any(name in score.others for score in scores)]


def _value(score: TargetScore, metric: str) -> str:
    """Without its interval, which would make the table too wide for a page."""
    return Estimate(score.others.get(metric, Estimate()).value).format()


def in_original_units(score: TargetScore) -> str:
    """A regression target's error in its own unit: `4.31 [4.02, 4.60] years`."""
    original = score.original
    return "scale unknown" if original is None else f"{original.format(_digits(original))} {score.unit}".strip()


def comparison_tables(results: Sequence[Result]) -> tuple[Table, ...]:
    """One table per task, in order of appearance: model x mode, best first, best of each metric in bold."""
    tasks = list(dict.fromkeys(result.task for result in results))
    return tuple(_comparison(task, [result for result in results if result.task == task]) for task in tasks)


def _comparison(task: str, results: list[Result]) -> Table:
    results = sort_results(results)
    estimates = [metric_estimates(result) for result in results]
    present = list(dict.fromkeys(name for row in estimates for name in row))
    metrics = [name for name in COMPARED if name in present] or present
    best = {name: _best(name, [row[name].value for row in estimates if name in row]) for name in metrics}
    # Columns that say the same everywhere only take room.
    ways = any(result.preprocessing != "paper" for result in results)
    fractions = any(result.fraction != 1 for result in results)
    parts = any(result.trained_as for result in results)
    settings = differing_settings(results)
    costs = [key for key in _COSTS if any(math.isfinite(_cost(result, key)) for result in results)]
    rows = []
    for result, row, said in zip(results, estimates, settings, strict=True):
        cells = [Cell(str(result.model.get("id", "?"))), Cell(result.mode)]
        cells += [Cell(result.preprocessing)] if ways else []
        cells += [Cell(f"trained as {result.trained_as}" if result.trained_as else "")] if parts else []
        cells += [Cell(said)] if any(settings) else []
        for name in metrics:
            estimate = row.get(name)
            text = "" if estimate is None else estimate.format()
            cells.append(Cell(text, strong=estimate is not None and estimate.value == best[name]))
        cells += [Cell(f"{result.fraction:g}")] if fractions else []
        cells += [
            Cell(str(result.seed)),
            Cell(str(result.metrics.get("n", ""))),
            Cell(quantity(_cost(result, "trainable_parameters"))),
            Cell(duration(_cost(result, "train_seconds"))),
            *(Cell(_COSTS[key][1](_cost(result, key))) for key in costs),
        ]
        rows.append(tuple(cells))
    first = ("Model", "Mode", *(("Preprocessing",) if ways else ()), *(("Part",) if parts else ()))
    first += ("Settings",) if any(settings) else ()
    titles = (*first, *(f"{metric_name(name)} [95 %]" for name in metrics))
    titles += (*(("Fraction",) if fractions else ()), "Seed", "Records", "Trained", "Time")
    titles += tuple(_COSTS[key][0] for key in costs)
    return Table(f"comparison-{task}", f"Task {task}", columns_of(titles, left=len(first)), tuple(rows))


def _cost(result: Result, key: str) -> float:
    return number(result.cost.get(key), f"cost.{key}")


def _best(metric: str, values: list[float]) -> float:
    finite = [value for value in values if math.isfinite(value)]
    # A single result is not "best" of anything.
    if len(values) < 2 or not finite:
        return math.nan
    return max(finite) if higher_is_better(metric) else min(finite)


def columns_of(titles: Sequence[str], *, left: int = 1) -> tuple[Column, ...]:
    """The first `left` columns aligned to the left, the others to the right."""
    return tuple(Column(title, "left" if index < left else "right") for index, title in enumerate(titles))


def _integer(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def _digits(estimate: Estimate) -> int:
    """Three significant digits of the value."""
    return max(0, 2 - math.floor(math.log10(estimate.value))) if estimate.defined and estimate.value > 0 else 2

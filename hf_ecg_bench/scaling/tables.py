"""Tables of learning curves: the laws, the points, and how many labels a model needs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from hf_ecg_bench.results.metrics import metric_name
from hf_ecg_bench.results.tables import Cell, Table, columns_of

NOT_REACHED = "not reached"


def scaling_tables(analysis: dict[str, Any]) -> tuple[Table, ...]:
    """Laws, answers and points of every task of `analysis.analyse`."""
    found = []
    for task, entry in analysis["tasks"].items():
        name = error_name(entry)
        found.append(law_table(task, entry, name))
        if entry["answers"]:
            found.append(answer_table(task, entry))
        found.append(point_table(task, entry, name))
    return tuple(found)


def error_name(entry: dict[str, Any]) -> str:
    """What a task's errors are called."""
    name = metric_name(entry["metric"])
    return name if entry["error"] == "value" else f"1 - {name}"


def law_table(task: str, entry: dict[str, Any], name: str) -> Table:
    """One row per curve: C, alpha, L0 with their intervals, and the fit's misfit."""
    rows = []
    for curve in entry["curves"]:
        records = [point["records"] for point in curve["points"]]
        law = curve["law"]
        cells = [
            Cell(curve["label"]),
            Cell(f"{count(min(records))} to {count(max(records))}"),
            Cell(str(len(records))),
            Cell(str(sum(len(point["runs"]) for point in curve["points"]))),
        ]
        if law is None:
            cells += [Cell("no fit"), Cell(""), Cell(""), Cell("")]
        else:
            offset = interval(law["offset"]) if law["has_offset"] else "0 (not fitted)"
            cells += [Cell(interval(law["scale"])), Cell(interval(law["alpha"])), Cell(offset)]
            cells.append(Cell(f"{law['rms_residual']:.4f}"))
        rows.append(tuple(cells))
    titles = ("Model", "Records", "Sizes", "Runs", "C [95 %]", "alpha [95 %]", "L0 [95 %]", "RMS residual")
    return _table(f"scaling-{task}", f"Task {task}: {name} = C N^-alpha + L0 after N training records", titles, rows)


def answer_table(task: str, entry: dict[str, Any]) -> Table:
    """One row per pair of models: what the first needs to match the second with all its records."""
    most = {curve["label"]: max(point["records"] for point in curve["points"]) for curve in entry["curves"]}
    rows = [
        (
            Cell(item["model"]),
            Cell(item["other"]),
            Cell(count(item["other_records"])),
            Cell(f"{item['error']:.4f}"),
            Cell(needed(item), weak=item["extrapolated"] is not None or not item["reached"]),
            Cell(ratio(item), weak=item["extrapolated"] is not None or not item["reached"]),
            Cell(f"{100 * item['p_not_reached']:.0f} %"),
        )
        for item in entry["answers"]
        if item["other_records"] == most[item["other"]]
    ]
    titles = (
        "Model",
        "needs, to match",
        "with all N",
        "its error",
        "Records N* [95 %]",
        "N*/N [95 %]",
        "P(not reached)",
    )
    caption = f"Task {task}: labels that a model needs"
    return _table(f"labels-{task}", caption, titles, rows, left=2)


def point_table(task: str, entry: dict[str, Any], name: str) -> Table:
    """One row per curve and size: mean, the seeds' SD, and beside it the interval from the test set."""
    rows = [
        (
            Cell(curve["label"]),
            Cell(f"{point['fraction']:.4g}"),
            Cell(count(point["records"])),
            Cell(str(len(point["runs"]))),
            Cell(f"{point['error']['value']:.4f}"),
            Cell("" if _absent(point["seed_sd"]) else f"{point['seed_sd']:.4f}"),
            Cell(_ends(point["error"]["low"], point["error"]["high"])),
        )
        for curve in entry["curves"]
        for point in curve["points"]
    ]
    titles = ("Model", "Fraction", "Records", "Runs", "Mean", "SD over seeds", "Sampling 95 %")
    return _table(f"points-{task}", f"Task {task}: {name}", titles, rows)


def needed(item: dict[str, Any]) -> str:
    """`1,230 [800 to 2,100]`, with what is beyond or below the sizes that were tried said."""
    value, low, high = (item["records"][key] for key in ("value", "low", "high"))
    text = f"{_count_or_not(value)} [{_count_or_not(low)} to {_count_or_not(high)}]"
    if value == 0:
        text = f"any number [{_count_or_not(low)} to {_count_or_not(high)}]"
    mark = {"beyond": ", extrapolated", "below": ", fewer than tried"}.get(item["extrapolated"] or "", "")
    return text + mark


def ratio(item: dict[str, Any]) -> str:
    """`0.25 [0.16 to 0.42]`."""
    texts = [
        NOT_REACHED if _absent(item["ratio"][key]) else f"{item['ratio'][key]:.3g}" for key in ("value", "low", "high")
    ]
    return f"{texts[0]} [{texts[1]} to {texts[2]}]"


def interval(raw: dict[str, float]) -> str:
    """`0.301 [0.250, 0.355]` with three significant digits; `none` where there is no value."""
    if _absent(raw["value"]):
        return "none"
    return f"{raw['value']:.3g} [{raw['low']:.3g}, {raw['high']:.3g}]"


def count(value: float) -> str:
    """Records for people: whole numbers, three significant digits above 10,000."""
    if value >= 10_000:
        value = round(value, 2 - math.floor(math.log10(value)))
    return f"{value:,.0f}"


def _count_or_not(value: float) -> str:
    return NOT_REACHED if _absent(value) else count(value)


def _ends(low: float, high: float) -> str:
    return "" if _absent(low) or _absent(high) else f"{low:.4f} to {high:.4f}"


def _absent(value: float | None) -> bool:
    return value is None or math.isnan(value)


def _table(key: str, caption: str, titles: tuple[str, ...], rows: Sequence[tuple[Cell, ...]], left: int = 1) -> Table:
    return Table(key, caption, columns_of(titles, left=left), tuple(rows))

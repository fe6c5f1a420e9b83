"""Learning curves: error against training records per task, and the records that a model saves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hf_ecg_bench.errors import EcgBenchError
from hf_ecg_bench.overview.parts import Block, Part
from hf_ecg_bench.overview.study import Study
from hf_ecg_bench.overview.wording import sentence, task_name
from hf_ecg_bench.results.figures import Picture
from hf_ecg_bench.results.pages import safe
from hf_ecg_bench.results.row import Row
from hf_ecg_bench.results.tables import Cell, Column, Table
from hf_ecg_bench.scaling.analysis import analyse
from hf_ecg_bench.scaling.plot import plot_scaling
from hf_ecg_bench.scaling.tables import count, error_name, law_table, needed, point_table, ratio
from hf_ecg_bench.scaling.writing import how_resampled
from hf_ecg_bench.tasks.categories import task_order

# The paper's supervised baselines, the better one first.
_BASELINES = ("s4", "net1d")


def scaling_part(study: Study) -> Part:
    """A block per task that has runs on several fractions of its training records."""
    title = "Scaling with training records"
    folders = curve_folders(study)
    if not folders:
        return Part("scaling", title, ("Every entry was trained on one share of the records: there are no curves.",))
    try:
        analysis = analyse(
            [study.folder / folder for folder in folders],
            n_resamples=study.choices.n_resamples,
            seed=study.choices.seed,
        )
    except EcgBenchError as error:
        return Part("scaling", title, (f"No curves: {error.message.replace(str(study.folder), '')}",))
    blocks = [
        _block(task, analysis["tasks"][task])
        for task in sorted(analysis["tasks"], key=task_order)
        if task in study.standings and _has_curve(analysis["tasks"][task])
    ]
    intro = (
        "Laws are C N^-alpha + L0, fitted where there are three numbers of records or more. N*/N is the share of the "
        "supervised baseline's labels that a model needs to reach the baseline's error: 0.25 saves three of four.",
    )
    return Part("scaling", title, intro, tuple(blocks))


def curve_folders(study: Study) -> list[str]:
    """Run folders of what was run on several shares of the records of one task, and of the baselines."""
    groups: dict[tuple[str, ...], set[tuple[float, float]]] = {}
    for row in study.rows:
        groups.setdefault(_group(row), set()).add((row.fraction, row.records_train))
    curved = {group for group, sizes in groups.items() if len({fraction for fraction, _ in sizes}) > 1}
    return list(dict.fromkeys(row.folder for row in study.rows if _group(row) in curved))


def baseline_of(curves: Sequence[dict[str, Any]]) -> str | None:
    """The label of the supervised baseline's curve: S4 from scratch, else another model from scratch."""
    scratch = [curve for curve in curves if curve["mode"] == "scratch"]
    ranked = sorted(
        scratch,
        key=lambda curve: (
            _BASELINES.index(curve["model"]) if curve["model"] in _BASELINES else len(_BASELINES),
            -len(curve["points"]),
            curve["label"],
        ),
    )
    return ranked[0]["label"] if ranked else None


def efficiency_table(task: str, entry: dict[str, Any], baseline: str) -> Table | None:
    """One row per curve, one column per size of the baseline: N*/N; None where no law answers."""
    answers = [item for item in entry["answers"] if item["other"] == baseline]
    sizes = sorted({item["other_records"] for item in answers})
    models = [curve["label"] for curve in entry["curves"] if any(item["model"] == curve["label"] for item in answers)]
    if not models:
        return None
    found = {(item["model"], item["other_records"]): item for item in answers}
    rows = []
    for model in models:
        items = [found.get((model, size)) for size in sizes]
        cells = [
            Cell("")
            if item is None
            else Cell(ratio(item), weak=item["extrapolated"] is not None or not item["reached"])
            for item in items
        ]
        last = items[-1]
        rows.append((Cell(model), *cells, Cell("" if last is None else needed(last))))
    titles = [*(f"N = {count(size)}" for size in sizes), f"N* for N = {count(sizes[-1])}"]
    caption = (
        f"{task_name(task)}: share N*/N [95 %] of the records of {baseline} that a model needs for its error. "
        "Italics: beyond the sizes that were tried, or not reached."
    )
    columns = (Column("Model"), *(Column(title, "right") for title in titles))
    return Table(f"efficiency-{safe(task)}", caption, columns, tuple(rows))


def _block(task: str, entry: dict[str, Any]) -> Block:
    name = error_name(entry)
    tables = []
    baseline = baseline_of(entry["curves"])
    notes = [how_resampled(entry)]
    efficiency = efficiency_table(task, entry, baseline) if baseline is not None else None
    if efficiency is not None:
        tables.append(efficiency)
    elif baseline is None:
        notes.append("No model was trained from scratch: there is no supervised baseline to compare with.")
    if any(curve["law"] for curve in entry["curves"]):
        tables.append(law_table(task, entry, name))
    tables.append(point_table(task, entry, name))
    notes += [f"{curve['label']}: {note}" for curve in entry["curves"] for note in curve["notes"]]
    picture = Picture(
        f"scaling-{safe(task)}",
        f"{name} on {task_name(task)} against training records. Bars: test patients, 95 %; ticks: single runs; "
        "dashed: extrapolated.",
        plot_scaling(task_name(task), entry),
        f"Learning curves on {task_name(task)}; the table of points has the numbers",
    )
    return Block(task_name(task), tuple(tables), (picture,), tuple(sentence(note) for note in _counted(notes)))


def _counted(notes: Sequence[str]) -> list[str]:
    """Notes that differ only in the curve that they are about are said once."""
    said: dict[str, list[str]] = {}
    for note in notes:
        label, _, text = note.rpartition(": ")
        said.setdefault(text if label else note, []).append(label)
    return [
        text if labels == [""] else f"{', '.join(labels[:3])}{' and others' if len(labels) > 3 else ''}: {text}"
        for text, labels in said.items()
    ]


def _sizes(curve: dict[str, Any]) -> int:
    return len({point["records"] for point in curve["points"]})


def _has_curve(entry: dict[str, Any]) -> bool:
    return any(_sizes(curve) > 1 for curve in entry["curves"])


def _group(row: Row) -> tuple[str, ...]:
    return (
        row.trained_as or row.task,
        row.model,
        row.mode,
        row.preprocessing,
        row.protocol,
        row.subset,
        row.model_digest,
    )

"""A run's part of the report as data: the templates only place what stands here."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hf_ecg_bench.results.cost_tables import cost_facts, cost_notes, phase_table
from hf_ecg_bench.results.estimate import number
from hf_ecg_bench.results.examples_panel import ExamplePanel, example_panels
from hf_ecg_bench.results.figures import (
    MOST_PANELS,
    Picture,
    label_pictures,
    learning_picture,
    regression_pictures,
    selected_step,
    subgroup_picture,
)
from hf_ecg_bench.results.findings import cautions, headline, setting
from hf_ecg_bench.results.group_tables import slice_tables, subgroup_table
from hf_ecg_bench.results.metrics import metric_name
from hf_ecg_bench.results.robustness_part import RobustnessPart, robustness_part
from hf_ecg_bench.results.run_folder import Run
from hf_ecg_bench.results.schema import EXAMPLES_FILE, PREDICTIONS_FILE, Result
from hf_ecg_bench.results.tables import (
    Table,
    overall_table,
    regression_table,
    target_table,
)
from hf_ecg_bench.results.target_scores import target_scores

Facts = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Detail:
    """How much a run's section shows: panels per figure, and ECGs."""

    panels: int
    examples: int


FULL = Detail(MOST_PANELS, 6)
ONE_OF_SEVERAL = Detail(12, 1)
ONE_OF_MANY = Detail(12, 0)


@dataclass(frozen=True, eq=False)
class Section:
    """Everything that the report says about one run.

    Attributes:
        slug: unique in the report, for anchors and file names.
        tables: overall metrics, then labels, then regression targets; none is empty.
        parts: the tasks that the run serves besides its own.
        subgroups: scores by age and sex, with their picture.
        robustness: tests on other datasets and on disturbed signals.
        absent: what could not be shown, and why.
    """

    slug: str
    name: str
    title: str
    headline: str
    setting: str
    cautions: tuple[str, ...]
    tables: tuple[Table, ...]
    pictures: tuple[Picture, ...]
    learning: Picture | None
    examples: tuple[ExamplePanel, ...]
    absent: tuple[str, ...]
    identity: Facts
    signal_steps: tuple[str, ...]
    signal: Facts
    hyperparameters: Facts
    cost: Facts
    phases: Table | None
    cost_notes: tuple[str, ...]
    parts: tuple[Table, ...]
    subgroups: Table | None
    subgroup_picture: Picture | None
    robustness: RobustnessPart | None
    environment: Facts
    command: str
    result: Result

    @property
    def all_tables(self) -> tuple[Table, ...]:
        """What goes into the file of tables."""
        others = (table for table in (self.subgroups, self.phases) if table is not None)
        return (*self.tables, *self.parts, *others, *(self.robustness.tables if self.robustness else ()))


def build_section(run: Run, slug: str, detail: Detail) -> Section:
    """Work out a run's section.

    Raises:
        PredictionsError: the result's inner structure is not what `run` writes.
    """
    result = run.result
    scores = target_scores(result, run.predictions)
    parts = slice_tables(result, slug)
    tables = (
        overall_table(result, key=f"{slug}-overall"),
        target_table(scores, key=f"{slug}-labels", caption=_LABELS),
        # The parts' own table has them, by task.
        *(() if len(parts) > 1 else (regression_table(scores, key=f"{slug}-regression", caption=_ERRORS),)),
    )
    steps = result.signal.get("steps")
    return Section(
        slug=slug,
        name=run.name,
        title=f"{title_of(result)} on {result.task}",
        headline=headline(run),
        setting=setting(run, scores),
        cautions=tuple(cautions(run, scores)),
        tables=tuple(table for table in tables if table.rows),
        pictures=(*label_pictures(run, scores, panels=detail.panels), *regression_pictures(run, scores)),
        learning=learning_picture(result),
        examples=example_panels(run, scores, limit=detail.examples),
        absent=tuple(_absent(run, detail)),
        identity=_identity(result),
        signal_steps=tuple(str(step) for step in steps)
        if isinstance(steps, Sequence) and not isinstance(steps, str)
        else (),
        signal=facts({key: value for key, value in result.signal.items() if key != "steps"}),
        hyperparameters=facts({k: v for k, v in result.hyperparameters.items() if k not in _PER_TARGET}),
        cost=cost_facts(result),
        phases=phase_table(result, f"{slug}-phases"),
        cost_notes=cost_notes(result),
        parts=parts,
        subgroups=subgroup_table(result, f"{slug}-subgroups"),
        subgroup_picture=subgroup_picture(result),
        robustness=robustness_part(run.evaluations, slug),
        environment=facts({key: value for key, value in result.environment.items() if key != "command"}),
        command=command_line(result),
        result=result,
    )


_LABELS = "AUROC per label; other metrics as values, F1 at the threshold from validation records"
_ERRORS = "Mean absolute error per regression target"
# Shown in the tables, where they belong to their target.
_PER_TARGET = ("target_mean", "target_std", "target_units")


def title_of(result: Result) -> str:
    """`s4, scratch`: how a run is called in headings; a preprocessing other than the paper's is said."""
    other = "" if result.preprocessing == "paper" else f", {result.preprocessing} preprocessing"
    return f"{result.model.get('id', 'unknown model')}, {result.mode}{other}"


def facts(values: Mapping[str, Any], prefix: str = "") -> Facts:
    """Nested values as (dotted name, text), in their order."""
    found: list[tuple[str, str]] = []
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            found.extend(facts(value, f"{prefix}{key}."))
        else:
            found.append((f"{prefix}{key}", _text(value)))
    return tuple(found)


def command_line(result: Result) -> str:
    """The command that repeats the run: the recorded one, else one made from the result's identity."""
    recorded = result.environment.get("command")
    if isinstance(recorded, str) and recorded.strip():
        return recorded
    parts = ["hf-ecg-bench", "run", "--model", str(result.model.get("source") or result.model.get("id"))]
    parts += ["--task", result.task, "--data", str(result.dataset.get("source") or result.dataset.get("id"))]
    parts += ["--mode", result.mode, "--protocol", result.protocol]
    if result.preprocessing != "paper":
        parts += ["--preprocessing", result.preprocessing]
    if unit := result.hyperparameters.get("accept_unit"):
        parts += ["--accept-unit", str(unit)]
    for key in ("epochs", "batch_size", "learning_rate", "weight_decay"):
        if key in result.hyperparameters:
            parts += [f"--{key.replace('_', '-')}", _text(result.hyperparameters[key])]
    parts += ["--fraction", f"{result.fraction:g}", "--seed", str(result.seed), "--output-dir", "RUN_DIR"]
    return " ".join(shlex.quote(part) for part in parts)


def _absent(run: Run, detail: Detail) -> list[str]:
    found = []
    if PREDICTIONS_FILE in run.missing:
        found.append(f"No ROC and reliability plots: {run.missing[PREDICTIONS_FILE]}.")
    if EXAMPLES_FILE in run.missing:
        found.append(f"No test ECGs: {run.missing[EXAMPLES_FILE]}.")
    elif run.examples is not None and detail is not FULL and len(run.examples.record_id) > detail.examples:
        found.append(
            f"{len(run.examples.record_id) - detail.examples} more test ECGs, and panels of all labels, "
            f"are in the run's own report: hf-ecg-bench report {shlex.quote(run.name)}"
        )
    return found


def _identity(result: Result) -> Facts:
    records = result.dataset.get("records")
    counts = (
        ", ".join(f"{_text(n)} {name}" for name, n in records.items()) if isinstance(records, Mapping) else "unknown"
    )
    rows = {
        "Task": result.task,
        "Dataset": f"{result.dataset.get('id', '?')} ({result.dataset.get('source', '?')})",
        "Dataset digest": result.dataset.get("digest"),
        "Records": counts,
        "Model": f"{result.model.get('id', '?')} ({result.model.get('source', '?')})",
        "Model digest": result.model.get("digest"),
        "Mode": result.mode,
        "Protocol": result.protocol,
        "Preprocessing": result.preprocessing,
        "Training fraction": result.fraction,
        "Seed": result.seed,
        f"Selected {selected_step(result)}": _selection(result),
    }
    return tuple((name, _text(value)) for name, value in rows.items())


def _selection(result: Result) -> str:
    if not result.selection:  # an ensemble's: nothing was trained
        return "none"
    value = number(result.selection.get("best_value"), "selection.best_value")
    metric = metric_name(str(result.selection.get("metric", "?")))
    chosen = result.selection.get("strength", result.selection.get("best_epoch"))
    return f"{_text(chosen)}, by validation {metric} = {value:.4f}"


def _text(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | tuple | dict) else str(value)

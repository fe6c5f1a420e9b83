"""Ways of adapting a model against each other: paired differences of one model's modes on each task."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from hf_ecg_bench.evaluation.multiplicity import holm_of_defined
from hf_ecg_bench.overview.parts import Block, Part
from hf_ecg_bench.overview.plots.dumbbell import plot_dumbbells
from hf_ecg_bench.overview.study import Study
from hf_ecg_bench.overview.verdicts import ALPHA
from hf_ecg_bench.overview.wording import fixed, signed, task_name
from hf_ecg_bench.results.estimate import Estimate
from hf_ecg_bench.results.figures import Picture
from hf_ecg_bench.results.metrics import metric_name
from hf_ecg_bench.results.pages import safe
from hf_ecg_bench.results.plots.forest import plot_forest
from hf_ecg_bench.results.quantities import p_value
from hf_ecg_bench.results.tables import Cell, Column, Table
from hf_ecg_bench.standings.entry import Entry
from hf_ecg_bench.texts import plural
from hf_ecg_bench.training.modes import MODES

_REFERENCE = "finetune"
_MOST_OPEN = 40  # pairs of a block that is not folded
_MOST_ROWS = 150  # of one forest plot


@dataclass(frozen=True)
class Pair:
    """One model on one task in two modes.

    Attributes:
        gain: how much better the fine-tuned entry is, in the metric's own unit and always positive where it is;
            its paired interval, and p Holm-adjusted over all pairs of these two modes.
    """

    task: str
    metric: str
    entry: Entry
    other: Entry
    value: float
    other_value: float
    gain: Estimate
    p: float
    p_adjusted: float = math.nan


def adaptation_part(study: Study) -> Part:
    """Fine-tuning against every other mode that the same model was run in."""
    title = "Ways of adapting"
    others = [mode for mode in _modes(study) if mode != _REFERENCE]
    blocks = []
    for mode in others:
        pairs = mode_pairs(study, mode)
        if pairs:
            blocks.append(_block(mode, pairs))
    if not blocks:
        return Part("adaptation", title, ("No model was both fine-tuned and adapted in another way on one task.",))
    intro = (
        "Differences are paired: both runs of a model are scored on the same resampled test patients, so that their "
        "intervals tell whether the way of adapting matters, which the overlap of two intervals does not.",
    )
    picture = _dumbbells(study)
    return Part("adaptation", title, intro, (*([Block(pictures=(picture,))] if picture else []), *blocks))


def mode_pairs(study: Study, mode: str) -> list[Pair]:
    """Every model and task with both modes, equal in everything else; Holm over all of them."""
    found = []
    for task, standing in study.standings.items():
        scores = standing.scores
        sign = 1 if scores.higher_is_better else -1
        for i, entry in enumerate(scores.entries):
            other = replace(entry, mode=mode)
            if entry.mode != _REFERENCE or other not in scores.entries:
                continue
            j = scores.entries.index(other)
            ends = sorted(sign * float(end[i, j]) for end in (standing.low, standing.high))
            gain = Estimate(sign * float(standing.difference[i, j]), *ends)
            values = float(scores.value[i]), float(scores.value[j])
            found.append(Pair(task, scores.metric, entry, other, *values, gain, float(standing.p[i, j])))
    adjusted = holm_of_defined([pair.p for pair in found])
    return [replace(pair, p_adjusted=float(p)) for pair, p in zip(found, adjusted, strict=True)]


def pair_table(mode: str, pairs: Sequence[Pair]) -> Table:
    """One row per model and task; the better value in bold where the difference is significant."""
    rows = []
    for pair in pairs:
        clear = pair.p_adjusted < ALPHA
        rows.append(
            (
                Cell(task_name(pair.task)),
                Cell(_name(pair.entry)),
                Cell(metric_name(pair.metric)),
                Cell(fixed(pair.value, 3), strong=clear and pair.gain.value > 0),
                Cell(fixed(pair.other_value, 3), strong=clear and pair.gain.value < 0),
                Cell(signed(pair.gain.value, pair.gain.low, pair.gain.high)),
                Cell(p_value(pair.p_adjusted) if not math.isnan(pair.p) else "not tested"),
            )
        )
    titles = (_REFERENCE, mode, "Gain [95 %]", "p, Holm")
    columns = (Column("Task"), Column("Model"), Column("Metric"), *(Column(title, "right") for title in titles))
    caption = (
        f"{_REFERENCE} against {mode}: gain is above 0 where {_REFERENCE} is better, also for errors. "
        f"Bold: better by a paired test, Holm-adjusted over these {plural(len(pairs), 'pair')}."
    )
    return Table(f"adaptation-{mode}", caption, columns, tuple(rows))


def _block(mode: str, pairs: Sequence[Pair]) -> Block:
    clear = [pair for pair in pairs if pair.p_adjusted < ALPHA]
    better, worse = sum(pair.gain.value > 0 for pair in clear), sum(pair.gain.value < 0 for pair in clear)
    known = [pair.gain.value for pair in pairs if pair.gain.defined]
    said = (
        (
            f"Of {plural(len(pairs), 'pair')} of model and task, {_REFERENCE} is significantly better in {better} and "
            f"significantly worse in {worse}; median gain {statistics.median(known):+.3f}.",
        )
        if known
        else ()
    )
    title, long = f"{_REFERENCE} against {mode}", len(pairs) > _MOST_OPEN
    return Block(title, (pair_table(mode, pairs),), tuple(_forests(mode, pairs)), said, folded=long)


def _forests(mode: str, pairs: Sequence[Pair]) -> Iterator[Picture]:
    drawn = [pair for pair in pairs if pair.gain.defined][:_MOST_ROWS]
    if len(drawn) < 2:
        return
    caption = (
        f"Gain of {_REFERENCE} over {mode}, with paired 95 % interval: right of the line {_REFERENCE} is better. "
        "Filled: significant after Holm's adjustment."
    )
    if len(drawn) < len(pairs):
        caption += f" {len(drawn)} of {len(pairs)} pairs; the table has all."
    yield Picture(
        f"gain-{safe(mode)}",
        caption,
        plot_forest(
            [f"{task_name(pair.task)} · {_name(pair.entry)}" for pair in drawn],
            [pair.gain for pair in drawn],
            label=f"gain of {_REFERENCE} over {mode}",
            reference=0.0,
            doubtful=[not pair.p_adjusted < ALPHA for pair in drawn],
        ),
        f"Paired differences of {_REFERENCE} and {mode} per task and model, the numbers of the table above",
    )


def _dumbbells(study: Study) -> Picture | None:
    """One panel a task, one line a model, one mark a mode; only models with several modes."""
    modes = _modes(study)
    models = sorted({_marked(entry) for entry in study.entries})
    panels = []
    for task, standing in study.standings.items():
        scores = standing.scores
        values = {
            (_marked(entry), entry.mode): float(value)
            for entry, value in zip(scores.entries, scores.value, strict=True)
            if (entry.preprocessing, entry.protocol) == ("paper", "paper")
        }
        panels.append((f"{task_name(task)}, {metric_name(scores.metric)}", values))
    models = [name for name in models if any(sum((name, mode) in values for mode in modes) > 1 for _, values in panels)]
    if not models:
        return None
    modes = [mode for mode in modes if any((name, mode) in values for name in models for _, values in panels)]
    supervised = _supervised(study)
    references = [values.get((supervised, "scratch"), math.nan) for _, values in panels]
    dashed = f" Dashed: {supervised} from scratch." if supervised else ""
    return Picture(
        "adaptation",
        "Each model's modes on each task; a line joins the modes of one model. Errors (MAE): left is better." + dashed,
        plot_dumbbells(
            [title for title, _ in panels],
            models,
            modes,
            [values for _, values in panels],
            references=references,
            reference_name=f"{supervised}, scratch",
        ),
        "Values of each model's modes by task; the tables per task have the numbers",
    )


def _supervised(study: Study) -> str:
    """The supervised baseline: S4, else the best other model that was trained from scratch; empty for none."""
    scratch = [entry.model for entry in study.entries if entry.mode == "scratch"]
    return "s4" if "s4" in scratch else next(iter(scratch), "")


def _modes(study: Study) -> list[str]:
    """In the catalogue's order, unknown ones last."""
    modes = {entry.mode for entry in study.entries if entry.origin == "ours"}
    return [mode for mode in MODES if mode in modes] + sorted(modes - MODES.keys())


def _marked(entry: Entry) -> str:
    """The model, with its weights where they are not all the same."""
    return f"{entry.model}@{entry.weights}" if entry.weights else entry.model


def _name(entry: Entry) -> str:
    return ", ".join([entry.model, *entry.unusual])

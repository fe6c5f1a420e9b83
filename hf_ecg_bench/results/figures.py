"""Which figures a run gets: from its result and predictions to pictures ready to be placed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from hf_ecg_bench.results.estimate import Estimate, number
from hf_ecg_bench.results.group_tables import subgroup_rows
from hf_ecg_bench.results.metrics import metric_estimates, metric_name, primary_metric
from hf_ecg_bench.results.plots.agreement import plot_agreement
from hf_ecg_bench.results.plots.forest import plot_forest
from hf_ecg_bench.results.plots.learning_curve import plot_learning_curve
from hf_ecg_bench.results.plots.reliability import plot_reliability
from hf_ecg_bench.results.plots.roc import plot_roc, plot_roc_overview
from hf_ecg_bench.results.run_folder import Run
from hf_ecg_bench.results.schema import Result
from hf_ecg_bench.results.target_scores import TargetScore, mapping

FEW_PANELS = 12
MOST_PANELS = 72
MOST_ROWS = 150


@dataclass(frozen=True, eq=False)
class Picture:
    """A figure with its place.

    Attributes:
        key: unique in the run, part of the file name.
        caption: what is drawn and how to read it.
        figure: the drawing.
        alternative: text for who cannot see it.
        folded: shown only when opened (many panels).
    """

    key: str
    caption: str
    figure: Figure
    alternative: str
    folded: bool = False


def label_pictures(run: Run, scores: Sequence[TargetScore], *, panels: int) -> Iterator[Picture]:
    """Forest, ROC and reliability plots of the yes/no targets; at most `panels` small panels per figure."""
    labels = [score for score in scores if score.kind != "regression"]
    if not labels:
        return
    yield _forest(
        labels,
        "forest",
        "AUROC",
        "AUROC with 95 % interval, best first; hollow: fewer than ten positives or negatives.",
        ("macro", metric_estimates(run.result).get("macro_auroc", Estimate())),
        0.5,
    )
    if run.predictions is None:
        return
    column = {name: index for index, name in enumerate(run.predictions.names)}
    labels = [label for label in labels if label.name in column]
    targets, predictions = run.predictions.targets, run.predictions.predictions
    columns = [column[label.name] for label in labels]
    if len(labels) > FEW_PANELS:
        yield Picture(
            "roc-overview",
            "ROC curves of all labels (thin) and their mean (strong).",
            plot_roc_overview(targets[:, columns], predictions[:, columns]),
            "ROC curves of all labels",
        )
    shown = _most_positives(labels, panels)
    columns = [column[label.name] for label in shown]
    which = "" if len(shown) == len(labels) else f" The {len(shown)} labels with the most positives."
    folded = len(shown) > FEW_PANELS
    names = [label.name for label in shown]
    yield Picture(
        "roc",
        "ROC curve per label with its AUROC [95 %]." + which,
        plot_roc(targets[:, columns], predictions[:, columns], names, [label.estimate.format() for label in shown]),
        "ROC curves per label",
        folded,
    )
    yield Picture(
        "reliability",
        "Reliability: in records given a probability (horizontal), how often the label was true (vertical, "
        "with 95 % Wilson interval); on the diagonal the probabilities can be taken at their word. "
        "Bars: records per bin." + which,
        plot_reliability(targets[:, columns], predictions[:, columns], names),
        "Reliability diagrams per label with counts",
        folded,
    )


def regression_pictures(run: Run, scores: Sequence[TargetScore]) -> Iterator[Picture]:
    """Forest of the errors and predicted-against-true plots of the regression targets."""
    numbers = [score for score in scores if score.kind == "regression"]
    if not numbers:
        return
    if len(numbers) > 1:
        overall = metric_estimates(run.result).get("macro_mae")
        yield _forest(
            numbers,
            "forest-regression",
            "MAE (z-units)",
            "Mean absolute error in standard deviations of the training records' values, "
            "with 95 % interval, best first.",
            None if overall is None else ("macro", overall),
            None,
        )
    if run.predictions is None:
        return
    column = {name: index for index, name in enumerate(run.predictions.names)}
    numbers = [score for score in numbers if score.name in column][:FEW_PANELS]
    if not numbers:
        return
    # Where mean and standard deviation are known, the axes are in the target's own unit.
    known = [math.isfinite(score.scale) and math.isfinite(score.offset) for score in numbers]
    scale = np.array([score.scale if yes else 1.0 for score, yes in zip(numbers, known, strict=True)])
    offset = np.array([score.offset if yes else 0.0 for score, yes in zip(numbers, known, strict=True)])
    columns = [column[score.name] for score in numbers]

    def original(values: NDArray[np.floating]) -> NDArray[np.floating]:
        return values[:, columns] * scale + offset

    yield Picture(
        "agreement",
        "Predicted against true value, one dot a test record; on the diagonal both agree.",
        plot_agreement(
            original(run.predictions.targets),
            original(run.predictions.predictions),
            [score.name for score in numbers],
            [f"MAE {score.estimate.format()} z" for score in numbers],
            [score.unit if yes else "z" for score, yes in zip(numbers, known, strict=True)],
        ),
        "Predicted against true values of the regression targets",
    )


def selected_step(result: Result) -> str:
    """What validation chose among: the epochs of training, or the strengths of the convex solver's penalty."""
    return "strength" if "strength" in result.selection else "epoch"


def learning_picture(result: Result) -> Picture | None:
    """Training loss and validation metric per epoch, or None where the run has no history."""
    rows = [mapping(row, f"history[{index}]") for index, row in enumerate(result.history)]
    if not rows:
        return None
    metric = str(result.selection.get("metric", "macro_auroc"))

    def column(key: str) -> list[float]:
        return [number(row.get(key), f"history[{index}].{key}") for index, row in enumerate(rows)]

    best, step = number(result.selection.get("best_epoch"), "selection.best_epoch"), selected_step(result)
    return Picture(
        "learning-curve",
        f"Training loss and validation metric per {step}; dashed: the {step} whose model was tested.",
        plot_learning_curve(
            column("epoch"),
            column("train_loss"),
            column(f"validation_{metric}"),
            metric=metric_name(metric),
            best_epoch=best if math.isfinite(best) else None,
            step=step if step == "epoch" else f"{step}, from strong to weak: number",
        ),
        "Learning curve",
    )


def subgroup_picture(result: Result) -> Picture | None:
    """The primary metric by age and sex, or None where no group is large enough for one."""
    rows = [(name, entry, estimate) for name, entry, estimate in subgroup_rows(result) if estimate.defined]
    if not rows:
        return None
    metric = primary_metric(result)
    figure = plot_forest(
        [name for name, _, _ in rows],
        [estimate for _, _, estimate in rows],
        label=metric_name(metric),
        notes=[f"{entry.get('n')} records" for _, entry, _ in rows],
        summary=("all", metric_estimates(result).get(metric, Estimate())),
    )
    caption = f"{metric_name(metric)} by age in years and by sex, with 95 % interval; last: all test records."
    return Picture("subgroups", caption, figure, f"{metric_name(metric)} by age and sex")


def comparison_picture(task: str, key: str, names: Sequence[str], results: Sequence[Result], metric: str) -> Picture:
    """All results of a task as one forest plot, in the given order."""
    estimates = [metric_estimates(result).get(metric, Estimate()) for result in results]
    caption = (
        f"{metric_name(metric)} on {task} with each result's own 95 % interval. "
        "Overlapping intervals do not tell whether two results differ; the same resamples of both do: "
        "hf-ecg-bench score A --against B."
    )
    figure = plot_forest(names, estimates, label=metric_name(metric))
    return Picture(key, caption, figure, f"{metric_name(metric)} of all results on {task}")


def _forest(
    scores: Sequence[TargetScore],
    key: str,
    label: str,
    caption: str,
    summary: tuple[str, Estimate] | None,
    reference: float | None,
) -> Picture:
    shown = _most_positives(scores, MOST_ROWS)
    if len(shown) < len(scores):
        caption += f" The {len(shown)} of {len(scores)} with the most positives; the table has all."
    sign = -1 if label == "AUROC" else 1

    def rank(score: TargetScore) -> float:
        return sign * score.estimate.value if score.estimate.defined else math.inf

    shown = sorted(shown, key=rank)
    figure = plot_forest(
        [score.name for score in shown],
        [score.estimate for score in shown],
        label=label,
        notes=["" if score.positives is None else f"{score.positives:,} positive" for score in shown],
        summary=summary,
        reference=reference,
        doubtful=[score.few for score in shown],
    )
    return Picture(key, caption, figure, f"{label} per target with intervals")


def _most_positives(scores: Sequence[TargetScore], limit: int) -> list[TargetScore]:
    """At most `limit` scores: those with the most positives, in their own order."""
    ranked = sorted(range(len(scores)), key=lambda index: -(scores[index].positives or 0))
    return [scores[index] for index in sorted(ranked[:limit])]

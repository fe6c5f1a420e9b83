"""A run's tests on other datasets and on disturbed signals, as tables and pictures of the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hf_ecg_bench.evaluation.multiplicity import holm_of_defined
from hf_ecg_bench.results.estimate import Estimate, number
from hf_ecg_bench.results.figures import Picture
from hf_ecg_bench.results.metrics import metric_name
from hf_ecg_bench.results.plots.forest import plot_forest
from hf_ecg_bench.results.tables import Cell, Table, columns_of
from hf_ecg_bench.results.target_scores import FEW, mapping

_METRICS = ("macro_auroc", "pooled_mae")


@dataclass(frozen=True, eq=False)
class RobustnessPart:
    """What the report says about a run's further tests.

    Attributes:
        shift: one row per other dataset, or None.
        shift_targets: per other dataset, its shared targets.
        shift_pictures, panel_pictures: differences as forest plots, one per metric.
        panel: one row per perturbation, or None.
        notes: what to know about the other datasets' numbers.
    """

    shift: Table | None
    shift_targets: tuple[Table, ...]
    shift_pictures: tuple[Picture, ...]
    panel: Table | None
    panel_pictures: tuple[Picture, ...]
    notes: tuple[str, ...]

    @property
    def tables(self) -> tuple[Table, ...]:
        """All of them."""
        return tuple(table for table in (self.shift, *self.shift_targets, self.panel) if table is not None)

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """All of them."""
        return (*self.shift_pictures, *self.panel_pictures)


def robustness_part(evaluations: Sequence[Mapping[str, Any]], slug: str) -> RobustnessPart | None:
    """The part of one run, None where nothing was asked of it.

    Args:
        evaluations: contents of evaluation.json.

    Raises:
        PredictionsError: their inner structure is not what `run` writes.
    """
    elsewhere = [item for item in evaluations if item.get("kind") == "shift"]
    perturbed = [item for item in evaluations if item.get("kind") == "perturbation"]
    if not elsewhere and not perturbed:
        return None
    return RobustnessPart(
        shift=_shift_table(elsewhere, f"{slug}-shift") if elsewhere else None,
        shift_targets=tuple(_target_table(item, f"{slug}-shift-{i}") for i, item in enumerate(elsewhere)),
        shift_pictures=_pictures(
            elsewhere,
            [_dataset(item) for item in elsewhere],
            "shift",
            "there minus at home",
            "on other datasets minus on the run's own test records, over the same targets, with 95 % interval; "
            "dashed: no change.",
        ),
        panel=_panel_table(perturbed, f"{slug}-perturbations") if perturbed else None,
        panel_pictures=_pictures(
            perturbed,
            [_title(item) for item in perturbed],
            "perturbations",
            "disturbed minus clean",
            "on disturbed minus on clean signals of the same test records, with 95 % interval of the paired bootstrap "
            "over patients; dashed: no change.",
        ),
        notes=tuple(f"{_dataset(item)}: {text}" for item in elsewhere for text in _texts(item.get("warnings"))),
    )


def _shift_table(items: Sequence[Mapping[str, Any]], key: str) -> Table:
    rows = []
    for item in items:
        for metric in _present(item):
            scored = mapping(mapping(item.get("metrics"), "metrics").get("targets"), "metrics.targets")
            records = mapping(item.get("dataset"), "dataset").get("records")
            is_auroc = metric == "macro_auroc"
            number_of_targets = sum(("auroc" in mapping(raw, name)) == is_auroc for name, raw in scored.items())
            rows.append(
                (
                    Cell(_dataset(item)),
                    Cell(str(records)),
                    Cell(str(number_of_targets)),
                    Cell(metric_name(metric)),
                    Cell(_score(item, "metrics", metric).format()),
                    Cell(_score(item, "metrics_home", metric).format()),
                    Cell(_change(item, metric).format()),
                )
            )
    titles = (
        "Dataset",
        "Test records",
        "Shared targets",
        "Metric",
        "There [95 %]",
        "At home [95 %]",
        "Difference [95 %]",
    )
    return Table(key, "On other datasets, and at home over the same targets", columns_of(titles), tuple(rows))


def _target_table(item: Mapping[str, Any], key: str) -> Table:
    there = mapping(mapping(item.get("metrics"), "metrics").get("targets"), "metrics.targets")
    home = mapping(mapping(item.get("metrics_home"), "metrics_home").get("targets"), "metrics_home.targets")
    said = mapping(item.get("targets"), "targets")
    rows = []
    for name, raw in there.items():
        entry, own = mapping(raw, name), mapping(home.get(name), name)
        metric = "auroc" if "auroc" in entry else "mae"
        positives, negatives = (number(entry.get(k), k) for k in ("n_positive", "n_negative"))
        few = min(positives, negatives) < FEW
        rows.append(
            (
                Cell(name),
                Cell(", ".join(_texts(mapping(said.get(name), name).get("present"))) or "the same target"),
                Cell("" if positives != positives else f"{positives:,.0f}", weak=few),
                Cell("" if negatives != negatives else f"{negatives:,.0f}", weak=few),
                Cell(Estimate.from_json(entry.get(metric), f"{name}.{metric}").format(), weak=few),
                Cell(Estimate.from_json(own.get(metric), f"{name}.{metric}").format()),
            )
        )
    titles = ("Target", "Labels there", "Positives there", "Negatives there", "There [95 %]", "At home [95 %]")
    return Table(key, f"Shared targets of {_dataset(item)}", columns_of(titles, left=2), tuple(rows))


def _panel_table(items: Sequence[Mapping[str, Any]], key: str) -> Table:
    metrics = [metric for metric in _METRICS if any(metric in _present(item) for item in items)]
    adjusted = {metric: _adjusted(items, metric) for metric in metrics}
    rows = []
    for row, item in enumerate(items):
        detail = mapping(item.get("perturbation"), "perturbation").get("detail")
        cells = [Cell(f"{_title(item)}: {detail}" if detail else _title(item))]
        for metric in metrics:
            p = adjusted[metric][row]
            cells += [
                Cell(_score(item, "metrics", metric).format()),
                Cell(_change(item, metric).format()),
                Cell("" if p != p else f"{p:.3f}"),
            ]
        rows.append(tuple(cells))
    titles = ["Test signals"]
    for metric in metrics:
        titles += [f"{metric_name(metric)} [95 %]", "Change [95 %]", "p, adjusted"]
    caption = "On disturbed test signals, against the clean ones; p is Holm's over these rows"
    return Table(key, caption, columns_of(titles), tuple(rows))


def _adjusted(items: Sequence[Mapping[str, Any]], metric: str) -> list[float]:
    p = [
        number(mapping(mapping(item.get("difference"), "difference").get(metric), metric).get("p"), "p")
        for item in items
    ]
    return [float(value) for value in holm_of_defined(p)]


def _pictures(
    items: Sequence[Mapping[str, Any]], names: Sequence[str], key: str, what: str, caption: str
) -> tuple[Picture, ...]:
    found = []
    for metric in _METRICS:
        rows = [
            (name, _change(item, metric)) for name, item in zip(names, items, strict=True) if metric in _present(item)
        ]
        if not rows:
            continue
        figure = plot_forest(
            [name for name, _ in rows],
            [estimate for _, estimate in rows],
            label=f"{metric_name(metric)}, {what}",
            reference=0.0,
        )
        title = metric_name(metric)
        found.append(Picture(f"{key}-{metric.replace('_', '-')}", f"{title} {caption}", figure, f"{title}, {what}"))
    return tuple(found)


def _present(item: Mapping[str, Any]) -> list[str]:
    difference = mapping(item.get("difference"), "difference")
    return [metric for metric in _METRICS if metric in difference]


def _score(item: Mapping[str, Any], side: str, metric: str) -> Estimate:
    metrics = mapping(mapping(item.get(side), side).get("metrics"), f"{side}.metrics")
    return Estimate.from_json(metrics.get(metric), f"{side}.{metric}")


def _change(item: Mapping[str, Any], metric: str) -> Estimate:
    return Estimate.from_json(mapping(item.get("difference"), "difference").get(metric), f"difference.{metric}")


def _dataset(item: Mapping[str, Any]) -> str:
    return str(mapping(item.get("dataset"), "dataset").get("id"))


def _title(item: Mapping[str, Any]) -> str:
    return str(mapping(item.get("perturbation"), "perturbation").get("title"))


def _texts(raw: Any) -> list[str]:
    return [str(value) for value in raw] if isinstance(raw, list) else []

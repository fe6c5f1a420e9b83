"""The record-level panel: a test ECG on paper, and for each target what was true and what was predicted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hf_ecg_bench.results.estimate import Estimate
from hf_ecg_bench.results.figures import Picture
from hf_ecg_bench.results.plots.ecg_paper import MAX_SECONDS, paper_size, plot_ecg
from hf_ecg_bench.results.plots.style import plain
from hf_ecg_bench.results.run_folder import Run
from hf_ecg_bench.results.target_scores import TargetScore

MOST_ROWS = 12


@dataclass(frozen=True)
class LabelRow:
    """A yes/no target of one record; `target` is None where it is missing."""

    name: str
    target: bool | None
    probability: float

    @property
    def target_text(self) -> str:
        return "missing" if self.target is None else "yes" if self.target else "no"


@dataclass(frozen=True)
class NumberRow:
    """A regression target of one record, as text in its own unit or in z-units."""

    name: str
    target: str
    prediction: str
    error: str
    unit: str


@dataclass(frozen=True, eq=False)
class ExamplePanel:
    """One drawn record.

    Attributes:
        labels: the rows to show: present ones first, then by probability; `more` are the others.
        note: what the drawing leaves out, or why there are no predictions.
        width: of the drawing on paper in mm.
    """

    record_id: str
    picture: Picture
    width: float
    labels: tuple[LabelRow, ...]
    more: tuple[LabelRow, ...]
    numbers: tuple[NumberRow, ...]
    note: str


def example_panels(run: Run, scores: Sequence[TargetScore], *, limit: int) -> tuple[ExamplePanel, ...]:
    """Panels of the first `limit` example records; none where the run stored no examples."""
    if run.examples is None:
        return ()
    chosen = zip(run.examples.record_id[:limit], run.examples.signals[:limit], strict=True)
    return tuple(
        _panel(run, scores, index, record_id, signal, run.examples.sampling_rate)
        for index, (record_id, signal) in enumerate(chosen, start=1)
    )


def _panel(
    run: Run, scores: Sequence[TargetScore], index: int, record_id: str, signal: np.ndarray, rate: float
) -> ExamplePanel:
    seconds = len(signal) / rate
    notes = []
    source = run.result.signal.get("source")
    unit = plain(str(source.get("unit", "mV")), 12) if isinstance(source, dict) else "mV"
    if unit != "mV":
        notes.append(f"The dataset's signals are not in mV: 10 mm are 1 {unit}.")
    if seconds > MAX_SECONDS:
        notes.append(f"The first {MAX_SECONDS:g} of {seconds:g} s.")
    missing = int((~np.isfinite(signal)).sum())
    if missing:
        notes.append(f"{missing:,} samples are missing (gaps).")
    labels, numbers = _rows(run, scores, record_id)
    if not labels and not numbers:
        notes.append("No predictions for this record.")
    first = [row for row in labels if row.target]
    rest = sorted((row for row in labels if not row.target), key=lambda row: -row.probability)
    room = max(MOST_ROWS - len(first), 3)
    picture = Picture(
        f"ecg-{index}",
        f"Test record {record_id}: 25 mm/s, 10 mm/{unit}, each strip centred on its median.",
        plot_ecg(signal, rate, unit=unit, caption=plain(record_id, 60)),
        f"12-lead ECG of test record {record_id}",
    )
    return ExamplePanel(
        record_id,
        picture,
        paper_size(seconds)[0],
        tuple(first + rest[:room]),
        tuple(rest[room:]),
        numbers,
        " ".join(notes),
    )


def _rows(run: Run, scores: Sequence[TargetScore], record_id: str) -> tuple[list[LabelRow], tuple[NumberRow, ...]]:
    predictions = run.predictions
    if predictions is None:
        return [], ()
    found = np.flatnonzero(predictions.record_id == record_id)
    if not len(found):
        return [], ()
    targets, values = predictions.targets[found[0]], predictions.predictions[found[0]]
    by_name = {score.name: score for score in scores}
    labels, numbers = [], []
    for name, kind, target, value in zip(predictions.names, predictions.kinds, targets, values, strict=True):
        if kind == "regression":
            score = by_name.get(name, TargetScore(name, kind, Estimate()))
            numbers.append(_number_row(score, float(target), float(value)))
        else:
            labels.append(LabelRow(name, bool(target == 1) if np.isfinite(target) else None, float(value)))
    return labels, tuple(numbers)


def _number_row(score: TargetScore, target: float, value: float) -> NumberRow:
    true, predicted = score.in_original_units(target), score.in_original_units(value)
    if true is None or predicted is None:
        true, predicted, unit, digits = target, value, "z", 2
    else:
        unit, digits = score.unit, max(0, 2 - int(np.floor(np.log10(max(abs(score.scale), 1e-9)))))
    if not np.isfinite(true):
        return NumberRow(score.name, "missing", f"{predicted:.{digits}f}", "", unit)
    return NumberRow(
        score.name, f"{true:.{digits}f}", f"{predicted:.{digits}f}", f"{predicted - true:+.{digits}f}", unit
    )

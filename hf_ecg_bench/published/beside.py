"""Our results beside the published ones of the same model, mode and task, and whether the two can be compared."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from hf_ecg_bench.data.registry import get_dataset_spec, list_datasets
from hf_ecg_bench.published.audit import findings_of
from hf_ecg_bench.published.finding import by_key, key
from hf_ecg_bench.results.row import Row

#: Share of a dataset's records below which training and test records are a part of it. Of MIMIC-IV-ECG the protocol
#: uses one in seven; of the others the validation records and what is filtered are missing.
_WHOLE = 0.6
_WHOLE_OF = {"mimic_iv_ecg": 0.1, "echonext": 0.5}


@dataclass(frozen=True)
class Beside:
    """One of our rows and the published one.

    Attributes:
        ours, theirs: the rows.
        difference: ours minus theirs, in the metric's unit; NaN where either is undefined.
        as_published: our value under the published policy for undefined labels (each counts 0.5); equal to ours
            where none is undefined.
        obstacles: why the two values cannot be compared; empty where they can.
        remarks: what else to know when comparing them.
    """

    ours: Row
    theirs: Row
    difference: float
    as_published: float
    obstacles: tuple[str, ...]
    remarks: tuple[str, ...]

    @property
    def comparable(self) -> bool:
        """Whether nothing stands against comparing the two values."""
        return not self.obstacles


def beside(ours: Sequence[Row], published: Sequence[Row]) -> list[Beside]:
    """Each of our rows that has a published one of the same model, mode and task, in our order."""
    theirs = by_key(published)
    return [_pair(row, theirs[key(row)]) for row in ours if row.origin == "ours" and key(row) in theirs]


def _pair(ours: Row, theirs: Row) -> Beside:
    value = as_published(ours)
    return Beside(
        ours, theirs, value - theirs.value, value, tuple(_obstacles(ours, theirs)), tuple(_remarks(ours, theirs, value))
    )


def as_published(row: Row) -> float:
    """A macro AUROC over defined labels as one in which every undefined label counts 0.5."""
    undefined = row.n_undefined
    if row.metric != "macro_auroc" or row.protocol == "published" or not undefined > 0 or not row.n_targets > undefined:
        return row.value
    return (row.value * (row.n_targets - undefined) + 0.5 * undefined) / row.n_targets


def _obstacles(ours: Row, theirs: Row) -> list[str]:
    found = []
    if math.isnan(ours.value):
        found.append("ours is undefined")
    if ours.metric != theirs.metric and not (ours.n_targets == 1 and ours.metric.endswith("mae")):
        found.append(f"ours is {ours.metric}, theirs {theirs.metric}")
    if ours.n_targets != theirs.n_targets and not math.isnan(ours.n_targets):
        found.append(f"ours has {ours.n_targets:g} targets, theirs {theirs.n_targets:g}")
    if ours.fraction < 1 or ours.subset == "limit":
        share = f" ({ours.fraction:g} of them)" if ours.fraction < 1 else ""
        found.append(f"ours was trained on a part of the training records{share}")
    elif part := part_of(ours):
        found.append(f"ours has {part}")
    if ours.preprocessing != theirs.preprocessing:
        found.append(f"ours was fed the {ours.preprocessing} way")
    found += [f"theirs: {finding.title}" for finding in findings_of(theirs) if finding.severity == "do_not_use"]
    return found


def _remarks(ours: Row, theirs: Row, value: float) -> list[str]:
    found = []
    if value != ours.value:
        found.append(
            f"{ours.n_undefined:g} of {ours.n_targets:g} labels are undefined in our test records: left out of "
            f"{ours.value:.4f}, at 0.5 as in theirs {value:.4f}"
        )
    if theirs.metric == "pooled_mae" and theirs.n_targets > 1:
        found.append("which mean over targets theirs is, is not known")
    if ours.protocol not in ("paper", "published"):
        found.append(f"protocol {ours.protocol}")
    if ours.contamination != theirs.contamination:
        states = (state.replace("_", " ") for state in (ours.contamination, theirs.contamination))
        found.append("seen in pretraining: ours {}, theirs {}".format(*states))
    elif ours.contamination != "none":
        found.append(f"seen in pretraining, both: {ours.contamination.replace('_', ' ')}")
    cautions = [finding for finding in findings_of(theirs) if finding.severity == "caution"]
    found += [f"theirs: {finding.title}" for finding in cautions if finding.about == "value"]
    if any(finding.about == "interval" for finding in cautions):
        found.append("their interval is not to be compared with ours")
    return found


def part_of(row: Row) -> str:
    """How many records of its data set a result rests on, where that is a part of them; else empty."""
    if row.dataset not in list_datasets():
        return ""
    whole = get_dataset_spec(row.dataset).records
    used = row.records_train + row.records_test
    if whole is None or not used < _WHOLE_OF.get(row.dataset, _WHOLE) * whole:
        return ""
    ours = f"{row.records_train:,.0f} training and {row.records_test:,.0f} test records"
    return f"{ours} of the data set's {whole:,}"

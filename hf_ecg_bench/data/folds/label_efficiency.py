"""Training subsets for label efficiency: one record per patient, smaller and smaller, stratified like the whole.

The published study shrinks the training and the validation split this way, each by itself, and tests on the whole test
split.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from hf_ecg_bench.data.folds.stratify import stratify

RATIOS = tuple(1 / 2**power for power in range(8))
_BANDS = ((20, "<20"), (40, "20-40"), (60, "40-60"), (80, "60-80"))
_OLDEST = ">=80"


@dataclass(frozen=True)
class LabelEfficiencySetting:
    """One of the published settings.

    Attributes:
        id: the published name.
        task: whose records and labels it is made from.
        classes: the labels that are left, in order; None keeps all.
        needs_label: records without any of them are left out.
    """

    id: str
    task: str
    classes: tuple[str, ...] | None = None
    needs_label: bool = False

    def labels_of(self, labels: Sequence[str]) -> list[str] | None:
        """What is left of a record's labels; None for a record that is left out."""
        left = [label for label in labels if self.classes is None or label in self.classes]
        return None if self.needs_label and not left else left


SETTINGS: dict[str, LabelEfficiencySetting] = {
    setting.id: setting
    for setting in (
        LabelEfficiencySetting("ptbxl_label_efficiency", "ptbxl_super"),
        LabelEfficiencySetting(
            "ptbxl_all_label_efficiency",
            "ptbxl_all",
            ("SR", "NORM", "ABQRS", "IMI", "ASMI", "LVH", "NDT", "LAFB", "AFIB", "ISC_", "PVC", "IRBBB", "STD_"),
            needs_label=True,
        ),
        LabelEfficiencySetting(
            "echonext_label_efficiency",
            "echonext",
            (
                "lvef_lte_45_flag",
                "lvwt_gte_13_flag",
                "tricuspid_regurgitation_moderate_or_greater_flag",
                "rv_systolic_dysfunction_moderate_or_greater_flag",
                "pasp_gte_45_flag",
                "tr_max_gte_32_flag",
            ),
        ),
    )
}


def label_efficiency_subset(
    patients: Sequence[Hashable],
    labels: Sequence[Sequence[str]],
    sex: Sequence[str | None],
    age: Sequence[float | None],
    ratio: float,
    *,
    shuffle_seed: int = 42,
    seed: int = 0,
) -> list[int]:
    """Positions of the records that stay, in the shuffled order in which patients were taken.

    Records are shuffled and the first of every patient is kept; these are stratified on labels, sex (missing counts
    as female, as in the reference) and age band. A missing age has no band; the reference fails there.

    Args:
        patients: the patient of each record; None for a record that is a patient of its own.
        labels: the task's labels of each record.
        age: in years.
        ratio: the share to keep, above 0 and at most 1; the published ones are RATIOS.

    Raises:
        ValueError: another ratio, or lists of different length.
    """
    if not 0 < ratio <= 1:
        raise ValueError(f"ratio {ratio}: expected more than 0 and at most 1")
    if len({len(patients), len(labels), len(sex), len(age)}) != 1:
        raise ValueError("patients, labels, sex and age have different lengths")
    first: dict[Hashable, int] = {}
    for position in np.random.RandomState(shuffle_seed).permutation(len(patients)).tolist():
        patient = patients[position]
        first.setdefault(("record", position) if patient is None else ("patient", patient), position)
    chosen = list(first.values())
    units = [["male" if sex[p] == "male" else "female", *_band(age[p]), *labels[p]] for p in chosen]
    classes = sorted({label for unit in units for label in unit})
    folds = stratify(units, classes, [ratio, 1 - ratio], seed=seed)
    return [position for position, fold in zip(chosen, folds, strict=True) if fold == 0]


def _band(age: float | None) -> list[str]:
    if age is None:
        return []
    return [next((name for bound, name in _BANDS if age < bound), _OLDEST)]

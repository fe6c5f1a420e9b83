"""Laboratory values near each ECG, from `labevents` and what was charted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from hf_ecg_bench.data.formats.csv_stream import stream_csv
from hf_ecg_bench.data.sources.mimic.charted import ChartedValues
from hf_ecg_bench.data.sources.mimic.counts import joined, quantile
from hf_ecg_bench.data.sources.mimic.events import Events
from hf_ecg_bench.data.sources.mimic.items import ItemTable
from hf_ecg_bench.data.sources.mimic.layout import DAMAGED
from hf_ecg_bench.data.sources.mimic.names import laboratory_items, regression_names
from hf_ecg_bench.data.sources.mimic.nearest import WITHIN_AN_HOUR, Moments, nearest_values

LOW, HIGH = 0.01, 0.99
_COLUMNS = {
    "subject_id": pa.int64(),
    "itemid": pa.int64(),
    "storetime": pa.timestamp("s"),
    "valuenum": pa.float64(),
    "valueuom": pa.string(),
}


class LaboratoryEvents:
    """`labevents`, read once: the wanted items with a number, told apart by item, unit and whether the patient is in
    the table of ECGs (limits are quantiles over all patients first, over those with ECGs later).
    """

    def __init__(self, path: Path, subjects: np.ndarray, moments: Moments) -> None:
        items = laboratory_items()
        known = ItemTable({item: str(item) for item in items}, [str(item) for item in items])
        self.events = Events(moments)
        self._keys: dict[tuple[int, str | None, bool], int] = {}
        for batch in stream_csv(path, _COLUMNS, fix=DAMAGED, required=("subject_id", "itemid")):
            kind = known.positions(batch.column("itemid").to_numpy())
            value = batch.column("valuenum").to_numpy(zero_copy_only=False)
            at = np.flatnonzero((kind >= 0) & ~np.isnan(value))
            subject = batch.column("subject_id").to_numpy()[at]
            ours = subjects[np.searchsorted(subjects, subject).clip(max=len(subjects) - 1)] == subject
            units = batch.column("valueuom").take(pa.array(at)).dictionary_encode()
            texts = [None, *units.dictionary.to_pylist()]
            unit = units.indices.fill_null(-1).to_numpy() + 1
            # One number per combination in this batch, then one for the whole table.
            local = (kind[at].astype(np.int64) * len(texts) + unit) * 2 + ours
            found, inverse = np.unique(local, return_inverse=True)
            keys = [
                self._key(items[own // 2 // len(texts)], texts[own // 2 % len(texts)], bool(own % 2))
                for own in found.tolist()
            ]
            time = batch.column("storetime").to_numpy(zero_copy_only=False)[at]
            self.events.add(np.array(keys, np.int64)[inverse], subject, time, value[at], WITHIN_AN_HOUR)

    def keys(self, item: int, *, unit: str | None = None, ours: bool | None = None) -> list[int]:
        """Keys of an item: of one unit or all, of patients with ECGs, others, or all."""
        return [
            key
            for (own, its_unit, its_ours), key in self._keys.items()
            if own == item and unit in (None, its_unit) and ours in (None, its_ours)
        ]

    def units(self, item: int) -> list[str]:
        """Units that an item is given in, sorted."""
        return sorted({unit for own, unit, _ in self._keys if own == item and unit is not None})

    def _key(self, item: int, unit: str | None, ours: bool) -> int:
        return self._keys.setdefault((item, unit, ours), len(self._keys))


def laboratory_targets(
    found: LaboratoryEvents, labels: dict[int, str], charted: ChartedValues, ecgs: np.ndarray
) -> dict[str, np.ndarray]:
    """For each laboratory target the value nearest to each ECG, at most an hour before or after it.

    Of each label its most frequent item (equal: the smaller id), of that what lies between the 1 % and 99 % quantiles,
    of that its most frequent unit (equal: by name) and the patients with ECGs; then charted values are added, and the
    quantiles applied again.

    Args:
        found: what `labevents` has.
        labels: item id -> label, from `d_labitems`.
        charted: values from intensive care.
        ecgs: (n,) points of the ECGs.
    """
    targets = {}
    for name in regression_names("mimic_lab_values"):
        items = [item for item in laboratory_items() if labels.get(item) == name]
        parts = list(charted.counts(name))
        points, values = np.empty(0, np.int64), np.empty(0)
        if items:
            totals = {item: joined(found.events.counts(found.keys(item))).total for item in items}
            item = min(items, key=lambda own: (-totals[own], own))
            every = joined(found.events.counts(found.keys(item)))
            low, high = quantile(every, LOW), quantile(every, HIGH)
            frequent = {
                unit: joined(found.events.counts(found.keys(item, unit=unit)), low, high).total
                for unit in found.units(item)
            }
            if frequent:
                unit = min(frequent, key=lambda own: (-frequent[own], own))
                keys = found.keys(item, unit=unit, ours=True)
                parts.insert(0, joined(found.events.counts(keys), low, high))
                points, values = found.events.near(keys)
                inside = (values >= low) & (values <= high)
                points, values = points[inside], values[inside]
        more_points, more_values = charted.near(name)
        points, values = np.concatenate([points, more_points]), np.concatenate([values, more_values])
        whole = joined(parts)
        low, high = quantile(whole, LOW), quantile(whole, HIGH)
        inside = (values >= low) & (values <= high)
        targets[name] = nearest_values(ecgs, points[inside], values[inside], WITHIN_AN_HOUR)
    return targets

"""Values charted at the bedside of intensive care (`chartevents`), under the names and units of the targets."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from hf_ecg_bench.data.formats.csv_stream import stream_csv
from hf_ecg_bench.data.sources.mimic.counts import ValueCounts
from hf_ecg_bench.data.sources.mimic.events import Events
from hf_ecg_bench.data.sources.mimic.items import ItemTable, read_items
from hf_ecg_bench.data.sources.mimic.layout import DAMAGED
from hf_ecg_bench.data.sources.mimic.nearest import WITHIN_30_DAYS, WITHIN_AN_HOUR, Moments, Window


@dataclass(frozen=True)
class Charted:
    """What a label of `d_items` becomes.

    Attributes:
        label: as `d_items` has it.
        target: the target whose values it adds to.
        factor, offset: value * factor + offset is in the target's unit.
        needs_unit: rows without a unit are dropped.
        window: how near an ECG a value has to be.
    """

    label: str
    target: str
    factor: float = 1.0
    offset: float = 0.0
    needs_unit: bool = False
    window: Window = WITHIN_AN_HOUR


CHARTED = (
    Charted("Admission Weight (Kg)", "Weight (Lbs)", 2.20462, needs_unit=True, window=WITHIN_30_DAYS),
    Charted("Daily Weight", "Weight (Lbs)", 2.20462, needs_unit=True, window=WITHIN_30_DAYS),
    Charted("Height (cm)", "Height (Inches)", 0.393701, window=WITHIN_30_DAYS),
    Charted("Height", "Height (Inches)", window=WITHIN_30_DAYS),
    Charted("Temperature Celsius", "temperature", 9 / 5, 32.0),
    Charted("Temperature Fahrenheit", "temperature"),
    Charted("Heart Rate", "heartrate"),
    Charted("Respiratory Rate", "resprate"),
    Charted("O2 saturation pulseoxymetry", "o2sat"),
    Charted("Creatinine (serum)", "Creatinine", needs_unit=True),
    Charted("Hematocrit (serum)", "Hematocrit", needs_unit=True),
    Charted("Total Bilirubin", "Bilirubin, Total", needs_unit=True),
    Charted("Albumin", "Albumin", needs_unit=True),
    Charted("Hemoglobin", "Hemoglobin"),
)
_COLUMNS = {
    "subject_id": pa.int64(),
    "storetime": pa.timestamp("s"),
    "itemid": pa.int64(),
    "valuenum": pa.float64(),
    "valueuom": pa.string(),
}


@dataclass(frozen=True)
class ChartedValues:
    """Charted values by target, of labels that occur often enough."""

    events: Events
    keys: dict[str, tuple[int, ...]]

    def counts(self, target: str) -> list[ValueCounts]:
        """How often each value of a target was charted."""
        return self.events.counts(self.keys.get(target, ()))

    def near(self, target: str) -> tuple[np.ndarray, np.ndarray]:
        """Points and values near an ECG, in table order."""
        return self.events.near(self.keys.get(target, ()))


def no_charted_values(moments: Moments) -> ChartedValues:
    """What a build without `chartevents` has."""
    return ChartedValues(Events(moments), {})


def read_charted(path: Path, items: Path, subjects: np.ndarray, moments: Moments, min_count: int) -> ChartedValues:
    """Read `chartevents` once. The time of a value is when it was stored.

    Args:
        path, items: `chartevents`, `d_items`.
        subjects: the patients of the table of ECGs, ascending; others do not count.
        min_count: a label with fewer rows is left out.

    Raises:
        DataError: unusable tables.
    """
    known = ItemTable(read_items(items), [item.label for item in CHARTED])
    needs_unit = np.array([item.needs_unit for item in CHARTED])
    factor = np.array([item.factor for item in CHARTED])
    offset = np.array([item.offset for item in CHARTED])
    monthly = np.array([item.window == WITHIN_30_DAYS for item in CHARTED])
    rows = np.zeros(len(CHARTED), np.int64)
    events = Events(moments)
    for batch in stream_csv(path, _COLUMNS, fix=DAMAGED, required=("subject_id", "itemid")):
        kind = known.positions(batch.column("itemid").to_numpy())
        at = np.flatnonzero(kind >= 0)
        subject = batch.column("subject_id").to_numpy()[at]
        at = at[subjects[np.searchsorted(subjects, subject).clip(max=len(subjects) - 1)] == subject]
        rows += np.bincount(kind[at], minlength=len(CHARTED))
        has_unit = batch.column("valueuom").is_valid().to_numpy(zero_copy_only=False)
        at = at[has_unit[at] | ~needs_unit[kind[at]]]
        own, subject = kind[at], batch.column("subject_id").to_numpy()[at]
        time = batch.column("storetime").to_numpy(zero_copy_only=False)[at]
        value = batch.column("valuenum").to_numpy(zero_copy_only=False)[at] * factor[own] + offset[own]
        for window, mine in ((WITHIN_30_DAYS, monthly[own]), (WITHIN_AN_HOUR, ~monthly[own])):
            events.add(own[mine], subject[mine], time[mine], value[mine], window)
    keys: dict[str, tuple[int, ...]] = {}
    for number, item in enumerate(CHARTED):
        if rows[number] >= min_count:
            keys[item.target] = (*keys.get(item.target, ()), number)
    return ChartedValues(events, keys)

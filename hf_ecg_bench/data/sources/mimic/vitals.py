"""Vital signs and body measures near each ECG: from the emergency department, outpatient records, and charts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hf_ecg_bench.data.formats.csv_stream import stream_csv
from hf_ecg_bench.data.ledger import Ledger
from hf_ecg_bench.data.sources.mimic.charted import ChartedValues
from hf_ecg_bench.data.sources.mimic.counts import joined, quantile
from hf_ecg_bench.data.sources.mimic.events import Events
from hf_ecg_bench.data.sources.mimic.laboratory import HIGH, LOW
from hf_ecg_bench.data.sources.mimic.layout import DAMAGED
from hf_ecg_bench.data.sources.mimic.names import regression_names
from hf_ecg_bench.data.sources.mimic.nearest import WITHIN_30_DAYS, WITHIN_AN_HOUR, Moments, nearest_values

_NUMBER = r"^\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*$"


def vital_names() -> tuple[str, ...]:
    """The targets that are columns of `vitalsign`."""
    return regression_names("mimic_vital_signs")


def biometric_names() -> tuple[str, ...]:
    """The targets that are names of results in `omr`."""
    return regression_names("mimic_biometrics")


def read_vitals(path: Path, moments: Moments) -> Events:
    """`vitalsign` of the emergency department; a measurement's key is its place in `vital_names()`.

    Raises:
        DataError: unusable table.
    """
    events = Events(moments)
    columns = {"subject_id": pa.int64(), "charttime": pa.timestamp("s")} | dict.fromkeys(vital_names(), pa.float64())
    for batch in stream_csv(path, columns, fix=DAMAGED, required=("subject_id",)):
        subject = batch.column("subject_id").to_numpy()
        time = batch.column("charttime").to_numpy(zero_copy_only=False)
        for key, name in enumerate(vital_names()):
            value = batch.column(name).to_numpy(zero_copy_only=False)
            events.add(np.full(len(value), key), subject, time, value, WITHIN_AN_HOUR)
    return events


def read_biometrics(path: Path, moments: Moments, ledger: Ledger) -> Events:
    """`omr`; a measurement's key is its place in `biometric_names()`, its time the beginning of its day. Results that
    are no numbers are counted in the ledger.

    Raises:
        DataError: unusable table.
    """
    events = Events(moments)
    columns = {
        "subject_id": pa.int64(),
        "chartdate": pa.timestamp("s"),
        "result_name": pa.string(),
        "result_value": pa.string(),
    }
    names = pa.array(biometric_names())
    text = 0
    for batch in stream_csv(path, columns, fix=DAMAGED, required=("subject_id",)):
        key = pc.index_in(batch.column("result_name"), value_set=names)
        numeric = pc.match_substring_regex(batch.column("result_value"), _NUMBER).fill_null(False)
        text += pc.sum(pc.and_(key.is_valid(), pc.invert(numeric))).as_py() or 0
        wanted = pc.and_(key.is_valid(), numeric)
        values = pc.utf8_trim_whitespace(batch.column("result_value").filter(wanted)).cast(pa.float64())
        events.add(
            key.filter(wanted).to_numpy(),
            batch.column("subject_id").filter(wanted).to_numpy(),
            batch.column("chartdate").filter(wanted).to_numpy(zero_copy_only=False),
            values.to_numpy(),
            WITHIN_30_DAYS,
        )
    if text:
        ledger.note(f"{path.name}: {text} heights, weights and BMIs are no numbers; they count as missing")
    return events


def vital_targets(events: Events, charted: ChartedValues, ecgs: np.ndarray) -> dict[str, np.ndarray]:
    """The vital signs nearest to each ECG, at most an hour before or after it; of each name only what lies between the
    1 % and 99 % quantiles.
    """
    targets = {}
    for key, name in enumerate(vital_names()):
        whole = joined([*events.counts([key]), *charted.counts(name)])
        low, high = quantile(whole, LOW), quantile(whole, HIGH)
        points, values = _both(events, key, charted, name)
        inside = (values >= low) & (values <= high)
        targets[name] = nearest_values(ecgs, points[inside], values[inside], WITHIN_AN_HOUR)
    return targets


def biometric_targets(events: Events, charted: ChartedValues, ecgs: np.ndarray) -> dict[str, np.ndarray]:
    """Height, weight and BMI nearest to each ECG in whole days, at most 30; of each name what is not above the 99 %
    quantile, and of that what is not below the 1 % quantile.
    """
    targets = {}
    for key, name in enumerate(biometric_names()):
        counts = [*events.counts([key]), *charted.counts(name)]
        high = quantile(joined(counts), HIGH)
        low = quantile(joined(counts, high=high), LOW)
        points, values = _both(events, key, charted, name)
        inside = (values >= low) & (values <= high)
        targets[name] = nearest_values(ecgs, points[inside], values[inside], WITHIN_30_DAYS)
    return targets


def _both(events: Events, key: int, charted: ChartedValues, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Points and values of a table followed by the charted ones: the order that decides between equally near ones."""
    own, more = events.near([key]), charted.near(name)
    return np.concatenate([own[0], more[0]]), np.concatenate([own[1], more[1]])

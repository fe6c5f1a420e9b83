"""A made-up EchoNext tree in the official layout."""

from __future__ import annotations

import csv
from functools import lru_cache
from pathlib import Path

import numpy as np

from hf_ecg_bench.data.sources.echonext.index import TABULAR
from hf_ecg_bench.data.sources.echonext.metadata import METADATA, NO_SPLIT, flag_names, measurement_columns
from hf_ecg_bench.data.sources.echonext.signals import RATE, SAMPLES
from hf_ecg_bench.data.sources.example.signals import example_ecg

_DIFFERENT = 12
# Of ten records; the release has 72, 5, 5 and 17 %.
_SPLITS = ("train",) * 6 + ("val", "test", NO_SPLIT, "train")


def write_echonext(root: str, n: int) -> None:
    """The table and two arrays per split, `n` records in all splits together, one in ten of them in no split."""
    folder = Path(root)
    names = flag_names()
    splits = [_SPLITS[number % len(_SPLITS)] for number in range(n)]
    patients: dict[str, str] = {}
    rows = []
    for number, split in enumerate(splits):
        # Two ECGs per patient of train; a patient of no split is the test patient of the record before.
        patient = f"{split}-{number // 2 if split == 'train' else number}"
        patients[split] = patient
        row = {
            "ecg_key": str(100_000 - 3 * number),
            "patient_key": patients.get("test", patient) if split == NO_SPLIT else patient,
            "age_at_ecg": str(20 + number * 7 % 70),
            "sex": ("female", "male")[number % 2],
        }
        for place, name in enumerate(names):
            positive = number % 12 == place
            row |= dict.fromkeys(measurement_columns()[name], "1.5" if positive or number % 3 else "")
            row[name] = str(int(positive))
        rows.append(row | {"shd_moderate_or_greater_flag": str(int(number % 12 < len(names))), "split": split})
    with open(folder / METADATA, "w", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    for split in dict.fromkeys(_SPLITS):
        own = [number for number in range(n) if splits[number] == split]
        waves = np.empty((len(own), 1, SAMPLES, 12), np.float32)
        for place, number in enumerate(own):
            # No two alike: shifted a little further each time.
            waves[place, 0] = np.roll(_scaled(number % _DIFFERENT), number // _DIFFERENT, axis=0)
        np.save(folder / f"EchoNext_{split}_waveforms.npy", waves)
        features = np.array([np.sin(number + np.arange(len(TABULAR))) for number in own], np.float32)
        np.save(folder / f"EchoNext_{split}_tabular_features.npy", features.reshape(len(own), len(TABULAR)))


@lru_cache(maxsize=_DIFFERENT)
def _scaled(number: int) -> np.ndarray:
    signal = example_ecg(number, SAMPLES, RATE)
    scaled: np.ndarray = ((signal - signal.mean(axis=0)) / signal.std(axis=0)).astype(np.float32)
    return scaled

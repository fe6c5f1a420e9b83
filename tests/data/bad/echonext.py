"""EchoNext folders that are damaged, incomplete, or whose table and arrays do not belong together."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from hf_ecg_bench.data.sources.echonext.metadata import METADATA
from tests.data.bad.code import drop_column, edit_table, set_cell
from tests.data.bad_source import BadCase

WAVES = "EchoNext_train_waveforms.npy"
FEATURES = "EchoNext_val_tabular_features.npy"
FLAG = "pasp_gte_45_flag"


def _array(name: str, change: Callable[[np.ndarray], np.ndarray]) -> Callable[[Path], None]:
    """Damage that replaces an array."""
    return lambda root: np.save(root / name, change(np.load(root / name)))


def _hole(waves: np.ndarray) -> np.ndarray:
    waves[2, 0, 50:60, 3] = np.nan
    return waves


def _pickle(root: Path) -> None:
    np.save(root / WAVES, np.array([{"wave": 1}] * 8, dtype=object), allow_pickle=True)


CASES = [
    BadCase("no table", "echonext", lambda root: (root / METADATA).unlink(), "error", f"no {METADATA}", "get access"),
    BadCase(
        "a flag's column is missing", "echonext", edit_table(METADATA, drop_column(FLAG)), "error", f"no column {FLAG}"
    ),
    BadCase("no signals of train", "echonext", lambda root: (root / WAVES).unlink(), "error", "no such file", WAVES),
    BadCase(
        "signals cut off",
        "echonext",
        lambda root: (root / WAVES).write_bytes((root / WAVES).read_bytes()[:-1000]),
        "error",
        "its header says",
        "download that broke off",
    ),
    BadCase("signals are pickled objects", "echonext", _pickle, "error", "pickled objects, which are never loaded"),
    BadCase(
        "fewer signals than rows",
        "echonext",
        _array(WAVES, lambda waves: waves[:-1]),
        "error",
        "the table has",
        "so a part of either cannot be used",
    ),
    BadCase(
        "a row of train is missing",
        "echonext",
        edit_table(METADATA, lambda rows: rows.pop(0)),
        "error",
        "rows of split train",
    ),
    BadCase(
        "signals of eight leads",
        "echonext",
        _array(WAVES, lambda waves: waves[..., :8]),
        "error",
        "expected float32 or float16 or float64 (any, 1, 2500, 12)",
    ),
    BadCase("signals of 5 s", "echonext", _array(WAVES, lambda waves: waves[:, :, :1250]), "error", "1250, 12)"),
    BadCase(
        "features of another split",
        "echonext",
        _array(FEATURES, lambda values: np.repeat(values, 2, axis=0)),
        "error",
        "records, the table has",
        FEATURES,
    ),
    BadCase(
        "a split that is not known",
        "echonext",
        edit_table(METADATA, set_cell("split", "valid")),
        "error",
        "split 'valid', expected train, val, test or no_split",
        "line 5",
    ),
    BadCase(
        "a flag that is neither 0 nor 1",
        "echonext",
        edit_table(METADATA, set_cell(FLAG, "yes")),
        "defect",
        "unusable flag (counted as negative)",
        f"{FLAG} 'yes'",
    ),
    BadCase(
        "an ecg_key twice",
        "echonext",
        edit_table(METADATA, lambda rows: rows[1].update(ecg_key=rows[0]["ecg_key"])),
        "error",
        "occurs more than once",
    ),
    BadCase(
        "no patient",
        "echonext",
        edit_table(METADATA, set_cell("patient_key", "")),
        "defect",
        "no patient_key (the record counts as a patient of its own)",
    ),
    BadCase(
        "a sex that is neither",
        "echonext",
        edit_table(METADATA, set_cell("sex", "diverse?")),
        "defect",
        "unknown sex (stored as missing)",
    ),
    BadCase(
        "a patient in two splits",
        "echonext",
        edit_table(METADATA, lambda rows: rows[6].update(patient_key=rows[0]["patient_key"])),
        "error",
        "is in two splits",
    ),
    BadCase(
        "missing samples",
        "echonext",
        _array(WAVES, _hole),
        "defect",
        "missing samples (kept; they count as 0 for a model)",
    ),
]

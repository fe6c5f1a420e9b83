"""Fingerprints: what they tell apart, and which copies of a recording they recognise."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from hf_ecg_bench.data.fingerprints import (
    SCHEMA,
    FingerprintRows,
    read_fingerprints,
    same_but_for_rounding,
    signal_fingerprint,
    write_fingerprints,
)
from hf_ecg_bench.data.formats.wfdb_rows import read_row
from hf_ecg_bench.data.ledger import Ledger
from hf_ecg_bench.data.matching import Recordings, same_recordings
from hf_ecg_bench.data.sources.example.signals import example_ecg
from hf_ecg_bench.errors import DataError


def ecg(seed: int, samples: int = 1000) -> np.ndarray:
    return (example_ecg(seed, samples) / 1000).astype(np.float32)


def table_of(signals: list[np.ndarray], rates: list[int] | None = None) -> pa.Table:
    rows = FingerprintRows()
    for number, signal in enumerate(signals):
        rate = 500 if rates is None else rates[number]
        rows.add({"record_id": str(number), "sampling_rate": rate}, "train", {"signals": bytes(32)}, signal)
    return rows.table()


def groups_of(signals: list[np.ndarray], rates: list[int] | None = None) -> list[list[int]]:
    same = lambda a, b: same_but_for_rounding(signals[a], signals[b])  # noqa: E731
    return same_recordings(Recordings.of([table_of(signals, rates)]), same)


def test_copies_are_recognised() -> None:
    a, b, c = ecg(0), ecg(1), ecg(2)
    half_steps = (np.random.default_rng(0).integers(-1, 2, a.shape) / 2000).astype(np.float32)
    assert groups_of([a, b, c]) == []
    assert groups_of([a, b, c, a, b, b]) == [[0, 3], [1, 4, 5]]
    assert groups_of([a, b, a + half_steps, c]) == [[0, 2]]
    # One step apart in one sample: no copy by hash, but by comparison.
    c_once = c.copy()
    c_once[500, 3] += 0.001
    assert groups_of([c, c_once]) == [[0, 1]]
    c_once[500, 3] += 0.001
    assert groups_of([c, c_once]) == []
    assert groups_of([a, a[:-1]]) == []
    assert groups_of([a, a + half_steps], rates=[500, 250]) == []


def test_candidates_are_decided_by_the_signals() -> None:
    a = ecg(0)
    other = a + np.where(np.arange(1000) % 125 == 3, 0.5, 0).astype(np.float32)[:, None]  # never at one of the points
    recordings = Recordings.of([table_of([a, other])])
    assert same_recordings(recordings) == [[0, 1]]
    assert same_recordings(recordings, lambda a, b: False) == []


def test_signals_that_say_nothing_are_no_copies() -> None:
    zero = np.zeros((1000, 12), np.float32)
    steps = np.broadcast_to(np.arange(12, dtype=np.float32), (1000, 12))
    one_lead = zero.copy()
    one_lead[:, 6] = ecg(3)[:, 6]
    for constant in (zero, steps):
        assert signal_fingerprint(constant) == {"samples": 1000, "rounded": None, "points": None}
    assert groups_of([zero, zero, steps, steps, one_lead]) == []
    assert groups_of([zero, one_lead, one_lead]) == [[1, 2]], "equal sample by sample is equal, whatever is missing"


def test_missing_samples_and_signed_zeros() -> None:
    a = ecg(0)
    a[10:20] = np.nan
    b = a.copy()
    b[10:20] = -np.float32(np.nan)
    tiny = np.where(np.abs(a) < 5e-4, np.float32(-1e-5), a)
    prints = [signal_fingerprint(signal)["rounded"] for signal in (a, b, tiny)]
    assert prints[0] == prints[1]
    assert groups_of([a, tiny]) == [[0, 1]]
    assert same_but_for_rounding(a, b)
    assert not same_but_for_rounding(a, ecg(0))


def test_files(tmp_path: Path) -> None:
    table = table_of([ecg(0), np.zeros((10, 12), np.float32)])
    path = write_fingerprints(tmp_path / "a.parquet", table)
    assert table.schema == SCHEMA
    assert read_fingerprints(path).equals(table)
    with pytest.raises(DataError, match="cannot be read"):
        read_fingerprints(tmp_path / "absent.parquet")


REAL_COPIES = (
    ("ptb/patient001/s0010_re", "ptb_challenge2021/S0001", 1000),
    ("ptb/patient001/s0014lre", "ptb_challenge2021/S0002", 1000),
    *((f"ptbxl/records500/00000/{n:05d}_hr", f"ptbxl_challenge2021/HR{n:05d}", 500) for n in (1, 2, 6, 7, 8, 9)),
)


@pytest.mark.shared
def test_real_copies_in_other_releases(shared: Path) -> None:
    ledger = Ledger("x")
    signals, rates = [], []
    for original, copy, rate in REAL_COPIES:
        copies = (shared / "data" / copy.split("/")[0]).rglob(f"{copy.split('/')[1]}.hea")
        for path in (shared / "data" / original, next(copies).with_suffix("")):
            signals.append(read_row("x", str(path), rate, ledger))
            rates.append(rate)
    assert groups_of(signals, rates) == [[2 * n, 2 * n + 1] for n in range(len(REAL_COPIES))]
    rounded = table_of(signals, rates)["rounded"].to_pylist()
    equal = [a == b for n, (a, b) in enumerate(pairwise(rounded)) if n % 2 == 0]
    # PTB has steps of 0.5 uV, the Challenge of 1 uV: no rounding makes these equal.
    assert equal == [False, False, *[True] * 6]

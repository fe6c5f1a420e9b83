"""NumPy files: records as stored; damage, pickles and other shapes named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hf_ecg_bench.data.formats.npy import open_npy
from hf_ecg_bench.data.ledger import RecordProblem

SHAPE = (None, 1, 20, 12)
DATA = np.random.default_rng(0).normal(size=(7, 1, 20, 12)).astype(np.float32)


@pytest.mark.parametrize("dtype", ["<f4", ">f4", "<f2"])
def test_records_as_stored(tmp_path: Path, dtype: str) -> None:
    stored = DATA.astype(dtype)
    np.save(tmp_path / "a.npy", stored)
    data = open_npy(tmp_path / "a.npy", SHAPE, ("float32", "float16"))
    for number, record in enumerate(stored):
        np.testing.assert_array_equal(data.row(number), record)
        assert data.row(number).dtype.isnative
    with pytest.raises(IndexError):
        data.row(7)


def test_other_arrays_are_named(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    for array, said in (
        (DATA[:, :, :19], r"a.npy is float32 \(7, 1, 19, 12\), expected float32 \(any, 1, 20, 12\)"),
        (DATA.astype(np.float64), "a.npy is float64"),
        (np.zeros(3, np.float32), "expected records"),
        (np.asfortranarray(DATA), "in Fortran order"),
        (np.array([["a", None]], dtype=object), "pickled objects, which are never loaded"),
    ):
        np.save(path, array, allow_pickle=True)
        with pytest.raises(RecordProblem, match=said):
            open_npy(path, SHAPE, ("float32",))


def test_damaged_files_are_named(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    with pytest.raises(RecordProblem, match=r"unreadable NumPy file: a\.npy: no such file"):
        open_npy(path, SHAPE, ("float32",))
    np.save(path, DATA)
    whole = path.read_bytes()
    for content in (whole[:-100], whole[:100], whole[:4], b"", b"<html>not found</html>", b"\x93NUMPY\x09\x00" + whole):
        path.write_bytes(content)
        with pytest.raises(RecordProblem, match=r"unreadable NumPy file: a\.npy"):
            open_npy(path, SHAPE, ("float32",))
    path.write_bytes(whole)
    data = open_npy(path, SHAPE, ("float32",))
    with open(path, "r+b") as file:
        file.truncate(len(whole) - 100)
    with pytest.raises(RecordProblem, match="record 6: 860 bytes left, expected 960"):
        data.row(6)

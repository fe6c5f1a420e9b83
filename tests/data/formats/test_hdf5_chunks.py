"""Small HDF5 files read around the library's lock: equal to the library's reading, however they are stored."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from hf_ecg_bench.data.formats import hdf5_chunks
from hf_ecg_bench.data.formats.hdf5_chunks import read_transposed
from hf_ecg_bench.data.ledger import RecordProblem

SIGNAL = np.random.default_rng(0).normal(0, 0.3, (12, 1234)).astype(np.float16)
TYPES = ("float16", "float32")
# Chunks that divide the array, that do not, one in all, one per lead.
DEFLATED: list[dict[str, Any]] = [
    {"compression": "gzip"},
    {"compression": "gzip", "compression_opts": 9, "chunks": (5, 100)},
    {"compression": "gzip", "chunks": (12, 1234)},
    {"compression": "gzip", "chunks": (1, 617)},
]
OTHERWISE: list[dict[str, Any]] = [
    {},
    {"chunks": (5, 100)},
    {"compression": "lzf"},
    {"compression": "gzip", "shuffle": True},
    {"compression": "gzip", "fletcher32": True},
]


def write(path: Path, data: np.ndarray = SIGNAL, **storage: Any) -> str:
    with h5py.File(path, "w") as file:
        file.create_dataset("ecg", data=data, **storage)
    return str(path)


def read(path: str) -> np.ndarray:
    return read_transposed(path, "ecg", 12, TYPES)


@pytest.mark.parametrize("storage", DEFLATED + OTHERWISE, ids=str)
@pytest.mark.parametrize("dtype", ["<f2", ">f2", "<f4"])
def test_equal_however_stored(tmp_path: Path, storage: dict[str, Any], dtype: str) -> None:
    signal = read(write(tmp_path / "a.h5", SIGNAL.astype(dtype), **storage))
    np.testing.assert_array_equal(signal, SIGNAL.T.astype(np.float32))
    assert signal.dtype == np.float32
    assert signal.flags.c_contiguous


@pytest.mark.parametrize("storage", DEFLATED, ids=str)
def test_deflated_chunks_are_not_left_to_the_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, storage: dict[str, Any]
) -> None:
    path = write(tmp_path / "a.h5", **storage)
    monkeypatch.setattr(hdf5_chunks, "read_dataset", None)
    np.testing.assert_array_equal(read(path), SIGNAL.T.astype(np.float32))


def test_chunks_never_written_and_chunks_stored_as_they_are(tmp_path: Path) -> None:
    expected = SIGNAL.copy()
    expected[:, 600:] = 7
    with h5py.File(tmp_path / "a.h5", "w") as file:
        data = file.create_dataset("ecg", SIGNAL.shape, "f2", chunks=(12, 200), compression="gzip", fillvalue=7)
        data[:, :600] = SIGNAL[:, :600]
        data.id.write_direct_chunk((0, 200), np.ascontiguousarray(SIGNAL[:, 200:400]).tobytes(), filter_mask=1)
    np.testing.assert_array_equal(read(str(tmp_path / "a.h5")), expected.T.astype(np.float32))


def test_a_chunk_with_more_or_less_than_it_should(tmp_path: Path) -> None:
    for size, found in ((100, 100), (10**6, 29_616)):
        with h5py.File(tmp_path / "a.h5", "w") as file:
            data = file.create_dataset("ecg", SIGNAL.shape, "f2", chunks=SIGNAL.shape, compression="gzip")
            data.id.write_direct_chunk((0, 0), zlib.compress(bytes(size)))
        if found == size:
            with pytest.raises(RecordProblem, match=r"a\.h5: ecg: chunk at byte \d+ holds 100 bytes, expected 29616"):
                read(str(tmp_path / "a.h5"))
        else:
            assert read(str(tmp_path / "a.h5")).shape == (1234, 12), "cut to what belongs there"


@pytest.mark.parametrize("link", ["soft", "external", "virtual", "stored elsewhere"])
def test_only_data_of_the_file_itself(tmp_path: Path, link: str) -> None:
    write(tmp_path / "other.h5")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        if link == "soft":
            file["real"] = SIGNAL
            file["ecg"] = h5py.SoftLink("/real")
        elif link == "external":
            file["ecg"] = h5py.ExternalLink("other.h5", "/ecg")
        elif link == "virtual":
            layout = h5py.VirtualLayout(SIGNAL.shape, "f2")
            layout[:] = h5py.VirtualSource("other.h5", "ecg", SIGNAL.shape)
            file.create_virtual_dataset("ecg", layout)
        else:
            file.create_dataset("ecg", SIGNAL.shape, "f2", external=[(str(tmp_path / "other.h5"), 0, 29_616)])
    with pytest.raises(RecordProblem) as caught:
        read(str(tmp_path / "a.h5"))
    assert caught.value.reason == "HDF5 link refused"


def test_faults_are_named(tmp_path: Path) -> None:
    with pytest.raises(RecordProblem, match=r"missing file: no b\.h5"):
        read(str(tmp_path / "b.h5"))
    path = write(tmp_path / "a.h5", np.zeros((8, 10), "f2"), compression="gzip")
    with pytest.raises(
        RecordProblem, match=r"a\.h5: ecg is float16 \(8, 10\), expected float16 or float32 \(12, any\)"
    ):
        read(path)
    write(tmp_path / "a.h5", np.zeros((12, 10), "i4"), compression="gzip")
    with pytest.raises(RecordProblem, match="int32"):
        read(path)
    (tmp_path / "a.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    with pytest.raises(RecordProblem, match="unreadable HDF5 file"):
        read(path)

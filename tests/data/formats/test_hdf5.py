"""HDF5 files: records as stored, whatever the layout; damage and references to other files named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from hf_ecg_bench.data.formats.hdf5 import Hdf5Dataset, open_dataset, read_dataset
from hf_ecg_bench.data.formats.open_files import OPEN_FILES
from hf_ecg_bench.data.ledger import RecordProblem

SHAPE = (None, 20, 12)
DATA = np.random.default_rng(0).normal(size=(7, 20, 12)).astype(np.float32)


def write(path: Path, data: np.ndarray = DATA, **options: Any) -> Path:
    with h5py.File(path, "w") as file:
        file.create_dataset("tracings", data=data, **options)
    return path


@pytest.mark.parametrize(
    "options", [{}, {"chunks": (1, 20, 12)}, {"chunks": (3, 7, 5), "compression": "gzip", "shuffle": True}]
)
@pytest.mark.parametrize("dtype", ["<f4", ">f4"])
def test_records_as_stored(tmp_path: Path, options: dict[str, Any], dtype: str) -> None:
    path = write(tmp_path / "a.hdf5", DATA.astype(dtype), **options)
    data = open_dataset(path, "tracings", SHAPE, ["float32"])
    for number, record in enumerate(DATA):
        np.testing.assert_array_equal(data.row(number), record)
        np.testing.assert_array_equal(data.row(number, 10, 11), record[10:11])
    assert data.row(0).dtype == np.dtype("=f4")
    np.testing.assert_array_equal(read_dataset(path, "tracings", SHAPE, ["float32"]), DATA)


def test_open_files_are_few_and_follow_changes(tmp_path: Path) -> None:
    paths = [write(tmp_path / f"{number}.hdf5", DATA + number) for number in range(OPEN_FILES + 2)]
    for number, path in [*enumerate(paths), *enumerate(paths)]:
        assert open_dataset(path, "tracings", SHAPE, ["float32"]).row(1)[0, 0] == (DATA + number)[1, 0, 0]
    paths[0].unlink()
    write(paths[0], DATA[:3] * 2)
    assert open_dataset(paths[0], "tracings", SHAPE, ["float32"]).shape == (3, 20, 12)


@pytest.mark.parametrize(
    ("name", "shape", "dtypes", "said"),
    [
        ("ecg", SHAPE, ["float32"], "no such HDF5 dataset: a.hdf5: ecg is not there; the file has tracings"),
        ("tracings/ecg", SHAPE, ["float32"], "no such HDF5 dataset"),
        ("tracings", (None, 20, 8), ["float32"], r"float32 \(7, 20, 12\), expected float32 \(any, 20, 8\)"),
        ("tracings", (None, 20), ["float32"], r"expected float32 \(any, 20\)"),
        ("tracings", SHAPE, ["float16", "int16"], "expected float16 or int16"),
    ],
)
def test_other_datasets_are_named(
    tmp_path: Path, name: str, shape: tuple[int | None, ...], dtypes: list[str], said: str
) -> None:
    path = write(tmp_path / "a.hdf5")
    for read in (open_dataset, read_dataset):
        with pytest.raises(RecordProblem, match=said):
            read(path, name, shape, dtypes)


def test_damaged_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(RecordProblem, match=r"no.hdf5: no such file"):
        open_dataset(tmp_path / "no.hdf5", "tracings", SHAPE, ["float32"])
    with pytest.raises(RecordProblem, match=r"no.hdf5: no such file"):
        read_dataset(tmp_path / "no.hdf5", "tracings", SHAPE, ["float32"])
    path = write(tmp_path / "a.hdf5")
    whole = path.read_bytes()
    for content in (whole[:-100], whole[:50], b"", b"<html>not found</html>"):
        path.write_bytes(content)
        with pytest.raises(RecordProblem, match=r"unreadable HDF5 file: a.hdf5"):
            open_dataset(path, "tracings", SHAPE, ["float32"])


def test_a_file_that_shrinks_while_open_and_a_damaged_chunk(tmp_path: Path) -> None:
    path = write(tmp_path / "a.hdf5")
    data = open_dataset(path, "tracings", SHAPE, ["float32"])
    with open(path, "r+b") as file:
        file.truncate(path.stat().st_size - 2000)
    with pytest.raises(RecordProblem, match=r"record 6: .* bytes left, expected 960"):
        data.row(6)
    path = write(tmp_path / "b.hdf5", chunks=(1, 20, 12), compression="gzip")
    with h5py.File(path) as file:
        chunk = file["tracings"].id.get_chunk_info(2)
    content = bytearray(path.read_bytes())
    content[chunk.byte_offset : chunk.byte_offset + 40] = bytes(40)
    path.write_bytes(content)
    data = open_dataset(path, "tracings", SHAPE, ["float32"])
    np.testing.assert_array_equal(data.row(1), DATA[1])
    with pytest.raises(RecordProblem, match=r"b\.hdf5: tracings, record 2"):
        data.row(2)


@pytest.mark.parametrize("level", [1, 4, 9])
def test_size_of_a_deflated_record_tells_that_it_is_not_zero(tmp_path: Path, level: int) -> None:
    data = np.zeros((5, 4096, 12), np.float32)
    data[1] = np.random.default_rng(1).normal(size=(4096, 12))
    data[2, 2000:2400] = np.random.default_rng(2).integers(-200, 200, (400, 12)) / np.float32(100)
    data[3, 100, 3] = 1
    for chunks in ((1, 4096, 12), (1, 1024, 3)):
        path = write(tmp_path / "a.hdf5", data, chunks=chunks, compression="gzip", compression_opts=level)
        with Hdf5Dataset(path, "tracings") as opened:
            assert opened.records_not_zero() - {3} == {1, 2}
    for options in ({"chunks": (2, 4096, 12), "compression": "gzip"}, {"chunks": (1, 4096, 12)}, {}):
        with Hdf5Dataset(write(tmp_path / "a.hdf5", data, **options), "tracings") as opened:
            assert opened.records_not_zero() == set()


def test_references_to_other_files_are_refused(tmp_path: Path) -> None:
    secret = write(tmp_path / "secret.hdf5")
    (tmp_path / "raw.bin").write_bytes(DATA.tobytes())
    with h5py.File(tmp_path / "a.hdf5", "w") as file:
        file["link"] = h5py.ExternalLink("secret.hdf5", "tracings")
        file["soft"] = h5py.SoftLink("/link")
        layout = h5py.VirtualLayout(DATA.shape, np.float32)
        layout[:] = h5py.VirtualSource(secret, "tracings", DATA.shape)
        file.create_virtual_dataset("virtual", layout)
        file.create_dataset("stored", DATA.shape, np.float32, external=[(str(tmp_path / "raw.bin"), 0, DATA.nbytes)])
    for name in ("link", "soft", "virtual", "stored"):
        with pytest.raises(RecordProblem, match="HDF5 link refused"):
            open_dataset(tmp_path / "a.hdf5", name, SHAPE, ["float32"])

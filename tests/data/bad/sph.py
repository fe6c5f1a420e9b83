"""SPH trees that are damaged or incomplete."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np

from tests.data.bad_source import BadCase


def _file(root: Path, number: int = 3) -> Path:
    return root / "records" / f"A{number:05d}.h5"


def _rewrite(shape: tuple[int, ...], dtype: str = "float16") -> Callable[[Path], None]:
    """Another array in place of the third record's."""

    def damage(root: Path) -> None:
        with h5py.File(_file(root), "w") as file:
            file["ecg"] = np.ones(shape, dtype)

    return damage


def _edit(old: str, new: str) -> Callable[[Path], None]:
    def damage(root: Path) -> None:
        path = root / "metadata.csv"
        text = path.read_text()
        assert old in text, old
        path.write_text(text.replace(old, new, 1))

    return damage


def _truncate(root: Path) -> None:
    path = _file(root)
    path.write_bytes(path.read_bytes()[:30_000])


def _garble_a_chunk(root: Path) -> None:
    path = _file(root)
    with h5py.File(path) as file:
        info = file["ecg"].id.get_chunk_info(2)
    raw = bytearray(path.read_bytes())
    raw[info.byte_offset + 20 : info.byte_offset + 60] = bytes(40)
    path.write_bytes(bytes(raw))


def _rename_dataset(root: Path) -> None:
    with h5py.File(_file(root), "r+") as file:
        file.move("ecg", "signal")


def _link_elsewhere(root: Path) -> None:
    with h5py.File(_file(root), "w") as file:
        file["ecg"] = h5py.ExternalLink("A00001.h5", "/ecg")


def _no_numbers(root: Path) -> None:
    with h5py.File(_file(root), "r+") as file:
        file["ecg"][...] = np.nan


def _swap_leads(root: Path) -> None:
    with h5py.File(_file(root), "r+") as file:
        file["ecg"][...] = file["ecg"][()][[1, 0, *range(2, 12)]]


def _repeat_a_row(root: Path) -> None:
    path = root / "metadata.csv"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines, lines[3]]) + "\n")


def _break_off(root: Path) -> None:
    path = root / "metadata.csv"
    path.write_text(path.read_text()[:-20])


CASES = [
    BadCase(
        "no metadata.csv", "sph", lambda root: (root / "metadata.csv").unlink(), "error", "no metadata.csv", "figshare"
    ),
    BadCase(
        "records not unpacked",
        "sph",
        lambda root: shutil.rmtree(root / "records"),
        "error",
        "no folder records",
        "tar -xf records.tar.gz",
    ),
    BadCase("a column is missing", "sph", _edit("AHA_Code", "Code"), "error", "no column AHA_Code"),
    BadCase("the table breaks off", "sph", _break_off, "error", "fewer cells than the 7 columns"),
    BadCase("a file is missing", "sph", lambda root: _file(root).unlink(), "excluded", "missing file", "A00003.h5"),
    BadCase("a truncated file", "sph", _truncate, "excluded", "unreadable HDF5 file", "A00003.h5"),
    BadCase(
        "not an HDF5 file",
        "sph",
        lambda root: _file(root).write_text("<html>404</html>"),
        "excluded",
        "unreadable HDF5 file",
        "A00003.h5",
    ),
    BadCase("a damaged chunk", "sph", _garble_a_chunk, "excluded", "unreadable HDF5 file", "damaged chunk at byte"),
    BadCase("a dataset of another name", "sph", _rename_dataset, "excluded", "no such HDF5 dataset", "signal"),
    BadCase(
        "a link to another file", "sph", _link_elsewhere, "excluded", "HDF5 link refused", "A00003.h5: ecg is a link"
    ),
    BadCase("eight leads", "sph", _rewrite((8, 5000)), "excluded", "unexpected HDF5 dataset", "(8, 5000)"),
    BadCase("whole numbers", "sph", _rewrite((12, 5000), "int16"), "excluded", "unexpected HDF5 dataset", "int16"),
    BadCase("no samples", "sph", _rewrite((12, 0)), "excluded", "wrong length", "no samples"),
    BadCase("all samples are NaN", "sph", _no_numbers, "excluded", "missing samples", "60000 of 60000"),
    BadCase(
        "leads I and II swapped",
        "sph",
        _swap_leads,
        "defect",
        "limb leads contradict each other (kept; columns swapped or mislabelled?)",
    ),
    BadCase(
        "another length than in the table",
        "sph",
        _edit(",5000,2020", ",4900,2020"),
        "defect",
        "another length than in metadata.csv (kept)",
        "5000 samples, the table says 4900",
    ),
    BadCase(
        "an unknown AHA code", "sph", _edit(",101,", ",999;101,"), "defect", "unknown AHA code (no label)", "'999'"
    ),
    BadCase("an unknown modifier", "sph", _edit("60+310", "60+399"), "defect", "unknown AHA modifier (kept)", "'399'"),
    BadCase("no statement", "sph", _edit(",101,", ",,"), "defect", "no AHA statement (kept without labels)"),
    BadCase("an impossible age", "sph", _edit(",25,", ",999,"), "defect", "unknown age (stored as missing)", "'999'"),
    BadCase("an unknown sex", "sph", _edit(",M,", ",X,"), "defect", "unknown sex (stored as missing)", "'X'"),
    BadCase(
        "no patient",
        "sph",
        _edit(",S00002,", ",,"),
        "defect",
        "no Patient_ID (the record counts as a patient of its own)",
    ),
    BadCase("a row twice", "sph", _repeat_a_row, "excluded", "duplicate ECG_ID", "the first row with this id is used"),
    BadCase(
        "an id that leaves the folder",
        "sph",
        _edit("A00002,", "../A00002,"),
        "excluded",
        "unusable ECG_ID",
        "'../A00002'",
    ),
]

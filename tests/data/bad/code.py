"""CODE-15% and CODE-test trees that are damaged, incomplete, or not what they are taken for."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np

from tests.data.bad_source import BadCase

PART = "exams_part0.hdf5"
TRACINGS = "ecg_tracings.hdf5"
GOLD = "annotations/gold_standard.csv"


def edit_table(name: str, change: Callable[[list[dict[str, str]]], object]) -> Callable[[Path], None]:
    """Damage that changes the rows of a table in place."""

    def damage(root: Path) -> None:
        with open(root / name, newline="") as handle:
            rows = list(csv.DictReader(handle))
        change(rows)
        with open(root / name, "w", newline="") as handle:
            writer = csv.DictWriter(handle, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)

    return damage


def set_cell(column: str, value: str, row: int = 3) -> Callable[[list[dict[str, str]]], None]:
    return lambda rows: rows[row].__setitem__(column, value)


def drop_column(column: str) -> Callable[[list[dict[str, str]]], None]:
    def change(rows: list[dict[str, str]]) -> None:
        for row in rows:
            del row[column]

    return change


def _signals(change: Callable[[h5py.File], object], name: str = PART) -> Callable[[Path], None]:
    """Damage inside of an HDF5 file."""

    def damage(root: Path) -> None:
        with h5py.File(root / name, "r+") as file:
            change(file)

    return damage


def _fill(row: int, value: float, leads: slice = slice(None)) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        file["tracings"][row, :, leads] = value

    return change


def _replace(name: str, data: np.ndarray) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        del file[name]
        file[name] = data

    return change


def _second_part(ids: list[int], samples: int = 4096, parts: str = "exams_part1.hdf5") -> Callable[[Path], None]:
    def damage(root: Path) -> None:
        with h5py.File(root / parts, "w") as file:
            file["exam_id"] = np.array(ids)
            file["tracings"] = np.ones((len(ids), samples, 12), np.float32)

    return damage


def _truncated_second_part(root: Path) -> None:
    """Two exams of the table are moved to a part whose download broke off."""
    _second_part([1000, 1003])(root)
    path = root / "exams_part1.hdf5"
    path.write_bytes(path.read_bytes()[:-5000])

    def move(rows: list[dict[str, str]]) -> None:
        for row in rows:
            if row["exam_id"] in ("1000", "1003"):
                row["trace_file"] = path.name

    edit_table("exams.csv", move)(root)
    _signals(lambda file: file["exam_id"].__setitem__(slice(0, 2), [0, 0]))(root)
    _signals(lambda file: file["tracings"].__setitem__(slice(0, 2), 0))(root)


def _damaged_chunk(root: Path) -> None:
    with h5py.File(root / PART, "r+") as file:
        data = file["tracings"][()]
        del file["tracings"]
        file.create_dataset("tracings", data=data, chunks=(1, 4096, 12), compression="gzip", shuffle=True)
        place = file["tracings"].id.get_chunk_info(4).byte_offset
    content = bytearray((root / PART).read_bytes())
    content[place : place + 64] = bytes(64)
    (root / PART).write_bytes(content)


def _external_link(file: h5py.File) -> None:
    del file["tracings"]
    file["tracings"] = h5py.ExternalLink("elsewhere.hdf5", "tracings")


CASES = [
    BadCase(
        "no exams.csv", "code15", lambda root: (root / "exams.csv").unlink(), "error", "no exams.csv in", "zenodo.org"
    ),
    BadCase(
        "a column of exams.csv is missing",
        "code15",
        edit_table("exams.csv", drop_column("is_male")),
        "error",
        "no column is_male",
    ),
    BadCase(
        "parts still packed",
        "code15",
        lambda root: (root / PART).rename(root / "exams_part0.zip"),
        "error",
        "the signals are missing",
        "unpack the parts",
    ),
    BadCase(
        "the only part is a broken download",
        "code15",
        lambda root: (root / PART).write_bytes((root / PART).read_bytes()[:-5000]),
        "error",
        "no usable signal",
        "truncated file",
    ),
    BadCase(
        "one of two parts is a broken download",
        "code15",
        _truncated_second_part,
        "excluded",
        "part cannot be read",
        "download exams_part1.hdf5 again",
    ),
    BadCase(
        "parts of the table are absent",
        "code15",
        edit_table("exams.csv", lambda rows: rows.append(rows[0] | {"exam_id": "9", "trace_file": "exams_part7.hdf5"})),
        "note",
        "1 exams of exams.csv are in files that are not here",
        "exams_part7.hdf5",
    ),
    BadCase(
        "an exam of the table has no tracing",
        "code15",
        edit_table("exams.csv", lambda rows: rows.append(rows[0] | {"exam_id": "9"})),
        "excluded",
        "no tracing",
        "exams.csv names exams_part0.hdf5",
    ),
    BadCase(
        "an exam is not in the table",
        "code15",
        edit_table("exams.csv", lambda rows: rows.pop(2)),
        "defect",
        "not in exams.csv (unlabelled, no fold)",
    ),
    BadCase(
        "an all-zero tracing", "code15", _signals(_fill(2, 0)), "excluded", "empty tracing", "exams_part0.hdf5 row 2"
    ),
    BadCase(
        "an exam twice in the signals",
        "code15",
        _second_part([1003, 77]),
        "excluded",
        "duplicate exam_id",
        "the first tracing",
    ),
    BadCase(
        "an exam twice in the table",
        "code15",
        edit_table("exams.csv", lambda rows: rows.append(dict(rows[0]))),
        "excluded",
        "duplicate exam_id",
        "line 2 is used",
    ),
    BadCase(
        "an exam_id that is no number",
        "code15",
        edit_table("exams.csv", set_cell("exam_id", "x")),
        "excluded",
        "no exam_id",
        "line 5: 'x'",
    ),
    BadCase(
        "the row of exam_id 0 has a signal", "code15", _signals(_fill(12, 1)), "excluded", "exam_id 0 with a signal"
    ),
    BadCase(
        "an empty label",
        "code15",
        edit_table("exams.csv", set_cell("ST", "")),
        "defect",
        "unusable label (the exam counts as unlabelled)",
        "ST '', expected True or False",
    ),
    BadCase(
        "a sex that is neither",
        "code15",
        edit_table("exams.csv", set_cell("is_male", "F")),
        "defect",
        "unknown sex (stored as missing)",
        "is_male 'F'",
    ),
    BadCase(
        "no patient",
        "code15",
        edit_table("exams.csv", set_cell("patient_id", "")),
        "defect",
        "no patient_id (the exam counts as a patient of its own)",
    ),
    BadCase(
        "tracings of eight leads",
        "code15",
        _signals(_replace("tracings", np.ones((13, 4096, 8), np.float32))),
        "error",
        "float32 (13, 4096, 8), expected float32 (any, any, 12)",
    ),
    BadCase(
        "tracings as whole numbers",
        "code15",
        _signals(_replace("tracings", np.ones((13, 4096, 12), np.int16))),
        "error",
        "expected float32",
    ),
    BadCase(
        "fewer ids than tracings",
        "code15",
        _signals(_replace("exam_id", np.arange(1, 5))),
        "error",
        "4 entries of exam_id for 13 tracings",
    ),
    BadCase(
        "no ids",
        "code15",
        _signals(lambda file: file.__delitem__("exam_id")),
        "error",
        "exam_id is not there",
        "the file has tracings",
    ),
    BadCase("tracings are a link to another file", "code15", _signals(_external_link), "error", "HDF5 link refused"),
    BadCase(
        "a damaged chunk of a compressed part", "code15", _damaged_chunk, "excluded", "unreadable HDF5 file", "record 4"
    ),
    BadCase(
        "missing samples",
        "code15",
        _signals(_fill(2, np.nan, slice(3, 4))),
        "defect",
        "missing samples (kept; they count as 0 for a model)",
    ),
    BadCase(
        "columns swapped",
        "code15",
        _signals(_fill(2, 0.5, slice(3, 4))),
        "defect",
        "limb leads contradict each other (kept; columns swapped or mislabelled?)",
    ),
    BadCase(
        "limb leads in no known order",
        "code_test",
        _signals(lambda file: file["tracings"].__setitem__(..., file["tracings"][()][:, :, ::-1]), TRACINGS),
        "error",
        "the limb leads are in no known order",
        "I II III aVL aVF aVR",
    ),
    BadCase(
        "no tracings",
        "code_test",
        lambda root: (root / TRACINGS).unlink(),
        "error",
        "no ecg_tracings.hdf5 in",
        "--metadata-only",
    ),
    BadCase(
        "a broken download",
        "code_test",
        lambda root: (root / TRACINGS).write_bytes((root / TRACINGS).read_bytes()[:3000]),
        "error",
        "unreadable HDF5 file",
    ),
    BadCase(
        "fewer people than tracings",
        "code_test",
        edit_table("attributes.csv", lambda rows: rows.pop()),
        "error",
        "12 rows for 11 of attributes.csv",
        "belong together by row",
    ),
    BadCase(
        "fewer tracings than people",
        "code_test",
        _signals(lambda file: _replace("tracings", file["tracings"][:11])(file), TRACINGS),
        "error",
        "11 tracings for 12 rows of attributes.csv",
    ),
    BadCase(
        "no column AF in the gold standard", "code_test", edit_table(GOLD, drop_column("AF")), "error", "no column AF"
    ),
    BadCase(
        "an annotation that is neither 0 nor 1",
        "code_test",
        edit_table(GOLD, set_cell("AF", "2")),
        "defect",
        "unusable annotation (counted as 0)",
        "gold_standard.csv AF '2'",
    ),
    BadCase("an all-zero tracing", "code_test", _signals(_fill(5, 0), TRACINGS), "excluded", "empty tracing"),
]

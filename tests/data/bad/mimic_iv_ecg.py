"""MIMIC tables and archives that are damaged, incomplete, or of releases that do not belong together."""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Callable
from pathlib import Path

from hf_ecg_bench.data.sources.mimic.example import ARCHIVE
from tests.data.bad_source import BadCase, Outcome

_LABS, _VITALS = "hosp/labevents.csv.gz", "ed/vitalsign.csv.gz"
_STUDIES, _DEVICE, _ACUTE = "records_w_diag_icd10.csv", "machine_measurements.csv", "mds_ed.csv"


def _text(path: Path) -> str:
    return (gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()).decode()


def _write(path: Path, text: str) -> None:
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())


def _lines(name: str, change: Callable[[list[str]], object]) -> Callable[[Path], None]:
    """Change a table's lines in place."""

    def damage(root: Path) -> None:
        lines = _text(root / name).splitlines()
        change(lines)
        _write(root / name, "\n".join(lines) + "\n")

    return damage


def _cell(name: str, column: str, value: str, *, line: int = 3) -> Callable[[Path], None]:
    """Replace one cell; only left of the first quoted cell with a comma in it."""

    def change(lines: list[str]) -> None:
        cells = lines[line].split(",")
        cells[lines[0].split(",").index(column)] = value
        lines[line] = ",".join(cells)

    return _lines(name, change)


def _repeat(lines: list[str]) -> None:
    lines.append(lines[2])


def _cut(name: str) -> Callable[[Path], object]:
    return lambda root: (root / name).write_bytes((root / name).read_bytes()[: (root / name).stat().st_size // 2])


def _archive(change: Callable[[str, bytes], bytes | None]) -> Callable[[Path], None]:
    """Pack the archive anew; None leaves a member out."""

    def damage(root: Path) -> None:
        with zipfile.ZipFile(root / ARCHIVE) as old:
            members = [(info.filename, change(info.filename, old.read(info))) for info in old.infolist()]
        with zipfile.ZipFile(root / ARCHIVE, "w", zipfile.ZIP_STORED) as new:
            for name, content in members:
                if content is not None:
                    new.writestr(name, content)

    return damage


def _flip_stored_byte(root: Path) -> None:
    _archive(lambda name, content: content)(root)
    raw = bytearray((root / ARCHIVE).read_bytes())
    with zipfile.ZipFile(root / ARCHIVE) as archive:
        (info,) = [item for item in archive.infolist() if item.filename.endswith("40000005.dat")]
    raw[info.header_offset + 500] ^= 1
    (root / ARCHIVE).write_bytes(raw)


def _case(name: str, damage: Callable[[Path], object], outcome: Outcome, reason: str, detail: str = "") -> BadCase:
    return BadCase(name, "mimic_iv_ecg", damage, outcome, reason, detail)


CASES = [
    _case("an ECG stands twice in the table of ECGs", _lines(_STUDIES, _repeat), "error", "study 40000001 stands in"),
    _case(
        "an ECG has two rows of measurements", _lines(_DEVICE, _repeat), "error", "more than one row", "as published"
    ),
    _case("a table is missing", lambda root: (root / _LABS).unlink(), "error", "no table labevents", "mimiciv"),
    _case(
        "the ECG table is missing", lambda root: (root / _STUDIES).unlink(), "error", "no table records_w_diag_icd10"
    ),
    _case("a gzip file is cut off", _cut(_LABS), "error", "labevents.csv.gz cannot be read", "Truncated"),
    _case(
        "a table is called .gz and is plain text",
        lambda root: (root / _VITALS).write_text("subject_id,charttime\n1,2\n"),
        "error",
        "vitalsign.csv.gz cannot be read",
        "header check",
    ),
    _case(
        "a table has no rows", _lines(_VITALS, lambda lines: lines.__delitem__(slice(1, None))), "error", "has no rows"
    ),
    _case(
        "a column is missing",
        _lines(_VITALS, lambda lines: lines.__setitem__(0, lines[0].replace("sbp", "systolic"))),
        "error",
        "no column sbp",
        "systolic",
    ),
    _case("a row is cut off", _lines(_LABS, lambda lines: lines.__setitem__(9, "7,10000000")), "error", "got 2"),
    _case("text among numbers", _cell(_LABS, "valuenum", "high"), "error", "column valuenum", "invalid value 'high'"),
    _case("a year before Christ", _cell(_LABS, "storetime", "-2150-01-01 00:00:00"), "error", "column storetime"),
    _case("a thirteenth month", _cell(_VITALS, "charttime", "2150-13-01 00:00:00"), "error", "column charttime"),
    _case("an ECG without a time", _cell(_STUDIES, "ecg_time", ""), "error", "a row without ecg_time"),
    _case(
        "a fold that does not exist",
        _lines(_STUDIES, lambda lines: lines.__setitem__(3, lines[3] + "0")),
        "error",
        "strat_fold",
    ),
    _case(
        "diagnoses that are a program",
        _lines(_STUDIES, lambda lines: lines.__setitem__(1, lines[1].replace("['", "[__import__('os').system('"))),
        "error",
        "all_diag_all has",
        "expected a list like",
    ),
    _case(
        "a patient in two folds",
        _lines(_STUDIES, lambda lines: lines.__setitem__(1, lines[1].removesuffix(",0,0") + ",0,19")),
        "error",
        "patient 10000000 is in two splits",
    ),
    _case(
        "measurements of an unknown ECG",
        _cell(_DEVICE, "study_id", "49999999"),
        "note",
        "table of ECGs does not have: 1",
    ),
    _case("an ECG without measurements", _lines(_DEVICE, lambda lines: lines.pop()), "note", "ECGs without a row: 1"),
    _case(
        "a study of another patient", _cell(_ACUTE, "general_subject_id", "10000999"), "error", "is of patient 10000999"
    ),
    _case(
        "an outcome that is neither 0 nor 1",
        _cell(_ACUTE, "deterioration_ecmo", "2"),
        "error",
        "deterioration_ecmo is 2",
    ),
    _case(
        "a table twice",
        lambda root: (root / "vitalsign.csv").write_text(_text(root / _VITALS)),
        "error",
        "has the table vitalsign twice",
        "keep the complete one",
    ),
    _case("no signals", lambda root: (root / ARCHIVE).unlink(), "error", "no signals in", "--metadata-only"),
    _case("the archive is cut off", _cut(ARCHIVE), "error", "cannot be read as a zip archive", "cut off"),
    _case(
        "a damaged record in the archive", _flip_stored_byte, "excluded", "damaged archive", "wrong checksum (CRC-32)"
    ),
    _case(
        "a record that the archive lacks",
        _archive(lambda name, content: None if name.endswith("40000005.dat") else content),
        "excluded",
        "no signal",
        "s40000005/40000005.hea or .dat",
    ),
    _case(
        "a signal shorter than its header says",
        _archive(lambda name, content: content[:-240] if name.endswith("40000005.dat") else content),
        "excluded",
        "truncated file",
    ),
    _case(
        "another sum of samples than in the header",
        _archive(lambda name, content: content[240:] + content[:238] + b"\1\1" if name.endswith("5.dat") else content),
        "excluded",
        "wrong checksum",
    ),
]

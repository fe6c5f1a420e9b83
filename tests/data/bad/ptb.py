"""PTB trees that are damaged or incomplete."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from tests.data.bad_source import BadCase, Outcome

_RECORD = "patient002/s0003_re"


def _edit(old: str, new: str, record: str = _RECORD) -> Callable[[Path], None]:
    """Another text in a header."""

    def damage(root: Path) -> None:
        path = root / f"{record}.hea"
        text = path.read_bytes()
        assert old.encode() in text, old
        path.write_bytes(text.replace(old.encode(), new.encode(), 1))

    return damage


def _signal(change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def damage(root: Path) -> None:
        path = root / f"{_RECORD}.dat"
        path.write_bytes(change(path.read_bytes()))

    return damage


def _unlink(name: str) -> Callable[[Path], None]:
    return lambda root: (root / name).unlink()


def _without_summary(root: Path) -> None:
    path = root / f"{_RECORD}.hea"
    lines = path.read_text().splitlines()
    path.write_text("\n".join(line for line in lines if not line.startswith("#")) + "\n")


def _same_name_twice(root: Path) -> None:
    for extension in (".hea", ".dat"):
        shutil.copy(root / f"{_RECORD}{extension}", root / f"patient001/s0003_re{extension}")


def _other_tree(root: Path) -> None:
    for folder in root.glob("patient*"):
        folder.rename(root / folder.name.replace("patient", "subject"))


def _case(name: str, damage: Callable[[Path], object], outcome: Outcome, reason: str, detail: str = "") -> BadCase:
    return BadCase(name, "ptb", damage, outcome, reason, detail, n=4)


CASES = [
    _case("header missing", _unlink(f"{_RECORD}.hea"), "excluded", "missing file", "no s0003_re.hea"),
    _case("signal file missing", _unlink(f"{_RECORD}.dat"), "excluded", "missing file", "no s0003_re.dat"),
    _case("empty header", lambda root: (root / f"{_RECORD}.hea").write_text(""), "excluded", "unreadable header"),
    _case("signal file cut off", _signal(lambda raw: raw[:-100]), "excluded", "truncated file", "header asks for"),
    _case(
        "bits flipped in a signal",
        _signal(lambda raw: raw[:999] + b"\x01" + raw[1000:]),
        "excluded",
        "wrong checksum",
    ),
    _case(
        "a name in two patients' folders",
        _same_name_twice,
        "excluded",
        "duplicate record name",
        "in patient002 and in patient001",
    ),
    _case("leads renamed", _edit(" 0 v6", " 0 v7"), "defect", "leads missing (stored as zero)", "V6"),
    _case("another unit", _edit(" 2000 ", " 2000/uV "), "excluded", "wrong unit", "uv"),
    _case(
        "no clinical summary",
        _without_summary,
        "defect",
        "no diagnoses in the header (kept without a label)",
        "Reason for admission",
    ),
    _case(
        "a date in another form",
        _edit("01/10/1990", "1990-10-01"),
        "defect",
        "unreadable date (counts as missing)",
        "'1990-10-01'",
    ),
    _case(
        "a day that does not exist",
        _edit("01/10/1990", "31/09/1990"),
        "defect",
        "unreadable date (counts as missing)",
        "31/09/1990",
    ),
    _case(
        "a second colon in a diagnosis",
        _edit("Obesity, ", "Obesity: severe, "),
        "defect",
        "text after a second colon (ignored)",
        "severe",
    ),
    _case("unknown sex", _edit("sex: male", "sex: divers"), "defect", "unknown sex (stored as missing)", "'divers'"),
    _case("another folder", _other_tree, "error", "no record patientNNN/NAME.hea", "patient001"),
]

"""Records of a Challenge folder: where they are, and what their headers say in comments (age, sex, diagnosis codes)."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hf_ecg_bench.data.ledger import Ledger
from hf_ecg_bench.errors import DataError

# The release cuts each set into `g1`, `g2`, ... of a thousand records.
_GROUP = re.compile(r"g\d+")
_HEADER, _SIGNAL, _LISTS = ".hea", ".mat", "RECORDS"


@dataclass(frozen=True)
class Listing:
    """The records of a folder, names ascending.

    Attributes:
        folder: where they were found.
        paths: record name -> path without extension.
        repeated: path without extension of a record whose name was found before.
        headless: names that have a signal file, or are listed in a `RECORDS` file, but have no header.
    """

    folder: Path
    paths: dict[str, str]
    repeated: tuple[str, ...]
    headless: tuple[str, ...]

    def report_others(self, ledger: Ledger) -> None:
        """Set the number of records found, and name those without a path."""
        ledger.found = len(self.paths) + len(self.repeated) + len(self.headless)
        for name in self.headless:
            ledger.exclude(name, "missing file", f"no {name}{_HEADER}")
        for path in self.repeated:
            name = os.path.basename(path)
            ledger.exclude(f"{name} (again)", "repeated record", f"{path}; {self.paths[name]} is used")


@dataclass(frozen=True)
class Comments:
    """What a header's comments say, as written.

    Attributes:
        age, sex: text after the colon; None without such a line.
        codes: SNOMED CT codes in the order of the header, repeats kept; empty without a `Dx` line or with an empty one.
    """

    age: str | None
    sex: str | None
    codes: tuple[str, ...]


def find_records(root: str | Path, folder: str, *, fix: str) -> Listing:
    """All records of a Challenge set, in one flat folder or in the release's `g1`, `g2`, ... below it.

    Args:
        root: that folder, its parent, or the root of the release.
        folder: the set's name in the release's `training/` (`cpsc_2018`).
        fix: what to tell a user whose folder has no records.

    Raises:
        DataError: no header anywhere.
    """
    # The set's own folder first: the ones above it may hold records of other sets.
    for candidate in (Path(root, "training", folder), Path(root, folder), Path(root)):
        listing = _list_folder(candidate)
        if listing.paths:
            return listing
    raise DataError(
        f"no records (NAME{_HEADER}) in {root}, nor in its folders g1, g2, ..., {folder} or training/{folder}", fix=fix
    )


def _list_folder(folder: Path) -> Listing:
    paths: dict[str, str] = {}
    repeated: list[str] = []
    others: set[str] = set()
    for part in _parts(folder):
        # Copies from a Mac bring along `._NAME.hea`.
        files = sorted(name for name in os.listdir(part) if not name.startswith("."))
        for name in files:
            stem, extension = os.path.splitext(name)
            if extension == _SIGNAL:
                others.add(stem)
            elif extension == _HEADER:
                path = os.path.join(part, stem)
                if paths.setdefault(stem, path) != path:
                    repeated.append(path)
        if _LISTS in files:
            lines = (part / _LISTS).read_text(encoding="utf-8", errors="replace").split()
            # At the release's upper levels such a file lists folders.
            others.update(line for line in lines if not line.endswith("/"))
    return Listing(folder, dict(sorted(paths.items())), tuple(repeated), tuple(sorted(others - paths.keys())))


def _parts(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return [folder, *sorted(part for part in folder.iterdir() if _GROUP.fullmatch(part.name) and part.is_dir())]


def parse_comments(comments: Sequence[str]) -> Comments:
    """Age, sex and diagnosis codes from a header's comment lines, `#Age: 74` and `# Age: 74` alike.

    Args:
        comments: lines without their `#`, as `formats.wfdb_header.parse_header` gives them.
    """
    values: dict[str, list[str]] = {}
    for line in comments:
        key, colon, value = line.partition(":")
        if colon:
            values.setdefault(key.strip().casefold(), []).append(value.strip())
    codes = [code.strip() for value in values.get("dx", []) for code in value.split(",")]
    return Comments(
        age=values["age"][-1] if "age" in values else None,
        sex=values["sex"][-1] if "sex" in values else None,
        codes=tuple(code for code in codes if code),
    )

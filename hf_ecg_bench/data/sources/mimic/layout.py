"""Where MIMIC's tables and signals lie below the raw folder."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hf_ecg_bench.data.access import WITHOUT_SIGNALS
from hf_ecg_bench.data.ledger import Ledger
from hf_ecg_bench.errors import DataError

STUDIES = "records_w_diag_icd10"
# Table -> the release on PhysioNet that has it.
RELEASES = {
    STUDIES: "MIMIC-IV-ECG-Ext-ICD 1.0.1 (physionet.org/content/mimic-iv-ecg-ext-icd-labels)",
    "mds_ed": "MIMIC-IV-Ext-MDS-ED 1.0.0 (physionet.org/content/multimodal-emergency-benchmark)",
    "machine_measurements": "MIMIC-IV-ECG 1.0 (physionet.org/content/mimic-iv-ecg)",
    "omr": "MIMIC-IV, folder hosp (physionet.org/content/mimiciv)",
    "labevents": "MIMIC-IV, folder hosp (physionet.org/content/mimiciv)",
    "d_labitems": "MIMIC-IV, folder hosp (physionet.org/content/mimiciv)",
    "chartevents": "MIMIC-IV, folder icu (physionet.org/content/mimiciv)",
    "d_items": "MIMIC-IV, folder icu (physionet.org/content/mimiciv)",
    "vitalsign": "MIMIC-IV-ED, folder ed (physionet.org/content/mimic-iv-ed)",
}
SIGNALS_FOLDER = "files"
# Not mimic-iv-ecg-ext-icd...zip, which holds labels.
SIGNALS_ARCHIVE = "mimic-iv-ecg-diagnostic*.zip"
# physionet.org/files/mimiciv/3.1/hosp/labevents.csv.gz is the deepest layout that a download makes.
_DEPTH = 5
# files/p1000/ and the like: the records, which are not searched for tables.
_RECORDS = re.compile(r"p\d{4,}")
DAMAGED = "download it again; SHA256SUMS.txt of its release says whether it is complete"
FIX = "get access as `hf-ecg-bench info mimic_iv_ecg` says, and put the files below one folder, under their own names"


@dataclass(frozen=True)
class Tables:
    """The tables that are there, by name."""

    paths: dict[str, Path]

    def __getitem__(self, name: str) -> Path:
        return self.paths[name]

    def have(self, *names: str) -> bool:
        """Whether all of these tables are there."""
        return all(name in self.paths for name in names)


def find_tables(root: Path, wanted: Literal["all", "available"], ledger: Ledger) -> Tables:
    """Look for `<table>.csv` and `<table>.csv.gz`: in the folder itself, in `data/`, or as PhysioNet's folders
    (`hosp/`, `icu/`, `ed/`, also below the releases' own names and versions).

    Args:
        wanted: `all`: a missing table is an error; `available`: a problem for the ledger (its targets are missing),
            but for the table of ECGs, without which there are no records.

    Raises:
        DataError: a table that is not there, or there twice; says which release has it.
    """
    found: dict[str, list[Path]] = {name: [] for name in RELEASES}
    for path in _files(root):
        table = path.name.removesuffix(".gz").removesuffix(".csv")
        if table in found and path.name != table:
            found[table].append(path)
    for name, paths in found.items():
        if len(paths) > 1:
            here = " and ".join(str(path.relative_to(root)) for path in sorted(paths)[:2])
            raise DataError(f"{root} has the table {name} twice: {here}", fix="keep the complete one, move the other")
        if not paths:
            text = f"no table {name}.csv or {name}.csv.gz in {root}; it belongs to {RELEASES[name]}"
            if wanted == "all" or name == STUDIES:
                hint = "" if name == STUDIES else "; or build without its targets: --option tables=available"
                raise DataError(text, fix=FIX + hint)
            ledger.problem(f"{text}: its targets are missing in every record", fix=FIX)
    return Tables({name: paths[0] for name, paths in found.items() if paths})


def find_signals(root: Path) -> Path:
    """The release's zip archive, or its unpacked folder `files/`.

    Raises:
        DataError: neither is there, or several archives are.
    """
    archives = sorted(path for path in _files(root) if path.match(SIGNALS_ARCHIVE))
    folders = [
        folder for folder, names, _ in _walk(root) if folder.name == SIGNALS_FOLDER and any(map(_is_part, names))
    ]
    if len(archives) + len(folders) == 1:
        return [*archives, *folders][0]
    if archives or folders:
        several = [str(path.relative_to(root)) for path in (*archives, *folders)]
        raise DataError(f"{root} has the signals twice: {' and '.join(several[:2])}", fix="keep one of them")
    raise DataError(
        f"no signals in {root}: neither {SIGNALS_ARCHIVE} nor a folder {SIGNALS_FOLDER}/ (p1000/p10000032/...)",
        fix=f"{FIX}; {WITHOUT_SIGNALS}",
    )


def _files(root: Path) -> Iterator[Path]:
    for folder, _, names in _walk(root):
        yield from (folder / name for name in sorted(names))


def _walk(root: Path) -> Iterator[tuple[Path, list[str], list[str]]]:
    """Folders to a small depth with their folders and files; the 800,000 folders of records are not entered."""
    for name, folders, files in os.walk(root):
        folder = Path(name)
        yield folder, list(folders), files
        deep = len(folder.relative_to(root).parts) >= _DEPTH
        folders[:] = [] if deep else sorted(name for name in folders if not _is_part(name))


def _is_part(name: str) -> bool:
    return _RECORDS.fullmatch(name) is not None

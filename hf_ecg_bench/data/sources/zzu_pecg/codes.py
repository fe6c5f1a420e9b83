"""What ZZU pECG's codes mean: ECG findings by AHA and Chinese code, disease categories by ICD-10 code."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from hf_ecg_bench.data.formats.csv_table import read_table
from hf_ecg_bench.data.ledger import Ledger

FINDINGS = "ECGCode.csv"
DISEASES = "DiseaseCode.csv"
DESCRIPTION, AHA, CHN = "Description", "AHA(Category&Code)", "CHN(Category&Code)"
CATEGORY, ICD10 = "Disease Category", "ICD-10 Code"
FIX = (
    "download AttributesDictionary.csv, ECGCode.csv, DiseaseCode.csv and both parts of Child_ecg.zip from "
    "https://doi.org/10.6084/m9.figshare.27078763, unpack Child_ecg.zip, and pass the folder that holds them"
)
_MISSING = frozenset({"", "null", "nan", "n/a"})
# `L145`, `Suggests208`, `N(180+181)`; everything else is a finding in words, or has a modifier after a `+`.
_CODE = re.compile(r"(?:[A-Z]|Modifier|Suggests|Consider)(?:\d+|\([\d +]+\))")


def tokens(cell: str) -> list[str]:
    """What a cell lists, `'C21';'D30+Modifier308'` -> `["C21", "D30+Modifier308"]`, in order, repeats kept."""
    parts = (part.strip().strip("'").strip() for part in cell.split(";"))
    return [part for part in parts if part.casefold() not in _MISSING]


def finding_names(folder: Path, ledger: Ledger) -> tuple[dict[str, str], dict[str, str]]:
    """Finding by AHA code, and by Chinese code.

    Raises:
        DataError: no or an unusable `ECGCode.csv`.
    """
    rows = read_table(folder / FINDINGS, (DESCRIPTION, AHA, CHN), fix=FIX)
    return _by_code(rows, AHA, DESCRIPTION, FINDINGS, ledger), _by_code(rows, CHN, DESCRIPTION, FINDINGS, ledger)


def disease_categories(folder: Path, ledger: Ledger) -> dict[str, str] | None:
    """Disease category by ICD-10 code, with the database's own prefixes (`(FO) Q21.1`); None without the table.

    Raises:
        DataError: an unusable `DiseaseCode.csv`.
    """
    if not (folder / DISEASES).exists():
        return None
    return _by_code(read_table(folder / DISEASES, (CATEGORY, ICD10), fix=FIX), ICD10, CATEGORY, DISEASES, ledger)


def named(lists: Sequence[Sequence[str]], names: Mapping[str, str]) -> list[list[str]]:
    """The names of the codes that have one, per record; everything else is dropped."""
    return [[names[code] for code in codes if code in names] for codes in lists]


def report_unnamed(
    ids: Sequence[str],
    aha: Sequence[Sequence[str]],
    chn: Sequence[Sequence[str]],
    aha_names: Mapping[str, str],
    chn_names: Mapping[str, str],
    ledger: Ledger,
) -> None:
    """Say which findings become no label: words and modifiers in all, unknown AHA codes by record, Chinese by code."""
    for record_id, codes in zip(ids, aha, strict=True):
        for code in codes:
            if _is_unknown(code, aha_names):
                ledger.defect(
                    record_id, "unknown AHA code (no label, kept in findings)", f"{code!r}: not in {FINDINGS}"
                )
    every = [code for codes in aha for code in codes]
    modified = sum("+Modifier" in code for code in every)
    words = sum(code not in aha_names and "+" not in code and not _CODE.fullmatch(code) for code in every)
    if modified or words:
        ledger.note(
            f"{modified} of {len(every)} AHA findings carry a modifier and {words} are written out in words: as in the "
            "published benchmark they are no labels; the column `findings` has them"
        )
    unknown = Counter(code for codes in chn for code in codes if _is_unknown(code, chn_names))
    if unknown:
        listed = ", ".join(f"{code} ({count})" for code, count in sorted(unknown.items()))
        ledger.note(f"Chinese codes that {FINDINGS} does not list become no label: {listed}")


def _is_unknown(code: str, names: Mapping[str, str]) -> bool:
    base = code.split("+Modifier")[0]
    return code not in names and base not in names and _CODE.fullmatch(base) is not None


def _by_code(rows: Sequence[Mapping[str, str]], code: str, name: str, table: str, ledger: Ledger) -> dict[str, str]:
    names: dict[str, str] = {}
    for row in rows:
        key, value = row[code], row[name]
        if key.casefold() in _MISSING or not value:
            continue
        if names.setdefault(key, value) != value:
            ledger.problem(f"{table} has {key} twice, as {names[key]!r} and {value!r}; the first is used", fix=FIX)
    return names

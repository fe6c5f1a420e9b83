"""Which of the two layouts a folder has, and what the options of both mean."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hf_ecg_bench.data.sources.challenge.headers import find_records
from hf_ecg_bench.errors import DataError, some

Layout = Literal["figshare", "challenge"]
TABLE, SIGNALS, DENOISED = "Diagnostics.xlsx", "ECGData", "ECGDataDenoised"
CHALLENGE_FOLDER = "chapman_shaoxing"
# Record JS(k) of the Challenge is row k of the figshare table; higher numbers are Ningbo's.
LAST_NUMBER = 10_646

FIX = (
    f"point --raw-dir at the folder with {TABLE} and {SIGNALS} of "
    "https://doi.org/10.6084/m9.figshare.c.4560497.v2, or at training/chapman_shaoxing of the Challenge 2021"
)


@dataclass(frozen=True)
class ChapmanOptions:
    """What the options of a build decide in both layouts.

    Attributes:
        min_count: None for the published label names.
        n_folds, seed: of the stratified folds.
        published: repeat the published benchmark where it is wrong.
        metadata_only: signal files may be absent.
    """

    min_count: int | None
    n_folds: int
    seed: int
    published: bool
    metadata_only: bool


def find_layout(root: str | None) -> Layout | None:
    """The layout of a folder by what lies in it; None where it has neither or does not exist.

    Raises:
        DataError: it has both.
    """
    if root is None or not os.path.isdir(root):
        return None
    figshare = bool(tables(Path(root)))
    try:
        challenge = any(name.startswith("JS") for name in find_records(root, CHALLENGE_FOLDER, fix=FIX).paths)
    except DataError:
        challenge = False
    if figshare and challenge:
        raise DataError(
            f"{root} has both a figshare table and records of the Challenge (JSnnnnn.hea)",
            fix="--option layout=figshare or --option layout=challenge",
        )
    return "figshare" if figshare else "challenge" if challenge else None


def tables(root: Path) -> list[Path]:
    """`Diagnostics.xlsx`, or else all `Diagnostics*.xlsx` (copies of the table go by several names)."""
    exact = root / TABLE
    if exact.is_file():
        return [exact]
    stem, extension = os.path.splitext(TABLE)
    return sorted(path for path in root.glob(f"{stem}*{extension}") if path.is_file())


def only_table(root: Path) -> Path:
    """The table of a figshare folder.

    Raises:
        DataError: none, or several candidates.
    """
    found = tables(root)
    if not found:
        raise DataError(f"no {TABLE} in {root}", fix=FIX)
    if len(found) > 1:
        raise DataError(
            f"no {TABLE} in {root}, but several like it: {some(path.name for path in found)}",
            fix=f"name the right one {TABLE}",
        )
    return found[0]

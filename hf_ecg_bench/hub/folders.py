"""What a folder must hold before it may go to the Hub. Reads the folder; talks to nobody."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Literal

from hf_ecg_bench.errors import EcgBenchError

Kind = Literal["dataset", "model", "results"]

# Only files of these names go to the Hub: no pickles (weights are safetensors), no optimizer states.
PATTERNS: dict[str, tuple[str, ...]] = {
    "dataset": ("*.parquet", "*.json", "*.md", "*.csv", "LICENSE*"),
    "model": ("*.safetensors", "*.json", "*.md", "LICENSE*"),
}


@dataclass(frozen=True)
class CheckedFolder:
    """A folder that is what it claims to be.

    Attributes:
        title: what it holds, for the commit message.
        files: what to upload, as paths relative to the folder.
        left_out: the other files.
        default_repo: the Hub id it belongs to, or None where the user has to choose one.
        why_no_default: the reason for that.
    """

    title: str
    files: tuple[str, ...]
    left_out: tuple[str, ...]
    default_repo: str | None
    why_no_default: str = ""


def select_files(folder: Path, kind: Kind) -> tuple[tuple[str, ...], tuple[str, ...]]:
    names = sorted(visible_files(folder))
    wanted = tuple(
        name for name in names if any(fnmatch(name.rsplit("/", 1)[-1], pattern) for pattern in PATTERNS[kind])
    )
    return wanted, tuple(sorted(set(names) - set(wanted)))


def visible_files(folder: Path) -> Iterator[str]:
    for file in folder.rglob("*"):
        relative = file.relative_to(folder)
        if file.is_file() and not any(part.startswith(".") for part in relative.parts):
            yield relative.as_posix()


def read_object(folder: Path, name: str, error_type: type[EcgBenchError], fix: str) -> dict[str, Any]:
    if not folder.is_dir():
        raise error_type(f"no folder {folder}", fix=fix)
    try:
        value = json.loads((folder / name).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise error_type(f"no {name} in {folder}", fix=fix) from error
    except ValueError as error:
        raise error_type(f"{folder / name} is not JSON: {error}", fix=fix) from error
    if not isinstance(value, dict):
        raise error_type(f"{folder / name}: expected a JSON object, found {type(value).__name__}", fix=fix)
    return value

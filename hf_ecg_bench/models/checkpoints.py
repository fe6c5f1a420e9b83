"""Reading other projects' checkpoint files: tensors only, never code."""

from __future__ import annotations

import pickle
import re
import struct
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file

from hf_ecg_bench.errors import CheckpointError, some
from hf_ecg_bench.models.archives import is_archive
from hf_ecg_bench.models.restricted_pickle import RefusedName, load_tensors

# What torch's reader has been seen to raise on files that are something else or cut off.
_DAMAGE = (
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
    zipfile.BadZipFile,
)


class CheckpointContent(dict[str, Any]):
    """Nested dicts of tensors and training state.

    Attributes:
        replaced: names of classes whose objects in the file were not restored (see `restricted_pickle`).
    """

    replaced: tuple[str, ...] = ()


def read_checkpoint(path: str | Path) -> CheckpointContent:
    """The content of a torch or safetensors file.

    Raises:
        CheckpointError: absent, cut off, a web page instead of a file, nested without end, or a pickle that would run
            code.
    """
    file = Path(path)
    if not file.is_file():
        what = "is a folder, expected a file" if file.is_dir() else "does not exist"
        raise CheckpointError(f"checkpoint {file} {what}")
    start = _start(file)
    if start[:512].lstrip().lower().startswith((b"<!doctype", b"<html", b"<?xml")):
        raise CheckpointError(
            f"{file} is a web page, not a checkpoint",
            fix="download the file itself (a browser may ask to confirm large files)",
        )
    if start.startswith(b"version https://git-lfs"):
        raise CheckpointError(
            f"{file} is a Git LFS pointer, not the file", fix="git lfs pull, or download the file itself"
        )
    if start.startswith(b"PK") and is_archive(file):
        raise CheckpointError(f"{file} is an archive, not a checkpoint", fix="unpack it and pass the file in it")
    replaced: list[str] = []
    if _is_safetensors(file, start):
        content = _read_safetensors(file)
    else:
        content, replaced = _read_torch(file, start)
    if not isinstance(content, dict):
        raise CheckpointError(f"{file} holds a {type(content).__name__}, expected a dict of tensors")
    _check_nesting(content, file)
    result = CheckpointContent(content)
    result.replaced = tuple(replaced)
    return result


def _start(file: Path) -> bytes:
    try:
        with open(file, "rb") as handle:
            start = handle.read(1024)
    except OSError as error:
        raise CheckpointError(f"checkpoint {file} cannot be read: {error.strerror}") from error
    if not start:
        raise CheckpointError(f"checkpoint {file} is empty", fix="download it again")
    return start


def _is_safetensors(file: Path, start: bytes) -> bool:
    return file.suffix == ".safetensors" or start[8:9] == b"{"


def _read_safetensors(file: Path) -> dict[str, Any]:
    try:
        return dict(load_file(file))
    except SafetensorError as error:
        raise CheckpointError(f"{file} is damaged or cut off: {error}", fix="download it again") from error


def _read_torch(file: Path, start: bytes) -> tuple[Any, list[str]]:
    try:
        return load_tensors(file)
    except RefusedName as error:
        names = [name.removeprefix("builtins.") for name in error.names]
        raise CheckpointError(
            f"{file} is refused: reading it would call {some(names, 4)}; a checkpoint may hold tensors only",
            fix="ask its authors for a safetensors file, or save only its state_dict where you trust it",
        ) from error
    except pickle.UnpicklingError as error:
        raise CheckpointError(
            f"{file} is refused: not a pickle that torch wrote ({_short(error)})",
            fix="download it again, or ask its authors for a safetensors file",
        ) from error
    except _DAMAGE as error:
        what = "cut off or damaged" if start.startswith(b"PK") else "not a checkpoint, or damaged"
        raise CheckpointError(
            f"{file} is {what}: {_short(error)}", fix="compare its size with the source's; download it again"
        ) from error


def _check_nesting(content: Any, file: Path, deepest: int = 100) -> None:
    """Containers deeper than any checkpoint's, or inside themselves, would exhaust whoever walks through them."""
    level, seen = [content], set[int]()
    for _ in range(deepest):
        level = [inner for outer in level for inner in _parts(outer) if id(inner) not in seen]
        seen.update(map(id, level))
        if not level:
            return
    raise CheckpointError(f"{file} is refused: it nests containers more than {deepest} deep")


def _parts(value: Any) -> Iterable[Any]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return (part for part in inner if isinstance(part, dict | list | tuple))


def _short(error: Exception) -> str:
    """The reason alone: torch appends advice that does not apply here."""
    text = " ".join(str(error).split("WeightsUnpickler error:")[-1].split())
    text = re.split(r"\.? Check the documentation|\. This is an internal", text)[0]
    return text[:160] + ("..." if len(text) > 160 else "")

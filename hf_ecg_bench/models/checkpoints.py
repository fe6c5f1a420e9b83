"""Reading other projects' checkpoint files: tensors only, never code."""

from __future__ import annotations

import argparse
import pickle
import re
import struct
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from hf_ecg_bench.errors import CheckpointError

# Training state in public files holds numpy numbers and options; rebuilding those runs no code of the file's.
_HARMLESS: list[Any] = [
    argparse.Namespace,
    np.dtype,
    np.ndarray,
    np._core.multiarray.scalar,  # type: ignore[attr-defined]
    np._core.multiarray._reconstruct,  # type: ignore[attr-defined]
    *(
        getattr(np.dtypes, name)
        for name in np.dtypes.__all__
        if name not in ("ObjectDType", "StringDType", "VoidDType")
    ),
]

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


def read_checkpoint(path: str | Path) -> dict[str, Any]:
    """The content of a torch or safetensors file as nested dicts.

    Raises:
        CheckpointError: absent, cut off, a web page instead of a file, or a pickle that would run code.
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
    content = _read_safetensors(file) if _is_safetensors(file, start) else _read_torch(file, start)
    if not isinstance(content, dict):
        raise CheckpointError(f"{file} holds a {type(content).__name__}, expected a dict of tensors")
    return content


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


def _read_torch(file: Path, start: bytes) -> Any:
    try:
        with torch.serialization.safe_globals(_HARMLESS), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns of pickles that torch did not write, and then refuses them
            return torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        match = re.search(r"GLOBAL (\S+)", str(error))
        if match is None:
            raise CheckpointError(
                f"{file} is refused: not a pickle that torch wrote ({_short(error)})",
                fix="download it again, or ask its authors for a safetensors file",
            ) from error
        raise CheckpointError(
            f"{file} is refused: reading it would call {match.group(1)}; a checkpoint may hold tensors only",
            fix="ask its authors for a safetensors file, or save only its state_dict where you trust it",
        ) from error
    except _DAMAGE as error:
        what = "cut off or damaged" if start.startswith(b"PK") else "not a checkpoint, or damaged"
        raise CheckpointError(
            f"{file} is {what}: {_short(error)}", fix="compare its size with the source's; download it again"
        ) from error


def _short(error: Exception) -> str:
    """The reason alone: torch appends advice that does not apply here."""
    text = " ".join(str(error).split("WeightsUnpickler error:")[-1].split())
    text = re.split(r"\.? Check the documentation|\. This is an internal", text)[0]
    return text[:160] + ("..." if len(text) > 160 else "")

"""The block files of a store: plain .npy, written as a whole or not at all, checked when they are opened."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from hf_ecg_bench.errors import EcgBenchError
from hf_ecg_bench.features.key import Stored
from hf_ecg_bench.features.size import ROOM_FIX
from hf_ecg_bench.files import atomic_path

#: Of the files. numpy has no bfloat16: its 16 bits are kept as an integer.
DTYPES: dict[Stored, np.dtype] = {"fp16": np.dtype("<f2"), "bf16": np.dtype("<u2"), "fp32": np.dtype("<f4")}


def block_path(folder: Path, block: int) -> Path:
    """The file of a block."""
    return folder / f"block-{block:05d}.npy"


def write_block(path: Path, shape: tuple[int, ...], stored: Stored, parts: Iterable[np.ndarray]) -> None:
    """Write a block from its parts, in order; they are never all in memory.

    Args:
        shape: of the whole block, (windows, dim) or (windows, tokens, dim).
        parts: arrays of the stored type, (some windows, ...).

    Raises:
        EcgBenchError: the disk is full or cannot be written; nothing of the block is left.
    """
    header = {"descr": np.lib.format.dtype_to_descr(DTYPES[stored]), "fortran_order": False, "shape": shape}
    with atomic_path(path) as temporary:
        try:
            with open(temporary, "wb") as file:
                np.lib.format.write_array_header_1_0(file, header)
                for part in parts:
                    file.write(np.ascontiguousarray(part).data)
                file.flush()
                os.fsync(file.fileno())  # renamed before its content is on the disk, a power cut would leave a hole
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                raise
            raise EcgBenchError(
                f"no space left for stored features in {path.parent}; the blocks finished before are kept",
                fix=ROOM_FIX,
            ) from error


def open_block(path: Path, shape: tuple[int, ...], stored: Stored) -> np.ndarray | None:
    """A block, memory-mapped and read-only; None where its file is absent or not what it should be.

    Raises:
        PermissionError: it cannot be read.
    """
    try:
        block = np.load(path, mmap_mode="r", allow_pickle=False)
        if block.shape != shape or block.dtype != DTYPES[stored]:
            return None
        return block if path.stat().st_size == block.offset + block.nbytes else None
    except (FileNotFoundError, ValueError, EOFError, SyntaxError):  # numpy's words for truncated and for no array
        return None

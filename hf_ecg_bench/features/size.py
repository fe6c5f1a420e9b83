"""How large stored features become, said and checked before they are computed."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from hf_ecg_bench.errors import EcgBenchError

ROOM_FIX = (
    "HF_ECG_BENCH_CACHE=FOLDER_ON_A_LARGER_DISK, hf-ecg-bench cache prune, a smaller --crops, "
    "or --features reencoded (slower)"
)
# Free space that is left alone: the run's own files go somewhere too.
_SPARE = 64 * 2**20


def human(size: float) -> str:
    """`25.1 GB`, in powers of ten."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def check_room(folder: Path, needed: int) -> None:
    """Raise EcgBenchError where `needed` more bytes do not fit on the disk of `folder`."""
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    free = shutil.disk_usage(existing).free
    if needed and needed + _SPARE > free:
        raise EcgBenchError(
            f"the features still to be stored take {human(needed)}; {human(free)} are free in {folder}", fix=ROOM_FIX
        )


def total_bytes(shape: Iterable[int], itemsize: int) -> int:
    """Bytes of an array."""
    total = itemsize
    for length in shape:
        total *= length
    return total

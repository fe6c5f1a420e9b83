"""Writes WFDB records in format 16, as the sources store them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from hf_ecg_bench.signals.leads import LEADS


def write_wfdb(
    path: Path,
    digital: np.ndarray,
    *,
    rate: int = 500,
    names: Sequence[str] = LEADS,
    gain: str = "1000/mV",
    comments: Sequence[str] = (),
    extension: str = ".dat",
    date: str = "",
) -> None:
    """`<path>.hea` and its signal file, with right checksums.

    Args:
        path: without extension.
        digital: (time, n) int16.
        gain: as a header writes it, with baseline and unit.
        comments: lines after `#`.
        extension: `.mat` puts the 24 bytes of a MATLAB header before the samples, as the Challenge does.
        date: base time and date of the record line (`12:00:00 01/01/2100`).
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    digital = np.ascontiguousarray(digital, "<i2")
    samples, n = digital.shape
    offset = 24 if extension == ".mat" else 0
    head = np.array([10, n, samples, 0, 4, 0x006C6176], "<u4").tobytes() if offset else b""
    path.with_suffix(extension).write_bytes(head + digital.tobytes())
    storage = f"16+{offset}" if offset else "16"
    lines = [f"{path.name} {n} {rate} {samples} {date}".rstrip()]
    checksums = digital.astype(np.int64).sum(axis=0) % 65536
    for name, first, checksum in zip(names, digital[0], checksums, strict=True):
        lines.append(f"{path.name}{extension} {storage} {gain} 16 0 {first} {checksum} 0 {name}")
    lines += [f"#{comment}" for comment in comments]
    path.with_suffix(".hea").write_text("\n".join(lines) + "\n")

"""NumPy files of strangers: shape and type checked, no pickled objects, records read one by one."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from hf_ecg_bench.data.formats.open_files import PlainRecords, check_array, keep_open
from hf_ecg_bench.data.ledger import RecordProblem

UNREADABLE = "unreadable NumPy file"
UNEXPECTED = "unexpected NumPy array"


class NpyRecords:
    """An open `.npy` file, (records, entries, ...) in C order.

    Attributes:
        where: name of the file, for messages.
        shape, dtype: as stored.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.where = os.path.basename(path)
        self.shape, self.dtype, offset = _header(path, self.where)
        expected = offset + int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize
        found = os.path.getsize(path)
        if found < expected:
            raise RecordProblem(
                UNREADABLE, f"{self.where} has {found} bytes, its header says {expected} (a download that broke off?)"
            )
        if len(self.shape) < 2:
            raise RecordProblem(UNEXPECTED, f"{self.where} is {self.dtype} {self.shape}, expected records of values")
        self._plain = PlainRecords(path, offset, self.shape, self.dtype, self.where, UNREADABLE)

    def row(self, number: int) -> np.ndarray:
        """Record `number`, in native byte order.

        Raises:
            RecordProblem: the file ends before.
        """
        if not 0 <= number < self.shape[0]:
            raise IndexError(f"{self.where}: record {number} of {self.shape[0]}")
        values = self._plain.read(number, 0, self.shape[1])
        return values.astype(self.dtype.newbyteorder("="), copy=False)

    def close(self) -> None:
        """Close the file; harmless when repeated."""
        self._plain.close()


def open_npy(path: str | os.PathLike[str], shape: tuple[int | None, ...], dtypes: tuple[str, ...]) -> NpyRecords:
    """A checked file of records; this thread keeps the last few open.

    Args:
        path: the file. One that changed since is opened again.
        shape: expected lengths, None for any.
        dtypes: accepted NumPy types (`float32`), in either byte order.

    Raises:
        RecordProblem: no such file, no NumPy file or one cut off, pickled objects, another shape or type.
    """
    data = keep_open(path, "npy", lambda: NpyRecords(path), UNREADABLE)
    check_array(data.shape, data.dtype, shape, dtypes, where=data.where, reason=UNEXPECTED)
    return data


def _header(path: str | os.PathLike[str], where: str) -> tuple[tuple[int, ...], np.dtype[Any], int]:
    """Shape, type, and where the values begin."""
    try:
        with open(path, "rb") as file:
            version = np.lib.format.read_magic(file)
            read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}.get(
                version
            )
            if read is None:
                raise ValueError(f"version {version[0]}.{version[1]}, expected 1.0 or 2.0")
            shape, fortran, dtype = read(file)
            offset = file.tell()
    except FileNotFoundError as error:
        raise RecordProblem(UNREADABLE, f"{where}: no such file") from error
    except (ValueError, OSError) as error:
        raise RecordProblem(UNREADABLE, f"{where}: {error}") from error
    if dtype.hasobject or (fortran and len(shape) > 1):
        found = "made of pickled objects, which are never loaded" if dtype.hasobject else "in Fortran order"
        raise RecordProblem(UNEXPECTED, f"{where} is {found}, expected numbers in C order")
    return shape, dtype, offset

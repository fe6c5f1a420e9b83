"""Files of many records: the last few stay open, and records that lie one after another are read without a library."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import numpy as np

from hf_ecg_bench.data.ledger import RecordProblem

# Per thread: threads share no file position, cache or lock.
OPEN_FILES = 4
_LOCAL = threading.local()


class Closable(Protocol):
    """What can be kept open."""

    def close(self) -> None: ...


File = TypeVar("File", bound=Closable)


def keep_open(path: str | os.PathLike[str], what: str, reader: Callable[[], File], unreadable: str) -> File:
    """What `reader` opened, from this thread's last few files; a file that changed since is opened again.

    Args:
        path: the file.
        what: tells readers of one file apart.
        reader: opens it.
        unreadable: reason of the RecordProblem for a file that is not there.
    """
    files: OrderedDict[tuple[Any, ...], Any] | None = getattr(_LOCAL, "files", None)
    if files is None:
        files = _LOCAL.files = OrderedDict()
    try:
        stat = os.stat(path)
    except OSError as error:
        raise RecordProblem(unreadable, f"{os.path.basename(path)}: no such file") from error
    key = (os.fspath(path), what, stat.st_ino, stat.st_size, stat.st_mtime_ns)
    if key not in files:
        files[key] = reader()
        while len(files) > OPEN_FILES:
            files.popitem(last=False)[1].close()
    files.move_to_end(key)
    opened: File = files[key]
    return opened


class PlainRecords:
    """Records of equal shape, one after another in a file: read where they are, past locks of library or interpreter.

    Args:
        path: the file.
        offset: of the first record, bytes.
        shape: (records, entries, ...).
        dtype: of the values.
        where: for messages.
        unreadable: reason of the RecordProblem for a file that ends too early.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        offset: int,
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        where: str,
        unreadable: str,
    ) -> None:
        self._descriptor: int | None = os.open(path, os.O_RDONLY)
        self._offset = offset
        self._entry_shape = shape[2:]
        self._entry_bytes = int(np.prod(shape[2:], dtype=np.int64)) * dtype.itemsize
        self._record_bytes = self._entry_bytes * shape[1]
        self._dtype = dtype
        self._where = where
        self._unreadable = unreadable

    def read(self, record: int, start: int, stop: int) -> np.ndarray:
        """Entries `start` to `stop` of a record, as stored.

        Raises:
            RecordProblem: the file ends before.
        """
        assert self._descriptor is not None  # not closed
        values = np.empty((stop - start, *self._entry_shape), self._dtype)
        buffer = values.reshape(-1).view(np.uint8).data
        position, read = self._offset + record * self._record_bytes + start * self._entry_bytes, 0
        while read < values.nbytes:
            own = os.preadv(self._descriptor, [buffer[read:]], position + read)
            if own == 0:
                raise RecordProblem(
                    self._unreadable, f"{self._where}, record {record}: {read} bytes left, expected {values.nbytes}"
                )
            read += own
        return values

    def close(self) -> None:
        """Harmless when repeated."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __del__(self) -> None:
        if getattr(self, "_descriptor", None) is not None:
            self.close()


def check_array(
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    expected: tuple[int | None, ...],
    dtypes: tuple[str, ...],
    *,
    where: str,
    reason: str,
) -> None:
    """Refuse an array of another shape or type.

    Args:
        expected: lengths, None for any.
        dtypes: accepted NumPy types (`float32`), in either byte order.

    Raises:
        RecordProblem: with `reason`.
    """
    fits = len(expected) == len(shape) and all(
        length in (None, found) for length, found in zip(expected, shape, strict=True)
    )
    if not fits or dtype.newbyteorder("=").name not in dtypes:
        lengths = ", ".join("any" if length is None else str(length) for length in expected)
        raise RecordProblem(reason, f"{where} is {dtype} {shape}, expected {' or '.join(dtypes)} ({lengths})")

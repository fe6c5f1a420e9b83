"""HDF5 files of strangers: one dataset by name, its shape and type checked, its records read one by one.

Only data in the file itself is read: links, virtual datasets and external storage could name any file of this machine.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Sequence

import h5py
import numpy as np

from hf_ecg_bench.data.ledger import RecordProblem

UNREADABLE = "unreadable HDF5 file"
# Files that a thread keeps open, and the decoded chunks that it keeps per compressed dataset.
OPEN_FILES = 4
CHUNK_CACHE = 256 << 20


class Hdf5Dataset:
    """An open dataset of at least one dimension.

    Attributes:
        where: `file: dataset`, for messages.
        shape, dtype: as stored.
    """

    def __init__(self, path: str | os.PathLike[str], name: str) -> None:
        file_name = os.path.basename(path)
        self.where = f"{file_name}: {name}"
        try:
            # Nobody writes these files, and network file systems refuse locks.
            self._file = h5py.File(path, "r", locking=False)
        except (OSError, RuntimeError) as error:
            missing = isinstance(error, FileNotFoundError)
            raise RecordProblem(UNREADABLE, f"{file_name}: {'no such file' if missing else error}") from error
        try:
            self._data = self._own_dataset(name)
            self.shape: tuple[int, ...] = self._data.shape
            self.dtype: np.dtype = self._data.dtype
            self._row_bytes = int(np.prod(self.shape[1:], dtype=np.int64)) * self.dtype.itemsize
            self._offset = self._plain_offset()
            self._data = self._with_chunk_cache()
            # An own descriptor: plain reads wait neither for the interpreter nor for the HDF5 library's lock.
            self._descriptor = None if self._offset is None else os.open(path, os.O_RDONLY)
        except BaseException:
            self._file.close()
            raise

    def check(self, shape: Sequence[int | None], dtypes: Sequence[str]) -> Hdf5Dataset:
        """Returns itself.

        Args:
            shape: expected lengths, None for any.
            dtypes: accepted NumPy types (`float32`), in either byte order.

        Raises:
            RecordProblem: another shape or type.
        """
        fits = len(shape) == len(self.shape) and all(
            expected in (None, found) for expected, found in zip(shape, self.shape, strict=True)
        )
        if not fits or self.dtype.newbyteorder("=").name not in dtypes:
            lengths = ", ".join("any" if length is None else str(length) for length in shape)
            raise RecordProblem(
                "unexpected HDF5 dataset",
                f"{self.where} is {self.dtype} {self.shape}, expected {' or '.join(dtypes)} ({lengths})",
            )
        return self

    def all(self) -> np.ndarray:
        """The whole dataset, in native byte order."""
        try:
            return np.asarray(self._data[()], dtype=self.dtype.newbyteorder("="))
        except (OSError, RuntimeError) as error:
            raise RecordProblem(UNREADABLE, f"{self.where}: {error}") from error

    def row(self, number: int, start: int = 0, stop: int | None = None) -> np.ndarray:
        """Record `number`, or entries `start` to `stop` of its first axis, in native byte order.

        Raises:
            RecordProblem: the file ends before, or a compressed chunk is damaged.
        """
        length = self.shape[1]
        stop = length if stop is None else stop
        if not (0 <= number < self.shape[0] and 0 <= start <= stop <= length):
            raise IndexError(f"{self.where}: record {number}, entries {start} to {stop} of shape {self.shape}")
        if self._descriptor is None or self._offset is None:
            try:
                values = np.asarray(self._data[number, start:stop])
            except (OSError, RuntimeError) as error:
                raise RecordProblem(UNREADABLE, f"{self.where}, record {number}: {error}") from error
        else:
            values = np.empty((stop - start, *self.shape[2:]), self.dtype)
            offset = self._offset + number * self._row_bytes + start * (self._row_bytes // length)
            read = os.preadv(self._descriptor, [values.reshape(-1).view(np.uint8).data], offset) if values.nbytes else 0
            if read != values.nbytes:
                raise RecordProblem(
                    UNREADABLE, f"{self.where}, record {number}: {read} bytes left, expected {values.nbytes}"
                )
        return values.astype(self.dtype.newbyteorder("="), copy=False)

    def close(self) -> None:
        """Close the file; harmless when repeated."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
        self._file.close()

    def __del__(self) -> None:
        if getattr(self, "_descriptor", None) is not None:
            self.close()

    def _own_dataset(self, name: str) -> h5py.Dataset:
        group, found = self._file, ", ".join(list(self._file)[:8]) or "nothing"
        parts = name.split("/")
        for part in parts:
            link = group.get(part, getlink=True) if isinstance(group, h5py.Group) else None
            if link is None:
                raise RecordProblem("no such HDF5 dataset", f"{self.where} is not there; the file has {found}")
            if not isinstance(link, h5py.HardLink):
                raise RecordProblem("HDF5 link refused", f"{self.where} is a link, expected data in the file itself")
            group = group[part]
        if not isinstance(group, h5py.Dataset) or not group.shape:
            raise RecordProblem("no such HDF5 dataset", f"{self.where} is no array; the file has {found}")
        if group.is_virtual or group.external:
            raise RecordProblem(
                "HDF5 link refused", f"{self.where} refers to other files, expected data in the file itself"
            )
        return group

    def _plain_offset(self) -> int | None:
        """Where the records lie in the file one after another, if they do."""
        data = self._data
        plain = data.chunks is None and data.dtype.kind in "iuf" and data.ndim > 1 and not self._file.userblock_size
        return data.id.get_offset() if plain else None

    def _with_chunk_cache(self) -> h5py.Dataset:
        """The dataset with room for all chunks that hold parts of one record, which are also parts of the next ones."""
        chunks = self._data.chunks
        if chunks is None:
            return self._data
        room = min(chunks[0] * self._row_bytes + (1 << 20), CHUNK_CACHE)
        access = h5py.h5p.create(h5py.h5p.DATASET_ACCESS)
        access.set_chunk_cache(10_007, room, 1.0)
        name = self._data.name.encode()
        self._data = None  # the library shares the cache of a dataset that is still open
        return h5py.Dataset(h5py.h5d.open(self._file.id, name, access))


_LOCAL = threading.local()


def open_dataset(
    path: str | os.PathLike[str], name: str, shape: Sequence[int | None], dtypes: Sequence[str]
) -> Hdf5Dataset:
    """A checked dataset of a file that holds many records; this thread keeps the last few open.

    Args:
        path: the file. A file that changed since is opened again.
        name: of the dataset.
        shape, dtypes: see `Hdf5Dataset.check`.

    Raises:
        RecordProblem: no or a damaged file (a download that broke off), no such dataset, another shape or type.
    """
    files: OrderedDict[tuple[object, ...], Hdf5Dataset] | None = getattr(_LOCAL, "files", None)
    if files is None:
        files = _LOCAL.files = OrderedDict()
    try:
        stat = os.stat(path)
    except OSError as error:
        raise RecordProblem(UNREADABLE, f"{os.path.basename(path)}: no such file") from error
    key = (os.fspath(path), name, stat.st_size, stat.st_mtime_ns)
    if key not in files:
        files[key] = Hdf5Dataset(path, name)
        while len(files) > OPEN_FILES:
            files.popitem(last=False)[1].close()
    files.move_to_end(key)
    return files[key].check(shape, dtypes)


def read_dataset(
    path: str | os.PathLike[str], name: str, shape: Sequence[int | None], dtypes: Sequence[str]
) -> np.ndarray:
    """A whole dataset of a small file, which is closed again.

    Raises:
        RecordProblem: as `open_dataset`.
    """
    data = Hdf5Dataset(path, name)
    try:
        return data.check(shape, dtypes).all()
    finally:
        data.close()

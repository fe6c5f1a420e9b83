"""HDF5 files of strangers: one dataset by name, its shape and type checked, its records read one by one.

Only data in the file itself is read: links, virtual datasets and external storage could name any file of this machine.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

import h5py
import numpy as np

from hf_ecg_bench.data.formats.open_files import PlainRecords, check_array, keep_open
from hf_ecg_bench.data.ledger import RecordProblem

UNREADABLE = "unreadable HDF5 file"
UNEXPECTED = "unexpected HDF5 dataset"
# Decoded chunks that are kept per compressed dataset, bytes.
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
            self._file = h5py.File(path, "r")
        except (OSError, RuntimeError) as error:
            missing = isinstance(error, FileNotFoundError)
            raise RecordProblem(UNREADABLE, f"{file_name}: {'no such file' if missing else error}") from error
        try:
            self._data = self._own_dataset(name)
            self.shape: tuple[int, ...] = self._data.shape
            self.dtype: np.dtype = self._data.dtype
            self._plain = self._plain_records(path)
            self._data = self._with_chunk_cache()
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
        check_array(self.shape, self.dtype, tuple(shape), tuple(dtypes), where=self.where, reason=UNEXPECTED)
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
        if self._plain is not None:
            values = self._plain.read(number, start, stop)
        else:
            try:
                values = np.asarray(self._data[number, start:stop])
            except (OSError, RuntimeError) as error:
                raise RecordProblem(UNREADABLE, f"{self.where}, record {number}: {error}") from error
        return values.astype(self.dtype.newbyteorder("="), copy=False)

    def records_not_zero(self) -> set[int]:
        """Records that cannot be all zero, as zeros would be deflated to less than the file has for them.

        Costs no reading of data. Records that are not in it need a look; where data are not deflated, that is all.
        """
        data = self._data
        if data.chunks is None or data.chunks[0] != 1 or data.compression != "gzip" or not data.compression_opts:
            return set()
        # Deflated zeros take a thousandth of their size, and a few bytes.
        most = int(np.prod(data.chunks)) * self.dtype.itemsize // 100 + 64
        found: set[int] = set()

        def look(chunk: h5py.h5d.StoreInfo) -> None:
            if chunk.size > most:
                found.add(chunk.chunk_offset[0])

        data.id.chunk_iter(look)
        return found

    def records_only(self) -> Hdf5Dataset:
        """Returns itself, with the library's hold on the file given up where `row` can do without."""
        if self._plain is not None:
            self._file.close()
        return self

    def __enter__(self) -> Hdf5Dataset:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; harmless when repeated."""
        if self._plain is not None:
            self._plain.close()
        self._file.close()

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

    def _plain_records(self, path: str | os.PathLike[str]) -> PlainRecords | None:
        """A reader past the library, where records lie one after another in the file."""
        data = self._data
        plain = data.chunks is None and data.dtype.kind in "iuf" and data.ndim > 1 and not self._file.userblock_size
        offset = data.id.get_offset() if plain else None
        return None if offset is None else PlainRecords(path, offset, self.shape, self.dtype, self.where, UNREADABLE)

    def _with_chunk_cache(self) -> h5py.Dataset:
        """The dataset with room for all chunks that hold parts of one record, which are also parts of the next ones."""
        chunks = self._data.chunks
        if chunks is None:
            return self._data
        record = int(np.prod(self.shape[1:], dtype=np.int64)) * self.dtype.itemsize
        room = min(chunks[0] * record + (1 << 20), CHUNK_CACHE)
        access = h5py.h5p.create(h5py.h5p.DATASET_ACCESS)
        access.set_chunk_cache(10_007, room, 1.0)
        name = self._data.name.encode()
        self._data = None  # the library shares the cache of a dataset that is still open
        return h5py.Dataset(h5py.h5d.open(self._file.id, name, access))


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
    return keep_open(path, name, lambda: Hdf5Dataset(path, name).records_only(), UNREADABLE).check(shape, dtypes)


def read_dataset(
    path: str | os.PathLike[str], name: str, shape: Sequence[int | None], dtypes: Sequence[str]
) -> np.ndarray:
    """A whole dataset of a small file, which is closed again.

    Raises:
        RecordProblem: as `open_dataset`.
    """
    with Hdf5Dataset(path, name) as data:
        return data.check(shape, dtypes).all()

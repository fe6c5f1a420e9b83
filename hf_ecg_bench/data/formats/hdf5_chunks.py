"""The whole dataset of a small HDF5 file, for sources with a file per record: opened, read and closed at once.

Such files are deflated. The HDF5 library inflates a chunk while it holds a lock on all of HDF5 and on the interpreter;
here the library only says where the chunks lie, and they are inflated outside, so that other threads go on meanwhile.
Whatever is stored in another way is read by the library.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass

import h5py
import numpy as np

from hf_ecg_bench.data.formats.hdf5 import UNREADABLE, read_dataset
from hf_ecg_bench.data.formats.inflate import InflateError, inflate
from hf_ecg_bench.data.ledger import RecordProblem


@dataclass(frozen=True)
class _Chunks:
    """Where a deflated two-dimensional dataset lies in its file.

    Attributes:
        shape, dtype: of the dataset; `chunk`: shape of one chunk.
        places: per chunk its first row and column, its first byte in the file, its bytes there.
    """

    shape: tuple[int, int]
    dtype: np.dtype
    chunk: tuple[int, int]
    places: tuple[tuple[int, int, int, int], ...]


def read_transposed(path: str, name: str, rows: int, dtypes: tuple[str, ...]) -> np.ndarray:
    """The dataset `name`, stored as (rows, time): (time, rows) float32, C-contiguous.

    Args:
        path: the file.
        name: of a dataset in the file's root.
        rows: expected number of rows.
        dtypes: accepted NumPy types (`float16`), in either byte order.

    Raises:
        RecordProblem: no or a damaged file, no such dataset, another shape or type, a link to other files.
    """
    if not os.path.isfile(path):
        raise RecordProblem("missing file", f"no {os.path.basename(path)}")
    chunks = _locate(path, name, rows, dtypes)
    if chunks is None:
        return np.ascontiguousarray(read_dataset(path, name, (rows, None), dtypes).T, np.float32)
    return _inflate(path, name, chunks)


def _locate(path: str, name: str, rows: int, dtypes: tuple[str, ...]) -> _Chunks | None:
    """The chunks, or None where the library has to read the dataset, or to say what is wrong with it."""
    try:
        file = h5py.h5f.open(path.encode(), h5py.h5f.ACC_RDONLY, _access())
    except (OSError, RuntimeError):
        return None
    try:
        if file.links.get_info(name.encode()).type != h5py.h5l.TYPE_HARD:
            return None
        data = h5py.h5d.open(file, name.encode())
        created = data.get_create_plist()
        deflated = created.get_layout() == h5py.h5d.CHUNKED and created.get_nfilters() == 1
        if not deflated or created.get_filter(0)[0] != h5py.h5z.FILTER_DEFLATE:
            return None
        shape, chunk, dtype = data.shape, created.get_chunk(), data.dtype
        if len(shape) != 2 or shape[0] != rows or dtype.newbyteorder("=").name not in dtypes:
            return None
        found: list[h5py.h5d.StoreInfo] = []
        data.chunk_iter(found.append)
        expected = math.prod(-(-length // part) for length, part in zip(shape, chunk, strict=True))
        # A chunk that was never written counts as filled, and a single one may be stored as it is.
        if len(found) != expected or any(info.filter_mask for info in found):
            return None
        places = tuple((*info.chunk_offset, info.byte_offset, info.size) for info in found)
        return _Chunks(shape, dtype, chunk, places)
    except (OSError, RuntimeError, KeyError, ValueError, TypeError):
        return None
    finally:
        file.close()


def _access() -> h5py.h5p.PropFAID:
    access = h5py.h5p.create(h5py.h5p.FILE_ACCESS)
    access.set_fclose_degree(h5py.h5f.CLOSE_STRONG)
    # Nobody writes these files, and network file systems refuse locks.
    access.set_file_locking(False, True)
    return access


def _inflate(path: str, name: str, chunks: _Chunks) -> np.ndarray:
    where = f"{os.path.basename(path)}: {name}"
    try:
        with open(path, "rb") as handle:
            raw = memoryview(handle.read())
    except OSError as error:
        raise RecordProblem(UNREADABLE, f"{os.path.basename(path)}: {error.strerror}") from error
    rows, length = chunks.shape
    size = math.prod(chunks.chunk) * chunks.dtype.itemsize
    whole = np.empty((rows, length), chunks.dtype)
    for row, column, start, stored in chunks.places:
        try:
            # Never more than a chunk's worth, whatever the file says.
            values = inflate(raw[start : start + stored], size)
        except InflateError as error:
            raise RecordProblem(UNREADABLE, f"{where}: damaged chunk at byte {start} ({error})") from error
        if len(values) != size:
            raise RecordProblem(
                UNREADABLE, f"{where}: chunk at byte {start} holds {len(values)} bytes, expected {size}"
            )
        part = np.frombuffer(values, chunks.dtype).reshape(chunks.chunk)[: rows - row, : length - column]
        whole[row : row + part.shape[0], column : column + part.shape[1]] = part
    return np.ascontiguousarray(whole.T).astype(np.float32, copy=False)

"""Division that is NaN where there is nothing to divide by."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


def ratio(total: NDArray[Any], number: NDArray[Any], defined: ArrayLike | None = None) -> NDArray[np.float64]:
    """`total / number` element by element, NaN where `defined` (by default: `number` > 0) is false."""
    where = np.asarray(number > 0 if defined is None else defined)
    shape = np.broadcast_shapes(np.shape(total), np.shape(number), where.shape)
    return np.divide(total, number, out=np.full(shape, np.nan), where=where)

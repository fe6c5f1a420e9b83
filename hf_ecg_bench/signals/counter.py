"""Random numbers from counters: the same numbers after a resume, in any order, in any number of processes."""

from __future__ import annotations

import numpy as np

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def splitmix64(state: np.ndarray) -> np.ndarray:
    """One step of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014) for each uint64 of `state`."""
    z = state + _GOLDEN
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def hashed(*keys: int | np.ndarray) -> np.ndarray:
    """Uniform uint64 as a function of the keys, integers or integer arrays that broadcast."""
    state = np.zeros(1, dtype=np.uint64)
    for key in keys:
        state = splitmix64(state ^ np.atleast_1d(np.asarray(key, dtype=np.int64)).astype(np.uint64))
    return state


def integers(below: int | np.ndarray, *keys: int | np.ndarray) -> np.ndarray:
    """Uniform int64 in [0, below), 1 <= below < 2**32, as a function of the keys (bias below 2**-32)."""
    return ((hashed(*keys) >> np.uint64(32)) * np.atleast_1d(below).astype(np.uint64) >> np.uint64(32)).astype(np.int64)

"""Measurements of one kind of table, kept as little as the targets need: counts of values, and those near an ECG."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from hf_ecg_bench.data.sources.mimic.counts import ValueCounts
from hf_ecg_bench.data.sources.mimic.nearest import Moments, Window


class Events:
    """Measurements by key, a small whole number for whatever tells them apart (name, unit).

    Every value is counted, as limits are quantiles of them all; only those near an ECG are kept one by one, in table
    order.
    """

    def __init__(self, moments: Moments) -> None:
        self._moments = moments
        self._counts: dict[int, ValueCounts] = {}
        self._keys: list[np.ndarray] = []
        self._points: list[np.ndarray] = []
        self._values: list[np.ndarray] = []

    def add(self, key: np.ndarray, subject: np.ndarray, time: np.ndarray, value: np.ndarray, window: Window) -> None:
        """The next measurements of the table.

        Args:
            key, subject: (n,) whole numbers.
            time: (n,) datetime64[s]; NaT is near nothing.
            value: (n,) float64; NaN is no measurement.
            window: how near an ECG a measurement has to be to be its target.
        """
        real = ~np.isnan(value)
        key, value = key[real], value[real]
        order = np.argsort(key, kind="stable")
        found, starts = np.unique(key[order], return_index=True)
        for own, part in zip(found.tolist(), np.split(value[order], starts[1:]), strict=False):
            self._counts.setdefault(own, ValueCounts()).add(part)
        points = self._moments.place(subject[real], time[real].astype("datetime64[s]").astype(np.int64))
        near = np.flatnonzero(self._moments.near(points, window))
        self._keys.append(key[near].astype(np.int32))
        self._points.append(points[near])
        self._values.append(value[near])

    def counts(self, keys: Iterable[int]) -> list[ValueCounts]:
        """How often each value of these keys occurs, near an ECG or not."""
        return [self._counts[key] for key in keys if key in self._counts]

    def near(self, keys: Iterable[int]) -> tuple[np.ndarray, np.ndarray]:
        """Points and values of the measurements near an ECG, in table order."""
        self._keys, self._points, self._values = (
            [np.concatenate([np.empty(0, kind), *parts])]
            for parts, kind in ((self._keys, np.int32), (self._points, np.int64), (self._values, np.float64))
        )
        chosen = np.isin(self._keys[0], list(keys))
        return self._points[0][chosen], self._values[0][chosen]

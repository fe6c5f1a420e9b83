"""The measurement nearest in time to each ECG, for all ECGs at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

HOUR, DAY = 3600, 86400


@dataclass(frozen=True)
class Window:
    """How near is near: whole units of `unit` seconds between a measurement and an ECG, at most `limit` of them.

    Equally near are measurements with the same number of whole units; the first in table order is taken.
    """

    unit: int
    limit: int

    @property
    def seconds(self) -> int:
        """The largest difference that still counts."""
        return self.unit * (self.limit + 1) - 1


WITHIN_AN_HOUR = Window(1, HOUR)
WITHIN_30_DAYS = Window(DAY, 30)


class Moments:
    """ECGs as points on one axis: patients one after the other, further apart than any window.

    Args:
        subject, time: (n,) int64 of each ECG.
        reach: the largest window in use, in seconds.
    """

    def __init__(self, subject: np.ndarray, time: np.ndarray, reach: int = WITHIN_30_DAYS.seconds) -> None:
        self._subjects = np.unique(subject)
        self._first = int(time.min()) - reach if len(time) else 0
        self._last = int(time.max()) + reach if len(time) else 0
        self._stride = self._last - self._first + reach + 1
        self.points = self.place(subject, time)
        self._sorted = np.sort(self.points)

    def place(self, subject: np.ndarray, time: np.ndarray) -> np.ndarray:
        """Points of (subject, time) pairs; -1 for other patients and for times that no window reaches."""
        if not len(self._subjects):
            return np.full(len(subject), -1, np.int64)
        at = np.searchsorted(self._subjects, subject)
        at[at == len(self._subjects)] = 0
        inside = (self._subjects[at] == subject) & (time >= self._first) & (time <= self._last)
        # Outside, the product may overflow: it is not used.
        return np.where(inside, at * self._stride + np.where(inside, time, self._first) - self._first, -1)

    def near(self, points: np.ndarray, window: Window) -> np.ndarray:
        """(n,) bool: whether an ECG of the same patient lies within the window."""
        if not len(self._sorted):
            return np.zeros(len(points), bool)
        following = np.searchsorted(self._sorted, points - window.seconds)
        following[following == len(self._sorted)] = 0
        return (points >= 0) & (np.abs(self._sorted[following] - points) <= window.seconds)


def nearest_values(ecgs: np.ndarray, points: np.ndarray, values: np.ndarray, window: Window) -> np.ndarray:
    """For each ECG the value of the nearest measurement, NaN where none is near enough.

    Args:
        ecgs: (n,) points of ECGs (see Moments).
        points: (m,) points of measurements, in table order.
        values: (m,) their values.
    """
    if not len(points):
        return np.full(len(ecgs), np.nan)
    # Sorted questions: the stretches of measurements between two answers are then looked at once.
    turn = np.argsort(ecgs, kind="stable")
    answers = np.empty(len(ecgs))
    answers[turn] = _nearest_sorted(ecgs[turn], points, values, window)
    return answers


def _nearest_sorted(ecgs: np.ndarray, points: np.ndarray, values: np.ndarray, window: Window) -> np.ndarray:
    order = np.argsort(points, kind="stable")
    ordered = points[order]
    # The neighbours before and after; sentinels stand where there is none.
    far = window.seconds + 1
    after = np.searchsorted(ordered, ecgs)
    ahead = np.where(after < len(ordered), ordered[np.minimum(after, len(ordered) - 1)] - ecgs, far)
    behind = np.where(after > 0, ecgs - ordered[np.maximum(after - 1, 0)], far)
    units = np.minimum(ahead, behind) // window.unit
    found = units <= window.limit
    # All measurements that are equally near lie in two stretches of time; their first in table order is `order`'s
    # smallest entry.
    inner, outer = units * window.unit, (units + 1) * window.unit
    first = np.minimum(
        _least(order, np.searchsorted(ordered, ecgs - outer, "right"), np.searchsorted(ordered, ecgs - inner, "right")),
        _least(order, np.searchsorted(ordered, ecgs + inner, "left"), np.searchsorted(ordered, ecgs + outer, "left")),
    )
    return np.where(found, values[np.where(found, first, 0)], np.nan)


def _least(entries: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """The smallest of entries[start:end] for each pair; their number where the stretch is empty."""
    none = len(entries)
    padded = np.append(entries, none)
    # reduceat takes pairs of borders, and the single entry at the border where a stretch is empty.
    pairs = np.stack([starts, ends], axis=1).reshape(-1)
    least = np.minimum.reduceat(padded, pairs)[::2]
    return np.where(starts < ends, least, none)

"""Counts, times, operations, energy and p values as people read them; empty where they are not known."""

from __future__ import annotations

import math

_PREFIXES = ((1e18, "E"), (1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def quantity(value: float) -> str:
    """A count with a decimal prefix: 30.7 M."""
    if not math.isfinite(value):
        return ""
    for limit, suffix in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if value >= limit:
            return f"{value / limit:.3g}{suffix}"
    return f"{value:g}"


def operations(value: float) -> str:
    """Floating-point operations: 3.2 TFLOP."""
    return _prefixed(value, "FLOP")


def energy(joules: float) -> str:
    """1.2 kJ, 3.4 MJ."""
    return _prefixed(joules, "J")


def milliseconds(value: float) -> str:
    """2.28 ms."""
    return f"{value:.3g} ms" if math.isfinite(value) else ""


def duration(seconds: float) -> str:
    """Seconds for people: 42 s, 12 min, 3.5 h, 4.0 days."""
    if not math.isfinite(seconds):
        return ""
    if seconds < 120:
        return f"{seconds:.3g} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 48 * 3600 else f"{seconds / 86400:.1f} days"


def p_value(p: float) -> str:
    """`0.031`, `< 0.001`; empty where there was no test."""
    if math.isnan(p):
        return ""
    return f"{p:.3f}" if p >= 0.001 else "< 0.001"


def _prefixed(value: float, unit: str) -> str:
    if not math.isfinite(value):
        return ""
    limit, prefix = next((item for item in _PREFIXES if value >= item[0]), (1.0, ""))
    return f"{value / limit:.3g} {prefix}{unit}"

"""Numbers as they are shown. What is not known is a dash."""

from __future__ import annotations

import math

from .snapshot import Number

UNKNOWN = "–"


def known(value: Number) -> bool:
    """Whether there is a finite number."""
    return value is not None and math.isfinite(value)


def fixed(value: Number, digits: int = 3) -> str:
    """With so many digits behind the point."""
    return f"{value:.{digits}f}".replace("-", "−") if value is not None and known(value) else UNKNOWN


def signed(value: Number, digits: int = 3) -> str:
    """With its sign."""
    return f"{value:+.{digits}f}".replace("-", "−") if value is not None and known(value) else UNKNOWN


def between(low: Number, high: Number, digits: int = 3) -> str:
    """An interval, or nothing."""
    return f"[{fixed(low, digits)}, {fixed(high, digits)}]" if known(low) and known(high) else ""


def probability(p: Number) -> str:
    """A p-value."""
    if p is None or not known(p):
        return UNKNOWN
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def percent(share: Number) -> str:
    """A share as a whole percentage."""
    return f"{100 * share:.0f} %" if share is not None and known(share) else UNKNOWN


def amount(value: Number, unit: str = "") -> str:
    """Three significant digits with k, M, G, T, P: 4.21 M."""
    if value is None or not known(value):
        return UNKNOWN
    step, size = 0, abs(value)
    while size >= 999.5 and step < 6:
        size, step = size / 1000, step + 1
    digits = 0 if size >= 99.5 or (step == 0 and value == int(value)) else 1 if size >= 9.95 else 2
    letters = ("", "k", "M", "G", "T", "P", "E")[step] + unit
    return f"{math.copysign(size, value):.{digits}f}" + (f" {letters}" if letters else "")


def count(value: Number) -> str:
    """A whole number with thousands apart."""
    return f"{value:,.0f}".replace(",", " ") if value is not None and known(value) else UNKNOWN


def duration(seconds: Number) -> str:
    """42 s, 3.1 min, 2.4 h."""
    if seconds is None or not known(seconds):
        return UNKNOWN
    for unit, size in (("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.3g} s"

"""Numbers written otherwise than the rest of the spreadsheet: entered by other hands than the program's."""

from __future__ import annotations

from collections.abc import Sequence

from hf_ecg_bench.published.finding import Finding, keys, together
from hf_ecg_bench.results.row import Row

#: The digits after the point that the spreadsheet is rounded to.
DIGITS = 6
_FEW = 4  # all three numbers of a row rounded to so many by chance: 1 in 10^6


def other_digits(rows: Sequence[Row]) -> list[Finding]:
    """Rows with more digits than the rest, or with few in all three numbers, by model and mode."""
    many = [row for row in rows if max(_digits(row)) > DIGITS]
    few = [row for row in rows if max(_digits(row)) <= _FEW]
    longer = sum(digits > DIGITS for row in rows for digits in _digits(row))
    findings = []
    for (model, mode), own in together([row for row in rows if row in many or row in few], "model", "mode").items():
        listed = "; ".join(f"{row.task} {row.value!r} [{row.low!r}, {row.high!r}]" for row in own)
        noise = all(sum(digits > DIGITS for digits in _digits(row)) == 1 for row in own)
        findings.append(
            Finding(
                f"other-digits-{model}-{mode}",
                f"{model} {mode}: {len(own)} row{'s' * (len(own) > 1)} written otherwise than all others",
                "note" if noise else "caution",
                "value",
                f"{listed}. All but {longer} of the {3 * len(rows):,} numbers have at most {DIGITS} digits after the "
                f"point; a row with at most {_FEW} in all three numbers comes about once in a million by rounding. "
                + (
                    "One end shows a binary rounding error, so it was computed in the spreadsheet or typed."
                    if noise
                    else "These rows come from another place than the program that wrote the rest."
                ),
                "",
                keys(own),
            )
        )
    return findings


def _digits(row: Row) -> tuple[int, int, int]:
    value, low, high = (len(repr(number).partition(".")[2]) for number in (row.value, row.low, row.high))
    return value, low, high

"""The audit: what the published numbers themselves, and the code behind them, say against published rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache

from hf_ecg_bench.published.adaptation import frozen_ahead, head_only
from hf_ecg_bench.published.declared import one_run, undefined_as_half, unloaded_weights, which_mean
from hf_ecg_bench.published.digits import other_digits
from hf_ecg_bench.published.finding import SEVERITIES, Finding, key
from hf_ecg_bench.published.inputs import other_leads, other_preprocessing, other_rate
from hf_ecg_bench.published.intervals import odd_widths, outside, shifted
from hf_ecg_bench.published.levels import at_chance, little_signal, worse_than_constant
from hf_ecg_bench.published.outliers import unlike_the_rest
from hf_ecg_bench.published.repeats import repeated_points
from hf_ecg_bench.published.table import table_rows
from hf_ecg_bench.results.row import Row

Rule = Callable[[Sequence[Row]], list[Finding]]

#: Each looks at all rows and names those that its evidence concerns. None knows a row by name.
RULES: tuple[Rule, ...] = (
    repeated_points,
    head_only,
    unloaded_weights,
    worse_than_constant,
    other_digits,
    odd_widths,
    outside,
    shifted,
    at_chance,
    unlike_the_rest,
    other_rate,
    other_leads,
    other_preprocessing,
    frozen_ahead,
    which_mean,
    undefined_as_half,
    little_signal,
    one_run,
)


def audit(rows: Sequence[Row]) -> tuple[Finding, ...]:
    """What is found against rows, the gravest first."""
    found = [finding for rule in RULES for finding in rule(rows)]
    return tuple(sorted(found, key=lambda finding: SEVERITIES.index(finding.severity)))


def with_audit(rows: Sequence[Row], findings: Sequence[Finding]) -> tuple[Row, ...]:
    """The rows, each with the ids of its findings in `audit`, except of those about all rows: they tell none apart."""
    everything = {key(row) for row in rows}
    concerned = [(finding.id, frozenset(finding.rows)) for finding in findings if everything - set(finding.rows)]
    return tuple(replace(row, audit=",".join(id for id, own in concerned if key(row) in own)) for row in rows)


@cache
def published_findings() -> tuple[Finding, ...]:
    """The audit of the published table."""
    return audit(table_rows())


@cache
def published_rows() -> tuple[Row, ...]:
    """The published table, each row with the ids of what is known against it."""
    return with_audit(table_rows(), published_findings())


def findings_of(row: Row) -> tuple[Finding, ...]:
    """What `row.audit` names."""
    named = row.audit.split(",")
    return tuple(finding for finding in published_findings() if finding.id in named)

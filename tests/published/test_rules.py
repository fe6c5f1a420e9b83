"""Every rule of the audit finds what was put into a clean table, and nothing in the clean one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from hf_ecg_bench.published.adaptation import frozen_ahead, head_only
from hf_ecg_bench.published.audit import RULES, audit, with_audit
from hf_ecg_bench.published.checks import checks
from hf_ecg_bench.published.declared import one_run
from hf_ecg_bench.published.digits import other_digits
from hf_ecg_bench.published.finding import Key, by_key, key
from hf_ecg_bench.published.intervals import odd_widths, outside, robust_residuals, shifted
from hf_ecg_bench.published.levels import at_chance, little_signal, worse_than_constant
from hf_ecg_bench.published.outliers import polished, unlike_the_rest
from hf_ecg_bench.published.repeats import repeated_points
from hf_ecg_bench.results.row import Row
from tests.published.made_up import ERRORS, TASKS, table

CLEAN = table()
BY_KEY = by_key(CLEAN)
A: Key = ("hubert_ecg", "finetune", "task3")
B: Key = ("hubert_ecg", "linear", "task3")


def changed(**at: Callable[[Row], Row]) -> list[Row]:
    """The clean table with some rows changed; keys are written model__mode__task."""
    changes = {tuple(name.split("__")): change for name, change in at.items()}
    assert all(name in BY_KEY for name in changes)
    return [changes.get(key(row), lambda row: row)(row) for row in CLEAN]


@pytest.mark.parametrize("seed", range(5))
def test_a_clean_table_has_no_finding_but_the_general_one(seed: int) -> None:
    rows = table(seed)
    named = {finding.id for finding in audit(rows)}
    # How these models are fed is known of them, whatever their numbers.
    assert {name for name in named if not name.startswith("other-")} == {"one-run"}
    assert all(check.in_order for check in checks(rows))


@pytest.mark.parametrize("rule", RULES)
def test_no_rows_no_findings(rule: Callable) -> None:
    assert rule([]) == []


def test_repeats() -> None:
    rows = changed(hubert_ecg__finetune__task3=lambda row: replace(row, value=BY_KEY[B].value))
    [finding] = repeated_points(rows)
    assert finding.id == "repeated-hubert_ecg-finetune-linear"
    assert set(finding.rows) == {A, B}
    assert "resampled twice" in finding.evidence
    other = BY_KEY[B]
    rows = changed(
        hubert_ecg__finetune__task3=lambda row: replace(row, value=other.value, low=other.low, high=other.high)
    )
    assert "lines were copied" in repeated_points(rows)[0].evidence
    assert not {check.what: check for check in checks(rows)}["intervals that occur twice, anywhere"].in_order


def test_equal_values_of_two_models_are_counted_not_blamed() -> None:
    value = BY_KEY["ecg_cpc", "linear", "task3"].value
    rows = changed(hubert_ecg__finetune__task3=lambda row: replace(row, value=value))
    assert repeated_points(rows) == []
    assert not checks(rows)[0].in_order


def test_head_only() -> None:
    random = np.random.default_rng(1)
    rows = [
        replace(row, value=BY_KEY[row.model, "linear", row.task].value + random.normal(0, 8e-4))
        if (row.model, row.mode) == ("st_mem", "finetune")
        else row
        for row in CLEAN
    ]
    [finding] = head_only(rows)
    assert finding.id == "head-only-st_mem"
    assert set(finding.rows) == {("st_mem", "finetune", task) for task in (*TASKS, *ERRORS)}
    assert "0 of 166" in finding.source
    # Equal to the last digit is a repeat, not a head that was trained twice.
    assert head_only([replace(row, value=BY_KEY[row.model, "linear", row.task].value) for row in CLEAN]) == []


def test_frozen_ahead() -> None:
    def ahead(row: Row) -> Row:
        other = BY_KEY["ecg_jepa", "finetune", row.task]
        return replace(row, value=other.high + 0.01, low=other.high + 0.005, high=other.high + 0.02)

    def behind(row: Row) -> Row:
        other = BY_KEY["ecg_jepa", "finetune", "errors0"]
        return replace(row, value=other.low - 0.01, low=other.low - 0.02, high=other.low - 0.005)

    [finding] = frozen_ahead(changed(ecg_jepa__frozen__task0=ahead, ecg_jepa__linear__errors0=behind))
    assert set(finding.rows) == {("ecg_jepa", "finetune", "task0"), ("ecg_jepa", "finetune", "errors0")}


def test_intervals() -> None:
    rows = changed(ecg_cpc__frozen__task7=lambda row: replace(row, high=row.value - 0.001))
    assert outside(rows)[0].rows == (("ecg_cpc", "frozen", "task7"),)
    # A row whose label set is rare: every interval of the task lies lower.
    rows = [replace(row, low=row.low - 0.02) if row.task == "task7" else row for row in CLEAN]
    assert {task for _, _, task in shifted(rows)[0].rows} == {"task7"}
    assert len(shifted(rows)[0].rows) == 15
    rows = changed(ecg_cpc__frozen__task7=lambda row: replace(row, low=row.value - 3 * (row.value - row.low)))
    [finding] = odd_widths(rows)
    assert finding.rows == (("ecg_cpc", "frozen", "task7"),)


def test_levels() -> None:
    rows = changed(
        ecg_cpc__linear__errors1=lambda row: replace(row, value=0.93, low=0.92, high=0.94),
        st_mem__linear__task0=lambda row: replace(row, value=0.51, low=0.49, high=0.53),
    )
    assert worse_than_constant(rows)[0].rows == (("ecg_cpc", "linear", "errors1"),)
    assert at_chance(rows)[0].rows == (("st_mem", "linear", "task0"),)
    assert little_signal(rows) == []
    weak = [replace(row, value=row.value + 0.25) if row.task == "errors0" else row for row in CLEAN]
    assert {task for _, _, task in little_signal(weak)[0].rows} == {"errors0"}


def test_digits() -> None:
    rows = changed(
        ecg_cpc__frozen__task1=lambda row: replace(row, value=0.7030001, low=0.6800001),
        ecg_cpc__frozen__task2=lambda row: replace(row, value=0.703, low=0.684, high=0.7085),
        st_mem__linear__task5=lambda row: replace(row, low=0.1 + 0.2),
    )
    found = {finding.id: finding for finding in other_digits(rows)}
    assert found.keys() == {"other-digits-ecg_cpc-frozen", "other-digits-st_mem-linear"}
    assert found["other-digits-ecg_cpc-frozen"].rows == (("ecg_cpc", "frozen", "task1"), ("ecg_cpc", "frozen", "task2"))
    assert (found["other-digits-ecg_cpc-frozen"].severity, found["other-digits-st_mem-linear"].severity) == (
        "caution",
        "note",
    )


def test_rows_unlike_the_rest() -> None:
    rows = changed(ecg_jepa__linear__task4=lambda row: replace(row, value=0.5))
    [finding] = unlike_the_rest(rows)
    assert finding.rows == (("ecg_jepa", "linear", "task4"),)
    assert f"{BY_KEY['ecg_jepa', 'finetune', 'task4'].value:.3f}" in finding.evidence


def test_median_polish_takes_out_rows_and_columns() -> None:
    effects = np.arange(5.0)[:, None] + np.array([0.3, -2.0, 7.0])
    np.testing.assert_allclose(polished(effects), 0, atol=1e-12)
    effects[2, 1] += 4
    expected = np.zeros((5, 3))
    expected[2, 1] = 4
    np.testing.assert_allclose(polished(effects), expected, atol=1e-12)


def test_robust_line() -> None:
    x = np.linspace(0, 1, 21)
    y = 3 * x + np.tile([0.01, -0.01, 0.0], 7)
    y[4] += 1
    rest, scale = robust_residuals(x, y)
    assert rest.argmax() == 4
    assert rest[4] == pytest.approx(1, abs=0.03)
    assert np.abs(np.delete(rest, 4)).max() < 0.03
    assert scale == pytest.approx(0.0148, abs=0.005)
    same, none = robust_residuals(np.zeros(4), np.zeros(4))
    assert not same.any()
    assert none == 0


def test_the_rows_carry_the_ids() -> None:
    twin = BY_KEY[B]
    rows = changed(
        hubert_ecg__finetune__task3=lambda row: replace(
            row, value=twin.value, low=round(twin.low + 1e-4, 6), high=round(twin.high + 1e-4, 6)
        )
    )
    found = audit(rows)
    assert [finding.severity for finding in found] == sorted(
        (finding.severity for finding in found), key=("do_not_use", "caution", "note").index
    )
    marked = by_key(with_audit(rows, found))
    # Its frozen row is ahead by now, as where a fine-tuned column holds another run.
    assert marked[A].audit == "repeated-hubert_ecg-finetune-linear,frozen-ahead-hubert_ecg"
    assert marked[B].audit == "repeated-hubert_ecg-finetune-linear"
    assert marked["ecg_jepa", "linear", "task0"].audit == ""
    assert one_run(rows)[0].severity == "note"

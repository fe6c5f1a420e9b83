"""Rows and tables hold the result's own numbers, and no text can break out of a format."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from pathlib import Path

import pytest

from hf_ecg_bench.errors import PredictionsError
from hf_ecg_bench.results.estimate import Estimate, number
from hf_ecg_bench.results.latex import escape_latex, to_latex
from hf_ecg_bench.results.metrics import sort_results
from hf_ecg_bench.results.quantities import duration, quantity
from hf_ecg_bench.results.schema import Result
from hf_ecg_bench.results.table_formats import escape_markdown, to_json, to_markdown
from hf_ecg_bench.results.tables import (
    Cell,
    Column,
    Table,
    comparison_tables,
    overall_table,
    regression_table,
    target_table,
    to_row,
)
from hf_ecg_bench.results.target_scores import target_scores
from tests.results.fake_run import REGRESSION, make_run


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    folder: Path = tmp_path_factory.mktemp("run")
    return make_run(folder, regression=REGRESSION, without_positives=("PVC",), examples=0, n_resamples=50)


def with_auroc(result: Result, value: float, **changes: object) -> Result:
    metrics = {
        **result.metrics,
        "metrics": {"macro_auroc": {"value": value, "low": value - 0.1, "high": value + 0.1}},
    }
    return replace(result, metrics=metrics, **changes)


def test_row_is_flat_and_equal_to_the_result(result: Result) -> None:
    row = to_row(result)
    assert row["macro_auroc_low"] == result.metrics["metrics"]["macro_auroc"]["low"]
    assert row["pooled_mae"] == result.metrics["metrics"]["pooled_mae"]["value"]
    assert (row["task"], row["model"], row["mode"], row["seed"]) == ("synthetic", "s4", "scratch", 0)
    assert not any(isinstance(value, dict | list) for value in row.values())


def test_target_table_repeats_the_numbers_of_the_result(result: Result) -> None:
    table = target_table(target_scores(result))
    binary = {k: v for k, v in result.metrics["targets"].items() if v["kind"] == "binary"}
    assert [row[0].text for row in table.rows] == list(binary)
    for row in table.rows:
        entry = binary[row[0].text]
        assert row[1].text == str(entry["n"])
        assert row[2].text == str(entry["n_positive"])
        if row[0].text == "PVC":
            assert row[4].text == "undefined"
            assert row[4].weak
        else:
            auroc = entry["auroc"]
            assert row[4].text == f"{auroc['value']:.3f} [{auroc['low']:.3f}, {auroc['high']:.3f}]"
            brier = entry["brier"]
            assert row[-1].text == f"{brier['value']:.3f}"
    assert [column.title for column in table.columns][4:] == [
        "AUROC [95 %]", "Average precision", "Brier score",
    ]  # fmt: skip


def test_few_positives_are_marked(result: Result) -> None:
    rows = {row[0].text: row for row in target_table(target_scores(result)).rows}
    assert rows["1AVB"][4].weak
    assert not rows["NORM"][4].weak


def test_regression_in_z_and_original_units(result: Result) -> None:
    mae = result.metrics["targets"]["pr_interval"]["mae"]["value"]
    row = regression_table(target_scores(result)).rows[1]
    assert row[2].text.startswith(f"{mae:.3f} [")
    assert row[3].text.startswith(f"{mae * 24.0:.2f} [")
    assert row[3].text.endswith(" ms")
    bare = replace(result, hyperparameters={})
    assert regression_table(target_scores(bare)).rows[1][3].text == "scale unknown"


def test_overall_table_explains_its_metrics(result: Result) -> None:
    rows = overall_table(result).rows
    assert rows[0][0].text == "Macro AUROC"
    assert all(row[2].text for row in rows)


def test_comparison_is_sorted_and_marks_the_best(result: Result) -> None:
    results = [
        with_auroc(result, 0.8, mode="linear"),
        with_auroc(result, 0.9, mode="finetune"),
        with_auroc(result, math.nan, mode="frozen"),
        with_auroc(result, 0.7, task="other"),
    ]
    first, second = comparison_tables(results)
    assert [row[1].text for row in first.rows] == ["finetune", "linear", "frozen"]
    assert [row[2].strong for row in first.rows] == [True, False, False]
    assert first.rows[2][2].text == "undefined"
    assert len(second.rows) == 1
    assert not second.rows[0][2].strong
    assert [item.mode for item in sort_results(results[:3])] == ["finetune", "linear", "frozen"]


def test_errors_sort_ascending(result: Result) -> None:
    def mae(value: float, mode: str) -> Result:
        return replace(result, mode=mode, metrics={"n": 9, "metrics": {"pooled_mae": {"value": value}}, "targets": {}})

    (table,) = comparison_tables([mae(0.5, "linear"), mae(0.4, "finetune")])
    assert [row[1].text for row in table.rows] == ["finetune", "linear"]
    assert table.rows[0][2].strong


NASTY = r"50 % of_A & {B} \end{table} $x^2$ #1 ~ <i>"


def test_latex_is_escaped_and_balanced() -> None:
    columns = (Column("A_1"), Column("B", "right"))
    table = Table("t_1 %", NASTY, columns, ((Cell(NASTY), Cell("[1]", strong=True)), (Cell("[x"), Cell("", weak=True))))
    text = to_latex(table)
    bare = re.sub(r"\\[\\{}%&$#_]", "", text)
    assert bare.count("{") == bare.count("}")
    assert text.count(r"\end{table}") == 1
    assert not re.search(r"(?<!\\)[%$#_^~<>]", bare.replace(r"\label{tab:t-1-}", ""))
    # Two columns: one separator in the head and in each of two rows.
    assert len(re.findall(r"(?<!\\)&", text)) == 3
    for row in text.split(r"\midrule")[1].split(r"\bottomrule")[0].strip().splitlines():
        assert row.strip().startswith("{}")
        assert row.endswith(r"\\")
    assert r"\textbf{[1]}" in text


def test_escapes() -> None:
    assert escape_latex("a_b%&\n") == r"a\_b\%\& "
    assert escape_markdown("a|b<script>*x*\n`") == r"a\|b&lt;script&gt;\*x\* \`"


def test_markdown_and_json() -> None:
    table = Table("k", "c", (Column("A|B"), Column("C", "right")), ((Cell("x", strong=True), Cell("1", weak=True)),))
    assert to_markdown(table).splitlines() == [r"| A\|B | C |", "| :--- | ---: |", "| **x** | *1* |"]
    assert json.loads(to_json(table)) == [{"A|B": "x", "C": "1"}]


@pytest.mark.parametrize("raw", ["0.9", True, [1], {}])
def test_what_is_not_a_number_is_named(raw: object) -> None:
    with pytest.raises(PredictionsError, match=r"metrics\.x: expected a number"):
        number(raw, "metrics.x")


def test_estimates() -> None:
    assert Estimate.from_json({"value": 0.5, "low": None}, "x").format() == "0.500"
    assert Estimate.from_json(None, "x").format() == "undefined"
    with pytest.raises(PredictionsError, match="expected an object"):
        Estimate.from_json(0.5, "x")


def test_quantities_for_people() -> None:
    assert [quantity(v) for v in (math.nan, 12.0, 2_283_528.0, 1e9)] == ["", "12", "2.28 M", "1 G"]
    assert [duration(v) for v in (math.nan, 42.0, 734.0, 12_600.0, 3 * 86_400.0)] == [
        "", "42 s", "12 min", "3.5 h", "3.0 days",
    ]  # fmt: skip


def test_runs_of_one_model_and_mode_are_told_apart(result: Result) -> None:
    def run(value: float, **settings: object) -> Result:
        return with_auroc(result, value, mode="lora", hyperparameters=result.hyperparameters | settings)

    runs = [run(0.9, adapter="dora"), run(0.8, adapter="lora", precision="bf16"), run(0.7, learning_rates=[0.1, 0.01])]
    (table,) = comparison_tables([*runs, with_auroc(result, 0.6, seed=7)])
    column = [one.title for one in table.columns].index("Settings")
    assert [row[column].text for row in table.rows] == ["adapter dora", "", "learning_rates 0.1 0.01", ""]
    (table,) = comparison_tables([runs[0], with_auroc(result, 0.6)])
    assert "Settings" not in [one.title for one in table.columns], "other modes are told apart by their names"

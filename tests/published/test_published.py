"""The published table as it ships, and what the audit says of it."""

from __future__ import annotations

import csv
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from hf_ecg_bench.models.registry import get_model_spec, list_models
from hf_ecg_bench.published import findings_of, published_findings, published_rows
from hf_ecg_bench.published.audit import audit
from hf_ecg_bench.published.checks import checks
from hf_ecg_bench.published.finding import Finding, by_key, key
from hf_ecg_bench.published.table import table_rows
from hf_ecg_bench.results.row_files import read_row_file, write_rows
from hf_ecg_bench.tasks.catalogue import CATALOGUE
from hf_ecg_bench.tasks.sizes import task_size
from hf_ecg_bench.tasks.suites import SUITES
from hf_ecg_bench.training.modes import MODES

ROWS = published_rows()
FOUND = {finding.id: finding for finding in published_findings()}
MIMIC = [task for task in SUITES["published"].tasks if task.startswith("mimic_")]


def tasks_of(finding: Finding) -> set[str]:
    return {task for _, _, task in finding.rows}


def test_every_model_task_and_mode_once() -> None:
    pretrained = [model for model in list_models() if get_model_spec(model).pretrained]
    expected = {
        (model, mode, task)
        for task in SUITES["published"].tasks
        for model in list_models()
        for mode in (("finetune", "frozen", "linear") if model in pretrained else ("scratch",))
    }
    assert len(ROWS) == 728
    assert set(by_key(ROWS)) == expected
    assert {row.mode for row in ROWS} <= MODES.keys()


def test_facts_of_the_catalogue() -> None:
    for row in ROWS:
        task = CATALOGUE[row.task]
        size = task_size(task)
        assert (row.dataset, row.category, row.trained_as) == (task.dataset, task.category, task.trained_as or "")
        assert row.n_targets == size.targets
        assert row.higher_is_better == (size.regression == 0)
        assert row.metric == ("pooled_mae" if size.regression else "macro_auroc")
        assert row.origin == "published"
        assert re.search(r"arXiv 2509\.25095, sheet (Finetuning|Frozen|Linear|Supervised), row \d+$", row.citation)


def test_contamination() -> None:
    rows = by_key(ROWS)
    assert rows["ecg_fm", "linear", "ptbxl_diag"].contamination == "test_records"
    assert rows["ecg_cpc", "finetune", "georgia"].contamination == "same_corpus"
    assert rows["hubert_ecg", "frozen", "sph"].contamination == "unknown"
    assert {row.contamination for row in ROWS if row.mode == "scratch"} == {"none"}
    assert Counter(row.contamination for row in ROWS) == {
        "none": 476,
        "test_records": 159,
        "unknown": 87,
        "same_corpus": 6,
    }
    assert all(row.contamination_reason for row in ROWS)


@pytest.mark.shared
def test_the_numbers_are_those_of_the_specification(shared: Path) -> None:
    modes = {"finetuned": "finetune", "supervised_from_scratch": "scratch"}
    models = {get_model_spec(model).title: model for model in list_models()}
    rows = by_key(ROWS)
    with (shared / "specs" / "published_results.csv").open(newline="") as file:
        theirs = list(csv.DictReader(file))
    assert len(theirs) == 728
    for raw in theirs:
        row = rows[models[raw["model"]], modes.get(raw["eval_mode"], raw["eval_mode"]), raw["task_id"]]
        assert (row.value, row.low, row.high) == tuple(float(raw[name]) for name in ("value", "ci_low", "ci_high"))
        assert row.higher_is_better == (raw["direction"] == "higher_is_better")
        assert (row.low <= row.value <= row.high) == (raw["point_inside_ci"] == "True")
        assert row.n_targets == float(raw["n_targets"])
        assert row.category == raw["category"]
        assert row.citation.endswith(f"sheet {raw['source_sheet']}, row {raw['source_row']}")


def test_all_findings() -> None:
    assert {name: len(finding.rows) for name, finding in FOUND.items()} == {
        "repeated-ecg_fm-finetune-frozen": 2,
        "repeated-hubert_ecg-finetune-linear": 22,
        "head-only-st_mem": 28,
        "unloaded-weights-ecgfm_ked-linear": 28,
        "unloaded-weights-ecgfm_ked-frozen": 28,
        "unloaded-weights-ecgfm_ked-finetune": 28,
        "worse-than-constant": 3,
        "other-digits-ecg_cpc-frozen": 5,
        "other-digits-st_mem-frozen": 1,
        "odd-interval-ecg_cpc-frozen-mimic_noncardiac": 1,
        "point-outside-interval": 16,
        "shifted-interval": 338,
        "at-chance": 1,
        "unlike-the-rest-code15": 4,
        "other-rate-ecgfm_ked": 84,
        "other-leads-merl": 84,
        "other-leads-ecgfm_ked": 84,
        "other-preprocessing": 336,
        "frozen-ahead-st_mem": 1,
        "frozen-ahead-hubert_ecg": 4,
        "which-mean": 104,
        "undefined-as-half": 52,
        "little-signal": 52,
        "one-run": 728,
    }


def test_whom_they_concern() -> None:
    assert tasks_of(FOUND["repeated-hubert_ecg-finetune-linear"]) == set(MIMIC)
    assert tasks_of(FOUND["repeated-ecg_fm-finetune-frozen"]) == {"echonext"}
    assert FOUND["worse-than-constant"].rows == tuple(
        ("ecg_fm", "linear", f"mimic_{task}") for task in ("biometrics", "lab_values", "vital_signs")
    )
    assert tasks_of(FOUND["point-outside-interval"]) == {"zzu_pecg"}
    assert tasks_of(FOUND["shifted-interval"]) == {
        *("ptb", "ningbo", "cpsc_extra", "georgia", "chapman", "chapman_rhythm", "sph", "zzu_pecg"),
        *("ptbxl_all", "ptbxl_diag", "ptbxl_form", "ptbxl_rhythm", "ptbxl_sub"),
    }
    assert tasks_of(FOUND["other-digits-ecg_cpc-frozen"]) == {
        f"mimic_{task}" for task in ("noncardiac", "deterioration", "mortality", "icu", "sex")
    }


@pytest.mark.parametrize(
    ("finding", "numbers"),
    [
        ("head-only-st_mem", ["median size 0.0008", "largest 0.0055", "0.0091 to 0.1368", "26 of 28"]),
        ("repeated-hubert_ecg-finetune-linear", ["on 11 tasks", "0 of 8,428", "10 of these 11", "17 tasks"]),
        ("unloaded-weights-ecgfm_ked-linear", ["0.691", "0.813 to 0.875", "19 of 28", "ptb 0.503"]),
        ("other-preprocessing", ["ecg_fm: ", "ecg_founder: ", "merl: ", "st_mem: ", "notch filter at 50 Hz"]),
        ("other-rate-ecgfm_ked", ["5000 samples instead of 1000", "5 times as long"]),
        ("worse-than-constant", ["0.798", "0.837", "0.930", "0.834", "3 of these intervals"]),
        ("shifted-interval", ["zzu_pecg -0.026", "ptb -0.009", "329 of 338", "-0.0037"]),
        ("odd-interval-ecg_cpc-frozen-mimic_noncardiac", ["0.0245", "0.0080 to 0.0109", "25 robust", "78%"]),
        ("unlike-the-rest-code15", ["merl linear 0.716", "0.964 to 0.991", "merl 0.982"]),
    ],
)
def test_evidence_has_the_numbers(finding: str, numbers: list[str]) -> None:
    for number in numbers:
        assert number in FOUND[finding].evidence


def test_rows_name_their_findings(tmp_path: Path) -> None:
    for row in ROWS:
        own = {finding.id for finding in FOUND.values() if key(row) in finding.rows}
        assert {finding.id for finding in findings_of(row)} == own - {"one-run"}
        assert re.fullmatch(r"([a-z0-9_-]+(,[a-z0-9_-]+)*)?", row.audit)
    worst = {row.audit for row in ROWS if any(finding.severity == "do_not_use" for finding in findings_of(row))}
    assert worst
    assert list(map(repr, read_row_file(write_rows(ROWS, tmp_path / "published.csv")))) == list(map(repr, ROWS))


def test_the_audit_follows_the_numbers() -> None:
    """A table without the repeats, the failed optimisation and the odd row has none of these findings."""
    kept = [row for row in table_rows() if row.model not in ("hubert_ecg", "ecg_fm", "ecg_cpc", "ecgfm_ked", "st_mem")]
    left = {finding.id for finding in audit(kept)}
    assert not [name for name in left if name.startswith(("repeated", "head-only", "worse", "other-digits", "odd"))]
    assert "shifted-interval" in left


def test_what_is_in_order() -> None:
    assert all(check.in_order for check in checks(ROWS))
    assert checks(ROWS)[-1].found == "0.72 to 0.93 in 26 rows of models"


def test_reading_them_imports_nothing_heavy() -> None:
    code = "import sys; from hf_ecg_bench.published import published_rows; published_rows()"
    heavy = f"{code}; print([name for name in ('torch', 'datasets', 'matplotlib', 'scipy') if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", heavy], capture_output=True, text=True, check=True).stdout == "[]\n"

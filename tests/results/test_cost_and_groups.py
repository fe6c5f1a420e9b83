"""Costs, parts and groups in tables: the result's own numbers, and nothing where it has none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hf_ecg_bench.errors import PredictionsError
from hf_ecg_bench.evaluation.parts import summarise_parts
from hf_ecg_bench.results.cost_tables import cost_facts, cost_notes, phase_table
from hf_ecg_bench.results.figures import subgroup_picture
from hf_ecg_bench.results.group_tables import slice_tables, subgroup_table
from hf_ecg_bench.results.predictions import read_predictions
from hf_ecg_bench.results.quantities import energy, operations
from hf_ecg_bench.results.report import write_report
from hf_ecg_bench.results.schema import Result
from hf_ecg_bench.results.slices import as_slices, slice_results, with_slices
from hf_ecg_bench.results.tables import comparison_tables, to_row
from tests.results.fake_run import REGRESSION, make_run

COST: dict[str, Any] = {
    "train_seconds": 90.0, "evaluate_seconds": 3.0, "starts": 2, "latency_ms": 12.5, "training_flops": 3.2e12,
    "energy_joules": 5400.0, "training_records_per_second": None,
    "phases": {"load": {"wall": 1.0, "cpu": 0.5}, "train": {"wall": 80.0, "cpu": 150.0}},
    "latency": {"median_seconds": 0.0125, "p95_seconds": 0.02, "repetitions": 9, "windows": 4, "device": "cpu",
                "precision": "fp32", "threads": 2},
    "flops": {"forward": 9.4e5, "training_step": 6.1e7, "batch_size": 32},
    "memory": {"process": 2**30, "gpu_allocated": 2**31},
    "meaning": {"cpu": "all threads of all 2 processes"},
    "reasons": {"gpu": "no GPU"},
}  # fmt: skip
SUBGROUPS: dict[str, Any] = {
    "age": {
        "20-29": {"n": 4, "n_patients": 3, "metrics": {}, "difference": {}, "note": "fewer than 10 patients"},
        "30-39": {
            "n": 1200,
            "n_patients": 900,
            "metrics": {"macro_auroc": {"value": 0.8, "low": 0.7, "high": 0.9}},
            "difference": {"macro_auroc": {"value": -0.1, "low": -0.2, "high": -0.01, "p": 0.0001, "p_adjusted": 4e-4}},
        },
    },
    "sex": {"female": {"n": 9, "n_patients": 9, "metrics": {"macro_auroc": {"value": None}}, "difference": {}}},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two labels and three numbers, one part of which lacks records."""
    folder = tmp_path_factory.mktemp("joint") / "run"
    result = make_run(
        folder, labels=("LVH", "PVC"), regression=REGRESSION, n_resamples=5, examples=0, cost=COST, subgroups=SUBGROUPS
    )
    own = read_predictions(folder)
    targets = own.targets.copy()
    targets[:30, own.names.index("heart_rate")] = np.nan
    parts = {"form": ("PVC", "LVH"), "rate": ("heart_rate",)}
    _, summaries = summarise_parts(targets, own.predictions, own.names, own.kinds, parts, own.patient_id, 5)
    nobody = {"n": 0, "metrics": {}, "targets": {}, "resampling": {}}
    slices = as_slices({**summaries, "nobody": nobody}, len(own))
    replace(result, slices=slices).save(folder)
    return folder


@pytest.fixture(scope="module")
def result(folder: Path) -> Result:
    return Result.load(folder)


def test_costs_in_words(result: Result) -> None:
    facts = dict(cost_facts(result))
    assert facts["Training and validation"] == "90 s"
    assert facts["Operations, training"] == "3.2 TFLOP (estimate)"
    assert facts["Operations, step of 32"] == "61 MFLOP"
    assert facts["Energy"] == "5.4 kJ"
    assert facts["GPU memory, tensors"] == "2.00 GiB"
    assert facts["One 10 s record"].startswith(
        "12.5 ms (median of 9, 95th percentile 20 ms; 4 windows, cpu, threads: 2"
    )
    assert "Records per second, training" not in facts
    assert cost_notes(result) == (
        "CPU time: all threads of all 2 processes.", "Not measured: energy of the GPU (no GPU)."
    )  # fmt: skip
    table = phase_table(result, "k")
    assert table is not None
    assert [[cell.text for cell in row] for row in table.rows] == [
        ["Loading", "1 s", "0.5 s"], ["Training", "80 s", "2 min"], ["Together", "81 s", "3 min"]
    ]  # fmt: skip


def test_results_from_before_there_were_costs(result: Result) -> None:
    old = replace(result, cost={"train_seconds": 1.0}, slices={}, subgroups={})
    assert cost_facts(old) == (("Training and validation", "1 s"),)
    assert cost_notes(old) == ()
    assert phase_table(old, "k") is None
    assert slice_tables(old, "k") == ()
    assert subgroup_table(old, "k") is None
    assert subgroup_picture(old) is None
    with pytest.raises(PredictionsError, match=r"cost\.phases: expected an object"):
        phase_table(replace(result, cost={"phases": 3}), "k")


def test_units_of_operations_and_energy() -> None:
    assert [operations(v) for v in (float("nan"), 12, 9.4e5, 2e15, 3e18)] == [
        "", "12 FLOP", "940 kFLOP", "2 PFLOP", "3 EFLOP"
    ]  # fmt: skip
    assert [energy(v) for v in (float("nan"), 12.34, 5400, 2e6)] == ["", "12.3 J", "5.4 kJ", "2 MJ"]


def test_compared_costs_are_columns_where_somebody_has_them(result: Result) -> None:
    row = to_row(result)
    assert (row["latency_ms"], row["training_flops"], row["energy_joules"]) == (12.5, 3.2e12, 5400.0)
    (table,) = comparison_tables([result])
    titles = [column.title for column in table.columns]
    assert titles[-3:] == ["10 s record", "Operations", "Energy"]
    assert [cell.text for cell in table.rows[0][-3:]] == ["12.5 ms", "3.2 TFLOP", "5.4 kJ"]
    (bare,) = comparison_tables([replace(result, cost={})])
    assert [column.title for column in bare.columns][-1] == "Time"


def test_parts_are_rows_of_their_own_tasks(result: Result) -> None:
    form, rate = slice_results(result)
    assert (form.task, form.trained_as, rate.task) == ("form", "synthetic", "rate")
    tasks, numbers = slice_tables(result, "k")
    assert [cell.text for cell in tasks.rows[0][:2]] == ["form", "2"]
    assert tasks.rows[1][3].text == str(result.slices["rate"]["n_excluded"])
    assert int(tasks.rows[1][3].text) >= 30
    mae = rate.metrics["targets"]["heart_rate"]["mae"]["value"]
    assert numbers.rows[0][4].text.startswith(f"{mae * REGRESSION['heart_rate'][0 + 1]:.3g}"[:3])
    assert numbers.rows[0][4].text.endswith("1/min")
    captions = [table.caption for table in comparison_tables(with_slices([result]))]
    assert captions == ["Task synthetic", "Task form", "Task rate"]


def test_groups_small_and_large(result: Result) -> None:
    table = subgroup_table(result, "k")
    assert table is not None
    small, large, undefined = ([cell.text for cell in row] for row in table.rows)
    assert small == ["age 20-29", "4", "3", "fewer than 10 patients", "", ""]
    assert large == ["age 30-39", "1,200", "900", "0.800 [0.700, 0.900]", "-0.100 [-0.200, -0.010]", "< 0.001"]
    assert undefined[3] == ""
    picture = subgroup_picture(result)
    assert picture is not None
    assert "age" in picture.caption


def test_all_of_it_is_in_every_format(folder: Path, tmp_path: Path) -> None:
    html = write_report(folder, tmp_path).read_text(encoding="utf-8")
    markdown, latex = ((tmp_path / name).read_text(encoding="utf-8") for name in ("report.md", "tables.tex"))
    for text in (html, markdown, latex):
        for words in ("age 30-39", "Together", "Tasks that are parts of synthetic", "heart"):
            assert words in text
    assert (tmp_path / "figures" / "synthetic-s4-scratch-0-subgroups.png").exists()

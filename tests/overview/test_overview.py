"""The overview of a grid as files: numbers against the runs, hostile and missing cells, what is written."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hf_ecg_bench.cli.main import main
from hf_ecg_bench.errors import EcgBenchError
from hf_ecg_bench.files import write_json
from hf_ecg_bench.overview import report as report_module
from hf_ecg_bench.overview.adaptation_part import mode_pairs
from hf_ecg_bench.overview.category_part import category_part
from hf_ecg_bench.overview.choices import Choices
from hf_ecg_bench.overview.overview import build_overview
from hf_ecg_bench.overview.report import report, write_overview
from hf_ecg_bench.overview.scaling_part import scaling_part
from hf_ecg_bench.overview.study import Study, read_study
from hf_ecg_bench.overview.wording import sentence
from hf_ecg_bench.results.metrics import metric_estimates
from hf_ecg_bench.results.schema import Result
from tests.overview.fake_grid import make_cell, make_grid
from tests.results.test_latex import environments_of
from tests.results.test_report import HOSTILE, Page

MODELS = {"s4": 1.6, "merl": 1.5, "ecg_jepa": 2.0}
TASKS = ("ptbxl_super", "chapman")
FEW = Choices(n_resamples=100)


@pytest.fixture(scope="module")
def grid(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three models on two tasks, a run on few records, a failed and a broken cell, a hostile one."""
    folder: Path = tmp_path_factory.mktemp("grid")
    make_grid(folder, models=MODELS, tasks=TASKS, modes=("finetune", "frozen"), seeds=(0, 1))
    make_cell(folder / "runs/x", "chapman", HOSTILE, "linear", 1.0, 0, 0.3, warnings=[HOSTILE])
    broken = folder / "runs/broken"
    broken.mkdir()
    (broken / "result.json").write_text('{"schema_ver')
    failure: dict[str, Any] = {"kind": "TrainingError", "message": HOSTILE, "fix": "a fix", "traceback": []}
    write_json(folder / "cells/merl/sph/linear/fraction-1/seed-0/failure.json", failure)
    return folder


@pytest.fixture(scope="module")
def study(grid: Path) -> Study:
    return read_study(grid, FEW)


@pytest.fixture(scope="module")
def out(grid: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("report")
    with pytest.MonkeyPatch.context() as patch:
        # Drawn again for files, they are the same pictures; `test_every_figure_is_a_file` has them.
        patch.setattr(report_module, "_write_figures", lambda overview, output: None)
        write_overview(grid, folder, FEW)
    return folder


@pytest.fixture(scope="module")
def numbers(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "report.json").read_text(encoding="utf-8"))
    return found


def test_page_is_whole_and_harmless(out: Path) -> None:
    html = (out / "report.html").read_text(encoding="utf-8")
    page = Page(html)
    assert not {tag for tag, _ in page.elements} & {"script", "link", "iframe", "object", "img"}
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    identifiers = [attributes["id"] for _, attributes in page.elements if attributes.get("id")]
    assert len(set(identifiers)) == len(identifiers)
    links = [attributes.get("href") or "" for tag, attributes in page.elements if tag == "a"]
    assert links
    assert all(link.startswith("#") and link[1:] in identifiers for link in links)
    assert "alert(1)" in html  # said, as text
    figures = [attributes for tag, attributes in page.elements if tag == "figure"]
    assert figures
    assert all(attributes.get("aria-label") for attributes in figures)
    heads = [attributes for tag, attributes in page.elements if tag == "th"]
    assert {attributes.get("scope") for attributes in heads} == {"col", "row"}
    assert "<" not in (out / "report.md").read_text(encoding="utf-8")


def test_latex_is_whole(out: Path, numbers: dict[str, Any]) -> None:
    comment, text = (out / "tables.tex").read_text(encoding="utf-8").split("\n", 1)
    assert comment.startswith("% Needs")
    assert environments_of(text) >= len(numbers["tables"]) - 1  # the list of runs is left out


def test_values_are_means_of_the_runs(grid: Path, numbers: dict[str, Any]) -> None:
    for cell in numbers["cells"]:
        values = [metric_estimates(Result.load(grid / folder))["macro_auroc"].value for folder in cell["folders"]]
        assert cell["value"] == pytest.approx(np.mean(values), abs=1e-9)
        assert cell["n_seeds"] == len(values)
        if len(values) > 1:
            assert cell["seed_sd"] == pytest.approx(np.std(values, ddof=1), abs=1e-9)


def test_tables_have_the_same_values(out: Path, numbers: dict[str, Any]) -> None:
    rows = list(csv.DictReader((out / "tables/task-chapman.csv").open(encoding="utf-8")))
    cells = {(cell["model"], cell["mode"]): cell for cell in numbers["cells"] if cell["task"] == "chapman"}
    assert len(rows) == len(cells)
    for row in rows:
        cell = cells[row["Model"], row["Mode"]]
        assert row["Macro AUROC [95 %]"].startswith(f"{cell['value']:.3f} [{cell['low']:.3f}, {cell['high']:.3f}]")
        assert row["Rank"] == str(cell["rank"])
    flat = list(csv.DictReader((out / "tables/cells.csv").open(encoding="utf-8")))
    assert [float(row["value"]) for row in flat] == [cell["value"] for cell in numbers["cells"]]


def test_gaps_are_counted(out: Path, numbers: dict[str, Any]) -> None:
    assert [item["cell"] for item in numbers["failures"]] == ["merl/sph/linear/fraction-1/seed-0"]
    assert [item["name"] for item in numbers["unreadable"]] == ["runs/broken"]
    markdown = (out / "report.md").read_text(encoding="utf-8")
    assert "1 cell of the grid failed." in markdown
    assert "1 result could not be read." in markdown
    (missing,) = numbers["tables"]["missing"]["rows"]
    assert missing[2:] == ["1", "PTB-XL (super)"]
    warned = {row[0]: row[1] for row in numbers["tables"]["warnings"]["rows"]}
    assert warned["120 test records: single records decide"] == "10"  # once, for every run of seed 0


def test_contamination_is_counted_and_can_be_hidden(grid: Path, study: Study) -> None:
    """ECG-JEPA was pretrained on Chapman's records."""
    assert study.overall is not None
    hidden = read_study(grid, Choices(contamination="hide", n_resamples=100)).overall
    assert hidden is not None
    by_key = {entry.key: i for i, entry in enumerate(hidden.entries)}
    assert hidden.hidden[by_key["ecg_jepa/finetune"]] == 1
    assert hidden.hidden[by_key["merl/finetune"]] == 0
    assert study.overall.hidden.sum() == 0


def test_gains_are_paired_differences(study: Study) -> None:
    pairs = mode_pairs(study, "frozen")
    assert {(pair.task, pair.entry.model) for pair in pairs} == {(t, m) for t in TASKS for m in ("merl", "ecg_jepa")}
    for pair in pairs:
        assert pair.gain.value == pytest.approx(pair.value - pair.other_value)
        assert pair.gain.low <= pair.gain.value <= pair.gain.high
        assert pair.p <= pair.p_adjusted
        standing = study.standings[pair.task]
        i, j = (standing.scores.entries.index(entry) for entry in (pair.entry, pair.other))
        samples = standing.scores.samples[i] - standing.scores.samples[j]
        assert pair.gain.low == pytest.approx(np.quantile(samples, 0.025), abs=1e-9)


def test_lower_is_better_gains_are_turned(tmp_path: Path) -> None:
    make_grid(tmp_path, models={"merl": 1.5}, tasks=("mimic_age",), modes=("finetune", "linear"), seeds=(0,))
    (pair,) = mode_pairs(read_study(tmp_path, FEW), "linear")
    assert pair.value < pair.other_value
    assert pair.gain.value == pytest.approx(pair.other_value - pair.value)
    assert 0 < pair.gain.low < pair.gain.value < pair.gain.high


def test_scaling_names_the_share_of_the_baselines_records(tmp_path: Path) -> None:
    sizes = (1.0, 0.5, 0.25, 0.125)
    models = {"s4": 1.0, "merl": 2.5}
    make_grid(tmp_path, models=models, tasks=("chapman",), modes=("finetune",), fractions=sizes, seeds=(0,))
    part = scaling_part(read_study(tmp_path, FEW))
    (block,) = part.blocks
    efficiency = block.tables[0]
    assert efficiency.key == "efficiency-chapman"
    assert [column.title for column in efficiency.columns][1:5] == ["N = 1,000", "N = 2,000", "N = 4,000", "N = 8,000"]
    (row,) = efficiency.rows
    assert row[0].text == "merl finetune"
    assert float(row[4].text.split()[0]) < 0.6  # the better model needs fewer


def test_invented_data_count_in_no_order(tmp_path: Path) -> None:
    make_grid(tmp_path, models={"s4": 1.0, "merl": 1.5}, tasks=("ptbxl_super", "chapman", "synthetic"),
              modes=("scratch",), seeds=(0,))  # fmt: skip
    make_cell(tmp_path / "runs/alone", "synthetic", "ecg_fm", "linear", 1.0, 0, 0.3)
    study = read_study(tmp_path, FEW)
    assert study.overall is not None
    assert set(study.overall.tasks) == {"ptbxl_super", "chapman"}
    assert study.overall.notes[0] == "synthetic does not count: invented data"
    assert [entry.key for entry in study.entries] == ["merl/scratch", "s4/scratch", "ecg_fm/linear"]
    text = str(category_part(study))
    assert "ecg_fm" in text
    assert "Adult ECG (2)" in text
    assert "Synthetic (1)" not in text


def test_ids_are_not_capitalised() -> None:
    for text in ("merl finetune: too few", "ecg_fm: left out", "synthetic does not count", "ptbxl_all: copies"):
        assert sentence(text) == f"{text}."
    assert sentence("two runs are missing") == "Two runs are missing."


def test_few_runs_stay_a_report_of_sections(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    monkeypatch.setattr(report_module, "write_report", lambda *_: written.append("sections"))
    monkeypatch.setattr(report_module, "write_overview", lambda *_: written.append("overview") or (Path(), {}))
    for number in range(9):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "result.json").write_text("{}")
        if number in (0, 7, 8):
            report(tmp_path)
    report(tmp_path / "0", None, FEW)
    assert written == ["sections", "sections", "overview", "overview"]


def test_one_entry_has_nobody_to_be_ranked_with(tmp_path: Path) -> None:
    make_grid(tmp_path, models={"merl": 1.5}, tasks=("chapman",), modes=("finetune",), seeds=(0,))
    overview = build_overview(tmp_path, FEW)
    assert overview.parts[0].intro == ("One entry alone: there is nothing to rank.",)


def test_nothing_readable(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "result.json").write_text("{}")
    with pytest.raises(EcgBenchError, match="none of 1 result files"):
        write_overview(tmp_path)


def test_command_line(grid: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["report", str(grid), "--contamination", "hid"])
    assert "--contamination" in capsys.readouterr().err


@pytest.mark.slow
def test_every_figure_is_a_file(grid: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--contamination", "impute", "--rule", "paper", "--no-published", "--json"]
    assert main(["report", str(grid), "--output-dir", str(tmp_path), *options]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["choices"]["contamination"] == "impute"
    assert "published" not in printed["tables"]
    links = re.findall(r"\]\((figures/[^)]+)\)", (tmp_path / "report.md").read_text(encoding="utf-8"))
    assert links
    for link in links:
        assert (tmp_path / link).read_bytes().startswith(b"\x89PNG")
        assert (tmp_path / link).with_suffix(".svg").read_text(encoding="utf-8").lstrip().startswith("<?xml")
    assert {path.stem for path in (tmp_path / "tables").iterdir()} == {*printed["tables"], "cells"}


@pytest.mark.slow
def test_no_torch_and_no_pyplot() -> None:
    code = "import sys, hf_ecg_bench.overview.report; print(sorted({'torch', 'matplotlib.pyplot'} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_a_mode_that_is_a_path_stays_in_the_folder(tmp_path: Path) -> None:
    results, out = tmp_path / "results", tmp_path / "deep/er/report"
    make_grid(results, models={"merl": 1.5, "ecg_jepa": 2.0}, tasks=TASKS, modes=("finetune",), seeds=(0,))
    for folder in sorted((results / "runs").rglob("result.json")):
        raw = json.loads(folder.read_text(encoding="utf-8"))
        copy = results / "runs/odd" / folder.parent.relative_to(results / "runs")
        copy.mkdir(parents=True)
        (copy / "predictions.parquet").write_bytes((folder.parent / "predictions.parquet").read_bytes())
        write_json(copy / "result.json", {**raw, "mode": "x/../../../../escaped"})
    write_overview(results, out, FEW)
    assert (out / "figures/overview-gain-x-escaped.png").is_file()
    assert {path.name for path in tmp_path.iterdir()} == {"results", "deep"}
    assert not [path for path in tmp_path.rglob("*escaped*") if out not in path.parents]


def test_everything_left_out_is_in_the_numbers(study: Study) -> None:
    numbers = build_overview(study.folder, FEW).numbers
    excluded = [item for standing in study.standings.values() for item in standing.scores.excluded]
    assert len(numbers["left_out"]) == len(excluded)
    assert set(numbers["task_notes"]) == {t for t, standing in study.standings.items() if standing.scores.notes}
    assert study.overall is not None
    assert numbers["notes"] == list(study.overall.notes)

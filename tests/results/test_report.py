"""The report as a whole: files, numbers, hostile and broken input."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from hf_ecg_bench.errors import EcgBenchError, PredictionsError
from hf_ecg_bench.results import report as report_module
from hf_ecg_bench.results.figures import FEW_PANELS
from hf_ecg_bench.results.predictions import read_predictions, write_predictions
from hf_ecg_bench.results.report import Report, build_report, write_report
from hf_ecg_bench.results.run_folder import read_examples
from hf_ecg_bench.results.schema import Result
from tests.results.fake_run import REGRESSION, fake_ecg, make_run

VOID = {"meta", "br", "hr", "img", "link", "input"}


class Page(HTMLParser):
    """Elements with their attributes, and whether every element that opens is closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def written(folder: Path) -> Report:
    """The report that `write_report` writes: its drawings are made once, and take most of the time."""
    built: list[Report] = []

    def build(results_dir: Path) -> Report:
        built.append(build_report(results_dir))
        return built[0]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report_module, "build_report", build)
        write_report(folder)
    return built[0]


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("one")
    make_run(folder, regression=REGRESSION, without_positives=("PVC",), examples=1, n_resamples=50)
    return folder


@pytest.fixture(scope="module", autouse=True)
def report_of_one(one: Path) -> Report:
    return written(one)


@pytest.fixture(scope="module")
def html(one: Path) -> str:
    return (one / "report.html").read_text(encoding="utf-8")


def test_files(one: Path) -> None:
    assert {"report.html", "report.md", "tables.tex", "figures"} <= {path.name for path in one.iterdir()}
    markdown = (one / "report.md").read_text(encoding="utf-8")
    links = re.findall(r"\]\((figures/[^)]+)\)", markdown)
    assert sorted(links) == sorted(f"figures/{path.name}" for path in (one / "figures").iterdir())
    for link in links:
        assert (one / link).read_bytes().startswith(b"\x89PNG")


def test_page_is_whole_and_needs_no_network(html: str) -> None:
    page = Page(html)
    tags = {tag for tag, _ in page.elements}
    assert not tags & {"script", "link", "iframe", "object"}
    for _, attributes in page.elements:
        for name in ("src", "href", "xlink:href"):
            assert not (attributes.get(name) or "").startswith(("http:", "https:", "//", "file:"))
    assert "url(http" not in html
    identifiers = [attributes["id"] for _, attributes in page.elements if attributes.get("id")]
    assert len(set(identifiers)) == len(identifiers)
    for _, attributes in page.elements:
        for value in attributes.values():
            for target in re.findall(r"url\(#([^)]+)\)", value or ""):
                assert target in identifiers


def test_numbers_are_those_of_the_result(one: Path, html: str) -> None:
    result = Result.load(one)
    markdown = (one / "report.md").read_text(encoding="utf-8")
    latex = (one / "tables.tex").read_text(encoding="utf-8")
    for entry in result.metrics["targets"].values():
        estimate = entry.get("auroc", entry.get("mae"))
        if estimate["value"] is None:
            continue
        text = f"{estimate['value']:.3f} [{estimate['low']:.3f}, {estimate['high']:.3f}]"
        assert text in html
        assert text in latex
        assert text.replace("[", r"\[").replace("]", r"\]") in markdown
    macro = result.metrics["metrics"]["macro_auroc"]
    assert f"Macro AUROC {macro['value']:.3f} (95 % interval {macro['low']:.3f} to {macro['high']:.3f})" in html
    assert "300 test records of 150 patients, 8 labels and 3 regression targets" in html
    assert "50 resamples of patients (seed 0)" in html


def test_what_to_distrust_is_said(html: str) -> None:
    assert "1 label without positives or without negatives in the test set: PVC." in html
    assert "left out of the macro AUROC" in html
    assert "fewer than 10 positives or negatives: 1AVB" in html
    assert "do not belong together" not in html


def test_caveats_of_the_run_are_not_said_twice(tmp_path: Path) -> None:
    make_run(tmp_path, examples=0, n_resamples=20, warnings=["labels with few records: PVC, 1AVB", "a caveat"])
    (section,) = build_report(tmp_path).sections
    assert section.cautions[-2:] == ("Labels with few records: PVC, 1AVB.", "A caveat.")
    assert not any("Single records decide" in text for text in section.cautions)


def test_example_shows_target_and_prediction_of_its_record(one: Path, report_of_one: Report) -> None:
    (section,) = report_of_one.sections
    (panel,) = section.examples
    predictions = read_predictions(one)
    row = list(predictions.record_id).index(panel.record_id)
    shown = {item.name: item for item in (*panel.labels, *panel.more)}
    for column, (name, kind) in enumerate(zip(predictions.names, predictions.kinds, strict=True)):
        if kind == "binary":
            assert shown[name].probability == pytest.approx(float(predictions.predictions[row, column]))
            target = predictions.targets[row, column]
            assert shown[name].target == (None if np.isnan(target) else bool(target))
    rate = next(item for item in panel.numbers if item.name == "heart_rate")
    value = float(predictions.predictions[row, predictions.names.index("heart_rate")])
    assert float(rate.prediction) == pytest.approx(72 + 14 * value, abs=0.06)
    assert rate.unit == "1/min"


def test_latex_is_balanced(one: Path) -> None:
    text = (one / "tables.tex").read_text(encoding="utf-8")
    body = "\n".join(line for line in text.splitlines() if not line.startswith("%"))
    stripped = re.sub(r"\\[\\{}%&$#_]", "", body)
    assert stripped.count("{") == stripped.count("}")
    begins, ends = re.findall(r"\\begin\{(\w+)\}", body), re.findall(r"\\end\{(\w+)\}", body)
    assert sorted(begins) == sorted(ends)
    assert len(begins) == 6  # overall, labels, regression: a table and a tabular each
    assert r"heart\_rate" in text
    assert not re.search(r"(?<!\\)%", body)


HOSTILE = '</svg><script>alert(1)</script><img src=x onerror="x()">'


def test_hostile_result_stays_text(tmp_path: Path) -> None:
    make_run(
        tmp_path / "run",
        labels=(HOSTILE, "$\\input{/etc/passwd}$", "a|b *c*"),
        examples=0,
        n_resamples=20,
        warnings=[HOSTILE],
        environment={"command": HOSTILE, HOSTILE: HOSTILE},
        task="../../x",
        model={"id": HOSTILE, "source": HOSTILE},
    )
    np.savez(
        tmp_path / "run" / "examples.npz",
        record_id=[HOSTILE],
        signals=fake_ecg(5.0, 100)[None],
        sampling_rate=100,
    )
    page = Page(write_report(tmp_path / "run", tmp_path / "out").read_text(encoding="utf-8"))
    assert not [tag for tag, _ in page.elements if tag in ("script", "img")]
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    markdown = (tmp_path / "out" / "report.md").read_text(encoding="utf-8")
    assert "<" not in markdown
    assert r"\input{" not in (tmp_path / "out" / "tables.tex").read_text(encoding="utf-8").replace(r"\{", "")
    files = {path.relative_to(tmp_path / "out").parts[0] for path in (tmp_path / "out").rglob("*")}
    assert files == {"report.html", "report.md", "tables.tex", "figures"}


def test_several_runs_start_with_a_comparison(tmp_path: Path) -> None:
    make_run(tmp_path / "weak", skill=0.5, labels=("A", "B"), examples=2, n_resamples=20)
    make_run(tmp_path / "strong", skill=2.0, labels=("A", "B"), examples=2, n_resamples=20, mode="finetune")
    (tmp_path / "half").mkdir()
    (tmp_path / "half" / "result.json").write_text('{"schema_ver')
    report = written(tmp_path)
    assert [section.result.mode for section in report.sections] == ["finetune", "scratch"]
    assert [len(section.examples) for section in report.sections] == [1, 1]
    assert report.comparisons[0].table.rows[0][2].strong
    assert report.unreadable[0].name == "half"
    assert str(tmp_path) not in report.unreadable[0].reason
    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert (
        html.index("Task synthetic")
        < html.index("finetune on synthetic</h2>")
        < html.index("scratch on synthetic</h2>")
    )
    assert "Results that could not be read" in html
    assert str(tmp_path) not in html
    Page(html)


def test_reports_are_equal_when_made_again(tmp_path: Path) -> None:
    make_run(tmp_path, labels=("A",), n=40, examples=1, n_resamples=20)
    first = write_report(tmp_path).read_bytes()
    assert write_report(tmp_path).read_bytes() == first


def test_missing_predictions_and_examples_are_said(tmp_path: Path) -> None:
    make_run(tmp_path, labels=("A", "B"), examples=0, n_resamples=20)
    (tmp_path / "predictions.parquet").write_bytes(b"not parquet")
    html = write_report(tmp_path).read_text(encoding="utf-8")
    assert "No test ECGs: no examples.npz in the run folder." in html
    assert "No ROC and reliability plots:" in html
    assert str(tmp_path) not in html
    assert "AUROC per label" in html


def test_predictions_of_another_run_are_noticed(tmp_path: Path) -> None:
    make_run(tmp_path / "a", labels=("A", "B"), examples=0, n_resamples=20)
    make_run(tmp_path / "b", labels=("A", "B"), examples=0, n_resamples=20, skill=0.2)
    write_predictions(tmp_path / "a" / "predictions.parquet", read_predictions(tmp_path / "b"))
    (section,) = build_report(tmp_path / "a").sections
    assert "do not belong together" in section.cautions[0]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"metrics": "good"}, "metrics: expected dict, found str"),
        ({"metrics": {"metrics": {"macro_auroc": 0.9}}}, "macro_auroc: expected an object"),
        ({"metrics": {"targets": {"A": {"auroc": {"value": "high"}}}}}, "expected a number, found 'high'"),
        ({"history": [1]}, r"history\[0\]: expected an object"),
        ({"seed": "x"}, "seed: expected int"),
        ({"cost": {"train_seconds": []}}, r"cost\.train_seconds"),
        ({"schema_version": 99}, "schema version 99"),
    ],
)
def test_result_of_another_shape_is_refused_by_name(tmp_path: Path, change: dict[str, object], reason: str) -> None:
    make_run(tmp_path, labels=("A",), n=20, examples=0, n_resamples=5)
    raw = json.loads((tmp_path / "result.json").read_text())
    (tmp_path / "result.json").write_text(json.dumps({**raw, **change}))
    with pytest.raises(EcgBenchError, match=r"none of 1 result files.*" + reason):
        build_report(tmp_path)


def test_nothing_to_report(tmp_path: Path) -> None:
    with pytest.raises(EcgBenchError, match=r"no result\.json at or below"):
        write_report(tmp_path)
    with pytest.raises(EcgBenchError, match="no folder"):
        write_report(tmp_path / "absent")


def test_result_file_itself_may_be_given(tmp_path: Path) -> None:
    make_run(tmp_path / "run", labels=("A",), n=20, examples=0, n_resamples=5)
    assert write_report(tmp_path / "run" / "result.json") == tmp_path / "run" / "report.html"


def test_output_folder_that_is_a_file(tmp_path: Path) -> None:
    make_run(tmp_path / "run", labels=("A",), n=20, examples=0, n_resamples=5)
    (tmp_path / "file").write_text("")
    with pytest.raises(EcgBenchError, match="a file stands where a folder is needed"):
        write_report(tmp_path / "run", tmp_path / "file")


@pytest.mark.parametrize(
    ("arrays", "reason"),
    [
        (
            {"record_id": ["a"], "signals": np.zeros((1, 100, 8), np.float32), "sampling_rate": 100},
            "expected float signals",
        ),
        (
            {"record_id": ["a"], "signals": np.zeros((1, 100, 12), int), "sampling_rate": 100},
            "expected float signals",
        ),
        ({"record_id": ["a", "b"], "signals": np.zeros((1, 100, 12)), "sampling_rate": 100}, "one id each"),
        ({"record_id": ["a"], "signals": np.zeros((1, 100, 12)), "sampling_rate": 0}, "cannot be drawn"),
        ({"record_id": [], "signals": np.zeros((0, 0, 12)), "sampling_rate": 100}, "kept no test ECGs"),
        ({"record_id": ["a"]}, "not a file of examples"),
        (
            {"record_id": np.array([{}], dtype=object), "signals": 0, "sampling_rate": 1},
            "not a file of examples",
        ),
    ],
)
def test_broken_examples(tmp_path: Path, arrays: dict[str, object], reason: str) -> None:
    np.savez(tmp_path / "examples.npz", **arrays)  # type: ignore[arg-type]
    with pytest.raises(PredictionsError, match=reason):
        read_examples(tmp_path / "examples.npz")


def test_command_line_is_made_from_the_identity_where_none_is_recorded(report_of_one: Report) -> None:
    (section,) = report_of_one.sections
    assert section.command.startswith("hf-ecg-bench run --model s4 --task synthetic --data ecg-bench/synthetic ")


def test_many_labels_fold_their_panels(tmp_path: Path) -> None:
    labels = tuple(f"L{index:02d}" for index in range(FEW_PANELS + 1))
    make_run(tmp_path, labels=labels, n=60, examples=1, n_resamples=5)
    (section,) = build_report(tmp_path).sections
    folded = {picture.key: picture.folded for picture in section.pictures}
    assert folded == {"forest": False, "roc-overview": False, "roc": True, "reliability": True}
    panel = section.examples[0]
    assert len(panel.labels) + len(panel.more) == len(labels)
    assert not any(row.target for row in panel.more)


def test_no_torch_and_no_pyplot() -> None:
    code = "import sys, hf_ecg_bench.results.report; print(sorted({'torch', 'matplotlib.pyplot'} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_svgs_of_the_page_are_well_formed(html: str) -> None:
    drawings = re.findall(r"<svg .*?</svg>", html, flags=re.DOTALL)
    assert len(drawings) == 7  # forest, roc, reliability, forest of errors, agreement, learning curve, ECG
    for drawing in drawings:
        ET.fromstring(drawing)


def test_signals_without_a_physical_unit_are_not_called_millivolts(tmp_path: Path) -> None:
    make_run(tmp_path, labels=("A",), n=20, examples=1, n_resamples=5, signal={"source": {"unit": "z"}})
    (section,) = build_report(tmp_path).sections
    assert section.examples[0].note == "The dataset's signals are not in mV: 10 mm are 1 z."
    assert "10 mm/z" in section.examples[0].picture.caption

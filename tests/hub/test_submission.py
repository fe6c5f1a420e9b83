"""Every kind of tampering has its check; what could not be looked at is said, and fails nothing."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from hf_ecg_bench.cli.main import main
from hf_ecg_bench.errors import EcgBenchError
from hf_ecg_bench.hub.results.staging import stage_runs
from hf_ecg_bench.hub.submission.checks import Report
from hf_ecg_bench.hub.submission.validate import validate_submission
from hf_ecg_bench.results.predictions import make_predictions, read_predictions, write_predictions
from hf_ecg_bench.results.schema import Result
from hf_ecg_bench.tasks import get_task, list_tasks
from hf_ecg_bench.tasks.version import task_version
from tests.hub.runs import ptbxl_run
from tests.hub.tampering import RESULTS


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder, as `run` leaves it."""
    folder = tmp_path_factory.mktemp("honest") / "run"
    ptbxl_run(folder)
    return folder


@pytest.fixture
def run(honest: Path, tmp_path: Path) -> Path:
    shutil.copytree(honest, tmp_path / "run")
    return tmp_path / "run"


@pytest.fixture
def staged(run: Path, tmp_path: Path) -> Path:
    """The same as it lies in a pull request."""
    (found,) = stage_runs(run, tmp_path / "staging", say=lambda line: None)
    return tmp_path / "staging" / found.path


def states(report: Report) -> dict[str, str]:
    return {check.name: check.state for check in report.checks}


def failed(folder: Path, **options: Any) -> dict[str, str]:
    """Name -> what was found, of the checks that failed; each has to say how to mend it."""
    report = validate_submission(folder, **options)
    assert all(check.fix and check.expected for check in report.failed)
    json.dumps(report.to_dict())
    return {check.name: check.found for check in report.failed}


def edit(folder: Path, change: Callable[[dict[str, Any]], None], name: str = "result.json") -> None:
    value = json.loads((folder / name).read_text())
    change(value)
    (folder / name).write_text(json.dumps(value))


def test_an_honest_run(run: Path, staged: Path) -> None:
    report = validate_submission(run)
    assert report.passed
    assert states(report)["metrics"] == "passed"
    assert states(report)["targets"] == states(report)["dataset"] == "not checked"
    copy = validate_submission(staged)
    assert copy.passed
    assert {"digests", "private texts", "task version"} <= {name for name, s in states(copy).items() if s == "passed"}


@pytest.mark.parametrize("how", RESULTS)
def test_a_changed_result(run: Path, how: str) -> None:
    edit(run, RESULTS[how].apply)
    problems = failed(run)
    assert RESULTS[how].check in problems
    assert RESULTS[how].found in problems[RESULTS[how].check]


def replace_predictions(folder: Path, **changes: Any) -> None:
    old = read_predictions(folder)
    values = {**vars(old), **changes}
    write_predictions(folder / "predictions.parquet", make_predictions(**values))


def test_swapped_predictions(run: Path) -> None:
    old = read_predictions(run)
    replace_predictions(run, predictions=old.predictions[::-1])
    assert set(failed(run)) == {"metrics"}
    replace_predictions(run, predictions=np.where(np.isnan(old.targets), 0.5, old.targets))
    assert "they are the targets themselves" in failed(run)["predictions"]
    replace_predictions(run, predictions=old.predictions, patient_id=[None] * len(old))
    assert "macro_auroc.low" in failed(run)["metrics"]
    replace_predictions(run, patient_id=old.patient_id, names=["A", "B", "C", "D", "E"])
    assert {"predictions", "metrics"} <= set(failed(run))


@pytest.mark.parametrize(
    ("column", "values", "found"),
    [
        ("record_id", lambda table: ["same"] * table.num_rows, "same"),
        ("predictions", lambda table: [[float("nan")] * 5] * table.num_rows, "finite"),
        ("predictions", lambda table: [[0.5] * 4] * table.num_rows, "expected 5 values"),
        ("targets", lambda table: [[2.0] * 5] * table.num_rows, "2"),
        ("predictions", None, "missing column predictions"),
    ],
)
def test_unusable_predictions(run: Path, column: str, values: Callable | None, found: str) -> None:
    import pyarrow as pa

    table = pq.read_table(run / "predictions.parquet")
    place = table.column_names.index(column)
    field = table.schema.field(column)
    table = table.remove_column(place)
    if values is not None:
        table = table.add_column(place, field, pa.array(values(table), field.type))
    pq.write_table(table, run / "predictions.parquet")
    assert found in failed(run)["predictions"]


def test_files_that_are_not_there_or_not_files(run: Path) -> None:
    (run / "predictions.parquet").write_bytes(b"PAR1 no")
    assert "parquet" in failed(run)
    (run / "predictions.parquet").unlink()
    assert failed(run)["predictions"] == "there is no such file"
    (run / "predictions.parquet").symlink_to("/etc/passwd")
    assert "a link" in failed(run)["files"]
    (run / "predictions.parquet").unlink()
    (run / "result.json").write_text("[" * 100_000)
    assert "not JSON" in failed(run)["schema"]
    with pytest.raises(EcgBenchError, match="no folder"):
        validate_submission(run / "none")


def test_a_huge_file(run: Path) -> None:
    with open(run / "result.json", "ab") as handle:
        handle.truncate(33 * 2**20)
    assert "33 MiB, at most 32" in failed(run)["files"]


def test_a_file_that_unpacks_to_gigabytes(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hf_ecg_bench.hub.submission.files._LARGEST_UNPACKED", 1000)
    assert "GiB unpacked" in failed(run)["parquet"]


@pytest.mark.parametrize(
    "name", ["model.pkl", "run.py", "a b.json", "evaluations/x/y/z/evaluation.json", "model/config.json"]
)
def test_files_that_do_not_belong(staged: Path, name: str) -> None:
    (staged / name).parent.mkdir(parents=True, exist_ok=True)
    (staged / name).write_bytes(b"x")
    assert name in failed(staged)["files"]


def test_digests_of_the_copy(staged: Path) -> None:
    edit(staged, lambda r: r.update(warnings=["another"]))
    assert "result.json: SHA-256" in failed(staged)["digests"]
    edit(staged, lambda m: m.update(files={}), "submission.json")
    assert "not listed" in failed(staged)["digests"]
    edit(staged, lambda m: m.update(schema_version=9), "submission.json")
    assert "schema version 9" in failed(staged)["files"]


def test_private_texts_in_the_copy(staged: Path) -> None:
    edit(staged, lambda r: r["environment"].update(command="run --data /nfs/anna/x"))
    assert "1 path (environment.command)" in failed(staged)["private texts"]


def test_records_of_closed_data_in_the_copy(staged: Path) -> None:
    version = task_version(get_task("mimic_age"))
    edit(staged, lambda r: (r.update(task="mimic_age"), r["dataset"].update(id="mimic_iv_ecg")))
    edit(staged, lambda m: m.update(task_version=version), "submission.json")
    assert "credentialed" in next(
        check.expected for check in validate_submission(staged).failed if check.name == "predictions"
    )


def test_versions_of_tasks() -> None:
    versions = {name: task_version(get_task(name)) for name in list_tasks()}
    assert len(set(versions.values())) == len(versions)
    assert all(len(version) == 16 for version in versions.values())


def test_a_task_that_has_changed(staged: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    from hf_ecg_bench.tasks import catalogue

    assert "task version" not in failed(staged)
    changed = replace(catalogue.CATALOGUE["ptbxl_super"], selection="composite")
    monkeypatch.setitem(catalogue.CATALOGUE, "ptbxl_super", changed)
    assert "task version" in failed(staged)


def test_the_command(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["submit", str(run), "--check-only", "--json"]) == 0
    value = json.loads(capsys.readouterr().out)
    assert (value["passed"], value["pull_request"]) == (True, None)
    assert {"name", "state", "expected", "found", "fix", "passed"} == set(value["reports"][0]["checks"][0])
    edit(run, lambda r: r["metrics"]["metrics"]["macro_auroc"].update(value=0.99))
    edit(run, lambda r: r["warnings"].append("\x1b[31mred"))
    assert main(["submit", str(run), "--check-only"]) == 2
    printed = capsys.readouterr()
    assert "error: metrics: expected what follows from predictions.parquet" in printed.err
    assert "  fix: run it again" in printed.err
    assert "\x1b" not in printed.out + printed.err
    for arguments in ([], [str(run), "--check", "a/b@main"], [str(run), "--merge"]):
        assert main(["submit", *arguments]) == 2


def test_a_real_run_against_its_data_and_model(trained: Path, synthetic_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(trained, folder)
    report = validate_submission(folder, data=synthetic_folder)
    assert report.passed
    found = states(report)
    assert [found[name] for name in ("dataset", "metrics", "targets", "model")] == ["passed"] * 4
    (options,) = (check for check in report.checks if check.name == "dataset options")
    assert options.state == "not checked", "n_records is not the default: a check without the data refuses it"
    assert "n_records=320: refused" in options.found

    old = read_predictions(folder)
    changed = old.targets.copy()
    changed[3, 0] = 1 - changed[3, 0]
    replace_predictions(folder, targets=changed)
    assert "1 targets differ, first" in failed(folder, data=synthetic_folder, smoke=False)["targets"]
    replace_predictions(folder, targets=old.targets, record_id=[f"x{n}" for n in range(len(old))])
    problems = failed(folder, data=synthetic_folder)
    assert "no test records" in problems["targets"]
    assert "is no test record" in problems["model"]
    replace_predictions(folder, record_id=old.record_id, patient_id=["p"] * len(old))
    assert "other patients" in failed(folder, data=synthetic_folder, smoke=False)["targets"]
    replace_predictions(folder, patient_id=old.patient_id)
    edit(folder, lambda r: r["hyperparameters"]["target_std"].update(heart_rate=99.0))
    assert "scales other than" in failed(folder, data=synthetic_folder, smoke=False)["targets"]


def test_other_weights(trained: Path, synthetic_folder: Path, tmp_path: Path) -> None:
    from hf_ecg_bench.models.loading import load_model
    from hf_ecg_bench.models.resolve import weights_digest

    folder = tmp_path / "run"
    shutil.copytree(trained, folder)
    (found,) = stage_runs(folder, tmp_path / "staging", say=lambda line: None)
    manifest = json.loads((tmp_path / "staging" / found.path / "submission.json").read_text())
    assert manifest["model_digest"] == weights_digest(folder / "model")
    model = load_model(folder / "model")
    for parameter in model.parameters():
        parameter.data.mul_(3)
    model.save_pretrained(folder / "model")
    assert "off by" in failed(folder, data=synthetic_folder)["model"]
    for parameter in model.parameters():
        parameter.data.fill_(float("nan"))
    model.save_pretrained(folder / "model")
    assert "not finite" in failed(folder, data=synthetic_folder)["model"]
    (folder / "model" / "model.safetensors").write_bytes(b"no")
    assert "model" in failed(folder, data=synthetic_folder)
    from hf_ecg_bench.hub.submission.weights import check_weights

    checks = {c.name: c for c in check_weights(trained, Result.load(trained), "0" * 64)}
    assert checks["model weights"].passed is False
    assert asdict(checks["model weights"])["expected"] == "SHA-256 " + "0" * 16

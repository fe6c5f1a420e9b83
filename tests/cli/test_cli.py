"""The command line as a user meets it: help, listings, exit codes, standard JSON, mistakes that name their remedy."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from hf_ecg_bench.cli.main import build_parser, main
from hf_ecg_bench.data.registry import list_datasets
from hf_ecg_bench.models.registry import list_models
from hf_ecg_bench.tasks import SUITES, list_tasks

VERBS = (
    *("list", "info", "prepare", "verify", "overlap", "convert", "merge", "embed", "run", "demo", "grid", "status"),
    *("score", "report", "scaling", "select", "ensemble", "audit", "leaderboard", "push", "submit", "cache"),
)


def call(capsys, *arguments: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of one command."""
    try:
        code = main(list(arguments))
    except SystemExit as leaving:
        code = int(leaving.code or 0)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_with_an_example(capsys, verb):
    code, out, _ = call(capsys, verb, "--help")
    assert code == 0
    assert f"hf-ecg-bench {verb}" in out.split("examples:")[1]


def test_parser_knows_exactly_these_verbs():
    (verbs,) = (action for action in build_parser()._actions if action.dest == "command")
    assert tuple(verbs.choices) == VERBS


@pytest.mark.parametrize(
    ("what", "names"),
    [("datasets", list_datasets), ("tasks", list_tasks), ("suites", lambda: list(SUITES)), ("models", list_models)],
)
def test_lists_as_table_and_as_json(capsys, what, names):
    code, out, _ = call(capsys, "list", what, "--json")
    assert code == 0
    assert [row["id"] for row in json.loads(out)] == names()
    code, out, _ = call(capsys, "list", what)
    assert code == 0
    assert all(name in out for name in names())


def test_list_tasks_prints_the_totals_of_the_suites(capsys):
    code, out, _ = call(capsys, "list", "tasks")
    assert code == 0
    assert out.endswith("\nheadline: 26 tasks (28 rows), 1,650 targets\npublished: 28 rows, 1,640 targets\n")
    code, out, _ = call(capsys, "list", "tasks", "--suite", "headline", "--json")
    assert code == 0
    rows = json.loads(out)
    assert len(rows) == 28
    assert sum(row["targets"] for row in rows) == sum(row["classes"] + row["regression"] for row in rows) == 1650


@pytest.mark.parametrize("name", ["ptbxl", "ptbxl_super", "s4", "ecg_founder", "frozen", "synthetic", "headline"])
def test_info(capsys, name):
    code, out, _ = call(capsys, "info", name)
    assert code == 0
    assert name in out
    code, out, _ = call(capsys, "info", name, "--json")
    assert json.loads(out)


@pytest.mark.parametrize("name", list_datasets())
def test_info_of_a_dataset_is_short_and_says_what_a_user_needs(capsys, name):
    code, out, _ = call(capsys, "info", name)
    about = out.split("  citation")[0].splitlines()
    assert code == 0
    assert len(about) <= 50
    assert max(map(len, about)) <= 160  # a long name of a column or an address is not broken
    for part in ("  records ", "  splits ", "  tasks ", "  labels", "  licence ", "  how to get it "):
        assert part in out
    assert "\n\n\n" not in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["lst"], "did you mean 'list'"),
        (["list", "modles"], "did you mean 'models'"),
        (["list", "models", "--suite", "headline"], "--suite selects tasks"),
        (["list", "tasks", "--suite", "headlin"], "did you mean 'headline'"),
        (["info", "ptbxl_supper"], "did you mean 'ptbxl_super'"),
        (["prepare", "ptb_xl", "--output-dir", "x"], "did you mean 'ptbxl'"),
        (["prepare", "ptbxl", "--output-dir", "x"], "--raw-dir"),
        (["prepare", "ptbxl", "--raw-dir", "absent", "--output-dir", "x"], "absent"),
        (["prepare", "synthetic", "--output-dir", "x", "--option", "n_record=3"], "did you mean 'n_records'"),
        (["prepare", "synthetic", "--output-dir", "x", "--option", "n_records"], "expected KEY=VALUE"),
        (["convert", "ecg_foundr", "--checkpoint", "x.pth", "--output-dir", "x"], "did you mean 'ecg_founder'"),
        (["convert", "ecg_founder", "--checkpoint", "absent.pth", "--output-dir", "x"], "absent.pth"),
        (["run", "--model", "s4", "--task", "t", "--mode", "scratch", "--output-dir", "x"], "unknown task 't'"),
        (["run", "--model", "s4"], "required"),
        (["score", "absent.parquet"], "no predictions at absent.parquet"),
        (["report", "absent"], "absent"),
    ],
)
def test_mistakes_exit_with_2_and_name_the_remedy(capsys, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    code, out, err = call(capsys, *arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert err.startswith("error: ")
    assert len(err.strip().splitlines()) <= 2
    assert not list(tmp_path.iterdir())


def test_a_defect_exits_with_1_and_says_so(capsys, monkeypatch):
    from hf_ecg_bench.cli import listing

    def broken() -> None:
        raise ZeroDivisionError("ouch")

    monkeypatch.setattr(listing, "_models", broken)
    code, _, err = call(capsys, "list", "models")
    assert code == 1
    assert "ZeroDivisionError: ouch" in err
    assert "Traceback" not in err


def test_score_of_two_files(capsys, tmp_path):
    generator = np.random.default_rng(0)
    targets = (generator.random((200, 3)) < 0.3).astype(float)
    targets[0, 0] = np.nan
    good = np.clip(targets, 0, 1) * 0.5 + generator.random((200, 3))
    for name, values in (("good", np.nan_to_num(good)), ("bad", generator.random((200, 3)))):
        np.savez(tmp_path / f"{name}.npz", targets=targets, probs=values, labels=np.array(["a", "b", "c"]))
    code, out, _ = call(capsys, "score", str(tmp_path / "good.npz"), "--against", str(tmp_path / "bad.npz"), "--json")
    assert code == 0
    scored = json.loads(out, parse_constant=lambda name: pytest.fail(name))
    assert scored["n"] == 200
    assert set(scored["targets"]) == {"a", "b", "c"}
    assert set(scored["metrics"]["macro_auroc"]) >= {"value", "low", "high"}
    difference = scored["difference"]["macro_auroc"]
    assert 0 < difference["low"] < difference["value"] < difference["high"]
    assert difference["p"] < 0.01
    code, out, _ = call(capsys, "score", str(tmp_path / "good.npz"), "--n-resamples", "50")
    assert code == 0
    assert "macro_auroc" in out


def test_help_imports_nothing_heavy():
    program = (
        "import sys; from hf_ecg_bench.cli.main import build_parser; build_parser().format_help();"
        "print([name for name in ('torch', 'datasets', 'transformers', 'pandas', 'numpy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_module_is_the_command(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "hf_ecg_bench", "list", "nothing"], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")

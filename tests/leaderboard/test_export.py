"""The command: the table on the terminal, and the Space in a folder."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from hf_ecg_bench.cli.main import main
from hf_ecg_bench.errors import EcgBenchError
from hf_ecg_bench.front_matter import split_front_matter
from hf_ecg_bench.leaderboard.export import SPACE, export_space, space_files, with_datasets
from hf_ecg_bench.leaderboard.gathering import gather
from tests.standings.fake_grid import write_grid, write_run


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    return write_grid(folder, {"ecg_founder": 1.3, "merl": 0.9}, ["ptb", "georgia"], seeds=[0], n=100)


@pytest.fixture(scope="module")
def results(runs):
    return gather(runs, n_resamples=50, published=False)


def call(capsys, *arguments):
    code = main(["leaderboard", *arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_the_space_starts_with_nothing_of_this_package(results, tmp_path):
    folder = export_space(results, tmp_path / "space", created="now")
    code = (
        "import sys; sys.path.insert(0, '.'); from pathlib import Path; from board.board import Board; "
        "board = Board(Path('data')); print(len(board.entries), board.view('ours-best-keep')['view']); "
        "assert not [name for name in sys.modules if name.startswith(('hf_ecg_bench', 'numpy', 'torch'))]"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-I", "-c", code], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(len(results.entries)), "ours-best-keep"]


def test_every_file_of_the_app_is_copied(results, tmp_path):
    folder = export_space(results, tmp_path / "space")
    for source in space_files():
        name = source.relative_to(SPACE)
        if name.name != "README.md":
            assert (folder / name).read_bytes() == source.read_bytes()
    assert {path.name for path in folder.iterdir()} == {"README.md", "requirements.txt", "app.py", "board", "data"}
    forgotten = [
        path
        for path in SPACE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path not in space_files() and path.parent != SPACE
    ]
    assert forgotten == []


def test_the_front_matter_names_where_the_numbers_come_from(results, tmp_path):
    folder = export_space(results, tmp_path / "space", repo_id="me/ecg-results")
    head, body = split_front_matter((folder / "README.md").read_text(encoding="utf-8"))
    assert head["sdk"] == "gradio"
    assert head["app_file"] == "app.py"
    assert head["datasets"] == ["me/ecg-results"]
    assert len(head["short_description"]) <= 60, "the Hub refuses longer ones"
    assert body.strip().startswith("#")
    export_space(results, folder)
    assert "datasets" not in split_front_matter((folder / "README.md").read_text(encoding="utf-8"))[0]
    assert with_datasets("no head", "a/b") == "---\ndatasets:\n- a/b\n---\nno head"


def test_an_export_replaces_an_earlier_one_and_keeps_git(results, tmp_path):
    folder = tmp_path / "space"
    export_space(results, folder)
    (folder / ".git").mkdir()
    (folder / ".git" / "HEAD").write_text("ref")
    (folder / "board" / "gone.py").write_text("old")
    export_space(results, folder)
    assert (folder / ".git" / "HEAD").is_file()
    assert not (folder / "board" / "gone.py").exists()


def test_the_checkout_of_a_new_space_is_filled(results, tmp_path):
    (tmp_path / ".git").mkdir()
    (tmp_path / ".gitattributes").write_text("*.bin filter=lfs")
    (tmp_path / "README.md").write_text("---\nsdk: gradio\n---\n# new")
    export_space(results, tmp_path)
    assert (tmp_path / "app.py").is_file()


@pytest.mark.parametrize("name", ["thesis.tex", "app.py", "README.md"])
def test_another_folder_is_refused_and_not_touched(results, tmp_path, name):
    (tmp_path / name).write_text("mine")
    with pytest.raises(EcgBenchError, match="found something else"):
        export_space(results, tmp_path)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(name, "mine")]


def test_a_file_is_no_folder(results, tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(EcgBenchError, match="found something else"):
        export_space(results, tmp_path / "file")


def test_published_results_need_no_folder(capsys):
    code, out, err = call(capsys)
    assert code == 0
    assert "10 entries over 28 tasks: published" in out
    assert "ecg_cpc" in out.splitlines()[4]
    assert "critical difference (Nemenyi): 2.56, over 12 data sets 3.91" in out
    assert "TEST values" in err


def test_the_table_shows_ours_and_says_what_it_rests_on(capsys, runs):
    code, out, err = call(capsys, "--results", str(runs), "--mode", "frozen", "--n-resamples", "50")
    assert code == 0
    assert "2 entries over 2 tasks: ours, mode frozen" in out
    assert out.index("ecg_founder") < out.index("merl")
    assert "too few" in err


def test_json_has_the_same_order(capsys, runs):
    _, out, _ = call(
        capsys, "--results", str(runs), "--mode", "all", "--json", "--rule", "paper", "--n-resamples", "50"
    )
    shown = json.loads(out)
    assert next(entry["entry"] for entry in shown["entries"]) == "ecg_founder/frozen"
    assert shown["rule"] == "paper"
    assert set(shown["entries"][0]["values"]) == {"ptb", "georgia"}


def test_mistakes_are_said_in_two_lines(capsys, runs, tmp_path):
    for arguments, text in (
        (("--mode", "frozzen"), "did you mean 'frozen'"),
        (("--results", str(tmp_path / "nowhere")), "no folder"),
        (("--results", str(runs), "--no-published", "--source", "published"), "contradict each other"),
        (("--no-published",), "--results DIR_OR_REPO"),
        (("--mode", "lora"), "mode lora; modes with results: finetune, frozen, linear, scratch"),
        (("--seed", "-1"), "--seed -1: expected 0 or more"),
        (("--n-resamples", "0"), "--n-resamples 0: expected at least 1"),
    ):
        code, _, err = call(capsys, *arguments)
        assert code == 2
        assert text in err
        assert "Traceback" not in err


def test_control_characters_do_not_reach_the_terminal(capsys, tmp_path):
    write_run(tmp_path / "a", model="\x1b[2Jevil\nname", task="ptb", skill=1.0, n=60)
    write_run(tmp_path / "c", model="backwards\u202ename", task="ptb", skill=1.0, n=60)
    write_run(tmp_path / "b", model="merl", task="ptb", skill=1.0, n=60)
    (tmp_path / "\x1b[31mfolder").mkdir()
    (tmp_path / "\x1b[31mfolder" / "result.json").write_text("{")
    code, out, err = call(capsys, "--results", str(tmp_path), "--mode", "all", "--n-resamples", "20")
    assert code == 0
    assert not {"\x1b", "\u202e"} & set(out + err)
    assert "backwards\ufffdname" in out


def test_exports_from_the_command_line(capsys, runs, tmp_path):
    code, out, _ = call(
        capsys,
        "--results",
        str(runs),
        "--export-space",
        str(tmp_path / "space"),
        "--no-published",
        "--n-resamples",
        "20",
    )
    assert code == 0
    assert out.strip() == str(tmp_path / "space")
    index = json.loads((tmp_path / "space" / "data" / "index.json").read_text(encoding="utf-8"))
    assert {entry["origin"] for entry in index["entries"]} == {"ours"}


def test_serving_needs_gradio(capsys, monkeypatch):
    from hf_ecg_bench.leaderboard import serving

    monkeypatch.setattr(serving, "find_spec", lambda name: None)
    code, _, err = call(capsys, "--serve")
    assert code == 2
    assert "pip install" in err


def test_serving_starts_the_app_of_the_exported_folder(results, tmp_path, monkeypatch):
    from hf_ecg_bench.leaderboard import serving

    started = []

    def run(command, *, cwd, check):
        started.append((command[1:], (cwd / "app.py").is_file(), (cwd / "data" / "index.json").is_file()))
        return subprocess.CompletedProcess(command, len(started) - 1)

    monkeypatch.setattr(serving, "find_spec", lambda name: object())
    monkeypatch.setattr(serving.subprocess, "run", run)
    serving.serve(results, None)
    assert started == [(["app.py"], True, True)]
    with pytest.raises(EcgBenchError, match="exit code 1"):
        serving.serve(results, None)


def test_results_come_from_a_repository_where_there_is_no_such_folder(capsys, runs, tmp_path, monkeypatch):
    from hf_ecg_bench.hub import fetching

    asked = []

    def fetch(repo_id):
        asked.append(repo_id)
        return fetching.Fetched(runs, repo_id, "0123456789abcdef" * 2)

    monkeypatch.setattr(fetching, "fetch_results", fetch)
    folder = tmp_path / "space"
    arguments = ("--results", "me/ecg-results", "--no-published", "--n-resamples", "20", "--export-space", str(folder))
    code, _, err = call(capsys, *arguments)
    assert code == 0
    assert asked == ["me/ecg-results"]
    assert "me/ecg-results at 0123456789ab" in err
    assert split_front_matter((folder / "README.md").read_text(encoding="utf-8"))[0]["datasets"] == ["me/ecg-results"]
    (tmp_path / "me" / "ecg-results").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert call(capsys, "--results", "me/ecg-results")[0] == 2, "a folder of that name comes first; it is empty"
    assert len(asked) == 1


def test_a_pretrained_models_scratch_run_stands_beside_no_other_mode(tmp_path):
    from hf_ecg_bench.leaderboard.views import choose

    for model, mode in (("merl", "frozen"), ("merl", "scratch"), ("s4", "scratch")):
        write_run(tmp_path / model / mode, model=model, mode=mode, task="ptb", skill=1.0, n=60)
    results = gather(tmp_path, n_resamples=20, published=False)
    assert [entry.key for entry in choose(results, "ours", "frozen").entries] == ["merl/frozen", "s4/scratch"]
    assert [entry.key for entry in choose(results, "ours", "scratch").entries] == ["merl/scratch", "s4/scratch"]


def test_an_incomplete_installation_is_said_and_writes_nothing(results, tmp_path, monkeypatch):
    from hf_ecg_bench.leaderboard import export

    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "app.py").write_text("")
    monkeypatch.setattr(export, "SPACE", tmp_path / "package")
    with pytest.raises(EcgBenchError, match=r"lacks README.md, board, requirements.txt"):
        export_space(results, tmp_path / "space")
    assert not (tmp_path / "space").exists()

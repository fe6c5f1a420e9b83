"""The Space as a whole: its files, what it imports, and its callbacks through Gradio's client."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import venv
from pathlib import Path

import pytest
import yaml

from tests.leaderboard.serving import SPACE, export, served

#: All that the app's modules may import, beside themselves.
ALLOWED = frozenset(sys.stdlib_module_names) | {"gradio"}


def _imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add((node.module or "").split(".")[0])
    return found


def test_modules_import_the_standard_library_and_gradio_alone() -> None:
    modules = list((SPACE / "board").rglob("*.py"))
    assert len(modules) > 20
    for module in modules:
        assert _imports(module) <= ALLOWED, module
    assert _imports(SPACE / "app.py") <= {"os", "sys", "pathlib", "board"}


def test_pages_need_no_gradio() -> None:
    """Only three modules touch it: the rest is tested without a server."""
    touching = {path.name for path in (SPACE / "board").rglob("*.py") if "gradio" in _imports(path)}
    assert touching == {"wiring.py", "controls.py", "look.py"}


def test_front_matter_is_what_a_space_needs() -> None:
    text = (SPACE / "README.md").read_text(encoding="utf-8")
    head = yaml.safe_load(text.split("---")[1])
    assert head["sdk"] == "gradio"
    assert re.fullmatch(r"6\.\d+\.\d+", head["sdk_version"])
    assert head["python_version"] == "3.12", "a text: 3.10 as a number would be 3.1"
    assert (SPACE / head["app_file"]).is_file()
    assert head["datasets"] == ["ecg-bench/results"]
    assert len(head["short_description"]) <= 60
    lines = (SPACE / "requirements.txt").read_text().splitlines()
    assert all(line.startswith("#") for line in lines if line)


def test_style_and_script_ask_no_other_host() -> None:
    for name in ("board.css", "board.js"):
        text = (SPACE / "board" / name).read_text(encoding="utf-8")
        assert "@import" not in text
        assert set(re.findall(r"https?://[^\s\"')]+", text)) <= {"https://huggingface.co"}, "the address of a message"
        assert "url(" not in text


def test_the_board_is_read_without_gradio_and_without_this_package(snapshot_folder: Path, tmp_path: Path) -> None:
    """All pages in a bare interpreter: `-I -S` has no site-packages at all."""
    folder = export(tmp_path, snapshot_folder)
    code = (
        f"import sys; sys.path.insert(0, {str(folder)!r})\n"
        "from pathlib import Path\n"
        "from board.board import Board\n"
        "from board.views import content, exported, read\n"
        f"board = Board(Path({str(folder / 'data')!r}))\n"
        "for page in ('overall', 'task', 'model', 'compare', 'dataset', 'submit', 'about'):\n"
        "    html = content(board, read('show=' + page, board))\n"
        "    assert '<h1' in html and 'role=\"alert\"' not in html, page\n"
        "    exported(board, 'show=' + page, 'csv')\n"
        "print('all', sorted(name for name in sys.modules if 'ecg_bench' in name or name == 'gradio'))\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "all []"


@pytest.mark.slow
def test_callbacks_by_name(snapshot_folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("gradio", reason="the Space's tests need gradio")
    client_module = pytest.importorskip("gradio_client")
    with served(export(tmp_path, snapshot_folder)) as address:
        client = client_module.Client(address, verbose=False)
        names = set(client.view_api(return_format="dict")["named_endpoints"])
        assert names == {
            "/navigate", "/export_csv", "/export_tex", "/model", "/dataset", "/task_by_task", "/task_by_modes",
            "/compare_by_a", "/compare_by_b",
            *(f"/overall_by_{f}" for f in ("source", "modes", "contamination", "size", "columns", "q")),
        }  # fmt: skip
        html, query = client.predict("", "both", "all", "hide", "any", "cost", "merl", api_name="/overall_by_source")
        assert query == "source=both&modes=all&contamination=hide&columns=cost&q=merl"
        assert html.count('<tr class="') + html.count("<tr>") >= 5
        assert "Peak memory" in html
        html, query = client.predict("", "merl", api_name="/model")
        assert query == "show=model&model=merl"
        assert 'data-title="MERL' in html
        _, query = client.predict(
            "sort=skill&rows=all", "both", "all", "keep", "any", "cost", "", api_name="/overall_by_q"
        )
        assert query == "source=both&modes=all&columns=cost&sort=skill&rows=all", "what links set stays"
        assert "Unknown model" in client.predict("show=model&model=merrl", api_name="/navigate")[1]
        file = client.predict("show=task&task=acute_care_0", api_name="/export_csv")
        assert file["name"] == "ecg-bench-task-tables.csv"
        assert file["text"].startswith("entry,mode,origin,rank,value,low,high")
        with pytest.raises(Exception, match="not in the list of choices"):
            client.predict("", "theirs", "all", "keep", "any", "cost", "", api_name="/overall_by_source")


@pytest.mark.slow
@pytest.mark.parametrize("state", ["missing", "broken", "newer"])
def test_bad_data_give_a_page_not_a_traceback(tmp_path: Path, snapshot_folder: Path, state: str) -> None:
    pytest.importorskip("gradio", reason="the Space's tests need gradio")
    folder = export(tmp_path, snapshot_folder)
    index = folder / "data" / "index.json"
    if state == "missing":
        index.unlink()
    elif state == "broken":
        index.write_text('{"snapshot_version": 1, "models": [')
    else:
        index.write_text(json.dumps({**json.loads(index.read_text()), "snapshot_version": 99}))
    with served(folder) as address:
        import urllib.request

        page = urllib.request.urlopen(address, timeout=20).read().decode()
        assert "The data of this board cannot be shown" in page
        assert {"missing": "index.json is missing", "broken": "cannot be read", "newer": "version 99"}[state] in page
        assert "--export-space" in page
    assert "Traceback" not in (folder / "server.log").read_text()


@pytest.mark.slow
def test_a_new_environment_with_gradio_alone(tmp_path: Path, snapshot_folder: Path) -> None:
    """As the Hub does it: gradio of `sdk_version`, then requirements.txt, then app.py."""
    folder = export(tmp_path / "space", snapshot_folder)
    head = yaml.safe_load((folder / "README.md").read_text().split("---")[1])
    venv.create(tmp_path / "env", with_pip=True)
    python = str(tmp_path / "env" / "bin" / "python")
    wanted = [f"gradio=={head['sdk_version']}", "-r", str(folder / "requirements.txt")]
    done = subprocess.run([python, "-m", "pip", "install", "-q", *wanted], capture_output=True, text=True, check=False)
    if done.returncode and "Could not find" in done.stderr + done.stdout:
        pytest.skip("no package index can be reached")
    assert done.returncode == 0, done.stderr[-2000:]
    listed = subprocess.run([python, "-m", "pip", "list"], capture_output=True, text=True, check=True).stdout.lower()
    assert "ecg" not in listed
    assert "torch" not in listed
    with served(folder, python) as address:
        import urllib.request

        assert "ECG Foundation Model Leaderboard" in urllib.request.urlopen(address, timeout=20).read().decode()

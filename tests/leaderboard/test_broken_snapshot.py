"""Snapshots that are broken, empty or somebody else's: said, and nothing else spoilt."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from hf_ecg_bench.leaderboard.space.board.address import PAGES, read
from hf_ecg_bench.leaderboard.space.board.board import Board, Trouble
from hf_ecg_bench.leaderboard.space.board.views import content, exported
from tests.leaderboard.fake_snapshot import change_file


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda index: index.update(snapshot_version=2), "version 2; this app reads version 1"),
        (lambda index: index.pop("entries"), "`entries` is missing"),
        (lambda index: index["cells"]["value"].pop(), "different length"),
        (lambda index: index["cells"]["value"].__setitem__(3, "0.9"), r"cells.value\[3\]: expected a number or null"),
        (lambda index: index["cells"]["entry"].__setitem__(0, 5000), "points outside"),
        (lambda index: index["cells"]["task"].__setitem__(0, -1), "points outside"),
        (lambda index: index["models"][0].update(title=None), r"models\[0\].title: expected a text"),
        (lambda index: index["entries"][0].update(parameters=[1]), "expected a number or null"),
    ],
)
def test_a_broken_index_is_said(snapshot_folder: Path, tmp_path: Path, change: object, said: str) -> None:
    shutil.copy(snapshot_folder / "index.json", tmp_path)
    change_file(tmp_path, "index.json", change)
    with pytest.raises(Trouble, match=said) as caught:
        Board(tmp_path)
    assert "--export-space" in caught.value.fix


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "[" * 100_000, "\x00", '{"snapshot_version": "1"}'])
def test_an_index_that_is_no_index_is_said(tmp_path: Path, text: str) -> None:
    with pytest.raises(Trouble, match="missing"):
        Board(tmp_path)
    (tmp_path / "index.json").write_text(text)
    with pytest.raises(Trouble, match=r"index\.json"):
        Board(tmp_path)


def test_a_broken_page_spoils_only_itself(snapshot_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    shutil.copytree(snapshot_folder, folder)
    task = next(iter(Board(folder).tasks))
    (folder / "views" / "ours-best-keep.json").write_text("{")
    change_file(folder, f"tasks/{task}.json", lambda page: page["pairs"]["low"].pop())
    (folder / "scaling.json").unlink()
    board = Board(folder)
    for query, said in (
        ("", "ours-best-keep.json cannot be read"),
        (f"show=task&task={task}", "is not a table of 50 by 50"),
    ):
        html = content(board, read(query, board))
        assert said in html
        assert 'role="alert"' in html
    assert "<table" in content(board, read("modes=all", board))
    assert "Scaling" not in content(board, read("show=model", board))


def test_names_of_files_do_not_leave_the_folder(snapshot_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    shutil.copytree(snapshot_folder, folder)
    (tmp_path / "secret.json").write_text("{}")

    def change(index: dict) -> None:
        index["tasks"][0]["id"] = "../../secret"
        index["views"].append("../../secret")

    change_file(folder, "index.json", change)
    board = Board(folder)
    assert board.task_page("../../secret") is None
    with pytest.raises(Trouble, match="no name of a file"):
        board.view("../../secret")


def test_an_empty_board_has_pages(tmp_path: Path, snapshot_folder: Path) -> None:
    shutil.copy(snapshot_folder / "index.json", tmp_path)

    def change(index: dict) -> None:
        for key in ("models", "tasks", "datasets", "entries", "views", "modes", "categories", "audit"):
            index[key] = []
        index["cells"] = {key: [] for key in index["cells"]}

    change_file(tmp_path, "index.json", change)
    board = Board(tmp_path)
    for page in PAGES:
        html = content(board, read(f"show={page}", board))
        assert "<h1" in html
        exported(board, f"show={page}", "csv")

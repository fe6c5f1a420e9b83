"""From results to the files that the Space shows."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from hf_ecg_bench.errors import EcgBenchError
from hf_ecg_bench.leaderboard.gathering import gather
from hf_ecg_bench.leaderboard.snapshot import write_snapshot
from hf_ecg_bench.leaderboard.space.board.board import Board
from hf_ecg_bench.results.rows import read_rows
from hf_ecg_bench.standings.entry import Entry
from tests.standings.fake_grid import LABELS, write_grid, write_run

CREATED = "2026-01-02 03:04 UTC"


@pytest.fixture(scope="module")
def results_dir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    write_grid(
        folder,
        {"ecg_fm": 1.3, "merl": 1.0, "st_mem": 0.8},
        ["ptb", "georgia", "echonext"],
        seeds=[0, 1],
        fractions=[1.0, 0.5],
        n=120,
    )
    write_run(folder / "s4", model="s4", task="ptb", mode="scratch", skill=0.9, n=120, test_seed=3)
    write_run(folder / "joint", model="merl", task="mimic", skill=0.9, parts={"mimic_icu": LABELS[:2]}, n=120)
    write_run(folder / "limited", model="merl", task="ptb", skill=2.0, mode="lora", n=40)
    (folder / "broken").mkdir()
    (folder / "broken" / "result.json").write_text("{")
    return folder


@pytest.fixture(scope="module")
def data(results_dir, tmp_path_factory):
    folder = tmp_path_factory.mktemp("space") / "data"
    return write_snapshot(gather(results_dir, n_resamples=40), folder, created=CREATED)


@pytest.fixture(scope="module")
def board(data):
    return Board(data)


def test_the_space_reads_every_file(board, data):
    assert board.index["created"] == CREATED
    for name in board.index["views"]:
        assert board.view(name)["view"] == name
    written = {path.stem for path in (data / "tasks").iterdir()}
    assert written == set(board.tasks)
    for task in board.tasks:
        assert board.task_page(task)["task"] == task
    assert set(board.scaling) == {"ptb", "georgia", "echonext"}


def test_cells_are_the_rows_with_seeds_averaged(board, results_dir):
    rows = [row for row in read_rows(results_dir)[0] if (row.model, row.mode) == ("ecg_fm", "frozen")]
    whole = [row for row in rows if row.task == "ptb" and row.fraction == 1.0]
    at = board.cell[board.entries["ecg_fm/frozen"], "ptb"]
    cells = board.index["cells"]
    assert cells["value"][at] == pytest.approx(np.mean([row.value for row in whole]), abs=1e-5)
    assert cells["seed_sd"][at] == pytest.approx(np.std([row.value for row in whole], ddof=1), abs=1e-5)
    assert (cells["n_seeds"][at], cells["rank"][at]) == (2, 1)
    assert cells["contamination"][at] == whole[0].contamination
    assert cells["reason"][at] == whole[0].contamination_reason
    assert 1 <= cells["rank_low"][at] <= cells["rank_high"][at]


def test_published_cells_are_those_of_the_paper_with_their_audit(board):
    from hf_ecg_bench.published import published_rows

    cells = board.index["cells"]
    for row in published_rows()[::97]:
        key = Entry(row.model, row.mode, origin="published").key
        at = board.cell[board.entries[key], row.task]
        assert (cells["value"][at], cells["low"][at]) == pytest.approx((row.value, row.low), abs=1e-5)
        assert cells["audit"][at] == row.audit
        assert cells["rank_low"][at] is None
    assert board.index["n_rows"] == 728 + 3 * 3 * 2 * 2 * 2 + 1 + 2 + 1
    assert {note["id"] for note in board.index["audit"]} == {
        name for audit in cells["audit"] for name in audit.split(",") if name
    }
    ptb = [i for i, task in enumerate(cells["task"]) if board.index["tasks"][task]["id"] == "ptb"]
    best = max(
        (i for i in ptb if board.entry(cells["entry"][i])["origin"] == "published"), key=lambda i: cells["value"][i]
    )
    assert cells["rank"][best] == 1, "published rows are ranked among themselves"


def test_views_for_every_choice_and_none_that_is_empty(board):
    views = set(board.index["views"])
    for source, modes in (
        ("ours", ("all", "best", "frozen", "linear")),
        ("published", ("all", "best", "finetune", "frozen", "linear", "scratch")),
        ("both", ("all", "best", "finetune", "frozen")),
    ):
        assert {f"{source}-{mode}-{policy}" for mode in modes for policy in ("keep", "hide", "impute")} <= views
    assert "ours-finetune-keep" not in views
    for name in views:
        assert board.view(name)["standings"]
    assert all(f"both-{mode}-keep" in views for mode in board.index["modes"])


def test_a_view_holds_its_entries_best_first(board):
    view = board.view("ours-frozen-keep")
    shown = [board.entry(item["entry"])["key"] for item in view["standings"]]
    assert shown[:3] == ["ecg_fm/frozen", "merl/frozen", "st_mem/frozen"]
    assert shown[3] == "s4/scratch", "supervised models stand beside every mode; this one has one task only"
    assert view["standings"][3]["group"] == 0
    best = [board.entry(item["entry"]) for item in board.view("both-best-keep")["standings"]]
    assert len({(entry["model"], entry["origin"]) for entry in best}) == len(best)
    (part,) = (note for note in board.view("both-best-keep")["notes"] if "a part of" in note)
    assert "test records of the data set's" in part
    assert part.endswith("they do not compare with published ones")
    assert not any("a part of" in note for note in board.view("published-best-keep")["notes"])
    assert any("TEST" in note for note in board.view("published-best-keep")["notes"])
    assert not any("TEST" in note for note in board.view("ours-best-keep")["notes"])


def test_hidden_cells_are_counted_and_the_joint_training_does_not_count(board):
    seen = board.index["cells"]["contamination"].count("test_records")
    assert seen > 0
    hidden = {item["entry"]: item["hidden"] for item in board.view("published-all-hide")["standings"]}
    kept = {item["entry"]: item["n_tasks"] for item in board.view("published-all-keep")["standings"]}
    for item in board.view("published-all-hide")["standings"]:
        assert item["n_tasks"] + item["hidden"] == kept[item["entry"]]
    assert 0 < sum(hidden.values()) <= seen
    notes = board.view("ours-all-keep")["notes"]
    assert any(note.startswith("mimic does not count") for note in notes)
    by_key = {board.entry(item["entry"])["key"]: item for item in board.view("ours-all-keep")["standings"]}
    assert by_key["merl/frozen"]["n_tasks"] == 4, "ptb, georgia, echonext and the part mimic_icu"


def test_pairs_on_the_page_and_by_entry_are_the_same(board, data):
    page = board.task_page("ptb")
    entries = page["pairs"]["entries"]
    values = [board.index["cells"]["value"][board.cell[entry, "ptb"]] for entry in entries]
    assert values == sorted(values, reverse=True)
    a, b = board.entries["ecg_fm/frozen"], board.entries["st_mem/linear"]
    i, j = entries.index(a), entries.index(b)
    assert page["pairs"]["difference"][i][j] == -page["pairs"]["difference"][j][i] > 0
    row = json.loads((data / "pairs" / f"{a}.json").read_text())["ptb"]
    at = row["others"].index(b)
    for name in ("difference", "low", "high", "p_adjusted"):
        assert row[name][at] == page["pairs"][name][i][j]
    published = [entry for entry in entries if board.entry(entry)["origin"] == "published"]
    assert published
    for entry in published:
        assert not (data / "pairs" / f"{entry}.json").exists()
        assert page["pairs"]["p_adjusted"][i][entries.index(entry)] is None


def test_targets_have_intervals_and_the_rest_of_many_is_counted(tmp_path, board):
    page = board.task_page("ptb")
    assert [target["name"] for target in page["targets"]] == list(LABELS)
    at = page["pairs"]["entries"].index(board.entries["ecg_fm/frozen"])
    for target in page["targets"]:
        assert target["low"][at] <= target["value"][at] <= target["high"][at]
        assert target["n"] == 120
    assert page["targets_left_out"] == 0
    labels = [f"label{i:03d}" for i in range(130)]
    write_run(tmp_path / "r" / "a", model="merl", task="many", skill=1.0, labels=labels, n=60, n_resamples=10)
    write_snapshot(gather(tmp_path / "r", published=False, n_resamples=20), tmp_path / "data")
    page = Board(tmp_path / "data").task_page("many")
    assert (len(page["targets"]), page["targets_left_out"]) == (120, 10)
    shown = {target["name"]: target["n_positive"] for target in page["targets"]}
    assert list(shown) == sorted(shown)


def test_curves_run_over_fractions(board, results_dir):
    curve = next(c for c in board.scaling["georgia"] if c["entry"] == board.entries["merl/linear"])
    assert curve["fraction"] == [0.5, 1.0]
    rows = [
        row
        for row in read_rows(results_dir)[0]
        if (row.model, row.mode, row.task, row.fraction) == ("merl", "linear", "georgia", 0.5)
    ]
    assert curve["value"][0] == pytest.approx(np.mean([row.value for row in rows]), abs=1e-5)
    assert curve["low"][0] < curve["value"][0] < curve["high"][0]


def test_what_is_left_out_is_named(board):
    left_out = {item["name"]: item["reason"] for item in board.index["unreadable"]}
    assert "not JSON" in left_out["broken"]
    assert "40 test records" in left_out["limited"]


def test_the_same_results_give_the_same_bytes(results_dir, tmp_path):
    first, again = (
        write_snapshot(
            results_dir / "runs" / "merl", tmp_path / name / "data", published=False, n_resamples=20, created=CREATED
        )
        for name in ("first", "again")
    )
    files = sorted(path.relative_to(first) for path in first.rglob("*.json"))
    assert files == sorted(path.relative_to(again) for path in again.rglob("*.json"))
    for name in files:
        assert (first / name).read_bytes() == (again / name).read_bytes(), name


def test_a_failed_write_leaves_the_old_snapshot(data, results_dir, tmp_path, monkeypatch):
    from hf_ecg_bench.leaderboard import snapshot

    folder = tmp_path / "data"
    shutil.copytree(data, folder)
    results = gather(results_dir / "s4", n_resamples=20, published=False)

    def fail(*_):
        raise RuntimeError("in the middle")

    monkeypatch.setattr(snapshot, "curves", fail)
    with pytest.raises(RuntimeError):
        write_snapshot(results, folder)
    assert [path.name for path in tmp_path.iterdir()] == ["data"]
    assert Board(folder).index["created"] == CREATED
    monkeypatch.undo()
    write_snapshot(results, folder, created="later")
    assert Board(folder).index["created"] == "later"
    assert not list((folder / "views").glob("published-*")), "nothing of the old one stays"
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_a_foreign_folder_is_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(EcgBenchError, match="something else"):
        write_snapshot(None, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_texts_of_strangers_are_no_file_names(tmp_path):
    evil = "../../evil"
    write_run(tmp_path / "r" / "a", model="<script>alert(1)</script>", task=evil, skill=1.0, mode="../x", n=40)
    write_run(tmp_path / "r" / "b", model="merl", task="ptb", skill=1.0, n=40, mode="all")
    write_snapshot(gather(tmp_path / "r", published=False, n_resamples=20), tmp_path / "s" / "data")
    written = {path.relative_to(tmp_path / "s").as_posix() for path in (tmp_path / "s").rglob("*.json")}
    assert {name for name in written if "evil" in name or "x-" in name} == set()
    assert not list(tmp_path.rglob("*evil*"))
    board = Board(tmp_path / "s" / "data")
    assert board.index["modes"] == []
    assert any("has no page" in item["reason"] for item in board.index["unreadable"])


def test_only_finite_numbers_are_written(data):
    def refuse(text):
        raise AssertionError(text)

    for path in Path(data).rglob("*.json"):
        json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)


def test_nothing_to_show_is_an_error(tmp_path):
    with pytest.raises(EcgBenchError, match="nothing to show"):
        gather(None, published=False)
    (tmp_path / "result.json").write_text("{")
    with pytest.raises(EcgBenchError, match="none of 1 result files"):
        gather(tmp_path)

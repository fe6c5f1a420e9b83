"""Pages of the Space as pure functions: what they show, and what never comes through."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from hf_ecg_bench.leaderboard.space.board.address import PAGES, changed, read, write
from hf_ecg_bench.leaderboard.space.board.board import Board
from hf_ecg_bench.leaderboard.space.board.markup import allowed_address
from hf_ecg_bench.leaderboard.space.board.table import Cell, Column, Table, arranged, shown
from hf_ecg_bench.leaderboard.space.board.views import content, exported, header, page_of
from tests.leaderboard.fake_snapshot import HOSTILE, change_file

#: Elements and attributes that the pages are made of; anything else came from a stranger.
ELEMENTS = frozenset(
    [
        "a",
        "article",
        "b",
        "caption",
        "circle",
        "code",
        "dd",
        "desc",
        "details",
        "div",
        "dl",
        "dt",
        "figcaption",
        "figure",
        "h1",
        "h2",
        "header",
        "li",
        "line",
        "nav",
        "ol",
        "p",
        "path",
        "polygon",
        "polyline",
        "pre",
        "rect",
        "section",
        "span",
        "strong",
        "summary",
        "sup",
        "svg",
        "table",
        "tbody",
        "td",
        "text",
        "th",
        "thead",
        "title",
        "tr",
        "ul",
    ]
)
QUERIES = (
    "", "source=both&modes=all&columns=tasks&rows=all", "columns=cost&sort=parameters",
    "columns=scores&contamination=hide",
    "source=published&modes=all", "size=small&q=lora", "modes=linear&contamination=impute",
    *(f"show={page}" for page in PAGES), "show=task&modes=lora&rows=all", "show=model&rows=all",
)  # fmt: skip


class Reader(HTMLParser):
    """Collects elements, addresses, attributes; complains about what is not closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: set[str] = set()
        self.attributes: set[str] = set()
        self.addresses: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.addresses += [value or "" for name, value in attrs if name in ("href", "src")]
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("query", QUERIES)
def test_each_page_is_well_formed_and_of_known_elements(board: Board, query: str) -> None:
    address = read(query, board)
    assert address.problems == ()
    html = content(board, address)
    reader = Reader(html)
    assert reader.elements <= ELEMENTS
    assert all(allowed_address(a) for a in reader.addresses)
    assert html.count("<h1") == 1
    assert "nan" not in html.lower().replace("finance", "")
    for table in re.findall(r"<table.*?</table>", html, re.S):
        assert "<caption>" in table
        assert 'scope="col"' in table
        assert 'scope="row"' in table or "<tbody></tbody>" in table
    for drawing in re.findall(r"<svg[^>]*>.*?</svg>", html, re.S):
        assert 'aria-hidden="true"' in drawing or (
            'role="img"' in drawing and "<title>" in drawing and "<desc>" in drawing
        )


@pytest.mark.parametrize("query", QUERIES)
def test_nothing_of_a_stranger_becomes_markup(hostile_board: Board, query: str) -> None:
    board = hostile_board
    subjects = {"model": board.models, "dataset": board.datasets, "task": board.tasks}
    page = dict(part.split("=") for part in query.split("&") if part).get("show", "overall")
    for name in list(subjects.get(page, [""]))[:4]:
        address = read(query, board)
        if name:
            address = type(address)(page, {**address.values, page: name})
        html = content(board, address)
        reader = Reader(html)
        assert reader.elements <= ELEMENTS
        assert not any(a.startswith("on") for a in reader.attributes)
        assert all(allowed_address(a) for a in reader.addresses)
        assert not any(c in html for c in "\u202e\u202c\u200b\x07")
        assert "{{" not in html
        assert "${" not in html
        assert "N" * 5000 not in html
        Reader(header(board, "overall"))


def test_an_attack_is_shown_as_text(hostile_board: Board) -> None:
    board = hostile_board
    html = "".join(content(board, read(query, board)) for query in QUERIES)
    assert "&lt;script&gt;window.pwned=1" in html
    assert "&#36;&#123;window.pwned=1&#125;" in html


@pytest.mark.parametrize("kind", ["csv", "tex"])
def test_downloads_of_hostile_texts_are_harmless(hostile_board: Board, kind: str) -> None:
    board = hostile_board
    for query in QUERIES:
        name, text = exported(board, query, kind)
        assert re.fullmatch(r"[a-zA-Z0-9-]+\.(csv|tex)", name)
        if kind == "csv":
            for row in csv.reader(io.StringIO(text)):
                for cell in row:
                    assert not cell.lstrip(" ").startswith(("=", "+", "@", "\t", "\r"))
                    assert not cell.startswith("-") or float(cell) < 0
        else:
            assert r"\input" not in text
            assert not re.search(r"(?<!\\)[&%$#_]", re.sub(r" & |\$-\$|\$\\pm\$|^% .*$", "", text, flags=re.M))


def test_addresses_go_both_ways(board: Board) -> None:
    filters = "source=both&modes=lora&contamination=hide&size=small&columns=cost&q=ecg+fm&sort=skill&order=up&rows=all"
    task, pair = "show=task&task=acute_care_1&modes=linear", "show=compare&a=merl/lora&b=s4/linear"
    for query in ("", filters, task, pair, "show=about"):
        assert write(read(query, board), board) == query
        assert write(read("?" + query, board), board) == query


def test_an_address_leaves_out_what_is_usual(board: Board) -> None:
    assert write(read("source=ours&modes=best&contamination=keep&size=any", board), board) == ""
    assert changed(read("", board), board, sort="skill") == "?sort=skill"
    assert changed(read("sort=skill", board), board, sort="") == "?show=overall"


@pytest.mark.parametrize(
    ("query", "said", "close"),
    [
        ("show=tasks", "Unknown page", "?show=task"),
        ("show=task&task=acute_car", "Unknown task", "task=acute_care_0"),
        ("show=model&model=merll", "Unknown model", "model=merl"),
        ("show=compare&a=merl/lorra&b=s4/linear", "Unknown first model", "a=merl/lora"),
        ("modes=fine_tune", "Unknown mode", "modes=finetune"),
        ("show=dataset&dataset=ptb", "Unknown dataset", "dataset=ptbxl"),
        ("show=model&model=" + "x" * 5000, "Unknown model", None),
        ("show=model&model=%3Cscript%3E", "Unknown model", None),
    ],
)
def test_unknown_names_in_the_address_are_said_with_close_ones(
    board: Board, query: str, said: str, close: str | None
) -> None:
    html = content(board, read(query, board))
    assert said in html
    assert 'role="alert"' in html
    assert "<script" not in html
    if close:
        assert close in re.sub("&amp;", "&", html)


def test_a_lost_subject_shows_no_other_one(board: Board) -> None:
    html = content(board, read("show=model&model=nothing_like_it", board))
    assert "<table" not in html
    assert exported(board, "show=model&model=nothing_like_it", "csv")[1] == ""


def test_filters_choose_rows_and_keep_ranks(board: Board) -> None:
    everything = page_of(board, read("source=both&modes=all", board)).tables[0]
    small = page_of(board, read("source=both&modes=all&size=small", board)).tables[0]
    found = page_of(board, read("source=both&modes=all&q=merl+lora", board)).tables[0]
    assert len(everything.rows) == 50
    assert 0 < len(small.rows) < 50
    at = everything.position("parameters")
    assert all(row[at].value < 10e6 for row in small.rows)
    assert [row[0].text for row in found.rows] == ["MERL"]
    rank = everything.position("mean_rank")
    assert found.rows[0][rank].value in [row[rank].value for row in everything.rows]
    assert "ranked among all of them" in content(board, read("source=both&modes=all&q=merl", board))


def test_cells_that_the_policy_leaves_out_show_no_value(board: Board) -> None:
    view = "source=both&modes=all&columns=tasks&contamination="
    kept, hidden, imputed = (
        page_of(board, read(view + policy, board)).tables[0] for policy in ("keep", "hide", "impute")
    )
    seen = {
        (board.index["entries"][entry]["key"], board.index["tasks"][task]["id"])
        for entry, task, state in zip(
            *(board.index["cells"][name] for name in ("entry", "task", "contamination")), strict=True
        )
        if state == "test_records"
    }
    assert seen
    at = [i for i, column in enumerate(kept.columns) if column.key.startswith("task-")]
    for table in (hidden, imputed):
        assert sum(row[i].text == "not counted" for row in table.rows for i in at) == len(seen)
        assert all(row[i].value is None for row in table.rows for i in at if row[i].text == "not counted")
    assert not any(row[i].text == "not counted" for row in kept.rows for i in at)


def test_the_friedman_test_is_told_over_tasks_and_over_datasets(snapshot_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    shutil.copytree(snapshot_folder, folder)
    facts = {"chi2": 31.5, "p": 0.01, "n_entries": 5, "critical_difference": 1.25}
    found = {**facts, "n_tasks": 12, "datasets": {**facts, "n_datasets": 7, "critical_difference": 2.5}}
    path = folder / "views/both-all-keep.json"
    view = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**view, "friedman": found}), encoding="utf-8")
    board = Board(folder)
    html = content(board, read("source=both&modes=all", board))
    for blocks, distance in (("12 tasks", "1.25"), ("7 datasets", "2.50")):
        assert re.search(rf"Friedman test over {blocks} and 5 entries: χ² = 31.5, p = 0.010; [^<]*: {distance}<", html)


def test_the_best_score_of_a_category_follows_its_metric(board: Board) -> None:
    table = page_of(board, read("source=both&modes=all&columns=scores", board)).tables[0]
    for category, lowest in (("patient_characteristics", True), ("acute_care", False)):
        at = table.position(f"category-{category}")
        assert at is not None
        assert table.columns[at].ascending == lowest
        values = [row[at].value for row in table.rows]
        best = [row[at].value for row in table.rows if row[at].style == "best"]
        assert set(best) == {(min if lowest else max)(values)}


def test_the_first_rows_come_first_and_the_others_by_a_link(board: Board) -> None:
    short_page = content(board, read("source=both&modes=all", board))
    long_page = content(board, read("source=both&modes=all&rows=all", board))
    assert short_page.count("<tr") == 41
    assert long_page.count("<tr") == 51
    assert "Show all 50 rows" in short_page
    assert len(page_of(board, read("source=both&modes=all", board)).tables[0].rows) == 50, "a download has all rows"


def test_sorting_puts_the_unknown_last_either_way() -> None:
    columns = (Column("name", "Name"), Column("n", "N", numeric=True, ascending=False))
    rows = tuple(
        (Cell(name), Cell("–" if n is None else str(n), n)) for name, n in (("b", 2), ("a", None), ("c", 30), ("A", 4))
    )
    table = Table("t", "T", columns, rows)

    def names(key: str, order: str = "") -> list[str]:
        return [row[0].text for row in arranged(table, key, order).rows]

    assert names("n") == ["c", "A", "b", "a"]
    assert names("n", "up") == ["b", "A", "c", "a"]
    assert names("name") == ["a", "A", "b", "c"]
    assert names("nothing") == ["b", "a", "c", "A"]
    html = shown(table, sort="n", sort_link=lambda key, order: f"?sort={key}&order={order}")
    assert 'aria-sort="descending"' in html
    assert html.count("aria-sort") == 1
    assert "sort=n&amp;order=up" in html


def test_the_mark_of_a_tested_pair_follows_the_metric(board: Board) -> None:
    """For an error a negative difference is good: the row is ahead, and the comparison turns the sign."""
    task = next(t for t in board.tasks.values() if not t["higher_is_better"])
    pairs = board.task_page(task["id"])["pairs"]
    i, j = next(
        (i, j)
        for i in range(len(pairs["entries"]))
        for j in range(len(pairs["entries"]))
        if (pairs["p_adjusted"][i][j] or 1) < 0.05 and pairs["difference"][i][j] < 0
    )
    a, b = (board.entry(pairs["entries"][n])["key"] for n in (i, j))
    table = page_of(board, read(f"show=compare&a={a}&b={b}", board)).tables[0]
    row = next(row for row in table.rows if row[0].text == task["name"])
    assert row[table.position("difference")].value == -pairs["difference"][i][j]
    assert row[table.position("verdict")].text == "first"
    low, high = (row[table.position(k)].value for k in ("low", "high"))
    assert low == -pairs["high"][i][j]
    assert high == -pairs["low"][i][j]


def test_published_entries_are_compared_without_a_test(board: Board) -> None:
    published = next(e["key"] for e in board.index["entries"] if e["origin"] == "published")
    table = page_of(board, read(f"show=compare&a={published}&b=s4/linear", board)).tables[0]
    assert {row[table.position("verdict")].text for row in table.rows} == {"not tested"}
    assert all(row[table.position("low")].value is None for row in table.rows)


def test_a_comparison_is_the_same_from_the_pages_of_the_tasks(snapshot_folder: Path, tmp_path: Path) -> None:
    """Snapshots without pairs/ are read from tasks/."""
    folder = tmp_path / "data"
    shutil.copytree(snapshot_folder, folder, ignore=shutil.ignore_patterns("pairs"))
    query = "show=compare&a=merl/lora&b=s4/linear"
    assert exported(Board(folder), query, "csv") == exported(Board(snapshot_folder), query, "csv")


def test_missing_results_are_dashes_not_values(board: Board) -> None:
    missing = [(e, t) for e in range(50) for t in board.tasks if (e, t) not in board.cell]
    assert missing
    text = exported(board, "source=both&modes=all&columns=tasks", "csv")[1]
    rows = list(csv.DictReader(io.StringIO(text)))
    empty = sum(value == "" for row in rows for key, value in row.items() if key.startswith("task-"))
    assert empty == len(missing)


def test_an_order_says_how_many_tasks_it_is_over_and_who_has_too_few(snapshot_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    shutil.copytree(snapshot_folder, folder)

    def few(view: dict[str, Any]) -> None:
        for standing in view["standings"]:
            standing.update(n_tasks=5, missing=0, hidden=0)
        view["standings"][-1].update(group=0, n_tasks=2, missing=2, hidden=1)

    change_file(folder, "views/ours-best-keep.json", few)
    board = Board(folder)
    html = content(board, read("", board))
    assert "Entries over 5 tasks" in html
    table = page_of(board, read("", board)).tables[0]
    texts = [[cell.text for cell in row] for row in table.rows]
    assert all("5 of 5" in row for row in texts[:-1])
    assert {"2 of 5", "–"} <= set(texts[-1])
    assert "</span>0</span>" not in html


def test_all_hostile_texts_are_in_the_hostile_snapshot(hostile_folder: Path) -> None:
    text = "".join(path.read_text() for path in hostile_folder.rglob("*.json"))
    assert all(json.dumps(attack)[1:-1] in text for attack in HOSTILE)


def test_commands_on_the_submit_page_are_ones_that_this_program_knows(board: Board) -> None:
    from hf_ecg_bench.cli.main import build_parser

    html = content(board, read("show=submit", board))
    commands = [text.split()[1:] for text in re.findall(r"<pre[^>]*>(hf-ecg-bench [^<]*)</pre>", html)]
    assert {command[0] for command in commands} == {"run", "submit"}
    for command in commands:
        build_parser().parse_args(command)


def test_labels_are_shown_of_entries_that_have_values(snapshot_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    shutil.copytree(snapshot_folder, folder)
    task = next(iter(Board(folder).tasks))

    def change(page: dict) -> None:
        for target in page["targets"]:
            target["value"] = [value if i >= 48 else None for i, value in enumerate(target["value"])]

    change_file(folder, f"tasks/{task}.json", change)
    board = Board(folder)
    tables = {table.name: table for table in page_of(board, read(f"show=task&task={task}", board)).tables}
    assert len(tables["labels"].columns) == 4 + 2

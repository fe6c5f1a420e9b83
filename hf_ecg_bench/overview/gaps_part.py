"""What a reader must not miss: cells without a result, failures, files that cannot be read, contamination, warnings."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from hf_ecg_bench.errors import some
from hf_ecg_bench.overview.parts import Block, Part
from hf_ecg_bench.overview.study import Study
from hf_ecg_bench.overview.wording import entry_cells, entry_columns, sentence, task_name
from hf_ecg_bench.results.row import ContaminationState
from hf_ecg_bench.results.tables import Cell, Column, Table
from hf_ecg_bench.texts import plural

_MOST_ROWS = 60
_STATES: dict[ContaminationState, str] = {
    "test_records": "test records seen",
    "same_corpus": "same corpus",
    "unknown": "unknown",
}


def gaps_part(study: Study) -> Part:
    """One block each, in the order in which they matter; those with nothing to say are left out."""
    makers = (_failed, _waiting, _missing, _excluded, _noted, _unreadable, _contaminated, _warned)
    blocks = tuple(block for maker in makers for block in maker(study))
    intro = () if blocks else ("Nothing is missing, nothing failed, and no result warns of anything.",)
    return Part("gaps", "Gaps and warnings", (*intro, *(sentence(note) for note in study.grid.notes)), blocks)


def gap_alerts(study: Study) -> list[str]:
    """What stands at the top of the page, in one line each."""
    grid, found = study.grid, []
    if grid.failures:
        found.append(f"{plural(len(grid.failures), 'cell')} of the grid failed.")
    if grid.waiting:
        found.append(f"Not finished: {len(grid.waiting)} of {plural(grid.cells, 'cell')} of the grid.")
    if study.unreadable:
        found.append(f"{plural(len(study.unreadable), 'result')} could not be read.")
    if missing := sum(len(tasks) for tasks in missing_cells(study).values()):
        found.append(
            f"Results missing: {plural(missing, 'pair')} of entry and task. Mean ranks are over different tasks."
        )
    kinds = Counter(item.kind for standing in study.standings.values() for item in standing.scores.excluded)
    if unusable := kinds["unusable"]:
        found.append(f"Not ranked: {plural(unusable, 'result')} that cannot be compared with the others of the task.")
    if others := kinds["settings"]:
        found.append(f"Left out: {plural(others, 'result')} with other settings than those that count, never averaged.")
    if several := sorted({entry.model for entry in study.entries if entry.weights}):
        found.append(f"Different weights under one name, each an entry of its own: {some(several, 6)}.")
    seen = sum(standing.scores.contamination.count("test_records") for standing in study.standings.values())
    if seen:
        found.append(f"Seen before: in {plural(seen, 'cell')} the model may have seen the test records.")
    return found


def missing_cells(study: Study) -> dict[int, list[str]]:
    """Position of an entry of ours -> the tasks it lacks."""
    found: dict[int, list[str]] = {}
    for i, entry in enumerate(study.entries):
        lacking = [task for task in study.standings if study.cell(entry, task) is None]
        if lacking and entry.origin == "ours":
            found[i] = lacking
    return found


def _failed(study: Study) -> Iterator[Block]:
    failures = study.grid.failures
    if failures:
        rows = [(Cell(item.cell), Cell(item.kind), Cell(_short(item.message)), Cell(item.fix)) for item in failures]
        yield _listed("failed", "Failed cells", ("Cell", "Error", "Message", "What mends it"), rows)


def _waiting(study: Study) -> Iterator[Block]:
    if waiting := study.grid.waiting:
        title = f"Cells of the grid without a result: {len(waiting)}"
        yield Block(title, notes=(some(waiting, 20) + ".",), folded=len(waiting) > 5)


def _missing(study: Study) -> Iterator[Block]:
    rows = [
        (*entry_cells(study.entries[i]), Cell(str(len(tasks))), Cell(some([task_name(task) for task in tasks], 12)))
        for i, tasks in missing_cells(study).items()
    ]
    if rows:
        columns = (*entry_columns(), Column("Missing", "right"), Column("Tasks"))
        caption = "Tasks that an entry has no result for. Nothing is put in their place."
        yield Block("Missing results", (Table("missing", caption, columns, tuple(rows)),), folded=len(rows) > 8)


def _excluded(study: Study) -> Iterator[Block]:
    rows = [
        (Cell(task_name(task)), *entry_cells(item.entry), Cell(item.name), Cell(item.reason))
        for task, standing in study.standings.items()
        for item in standing.scores.excluded
    ]
    if rows:
        yield _listed("excluded", "Results that are not ranked", ("Task", "Model", "Mode", "Run", "Why"), rows)


def _noted(study: Study) -> Iterator[Block]:
    rows = [
        (Cell(task_name(task)), Cell(_short(note)))
        for task, standing in study.standings.items()
        for note in standing.scores.notes
    ]
    if rows:
        yield _listed("chosen", "What counts, where results disagree", ("Task", "What was done"), rows)


def _unreadable(study: Study) -> Iterator[Block]:
    rows = [(Cell(item.name), Cell(_short(item.reason))) for item in study.unreadable]
    if rows:
        yield _listed("unreadable", "Results that could not be read", ("Folder", "Why"), rows)


def _contaminated(study: Study) -> Iterator[Block]:
    """One row per model, dataset and state; the tasks of a dataset share it."""
    counted: dict[tuple[str, str, str, str], int] = {}
    for standing in study.standings.values():
        for rows, state in zip(standing.scores.rows, standing.scores.contamination, strict=True):
            for row in rows[:1]:
                if state in _STATES:
                    key = (row.model, row.dataset, _STATES[state], row.contamination_reason)
                    counted[key] = counted.get(key, 0) + 1
    if not counted:
        return
    order = list(_STATES.values())
    keys = sorted(counted, key=lambda key: (order.index(key[2]), key))
    cells = [(*(Cell(text) for text in key[:3]), Cell(str(counted[key])), Cell(key[3])) for key in keys]
    titles = (Column("Model"), Column("Dataset"), Column("State"), Column("Cells", "right"), Column("How it is known"))
    caption = "What models have seen of the datasets before, by what their authors declare."
    table = Table("contamination", caption, titles, tuple(cells))
    yield Block("Contamination", (table,), folded=len(cells) > 8)


def _warned(study: Study) -> Iterator[Block]:
    """Warnings that differ only in their numbers are one; the first stands for all."""
    said: dict[str, tuple[str, list[str]]] = {}
    for folder, texts in study.warnings.items():
        for text in dict.fromkeys(texts):
            said.setdefault(re.sub(r"\d+", "#", text), (text, []))[1].append(folder)
    rows = [
        (Cell(_short(text)), Cell(str(len(set(folders)))), Cell(folders[0]))
        for text, folders in sorted(said.values(), key=lambda item: -len(item[1]))
    ]
    if not rows:
        return
    columns = (Column("Warning"), Column("Runs", "right"), Column("For example"))
    caption = (
        f"{plural(len(study.warnings), 'run')} of {len({row.folder for row in study.rows})} warn. "
        "Warnings that differ in numbers alone are counted together, in the words of the first."
    )
    more = f" The {_MOST_ROWS} most frequent of {len(rows)} warnings." if len(rows) > _MOST_ROWS else ""
    table = Table("warnings", caption + more, columns, tuple(rows[:_MOST_ROWS]))
    yield Block(f"Warnings of runs: {plural(len(rows), 'kind')}", (table,), folded=len(rows) > 8)


def _listed(key: str, title: str, titles: Sequence[str], rows: Sequence[tuple[Cell, ...]]) -> Block:
    more = f" The first {_MOST_ROWS}." if len(rows) > _MOST_ROWS else ""
    columns = tuple(Column(name) for name in titles)
    table = Table(key, f"{title}: {len(rows)}.{more}", columns, tuple(rows[:_MOST_ROWS]))
    return Block(title, (table,), folded=len(rows) > 8)


def _short(text: str, width: int = 300) -> str:
    text = " ".join(text.split())
    return text if len(text) <= width else text[: width - 1] + "…"

"""Where the details of single runs are: curves, ROC plots and drawn ECGs do not fit on one page for all."""

from __future__ import annotations

from hf_ecg_bench.overview.parts import Block, Part
from hf_ecg_bench.overview.study import Study
from hf_ecg_bench.overview.wording import fixed
from hf_ecg_bench.results.metrics import metric_name
from hf_ecg_bench.results.tables import Cell, Column, Table
from hf_ecg_bench.texts import plural

_MOST_ROWS = 400


def runs_part(study: Study) -> Part:
    """Every run with its value; those that have a report of their own are named first."""
    own = [row for row in study.rows if not row.trained_as]
    pages = [row.folder for row in own if (study.folder / row.folder / "report.html").is_file()]
    rows = [
        (
            Cell(row.folder),
            Cell(row.task),
            Cell(row.model),
            Cell(row.mode),
            Cell(f"{row.fraction:.4g}"),
            Cell(str(row.seed)),
            Cell(metric_name(row.metric)),
            Cell(fixed(row.value, 4)),
        )
        for row in own[:_MOST_ROWS]
    ]
    titles = ("Folder", "Task", "Model", "Mode", "Fraction", "Seed", "Metric", "Value")
    columns = tuple(Column(title, "right" if title in ("Fraction", "Seed", "Value") else "left") for title in titles)
    shown = (
        f" The first {_MOST_ROWS}; report.json and cells.csv name those that are ranked."
        if len(own) > _MOST_ROWS
        else ""
    )
    table = Table("runs", f"{plural(len(own), 'run')}.{shown}", columns, tuple(rows))
    intro = [
        "Learning curves, ROC and reliability plots, labels and drawn ECGs of one run: "
        "hf-ecg-bench report FOLDER, with a folder of the table, below the folder of results."
    ]
    if pages:
        intro.append(f"{plural(len(pages), 'run')} already have a report.html in their folder.")
    return Part("runs", "Single runs", tuple(intro), (Block(f"All {len(own)} runs", (table,), folded=True),))

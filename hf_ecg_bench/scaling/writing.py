"""What `scaling` leaves on disk: numbers, tables and one plot per task."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hf_ecg_bench.files import atomic_path, write_json, write_text
from hf_ecg_bench.results.latex import to_latex
from hf_ecg_bench.results.plots.style import to_png, to_svg_file
from hf_ecg_bench.results.table_formats import escape_markdown, to_markdown
from hf_ecg_bench.scaling.plot import plot_scaling
from hf_ecg_bench.scaling.tables import scaling_tables

RESULT, MARKDOWN, LATEX = "scaling.json", "scaling.md", "scaling.tex"


def write_scaling(analysis: dict[str, Any], folder: Path) -> Path:
    """Write scaling-TASK.png and .svg, scaling.md, scaling.tex and, last, scaling.json; returns its path."""
    for task, entry in analysis["tasks"].items():
        figure = plot_scaling(task, entry)
        with atomic_path(folder / f"scaling-{task}.png") as path:
            path.write_bytes(to_png(figure))
        write_text(folder / f"scaling-{task}.svg", to_svg_file(figure))
    tables = scaling_tables(analysis)
    write_text(folder / LATEX, "\n\n".join(to_latex(table) for table in tables) + "\n")
    write_text(folder / MARKDOWN, _markdown(analysis))
    return write_json(folder / RESULT, analysis)


def _markdown(analysis: dict[str, Any]) -> str:
    lines = ["# Error against training records", ""]
    for task in analysis["tasks"]:
        lines += [f"![{escape_markdown(task)}](scaling-{task}.png)", ""]
    for table in scaling_tables(analysis):
        lines += [f"## {escape_markdown(table.caption)}", "", to_markdown(table), ""]
    for entry in analysis["tasks"].values():
        lines += [f"- {escape_markdown(how_resampled(entry))}"]
        notes = [f"{curve['label']}: {note}" for curve in entry["curves"] for note in curve["notes"]]
        lines += [f"- {escape_markdown(note)}" for note in notes]
    lines += [f"- {escape_markdown(note)}" for note in analysis["notes"]]
    return "\n".join(lines) + "\n"


def how_resampled(entry: dict[str, Any]) -> str:
    """One sentence: what the intervals come from."""
    resampling = entry["resampling"]
    why = f" ({resampling['reason']})" if resampling["reason"] else ""
    return f"intervals: {resampling['resamples']} resamples; {resampling['kind']}{why}"

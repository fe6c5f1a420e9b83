"""`report` over a folder of many runs: one page, with every table and figure as a file of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hf_ecg_bench.files import atomic_path, explain_os_errors, write_json, write_text
from hf_ecg_bench.overview.choices import MOST_SECTIONS, Choices
from hf_ecg_bench.overview.numbers import cells_csv
from hf_ecg_bench.overview.overview import build_overview
from hf_ecg_bench.overview.parts import Overview
from hf_ecg_bench.progress import progress
from hf_ecg_bench.results.pages import page_environment, safe, tidy
from hf_ecg_bench.results.plots.style import to_png, to_svg_file
from hf_ecg_bench.results.report import write_report
from hf_ecg_bench.results.run_folder import find_results
from hf_ecg_bench.results.schema import RESULT_FILE
from hf_ecg_bench.results.table_formats import to_csv

PAGE, NUMBERS = "report.html", "report.json"
_SLUG = "overview"  # before the names of figures


def report(results_dir: Path, output_dir: Path | None = None, choices: Choices | None = None) -> Path:
    """A page on few runs in full, or an overview of many (more than 8), or of any number where `choices` are given.

    Raises:
        EcgBenchError: no results, none that can be read, or the output cannot be written.
    """
    many = len(find_results(Path(results_dir))) > MOST_SECTIONS
    if choices is None and not many:
        return write_report(results_dir, output_dir)
    return write_overview(results_dir, output_dir, choices or Choices())[0]


def write_overview(
    results_dir: Path, output_dir: Path | None = None, choices: Choices | None = None
) -> tuple[Path, dict[str, Any]]:
    """Write report.html (self-contained), report.md, tables.tex, report.json, tables/*.csv and figures/*.png, *.svg.

    Args:
        output_dir: default `results_dir`. The HTML is written last.

    Returns:
        The path of report.html, and what report.json holds.

    Raises:
        EcgBenchError: no results, none that can be read, or the output cannot be written.
    """
    results_dir = Path(results_dir)
    base = results_dir.parent if results_dir.name == RESULT_FILE else results_dir
    output = Path(output_dir) if output_dir is not None else base
    overview = build_overview(base, choices or Choices())
    with explain_os_errors(output):
        for folder in ("figures", "tables"):
            (output / folder).mkdir(parents=True, exist_ok=True)
    environment = page_environment("hf_ecg_bench.overview")
    page = environment.get_template("overview.html.j2").render(overview=overview, slug=_SLUG)
    _write_figures(overview, output)
    for table in overview.tables():
        write_text(output / "tables" / f"{safe(table.key)}.csv", to_csv(table))
    write_text(output / "tables" / "cells.csv", cells_csv(overview.numbers["cells"]))
    markdown = environment.get_template("overview.md.j2").render(overview=overview, slug=_SLUG)
    write_text(output / "report.md", tidy(markdown))
    write_text(output / "tables.tex", environment.get_template("overview.tex.j2").render(overview=overview))
    write_json(output / NUMBERS, overview.numbers)
    return write_text(output / PAGE, page), overview.numbers


def _write_figures(overview: Overview, output: Path) -> None:
    for picture in progress(list(overview.pictures()), desc="figures", unit="figure"):
        file = output / "figures" / f"{_SLUG}-{picture.key}"
        write_text(file.with_suffix(".svg"), to_svg_file(picture.figure))
        with atomic_path(file.with_suffix(".png")) as path:
            path.write_bytes(to_png(picture.figure))

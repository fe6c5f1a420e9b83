"""`report`: one page for a run, or a comparison and a section per run, as HTML, Markdown and LaTeX tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from hf_ecg_bench.errors import EcgBenchError
from hf_ecg_bench.files import atomic_path, explain_os_errors, write_text
from hf_ecg_bench.results.figures import Picture, comparison_picture
from hf_ecg_bench.results.metrics import primary_metric, sort_results
from hf_ecg_bench.results.pages import figure_path, page_environment, safe, tidy
from hf_ecg_bench.results.plots.style import to_png
from hf_ecg_bench.results.run_folder import Run, Unreadable, find_results, read_run
from hf_ecg_bench.results.schema import RESULT_FILE, Result
from hf_ecg_bench.results.sections import (
    FULL,
    ONE_OF_MANY,
    ONE_OF_SEVERAL,
    Section,
    build_section,
    title_of,
)
from hf_ecg_bench.results.settings import differing_settings
from hf_ecg_bench.results.slices import with_slices
from hf_ecg_bench.results.tables import Table, comparison_tables

SEVERAL = 8  # Beyond this many runs a report has no ECGs: each is about 200 kB.


@dataclass(frozen=True, eq=False)
class Comparison:
    """One task's results against each other; a picture where there are several."""

    table: Table
    picture: Picture | None


@dataclass(frozen=True, eq=False)
class Report:
    """What the templates are given."""

    title: str
    comparisons: tuple[Comparison, ...]
    sections: tuple[Section, ...]
    unreadable: tuple[Unreadable, ...]


def write_report(results_dir: Path, output_dir: Path | None = None) -> Path:
    """Report on every result.json at or below `results_dir`.

    Writes report.html (self-contained), report.md with figures/, and tables.tex into `output_dir` (default:
    `results_dir`), the HTML last. A result that cannot be read is listed on the page.

    Returns:
        The path of report.html.

    Raises:
        EcgBenchError: no results, none that can be read, or the output cannot be written.
    """
    results_dir = Path(results_dir)
    report = build_report(results_dir)
    base = results_dir.parent if results_dir.name == RESULT_FILE else results_dir
    output = Path(output_dir) if output_dir is not None else base
    with explain_os_errors(output):
        (output / "figures").mkdir(parents=True, exist_ok=True)
    environment = page_environment()
    for picture, slug in _pictures(report):
        with atomic_path(output / figure_path(picture, slug)) as path:
            path.write_bytes(to_png(picture.figure))
    write_text(output / "report.md", tidy(environment.get_template("report.md.j2").render(report=report)))
    write_text(output / "tables.tex", environment.get_template("tables.tex.j2").render(report=report))
    return write_text(output / "report.html", environment.get_template("report.html.j2").render(report=report))


def build_report(results_dir: Path) -> Report:
    """Read the runs and work out what the report says; writes nothing."""
    folders = find_results(results_dir)
    base = results_dir.parent if results_dir.name == RESULT_FILE else results_dir
    detail = FULL if len(folders) == 1 else ONE_OF_SEVERAL if len(folders) <= SEVERAL else ONE_OF_MANY
    sections: list[Section] = []
    unreadable: list[Unreadable] = []
    reasons: list[EcgBenchError] = []
    for folder in folders:
        name = folder.relative_to(base).as_posix() if folder != base else folder.resolve().name
        try:
            run = read_run(folder, name)
            sections.append(build_section(run, _slug(run, sections), detail))
        except EcgBenchError as error:
            unreadable.append(Unreadable(name, error.message.replace(str(folder), name)))
            reasons.append(error)
    if not sections:
        raise EcgBenchError(
            f"none of {len(reasons)} result files below {base} can be read; the first: {reasons[0].message}",
            fix=reasons[0].fix or "run again into an empty folder",
        )
    order = {id(result): i for i, result in enumerate(sort_results([section.result for section in sections]))}
    sections.sort(key=lambda section: (section.result.task, order[id(section.result)]))
    title = sections[0].title if len(sections) == 1 else f"{len(sections)} results"
    return Report(title, _comparisons(sections), tuple(sections), tuple(unreadable))


# A longer list of settings is in the table alone.
_LONGEST = 40


def _comparisons(sections: Sequence[Section]) -> tuple[Comparison, ...]:
    if len(sections) < 2:
        return ()
    found = []
    everything = with_slices(section.result for section in sections)
    for table in comparison_tables(everything):
        task = table.caption.removeprefix("Task ")
        results = sort_results([result for result in everything if result.task == task])
        names = [
            _compared_name(result) + (f" ({said})" if said and len(said) <= _LONGEST else "")
            for result, said in zip(results, differing_settings(results), strict=True)
        ]
        picture = comparison_picture(task, safe(task), names, results, primary_metric(results[0]))
        found.append(Comparison(table, picture if len(results) > 1 else None))
    return tuple(found)


def _compared_name(result: Result) -> str:
    part = f", trained as {result.trained_as}" if result.trained_as else ""
    return title_of(result) + part + (f", seed {result.seed}" if result.seed else "")


def _pictures(report: Report) -> Iterable[tuple[Picture, str]]:
    for comparison in report.comparisons:
        if comparison.picture:
            yield comparison.picture, "comparison"
    for section in report.sections:
        for picture in (*section.pictures, *(example.picture for example in section.examples)):
            yield picture, section.slug
        if section.subgroup_picture:
            yield section.subgroup_picture, section.slug
        if section.learning:
            yield section.learning, section.slug
        for picture in section.robustness.pictures if section.robustness else ():
            yield picture, section.slug


def _slug(run: Run, others: Sequence[Section]) -> str:
    """Task, model, mode, preprocessing and seed as an identifier; numbered where several runs share it."""
    result = run.result
    way = "" if result.preprocessing == "paper" else f"-{result.preprocessing}"
    slug = safe(f"{result.task}-{result.model.get('id', 'model')}-{result.mode}{way}-{result.seed}")
    taken = {other.slug for other in others}
    return next(
        name for number in range(1, len(taken) + 2) if (name := f"{slug}-{number}" if number > 1 else slug) not in taken
    )

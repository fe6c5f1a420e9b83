"""What all pages share: the engine of their templates, how texts are escaped in each format, names of files."""

from __future__ import annotations

import re

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from hf_ecg_bench.results.figures import Picture
from hf_ecg_bench.results.latex import to_latex
from hf_ecg_bench.results.plots.style import to_svg
from hf_ecg_bench.results.table_formats import escape_markdown, to_markdown

_TEMPLATES = "templates"


def page_environment(package: str | None = None) -> Environment:
    """The engine with this package's templates and filters, and those of another package before them."""
    packages = ["hf_ecg_bench.results"] if package is None else [package, "hf_ecg_bench.results"]
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(name, _TEMPLATES) for name in packages]),
        # By the kind of page: `.html.j2` is escaped by the engine, the others by filters of their own.
        autoescape=lambda name: name is not None and ".html" in name,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["md"] = escape_markdown
    environment.filters["md_table"] = to_markdown
    environment.filters["tex_table"] = to_latex
    # The only text that goes into the page unescaped: drawn by us, with matplotlib escaping the texts in it.
    environment.filters["svg"] = lambda picture, slug: Markup(to_svg(picture.figure, prefix=f"{slug}-{picture.key}"))
    environment.globals["figure_path"] = figure_path
    environment.globals["css"] = Markup(environment.get_template("report.css").render())
    return environment


def figure_path(picture: Picture, slug: str) -> str:
    """Where a picture's file lies, relative to the report; made of safe characters only."""
    return f"figures/{slug}-{picture.key}.png"


def safe(text: str) -> str:
    """Any text as part of a file's name or of an anchor; never empty."""
    return re.sub(r"[^A-Za-z0-9]+", "-", text)[:80].strip("-").lower() or "x"


def tidy(markdown: str) -> str:
    """Markdown without runs of empty lines."""
    return re.sub(r"\n{3,}", "\n\n", markdown)

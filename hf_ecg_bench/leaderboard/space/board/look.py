"""Theme, style sheet and script of the window. Nothing is fetched from another host: fonts are those of the system."""

from __future__ import annotations

from pathlib import Path

import gradio as gr

from .address import PAGE, PAGES

_HERE = Path(__file__).resolve().parent


def theme() -> gr.themes.Base:
    """Calm and dense; the style sheet does the rest."""
    return gr.themes.Base(
        primary_hue=gr.themes.colors.indigo,
        neutral_hue=gr.themes.colors.slate,
        text_size=gr.themes.sizes.text_sm,
        spacing_size=gr.themes.sizes.spacing_sm,
        radius_size=gr.themes.sizes.radius_sm,
        font=["ui-sans-serif", "system-ui", "Segoe UI", "Roboto", "Helvetica Neue", "Arial", "sans-serif"],
        font_mono=["ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace"],
    )


def css() -> str:
    """The style sheet."""
    return (_HERE / "board.css").read_text(encoding="utf-8")


def head() -> str:
    """Runs first: a link to a view other than the first waits for that view, and does not show the first before."""
    names = "|".join(sorted({PAGE, *(field.name for fields in PAGES.values() for field in fields)}))
    return (
        f"<script>if (/[?&]({names})=/.test(location.search)) {{"
        "document.documentElement.classList.add('eb-waiting');"
        "setTimeout(() => document.documentElement.classList.remove('eb-waiting'), 8000); }</script>"
    )


def js() -> str:
    """A function that runs once when the page has been loaded."""
    return (_HERE / "board.js").read_text(encoding="utf-8")

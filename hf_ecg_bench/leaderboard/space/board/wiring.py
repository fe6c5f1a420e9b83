"""Gradio: the controls, what they call, and the address of the window. Everything shown comes from `views`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from . import look, views
from .address import PAGE, PAGES, Address, Field, read, write
from .board import Board, Trouble
from .controls import choices_of, control_of, controls_of

#: Client side: what the address of the window says now, and what to do when a page has come.
_ASK = "(...given) => [window.ecgBoard ? window.ecgBoard.query() : '']"
_ARRIVED = "() => { window.ecgBoard.arrived(); }"
_PUSH = "(query) => { window.ecgBoard.put(query, 'push'); }"
_REPLACE = "(query) => { window.ecgBoard.put(query, 'replace'); }"
_SAVE = "(file) => { window.ecgBoard.save(file); }"
_QUICK: dict[str, Any] = {"queue": False, "show_progress": "hidden"}


@dataclass(frozen=True)
class _Parts:
    """Components that callbacks fill. `groups` and `controls` are in the order of PAGES."""

    address: gr.Textbox
    header: gr.HTML
    content: gr.HTML
    groups: dict[str, gr.Row]
    controls: dict[tuple[str, str], Any]
    downloads: gr.Row


def build(board: Board) -> gr.Blocks:
    """The app over a board."""
    first = read("", board)
    with gr.Blocks(title=views.NAME, analytics_enabled=False, fill_width=True) as demo:
        header = _html(views.header(board, first.page), "head")
        groups, controls = {}, {}
        with gr.Row(elem_id="tools", elem_classes="tools"):
            for page in PAGES:
                fields = controls_of(page)
                with gr.Row(visible=page == first.page and bool(fields), elem_classes="controls") as group:
                    groups[page] = group
                    for field in fields:
                        value = first[field.name] if page == first.page else read(f"{PAGE}={page}", board)[field.name]
                        controls[page, field.name] = control_of(board, page, field, value)
        with gr.Row(elem_classes="downloads") as downloads:
            csv = gr.Button("Download CSV", size="sm", elem_id="save-csv", min_width=60)
            latex = gr.Button("Download LaTeX", size="sm", elem_id="save-latex", min_width=60)
        content = _html(views.content(board, first), "content")
        with gr.Row(elem_classes="plumbing"):
            address = gr.Textbox("", elem_id="address", label="Address")
            go = gr.Button("Go", elem_id="go")
            file = gr.JSON(elem_id="file", label="File")
        parts = _Parts(address, header, content, groups, controls, downloads)
        _navigation(board, parts, go)
        for page in PAGES:
            if controls_of(page):
                _filters(board, parts, page)
        for button, kind in ((csv, "csv"), (latex, "tex")):
            _download(board, button, kind, address, file)
        # Gradio takes an unnamed component's own functions for public ones; these are all there are.
    return demo


def _html(value: str, name: str) -> gr.HTML:
    return gr.HTML(value, elem_id=name, padding=False, container=False, apply_default_css=False)


def _navigation(board: Board, parts: _Parts, go: gr.Button) -> None:
    """Address -> page, controls, everything."""

    def navigate(query: str) -> list[Any]:
        address = read(str(query or ""), board)
        shown: list[Any] = [
            views.header(board, address.page),
            views.content(board, address),
            write(address, board) if not address.problems else str(query).lstrip("?"),
            gr.Row(visible=views.has_tables(address)),
        ]
        shown += [gr.Row(visible=page == address.page and bool(controls_of(page))) for page in parts.groups]
        for page, name in parts.controls:
            if page != address.page:
                shown.append(gr.skip())
            else:
                field = next(field for field in PAGES[page] if field.name == name)
                shown.append(gr.update(value=_offered(board, field, address[name])))
        return shown

    outputs = [
        parts.header,
        parts.content,
        parts.address,
        parts.downloads,
        *parts.groups.values(),
        *parts.controls.values(),
    ]
    # "always_last": a second click, or "back", while a page is on its way must not be lost.
    went = go.click(
        navigate, [parts.address], outputs, js=_ASK, api_name="navigate", trigger_mode="always_last", **_QUICK
    )
    went.then(None, None, None, js=_ARRIVED, api_visibility="private", **_QUICK)


def _offered(board: Board, field: Field, value: str) -> str | None:
    """A value that a dropdown can show."""
    choices = choices_of(board, field)
    return value if choices is None or value in [choice for _, choice in choices] else None


def _filters(board: Board, parts: _Parts, page: str) -> None:
    """Controls -> page and address."""
    fields = controls_of(page)
    controls = [parts.controls[page, field.name] for field in fields]

    def show(query: str, *values: Any) -> tuple[str, str]:
        before = read(str(query or ""), board)
        kept = before.values if before.page == page else {}
        chosen = {field.name: str(value or "") for field, value in zip(fields, values, strict=True)}
        wanted = Address(page, {**{f.name: "" for f in PAGES[page]}, **kept, **chosen})
        query = write(wanted, board)
        address = read(query, board)
        return views.content(board, address), query

    for field, control in zip(fields, controls, strict=True):
        name = f"{page}_by_{field.name}" if len(fields) > 1 else page
        # A text box tells `input` only of keys: what is pasted or dictated comes by `change`.
        happened = control.change if field.allowed is None else control.input
        happened(
            show,
            [parts.address, *controls],
            [parts.content, parts.address],
            api_name=name,
            trigger_mode="always_last",
            **_QUICK,
        ).then(
            None,
            [parts.address],
            None,
            js=_REPLACE if field.allowed is None else _PUSH,
            api_visibility="private",
            **_QUICK,
        )


def _download(board: Board, button: gr.Button, kind: str, address: gr.Textbox, file: gr.JSON) -> None:
    """What the address shows, as a file made in the browser: nothing is written on this side."""

    def export(query: str) -> dict[str, str]:
        try:
            name, text = views.exported(board, str(query or ""), kind)
        except Trouble as trouble:
            raise gr.Error(trouble.what) from trouble
        return {"name": name, "text": text}

    button.click(export, [address], [file], js=_ASK, api_name=f"export_{kind}", **_QUICK).then(
        None, [file], None, js=_SAVE, api_visibility="private", **_QUICK
    )


def build_trouble(trouble: Trouble) -> gr.Blocks:
    """The app where there are no data to show: one page that says why."""
    with gr.Blocks(title=views.NAME, analytics_enabled=False) as demo:
        _html(views.header(None, "") + views.trouble_page(trouble), "content")
    return demo


def app(folder: Path) -> gr.Blocks:
    """The app over a folder of data, whatever state that is in."""
    try:
        return build(Board(folder))
    except Trouble as trouble:
        print(f"{trouble.what} {trouble.fix}", file=sys.stderr)
        return build_trouble(trouble)


def launch(folder: Path, **options: Any) -> Any:
    """Serves the app; `options` go to Gradio."""
    links: Sequence[Any] = ["api"]
    return app(folder).launch(
        theme=look.theme(),
        css=look.css(),
        js=look.js(),
        head=look.head(),
        footer_links=list(links),
        show_error=False,
        run_history=False,
        ssr_mode=False,
        **options,
    )

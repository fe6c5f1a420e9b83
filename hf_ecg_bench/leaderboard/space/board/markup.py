"""HTML and SVG out of Python calls. Plain text is escaped, always; only `Safe` passes as it is."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from .text import clean

#: The front end fills its templates with `${...}` and `{{...}}`: a text with them must stay a text.
_TEMPLATES = str.maketrans({"{": "&#123;", "}": "&#125;", "$": "&#36;", "`": "&#96;"})
_VOID = frozenset({"br", "hr", "img", "input", "col", "meta", "link"})
_ADDRESSES = frozenset({"href", "src"})


class Safe(str):
    """Markup that is finished: it came from `tag` or is a constant of this program."""

    __slots__ = ()


Child = str | int | float | None | Iterable["Child"]


def escaped(value: object) -> Safe:
    """Text for an element or a quoted attribute."""
    return Safe(escape(clean(str(value)), quote=True).translate(_TEMPLATES))


def join(*children: Child) -> Safe:
    """Children behind each other; None is nothing."""
    parts: list[str] = []
    for child in children:
        if child is None:
            continue
        if isinstance(child, Safe):
            parts.append(child)
        elif isinstance(child, str | int | float):
            parts.append(escaped(child))
        else:
            parts.append(join(*child))
    return Safe("".join(parts))


def tag(name: str, *children: Child, **attributes: object) -> Safe:
    """An element. `class_` is `class`, `aria_label` is `aria-label`; None and False leave an attribute out.

    An address that is neither of this page nor http(s) is left out: `javascript:` never becomes a link.
    """
    written = []
    for key, value in attributes.items():
        key = key.rstrip("_").replace("_", "-")
        if value is None or value is False or (key in _ADDRESSES and not allowed_address(str(value))):
            continue
        written.append(f" {key}" if value is True else f' {key}="{escaped(value)}"')
    opened = f"<{name}{''.join(written)}>"
    return Safe(opened if name in _VOID else f"{opened}{join(*children)}</{name}>")


def allowed_address(address: str) -> bool:
    """Whether a link may point there: a view of this board, a place on the page, or the web."""
    return address.startswith(("?", "#", "https://", "http://")) and not any(c <= " " for c in address)


def link(text: Child, address: str, **attributes: object) -> Safe:
    """A link; one to another view is followed without loading the page again."""
    if address.startswith("?"):
        return tag("a", text, href=address, data_view="", **attributes)
    if not allowed_address(address):
        return tag("span", text)
    return tag("a", text, href=address, target="_blank", rel="noopener noreferrer", **attributes)

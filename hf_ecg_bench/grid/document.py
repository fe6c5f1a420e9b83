"""A YAML file with the place of everything in it, so that a message can name a line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from hf_ecg_bench.errors import EcgBenchError, unknown_name

Path_ = tuple[str | int, ...]
_LARGEST = 2**20  # bytes; a grid file is written by hand


class GridFileError(EcgBenchError):
    """A grid file that does not say what to run."""


class _Loader(yaml.SafeLoader):
    """Plain values; `1e-3` is a number, as in YAML 1.2. PyYAML follows 1.1, where it is text."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)[eE][-+]?\d+\Z"), list("-+.0123456789")
)


@dataclass(frozen=True)
class Document:
    """Plain values of a YAML file.

    Attributes:
        name: of the file.
        value: its content.
        lines: line number (from 1) of each entry, by its path of keys and positions.
    """

    name: str
    value: Any
    lines: dict[Path_, int]

    def place(self, path: Path_) -> str:
        """`grid.yaml, line 7: rules[0].where.mode`."""
        line = next((self.lines[path[:n]] for n in range(len(path), -1, -1) if path[:n] in self.lines), 1)
        text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")
        return f"{self.name}, line {line}" + (f": {text}" if text else "")

    def error(self, path: Path_, message: str, fix: str | None = None) -> GridFileError:
        """An error about an entry."""
        return GridFileError(f"{self.place(path)}: {message}", fix=fix)

    def mapping(self, value: Any, path: Path_, known: tuple[str, ...] = ()) -> dict[str, Any]:
        """The value, which must be a mapping with these keys alone (any text where none are named)."""
        if not isinstance(value, dict):
            raise self.error(path, f"expected `key: value` entries, found {_shown(value)}")
        for key in value:
            if not isinstance(key, str):
                raise self.error((*path, str(key)), f"expected a name, found {_shown(key)}")
            if known and key not in known:
                raise self.error((*path, key), unknown_name("key", key, known).message, f"one of: {', '.join(known)}")
        return value

    def items(self, value: Any, path: Path_) -> list[tuple[Any, Path_]]:
        """A list's entries with their paths; a single value counts as a list of one."""
        if isinstance(value, list):
            return [(item, (*path, position)) for position, item in enumerate(value)]
        return [(value, path)]


def read_document(path: Path) -> Document:
    """Read a YAML file of plain values.

    Raises:
        GridFileError: no such file, not YAML, or a key that stands twice in one place.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise GridFileError(f"{path} has more than 1 MiB: that is no grid file", fix="hf-ecg-bench grid SPEC.yaml")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise GridFileError(f"cannot read {path}: {reason}", fix="hf-ecg-bench grid SPEC.yaml --output-dir DIR") from (
            error
        )
    try:
        node = yaml.compose(text, Loader=_Loader)
        lines = dict(_lines(node, (), path.name)) if node is not None else {}
        return Document(path.name, yaml.load(text, Loader=_Loader), lines)
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark is not None else ""
        problem = getattr(error, "problem", None) or type(error).__name__
        raise GridFileError(f"{path.name}{where}: not YAML: {problem}") from error


def _lines(node: yaml.Node, path: Path_, name: str) -> Iterator[tuple[Path_, int]]:
    yield path, node.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode):
        for position, item in enumerate(node.value):
            yield from _lines(item, (*path, position), name)
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, item in node.value:
            text = str(key.value)
            if text in seen:
                line = key.start_mark.line + 1
                raise GridFileError(f"{name}, line {line}: the key {text!r} stands there twice", fix="keep one of them")
            seen.add(text)
            yield (*path, text), key.start_mark.line + 1
            for inner, line in _lines(item, (*path, text), name):
                if inner != (*path, text):
                    yield inner, line


def _shown(value: Any) -> str:
    return "nothing" if value is None else repr(value)[:60]

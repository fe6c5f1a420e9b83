"""What the options of a builder mean, read from the docstrings of its configuration."""

from __future__ import annotations

import inspect
import re
from dataclasses import MISSING, dataclass, fields
from typing import Any

from hf_ecg_bench.data.options import option_names

# "    name: text", then deeper lines that belong to it.
_ENTRY = re.compile(r"^ {4}(\w+): (.*)$")
_MORE = re.compile(r"^ {8}\s*(\S.*)$")


@dataclass(frozen=True)
class OptionDoc:
    """One option: its name, its default as the command line writes it, and one or two sentences."""

    name: str
    default: str
    meaning: str


def option_docs(config_class: type) -> list[OptionDoc]:
    """The options of a builder's configuration, those that only it has first.

    `limit` and `strict`, which are flags of the command, are left out.
    """
    meanings: dict[str, str] = {}
    for parent in reversed(config_class.__mro__):
        meanings |= _attributes(parent)
    own = inspect.get_annotations(config_class)
    defaults = {item.name: None if item.default is MISSING else item.default for item in fields(config_class)}
    docs = [OptionDoc(name, option_text(defaults[name]), meanings.get(name, "")) for name in option_names(config_class)]
    return sorted(docs, key=lambda doc: doc.name not in own)


def option_text(value: Any) -> str:
    """A value as `--option KEY=VALUE` takes it."""
    return str(value).lower() if value is None or isinstance(value, bool) else str(value)


def _attributes(documented: type) -> dict[str, str]:
    """The entries below `Attributes:` of a class's own docstring."""
    lines = iter(inspect.cleandoc(documented.__dict__.get("__doc__") or "").splitlines())
    found: dict[str, str] = {}
    name = None
    for line in lines:
        if line.strip() == "Attributes:":
            break
    for line in lines:
        if entry := _ENTRY.match(line):
            name = entry[1]
            found[name] = entry[2]
        elif name is not None and (more := _MORE.match(line)):
            found[name] += f" {more[1]}"
        elif line.strip():
            break
    return found

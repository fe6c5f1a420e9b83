"""Argument helpers that several verbs share."""

from __future__ import annotations

import argparse
import json
from typing import Any

from hf_ecg_bench.errors import EcgBenchError


def example(*lines: str) -> dict[str, Any]:
    """Keyword arguments of add_parser that end a verb's --help with examples."""
    return {
        "epilog": "examples:\n" + "\n".join("  " + line for line in lines),
        "formatter_class": argparse.RawDescriptionHelpFormatter,
    }


def key_values(pairs: list[str] | None, flag: str) -> dict[str, str]:
    """`["a=1", "b=x"]` as a dict; anything without `=` is a mistake."""
    result = {}
    for pair in pairs or []:
        key, separator, value = pair.partition("=")
        if not separator or not key:
            raise EcgBenchError(f"{flag} {pair!r}: expected KEY=VALUE")
        if key in result:
            raise EcgBenchError(f"{flag} {key} is given twice")
        result[key] = value
    return result


def typed(value: str) -> Any:
    """A number, true/false/null or a JSON list where the text is one, else the text itself."""
    try:
        return json.loads(value)
    except ValueError:
        return value

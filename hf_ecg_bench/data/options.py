"""`--option KEY=VALUE` as typed fields of a builder's configuration."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from hf_ecg_bench.data.build_files import NOT_OPTIONS
from hf_ecg_bench.errors import DataError, unknown_name

# The reference's spelling, as in the fixtures' `params`.
ALIASES = {"min_cnt": "min_count"}
_FLAGS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def option_names(config_class: type) -> list[str]:
    """Names that `--option` takes for a configuration class (`limit`, `metadata_only` and `strict` have flags of
    their own).
    """
    return [item.name for item in fields(config_class) if item.name not in {*NOT_OPTIONS, "limit", "metadata_only"}]


def parse_options(config_class: type, options: Mapping[str, str]) -> dict[str, Any]:
    """Values by field name, converted to the field's type.

    Raises:
        UnknownNameError: no such option; names close matches.
        DataError: a value of another type, or an option given twice under two names.
    """
    hints = get_type_hints(config_class)
    names = option_names(config_class)
    values: dict[str, Any] = {}
    for given, text in options.items():
        name = ALIASES.get(given, given) if ALIASES.get(given) in names else given
        if name not in names:
            raise unknown_name("option", given, names, fix=f"--option KEY=VALUE with one of: {', '.join(names)}")
        if name in values:
            raise DataError(f"option {name} is given twice")
        values[name] = _convert(name, text, hints[name])
    return values


def _convert(name: str, text: str, hint: Any) -> Any:
    origin = get_origin(hint)
    if origin is Literal:
        choices = get_args(hint)
        if text not in choices:
            raise DataError(f"option {name}={text!r}: expected {' or '.join(map(str, choices))}")
        return text
    if origin in (Union, types.UnionType):
        if text.lower() in ("none", ""):
            return None
        return _convert(name, text, next(item for item in get_args(hint) if item is not type(None)))
    if hint is bool:
        if text.lower() not in _FLAGS:
            raise DataError(f"option {name}={text!r}: expected true or false")
        return _FLAGS[text.lower()]
    try:
        return hint(text)
    except ValueError as error:
        kind = {"int": "a whole number", "float": "a number"}.get(hint.__name__, hint.__name__)
        raise DataError(f"option {name}={text!r}: expected {kind}") from error

"""`--option KEY=VALUE` as typed fields of a builder's configuration, and which values these may have."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from hf_ecg_bench.data.build_files import NOT_OPTIONS
from hf_ecg_bench.errors import DataError, unknown_name

# The reference's spelling, as in the fixtures' `params`.
ALIASES = {"min_cnt": "min_count"}
# Training, validation and test need a fold each.
MIN_FOLDS = 3
_SEEDS = 2**32
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


def check_values(config: Any) -> None:
    """Refuse values that no builder can use, also those given by a script.

    A choice is one of its choices, `limit` and `...min_count` are 1 or more, there are at least MIN_FOLDS folds, and a
    `..._seed` is one that NumPy's legacy generator takes.

    Raises:
        DataError: naming the option.
    """
    hints = get_type_hints(type(config))
    for name in (*option_names(type(config)), "limit"):
        value, hint = getattr(config, name), hints[name]
        parts = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
        if value is None and type(None) in parts:
            continue
        choices = next((get_args(part) for part in parts if get_origin(part) is Literal), None)
        least = 1 if name == "limit" or name.endswith("min_count") else MIN_FOLDS if name == "n_folds" else None
        if choices is not None and value not in choices:
            raise DataError(f"option {name}={value!r}: expected {_or(choices)}")
        if least is not None and (not isinstance(value, int) or value < least):
            raise DataError(f"option {name}={value!r}: expected a whole number, {least} or more")
        if name.endswith("_seed") and not (isinstance(value, int) and 0 <= value < _SEEDS):
            raise DataError(f"option {name}={value!r}: expected a whole number from 0 to {_SEEDS - 1}")


def _or(choices: tuple[Any, ...]) -> str:
    return " or ".join(map(str, choices))


def _convert(name: str, text: str, hint: Any) -> Any:
    origin = get_origin(hint)
    if origin is Literal:
        choices = get_args(hint)
        if text not in choices:
            raise DataError(f"option {name}={text!r}: expected {_or(choices)}")
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

"""Whether a value read from JSON has the shape of a type of `snapshot`."""

from __future__ import annotations

import types
import typing
from functools import cache
from typing import Any


class WrongShape(ValueError):
    """Says where, what was expected and what was found."""


@cache
def _fields(shape: Any) -> tuple[dict[str, Any], frozenset[str]]:
    # `__required_keys__` knows nothing of NotRequired where annotations are texts (PEP 563).
    hints = typing.get_type_hints(shape, include_extras=True)
    return hints, frozenset(name for name, hint in hints.items() if typing.get_origin(hint) is not typing.NotRequired)


def check(value: Any, shape: Any, where: str) -> None:
    """Raises WrongShape where the value is not as the type says; keys that the type does not know are let be."""
    origin = typing.get_origin(shape)
    if shape is Any:
        return
    if typing.is_typeddict(shape):
        _expect(isinstance(value, dict), where, "an object", value)
        hints, required = _fields(shape)
        for key in required - value.keys():
            raise WrongShape(f"{where}: `{key}` is missing")
        for key, hint in hints.items():
            if key in value:
                check(value[key], hint, f"{where}.{key}")
    elif origin is list:
        _expect(isinstance(value, list), where, "a list", value)
        (inner,) = typing.get_args(shape)
        plain = _plain(inner)
        for i, item in enumerate(value):
            if plain is None or type(item) not in plain:
                check(item, inner, f"{where}[{i}]")
    elif origin is dict:
        _expect(isinstance(value, dict), where, "an object", value)
        for key, item in value.items():
            check(item, typing.get_args(shape)[1], f"{where}.{key[:40]}")
    elif origin in (types.UnionType, typing.Union):
        _expect(type(value) in (int, float, types.NoneType), where, "a number or null", value)
    elif origin is typing.NotRequired:
        check(value, typing.get_args(shape)[0], where)
    else:
        right = type(value) is shape or (shape is float and type(value) is int)
        _expect(
            right, where, {str: "a text", int: "a whole number", bool: "true or false"}.get(shape, "a number"), value
        )


def _plain(shape: Any) -> tuple[type, ...] | None:
    """Types of an item that need no closer look; columns have ten thousand of them."""
    if shape in (str, int):
        return (shape,)
    if typing.get_origin(shape) in (types.UnionType, typing.Union):
        return (int, float, types.NoneType)
    return None


def _expect(right: bool, where: str, expected: str, found: Any) -> None:
    if not right:
        raise WrongShape(f"{where}: expected {expected}, found {str(found)[:60]!r}")

"""Texts of a stranger's result: plain, short, without markup and without what is private."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from hf_ecg_bench.hub.results.scrubbing import describe, scrub
from hf_ecg_bench.hub.submission.checks import Check, shown, verdict

LONGEST = 4_000
_DEEPEST = 40
_MARKUP = re.compile(r"<\s*[a-z/!?]|(?:javascript|vbscript|data)\s*:\s*\S*[(/;,]|&#", re.IGNORECASE)
_HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_NAME = re.compile(r"[\w][\w.+/ ,-]{0,100}", re.ASCII)
_FIX = "give the model or folder a plain name and run again"


def check_texts(result: dict[str, Any], *, submitted: bool) -> Iterator[Check]:
    """Every text in result.json, keys included; of a submitted one also that nothing private is left."""
    problems = [f"{where or 'a key'}: {problem}" for where, text in _texts(result, "") for problem in _problems(text)]
    yield verdict("texts", problems, expected=f"plain text of at most {LONGEST} characters, no markup", fix=_FIX)
    model = result.get("model")
    name = model.get("id") if isinstance(model, dict) else None
    names = {"model.id": name, **{key: result.get(key) for key in ("task", "mode", "protocol", "preprocessing")}}
    odd = [
        f"{key}: {shown(value)}"
        for key, value in names.items()
        if not (isinstance(value, str) and _NAME.fullmatch(value))
    ]
    yield verdict("names", odd, expected="names of letters, digits, - _ . +", fix=_FIX)
    if submitted:
        _, found = scrub(result, {})
        private = [describe(found)] if found else []
        yield verdict(
            "private texts",
            private,
            expected="no personal paths, hosts, mail addresses or tokens",
            fix="submit with: hf-ecg-bench submit RUN_FOLDER (it takes them out)",
        )


def _problems(text: str) -> Iterator[str]:
    if len(text) > LONGEST:
        yield f"{len(text):,} characters"
    if _MARKUP.search(text):
        yield f"markup in {shown(text)}"
    if _HIDDEN.search(text):
        yield f"control or invisible characters in {shown(text)}"


def _texts(value: Any, where: str, depth: int = 0) -> Iterator[tuple[str, str]]:
    if depth > _DEEPEST:
        yield where[:80], "x" * (LONGEST + 1)  # nested like this it is nobody's result
    elif isinstance(value, dict):
        for key, item in value.items():
            yield where, str(key)
            yield from _texts(item, f"{where}.{shown(key)}" if where else shown(key), depth + 1)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item, where, depth + 1)
    elif isinstance(value, str):
        yield where, value

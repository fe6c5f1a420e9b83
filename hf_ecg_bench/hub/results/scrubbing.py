"""Taking out of texts what is nobody's business: personal paths, hosts, mail addresses, tokens. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

# Keys that name a person or a machine and nothing that a result needs.
_PRIVATE_KEYS = frozenset({"host", "hostname", "node", "nodename", "user", "username", "login", "cwd", "home", "email"})
_TOKENS = (
    re.compile(r"\b(?:hf|api_org)_[A-Za-z0-9]{8,}"),
    re.compile(
        r"\b(?:gh[opsu]_[A-Za-z0-9]{16,}|github_pat_\w{16,}|sk-[\w-]{16,}|AKIA[A-Z0-9]{12,}|xox[a-z]-[\w-]{8,})"
    ),
    re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]+"),
    re.compile(r"(?<=Bearer )\S+", re.IGNORECASE),
    re.compile(r"(?<=://)[^\s/@]+:[^\s/@]+(?=@)"),
)
# `--token VALUE`, `HF_TOKEN=VALUE`, `password: VALUE`; what an earlier pattern has taken out is not taken again.
_NAMED = re.compile(
    r"(?P<name>(?:token|password|passwd|secret|api[_-]?key)(?:\s*[=:]\s*)|--?[\w-]*(?:token|password|secret|key)\s+)"
    r"(?!\[token\])[^\s\"'`,;]+",
    re.IGNORECASE,
)
_MAIL = re.compile(r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b")
_STOP = r"\s\"'`,;|<>()\[\]"
_PATHS = (
    re.compile(
        r"(?P<quote>[\"'])(?:/|[A-Za-z]:\\|\\\\)[^\"'\n]+[/\\][^\"'\n]*(?P=quote)"
    ),  # quoted ones may hold spaces
    re.compile(r"file://[^" + _STOP + "]+"),
    # Not the path of an address (https://host/path), nor a part of a relative one. `\ ` is a space in a command.
    re.compile(r"(?<![\w.:/~\]-])/(?:(?:\\ |[^/" + _STOP + r"])+/)+(?:\\ |[^/" + _STOP + "])*"),
    re.compile(r"(?<!\w)(?:[A-Za-z]:\\|\\\\)[^" + _STOP + "]+"),
)
# Where every Linux machine keeps the same things; nobody can be told by them.
_SYSTEM = ("/sys/", "/proc/", "/dev/")
_SEPARATORS = re.compile(r"[/\\]+")


@dataclass(frozen=True)
class Scrubbed:
    """Something taken out: where (`environment.command`) and what it was (`path`, `token`, `host`, `mail`)."""

    where: str
    what: str


def scrub(value: Any, known: Mapping[str, str]) -> tuple[Any, list[Scrubbed]]:
    """The JSON value without private texts, and what was taken out.

    Absolute paths keep their last part (or what follows `ecg-bench/`), so that a reader still sees what was meant.

    Args:
        known: private text of this machine (token, home folder, host name) -> what it is.
    """
    found: list[Scrubbed] = []
    return _walk(value, "", known, found), found


def scrub_text(text: str, known: Mapping[str, str], where: str = "") -> tuple[str, list[Scrubbed]]:
    """One text without what is private, and what was taken out."""
    found: list[Scrubbed] = []
    for private, what in sorted(known.items(), key=lambda item: -len(item[0])):
        if private and what == "token":
            text = _replace(re.compile(re.escape(private)), "[token]", text, where, "token", found)
    for pattern in _TOKENS:
        text = _replace(pattern, "[token]", text, where, "token", found)
    text = _replace(_NAMED, r"\g<name>[token]", text, where, "token", found)
    for private, what in known.items():
        if private and what == "host":
            text = _replace(
                re.compile(rf"(?<![\w.-]){re.escape(private)}(?![\w-])"), "[host]", text, where, what, found
            )
    for pattern in _PATHS:
        text = pattern.sub(lambda match: _shorten(match, where, found), text)
    for private, what in known.items():  # what no pattern knew as a path
        if private and what == "path":
            text = _replace(re.compile(re.escape(private) + r"(?![\w.-])"), "[path]", text, where, what, found)
    return _replace(_MAIL, "[mail]", text, where, "mail", found), found


def describe(found: Iterable[Scrubbed]) -> str:
    """`2 paths (dataset.source, environment.command), 1 token (environment.command)`; empty for nothing."""
    places: dict[str, dict[str, int]] = {}
    for item in found:
        counts = places.setdefault(item.what, {})
        counts[item.where] = counts.get(item.where, 0) + 1
    return ", ".join(
        f"{sum(counts.values())} {what}{'s' if sum(counts.values()) > 1 else ''} ({', '.join(sorted(counts))})"
        for what, counts in sorted(places.items())
    )


def _walk(value: Any, where: str, known: Mapping[str, str], found: list[Scrubbed]) -> Any:
    if isinstance(value, dict):
        result = {}
        for key, item in value.items():
            place = f"{where}.{key}" if where else str(key)
            if str(key).lower() in _PRIVATE_KEYS and isinstance(item, str) and item:
                found.append(Scrubbed(place, "host"))
                item = "[private]"
            clean, more = scrub_text(str(key), known, where)
            found += more
            result[clean] = _walk(item, place, known, found)
        return result
    if isinstance(value, list | tuple):
        return [_walk(item, where, known, found) for item in value]
    if isinstance(value, str):
        text, more = scrub_text(value, known, where)
        found += more
        return text
    return value


def _replace(pattern: re.Pattern[str], by: str, text: str, where: str, what: str, found: list[Scrubbed]) -> str:
    def replaced(match: re.Match[str]) -> str:
        found.append(Scrubbed(where, what))
        return match.expand(by)

    return pattern.sub(replaced, text)


def _shorten(match: re.Match[str], where: str, found: list[Scrubbed]) -> str:
    whole = match.group()
    if whole.startswith(_SYSTEM):
        return whole
    quote = whole[0] if whole[0] in "\"'" else ""
    parts = [part for part in _SEPARATORS.split(whole.strip("\"'").removeprefix("file://")) if part]
    found.append(Scrubbed(where, "path"))
    if "ecg-bench" in parts[:-1]:
        return quote + "/".join(parts[parts.index("ecg-bench") :]) + quote
    return f"{quote}[path]/{parts[-1]}{quote}" if len(parts) > 1 else f"{quote}[path]{quote}"

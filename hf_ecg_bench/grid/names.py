"""Names with `*` and suites, expanded; values in lists."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from hf_ecg_bench.errors import unknown_name
from hf_ecg_bench.tasks import SUITES, get_suite, list_tasks

SUITE = "suite:"


def expand_names(kind: str, patterns: Iterable[str], known: Sequence[str]) -> tuple[str, ...]:
    """The known names that the patterns mean, in their order, each once.

    Raises:
        UnknownNameError: a pattern that matches none, with close matches.
    """
    found: list[str] = []
    for pattern in patterns:
        matching = matching_names(pattern, known)
        if not matching:
            raise unknown_name(kind, pattern, known)
        found += matching
    return tuple(dict.fromkeys(found))


def expand_tasks(patterns: Iterable[str]) -> tuple[str, ...]:
    """Tasks by id, with `*`, or by suite (`suite:headline`, `headline`); in the order of the patterns, each once.

    Raises:
        UnknownNameError: neither a task nor a suite.
    """
    found: list[str] = []
    for pattern in patterns:
        if pattern.startswith(SUITE):
            found += get_suite(pattern.removeprefix(SUITE)).tasks
        elif pattern in SUITES:
            found += SUITES[pattern].tasks
        else:
            matching = matching_names(pattern, list_tasks())
            if not matching:
                raise unknown_name("task or suite", pattern, [*list_tasks(), *SUITES], fix="hf-ecg-bench list tasks")
            found += matching
    return tuple(dict.fromkeys(found))


def matching_names(pattern: str, known: Iterable[str]) -> list[str]:
    """Those that the pattern means: itself, or all that match where it has a wildcard."""
    return [name for name in known if fnmatchcase(name, pattern)]


def is_task_match(pattern: str, task: str) -> bool:
    """Whether a task pattern (id, `*`, suite) means the task."""
    suite = pattern.removeprefix(SUITE)
    if pattern.startswith(SUITE) or suite in SUITES:
        return suite in SUITES and task in SUITES[suite].tasks
    return fnmatchcase(task, pattern)

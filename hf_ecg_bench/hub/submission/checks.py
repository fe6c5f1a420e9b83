"""One check of a submission, and the report of all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from hf_ecg_bench.errors import EcgBenchError


@dataclass(frozen=True)
class Check:
    """What was looked at.

    Attributes:
        name: of the check (`metrics`).
        passed: None where it could not be made here; `found` says why.
        expected, found: in words.
        fix: what mends it; empty where it passed.
    """

    name: str
    passed: bool | None
    expected: str = ""
    found: str = ""
    fix: str = ""

    @property
    def state(self) -> str:
        """`passed`, `failed` or `not checked`."""
        return {True: "passed", False: "failed", None: "not checked"}[self.passed]


@dataclass(frozen=True)
class Report:
    """The checks of one run folder, in the order in which they were made."""

    folder: str
    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Whether nothing failed. What could not be checked is no failure, but is said."""
        return all(check.passed is not False for check in self.checks)

    @property
    def failed(self) -> tuple[Check, ...]:
        return tuple(check for check in self.checks if check.passed is False)

    def to_dict(self) -> dict[str, Any]:
        """For JSON: {folder, passed, checks: [{name, state, passed, expected, found, fix}]}."""
        checks = [{"state": check.state, **asdict(check)} for check in self.checks]
        return {"folder": self.folder, "passed": self.passed, "checks": checks}


def shown(value: object, length: int = 60) -> str:
    """A stranger's text for a message: in ASCII, escaped, cut."""
    return ascii(str(value))[1:-1][:length]


def passed(name: str, found: str = "") -> Check:
    """A check with nothing to complain about."""
    return Check(name, True, found=found)


def verdict(name: str, problems: Iterable[str], *, expected: str, fix: str, found: str = "") -> Check:
    """Failed with the first problems, passed where there is none."""
    listed = list(problems)
    if not listed:
        return Check(name, True, expected, found)
    more = f" and {len(listed) - 3} more" if len(listed) > 3 else ""
    return Check(name, False, expected, "; ".join(listed[:3]) + more, fix)


def guarded(name: str, check: Callable[[], Iterable[Check]]) -> Iterator[Check]:
    """The checks of a function; an error of ours inside is a failed check by that name."""
    try:
        yield from check()
    except EcgBenchError as error:
        yield Check(name, False, "what `run` writes", error.message, error.fix or "run it again and submit that")

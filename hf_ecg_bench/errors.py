"""Errors a user can mend: what is wrong, where, what was expected, and the command that fixes it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

# A list of names longer than this helps nobody in a message.
_MANY_NAMES = 40


class EcgBenchError(Exception):
    """A user's mistake or unusable input. The command line prints it in one or two lines and exits with 2.

    `message` says what, where, expected and found; `fix` is the command or step that mends it.
    """

    def __init__(self, message: str, *, fix: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.message}\n  fix: {self.fix}" if self.fix else self.message


class UnknownNameError(EcgBenchError):
    """A dataset, task, model, mode or option name that does not exist."""


class DataError(EcgBenchError):
    """Raw or prepared data that cannot be used as asked."""


class ContractError(EcgBenchError):
    """A dataset's signals cannot be turned into what a model needs."""


class CheckpointError(EcgBenchError):
    """A checkpoint that is not what it is said to be."""


class DownloadError(EcgBenchError):
    """A file that could not be fetched, or is not the file it should be."""


class TrainingError(EcgBenchError):
    """A run that cannot start or go on."""


class DivergedError(TrainingError):
    """A training whose loss or outputs are no longer finite numbers."""


class PredictionsError(EcgBenchError):
    """A file of predictions or results that cannot be read or scored."""


def unknown_name(kind: str, name: str, known: Iterable[str], *, fix: str | None = None) -> UnknownNameError:
    """An error that names close matches: `unknown task 'ptbxl_supper'; did you mean 'ptbxl_super'?`"""
    choices = sorted(known)
    folded = {choice.lower().replace("-", "_"): choice for choice in choices}
    close = difflib.get_close_matches(name.lower().replace("-", "_"), list(folded), n=3, cutoff=0.5)
    if close:
        hint = "did you mean " + " or ".join(repr(folded[match]) for match in close) + "?"
    else:
        hint = "known: " + some(choices, _MANY_NAMES)
    return UnknownNameError(f"unknown {kind} {name!r}; {hint}", fix=fix)


def first_line(error: BaseException) -> str:
    """What an error says, in one line for a message; its class where it says nothing."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


def some(names: Iterable[str], number: int = 8) -> str:
    """The first names of a list for a message: `a, b and 3 more`; `none` where there are none."""
    listed = list(names)
    more = f" and {len(listed) - number} more" if len(listed) > number else ""
    return (", ".join(listed[:number]) or "none") + more

"""Why a cell failed, kept beside its run."""

from __future__ import annotations

import hashlib
import json
import time
import traceback
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hf_ecg_bench.errors import EcgBenchError, first_line
from hf_ecg_bench.files import dumps_json, write_json
from hf_ecg_bench.grid.folder import FAILURE

_TAIL = 20  # lines of a traceback


@dataclass(frozen=True)
class Failure:
    """A start of a cell that ended with an error.

    Attributes:
        kind: class of the error.
        message: in one line or few.
        fix: what mends it, where that is known.
        is_mistake: whether it is the user's to mend (exit code 2), or a fault (1).
        when: seconds since 1970; command: the `run` that does the same.
        identity: digest of what was run: another specification has not failed.
        traceback: its last lines.
    """

    kind: str
    message: str
    fix: str = ""
    is_mistake: bool = False
    when: float = 0.0
    command: str = ""
    identity: str = ""
    traceback: tuple[str, ...] = ()


def failure_of(error: BaseException, command: str, identity: str) -> Failure:
    """What to keep of an error."""
    known = isinstance(error, EcgBenchError)
    lines = "".join(traceback.format_exception(error)).strip().splitlines()[-_TAIL:]
    message = error.message if isinstance(error, EcgBenchError) else first_line(error)
    fix = error.fix or "" if isinstance(error, EcgBenchError) else ""
    return Failure(type(error).__name__, message[:2000], fix, known, time.time(), command, identity, tuple(lines))


def identity_digest(identity: dict[str, Any]) -> str:
    """Hexadecimal SHA-256 of a run's identity."""
    text = json.dumps(json.loads(dumps_json(identity)), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def write_failure(folder: Path, failure: Failure) -> None:
    """Keep it, instead of an earlier one."""
    write_json(folder / FAILURE, asdict(failure))


def read_failure(folder: Path) -> Failure | None:
    """The cell's failure; None where there is none that can be read."""
    try:
        raw = json.loads((folder / FAILURE).read_text(encoding="utf-8"))
        return Failure(**{**raw, "traceback": tuple(raw["traceback"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None

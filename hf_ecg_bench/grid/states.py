"""What state a cell is in: one pure function of what is known about it."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, fields
from typing import Any, Literal

from hf_ecg_bench.errors import some
from hf_ecg_bench.grid.failures import Failure
from hf_ecg_bench.grid.inputs import UNKNOWN
from hf_ecg_bench.training.protocol import Protocol
from hf_ecg_bench.training.spec import RunSpec

State = Literal["done", "running", "queued", "failed", "stale", "missing"]
STATES: tuple[State, ...] = ("done", "running", "queued", "failed", "stale", "missing")

# What of an input's identity its digest makes unimportant: the same bytes under another path.
_PATHS = {"data": "dataset", "model": "model"}


@dataclass(frozen=True)
class Known:
    """What the files say about a cell.

    Attributes:
        result: `whole`, `damaged` (with the reason in `damage`) or `none`.
        started: the content of its run.json without the versions; None where there is none.
        live: whether a process computes it.
        queued: whether SLURM was asked to.
        failure: of its last start.
        pending: further tests that were asked for and are not there.
        epochs: (finished, of how many) of a run that was begun, as far as it has checkpoints.
    """

    result: Literal["whole", "damaged", "none"] = "none"
    damage: str = ""
    started: dict[str, Any] | None = None
    live: bool = False
    queued: bool = False
    failure: Failure | None = None
    pending: tuple[str, ...] = ()
    epochs: tuple[int, int] | None = None


@dataclass(frozen=True)
class CellState:
    """A state and why, in words."""

    state: State
    reason: str = ""


def state_of(expected: dict[str, Any], failure_identity: str, known: Known) -> CellState:
    """The state of a cell.

    A live process goes before everything; then what is there must be what is asked for (else it is stale); a result is
    done when all further tests are there; a failure counts for the specification that failed, no other one.

    Args:
        expected: what the run's run.json should say (`inputs.expected_identity`), as JSON values.
        failure_identity: digest under which a failure of this specification was noted.
    """
    if known.live:
        return CellState("running")
    if known.queued:
        return CellState("queued", "waits for SLURM")
    if known.result == "damaged":
        return CellState("stale", known.damage)
    if known.result == "whole" and known.started is None:
        return CellState("stale", "no run.json says what was run")
    if known.started is not None:
        differing = differences(known.started, expected, finished=known.result == "whole")
        if differing:
            return CellState("stale", some(differing, 3))
    failed = known.failure is not None and known.failure.identity == failure_identity
    if known.result == "whole" and not known.pending:
        return CellState("done")
    if failed and known.failure is not None:
        return CellState("failed", f"{known.failure.kind}: {known.failure.message}")
    if known.result == "whole":
        return CellState("missing", f"still to be tested: {some(known.pending, 3)}")
    if known.started is not None:
        at = f" from epoch {known.epochs[0]} of {known.epochs[1]}" if known.epochs else ""
        return CellState("missing", f"begun, goes on{at}")
    return CellState("missing")


def differences(there: dict[str, Any], here: dict[str, Any], *, finished: bool = True) -> list[str]:
    """In what a stored identity is not the expected one, in words.

    What this version adds at its default is no difference, nor are inputs of which nothing is known. Of a finished run
    the same inputs may lie elsewhere; an unfinished one is not gone on with by `run` then.
    """
    found: list[str] = []
    inputs_there, inputs_here = there.get("inputs") or {}, here.get("inputs") or {}
    for key in sorted((there.keys() | here.keys()) - {"inputs"}):
        if key == "hyperparameters":
            found += _compared(there.get(key) or {}, here.get(key) or {}, _PROTOCOL_DEFAULTS)
            continue
        digest = _PATHS.get(key)
        if finished and digest and inputs_here.get(digest) and inputs_here.get(digest) == inputs_there.get(digest):
            continue
        found += _compared({key: there[key]} if key in there else {}, {key: here.get(key)}, _RUN_DEFAULTS)
    for key in sorted(inputs_there.keys() | inputs_here.keys()):
        old, new = inputs_there.get(key), inputs_here.get(key)
        if old != new and UNKNOWN not in (old, new):
            found.append(f"its {key} {_changed(old, new)}")
    return found


def _changed(old: Any, new: Any) -> str:
    if new is None:
        return f"was a prepared folder or weights with digest {str(old)[:12]}, which are not there now"
    return f"is another one now (digest {str(new)[:12]}, then {str(old)[:12] if old else 'none'})"


def _compared(there: dict[str, Any], here: dict[str, Any], defaults: dict[str, Any]) -> list[str]:
    found = []
    for key in sorted(there.keys() | here.keys()):
        old, new = there.get(key), here.get(key)
        new_at_default = key not in there and key in defaults and _plain(defaults[key]) == new
        if old != new and not new_at_default:
            found.append(f"{key} was {old!r}, is {new!r}"[:160])
    return found


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _defaults(declared: type) -> dict[str, Any]:
    found = {}
    for item in fields(declared):
        if item.default is not MISSING:
            found[item.name] = item.default
        elif item.default_factory is not MISSING:
            found[item.name] = item.default_factory()
    return found


_RUN_DEFAULTS = _defaults(RunSpec)
_PROTOCOL_DEFAULTS = _defaults(Protocol)

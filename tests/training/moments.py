"""What a child of the zygote does: a command of the command line, ended at one of its moments.

A moment is the time before or after a file is moved into place, a tensor file is written (and half of it), a folder
deleted, an optimizer step made or a batch predicted. Their order is that of the program, so that a number names one.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HALF = "half of"


class Moments:
    """Counts moments; at the given one, a number or `phase: what`, the process gets the signal."""

    def __init__(self, die_at: int | str | None, number: int, journal: str | None) -> None:
        self.count, self.die_at, self.number, self.journal = 0, die_at, number, journal
        self.phase = "start"

    def __call__(self, what: str) -> bool:
        """One more moment; returns whether it is the one to die at, where the caller does it."""
        if self.journal is not None:
            with open(self.journal, "a", encoding="utf-8") as handle:
                handle.write(json.dumps([self.phase, what]) + "\n")
        self.count += 1
        if self.die_at in (self.count - 1, f"{self.phase}: {what}"):
            if what.startswith(HALF) and self.number == signal.SIGKILL:
                return True
            os.kill(os.getpid(), self.number)
        return False

    def around(self, owner: Any, name: str, half: Callable[..., Any] | None = None) -> None:
        """Make a function's calls moments. `half`: the path that a call writes, of which only half may get there."""
        original = getattr(owner, name)

        def patched(*args: Any, **kwargs: Any) -> Any:
            self(f"before {name}")
            result = original(*args, **kwargs)
            if half is not None and self(f"{HALF} {name}"):
                path = Path(half(*args, **kwargs))
                os.truncate(path, path.stat().st_size // 2)
                os.kill(os.getpid(), signal.SIGKILL)
            self(f"after {name}")
            return result

        setattr(owner, name, patched)


def command(
    arguments: list[str],
    die_at: int | str | None = None,
    number: int = signal.SIGKILL,
    journal: str | None = None,
    victim: int = 0,
) -> int:
    """Run it as the command line does; returns the exit code. Of a launch's processes only `victim` is ended."""
    import safetensors.torch
    import torch

    from hf_ecg_bench.cli.main import main
    from hf_ecg_bench.training.costs.phases import PHASES, Phases
    from hf_ecg_bench.training.loop import resumable

    torch.set_num_threads(1)
    mine = int(os.environ.get("RANK", "0")) == victim
    moments = Moments(die_at if mine else None, number, journal if mine else None)
    moments.around(os, "replace")
    moments.around(os, "rename")
    moments.around(shutil, "rmtree")
    moments.around(torch, "save", half=lambda value, path, *rest: path)
    moments.around(safetensors.torch, "serialize_file", half=lambda tensors, path, *rest, **more: path)
    moments.around(torch.optim.AdamW, "step")
    moments.around(resumable.ResumableTrainer, "prediction_step")
    enter = Phases.__call__

    @contextmanager
    def phase(self: Phases, name: str) -> Iterator[None]:
        outside, moments.phase = moments.phase, name
        with enter(self, name):
            yield
        moments.phase = outside if outside in PHASES else f"after {name}"

    Phases.__call__ = phase  # type: ignore[method-assign, assignment]
    return main(arguments)

"""One run: records of a task into a model, the best epoch onto the test records, a scored result onto disk."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from hf_ecg_bench.errors import EcgBenchError
from hf_ecg_bench.files import explain_os_errors
from hf_ecg_bench.results.schema import RESULT_FILE, Result
from hf_ecg_bench.tasks import get_task
from hf_ecg_bench.training.digests import input_digests
from hf_ecg_bench.training.modes import get_mode
from hf_ecg_bench.training.spec import RunSpec
from hf_ecg_bench.training.state import CHECKPOINTS, claim, only_one, release

Say = Callable[[str], None]


def _say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


def _silent(message: str) -> None:
    """The other processes of a launch say nothing."""


def run(spec: RunSpec, say: Say = _say, *, command: str | None = None) -> Result:
    """Train, select, test and write the run's files into `spec.output_dir`, the result last.

    A killed run goes on from its last complete checkpoint; a finished one is returned as it is.

    Args:
        spec: what to run.
        say: receives the lines a user should see (the conversion plan, what was left out, each epoch).
        command: the command line that started the run, for the result.

    Raises:
        UnknownNameError, DataError, ContractError, CheckpointError, TrainingError: with the step that mends it.
    """
    task, _ = get_task(spec.task), get_mode(spec.mode)  # a wrong name is said before anything is touched
    inputs = input_digests(spec, task.dataset)
    folder = Path(spec.output_dir)
    main = int(os.environ.get("RANK", "0")) == 0
    with only_one(folder) if main else nullcontext():
        new = main and claim(folder, {**spec.identity(), "inputs": inputs})
        _wait_for_all()
        if (folder / RESULT_FILE).exists():
            if main:
                say(
                    f"{folder} holds the finished result of this run: nothing to do (another run, another --output-dir)"
                )
            return Result.load(folder)
        try:
            # Torch and transformers are imported here: a wrong name or a finished run should answer at once.
            from hf_ecg_bench.training.experiment import execute

            with _explain_full_disk(folder):
                result = execute(spec, inputs, say if main else _silent, write=main, command=command)
        except BaseException:
            if new:
                release(folder)
            raise
        _wait_for_all()
        if main:
            result.save(folder)
            shutil.rmtree(folder / CHECKPOINTS, ignore_errors=True)
    return result


@contextmanager
def _explain_full_disk(folder: Path) -> Iterator[None]:
    """Checkpoints are written by libraries that wrap the operating system's error in their own."""
    from safetensors import SafetensorError

    with explain_os_errors(folder):
        try:
            yield
        except (SafetensorError, RuntimeError) as error:
            text = str(error)
            if "No space left" in text or "PytorchStreamWriter failed" in text or "unexpected pos" in text:
                raise EcgBenchError(
                    f"cannot write a checkpoint below {folder}: no space left on the device",
                    fix=f"free some space (df -h {folder}) and start the same command again: it goes on",
                ) from error
            raise


def _wait_for_all() -> None:
    """All processes of a launch meet here; nothing to wait for with one."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        from accelerate import PartialState

        PartialState().wait_for_everyone()

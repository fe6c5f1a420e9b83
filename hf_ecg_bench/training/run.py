"""One run: records of a task into a model, the best epoch onto the test records, a scored result onto disk."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from hf_ecg_bench.files import explain_os_errors
from hf_ecg_bench.results.schema import RESULT_FILE, Result
from hf_ecg_bench.tasks import get_task
from hf_ecg_bench.training.inputs import input_digests
from hf_ecg_bench.training.modes import get_mode
from hf_ecg_bench.training.spec import RunSpec
from hf_ecg_bench.training.state import CHECKPOINTS, claim, release

Say = Callable[[str], None]


def _say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


def _silent(message: str) -> None:
    """The other processes of a launch say nothing."""


def run(spec: RunSpec, say: Say = _say) -> Result:
    """Train, select, test and write the run's files into `spec.output_dir`, the result last.

    A killed run goes on from its last complete checkpoint; a finished one is returned as it is.

    Args:
        spec: what to run.
        say: receives the lines a user should see (the conversion plan, what was left out, where the result is).

    Raises:
        UnknownNameError, DataError, ContractError, CheckpointError, TrainingError: with the step that mends it.
    """
    task, _ = get_task(spec.task), get_mode(spec.mode)  # a wrong name is said before anything is touched
    inputs = input_digests(spec, task.dataset)
    folder = Path(spec.output_dir)
    main = int(os.environ.get("RANK", "0")) == 0
    state = claim(folder, {**spec.identity(), "inputs": inputs}) if main else "started"
    wait_for_all()
    if (folder / RESULT_FILE).exists():
        if main:
            say(f"{folder} holds the finished result of this run: nothing to do (another run, another --output-dir)")
        return Result.load(folder)
    try:
        # Torch and transformers are imported here: a wrong name or a finished run should answer at once.
        from hf_ecg_bench.training.experiment import execute

        with explain_os_errors(folder):
            result = execute(spec, inputs, say if main else _silent, write=main)
    except BaseException:
        if state == "new" and not (folder / CHECKPOINTS).exists():
            release(folder)
        raise
    if main:
        result.save(folder)
        shutil.rmtree(folder / CHECKPOINTS, ignore_errors=True)
    wait_for_all()
    return result


def wait_for_all() -> None:
    """All processes of a launch meet here; nothing to wait for with one."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        from accelerate import PartialState

        PartialState().wait_for_everyone()

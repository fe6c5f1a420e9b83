"""One run: records of a task into a model, the best epoch onto the test records, a scored result onto disk."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from hf_ecg_bench.errors import EcgBenchError
from hf_ecg_bench.files import explain_os_errors
from hf_ecg_bench.results.schema import RESULT_FILE, Result
from hf_ecg_bench.saying import Say, silent, to_stderr
from hf_ecg_bench.tasks import get_task
from hf_ecg_bench.training.digests import input_digests
from hf_ecg_bench.training.modes import get_mode
from hf_ecg_bench.training.spec import RunSpec
from hf_ecg_bench.training.surviving.processes import explain_lost_processes, is_main, on_main, wait_for_all
from hf_ecg_bench.training.surviving.state import CHECKPOINTS, Claim, claim, only_one, release, remove_leftovers

# What libraries make of it: safetensors, and three layers of torch's writer.
_FULL_DISK = ("No space left", "PytorchStreamWriter failed", "unexpected pos", "iostream error")


def run(spec: RunSpec, say: Say = to_stderr, *, command: str | None = None) -> Result:
    """Train, select, test and write the run's files into `spec.output_dir`, the result last.

    A killed run goes on from its last complete checkpoint; a finished one is returned as it is, after the tests on
    other datasets and disturbed signals that are asked for and not there yet.

    Args:
        spec: what to run.
        say: receives the lines a user should see (the conversion plan, what was left out, each epoch).
        command: the command line that started the run, for the result.

    Raises:
        UnknownNameError, DataError, ContractError, CheckpointError, TrainingError: with the step that mends it.
    """
    task, _ = get_task(spec.task), get_mode(spec.mode)  # a wrong name is said before anything is touched
    folder = Path(spec.output_dir)
    say = say if is_main() else silent
    further = bool(spec.evaluate_on or spec.perturb)
    if further:
        from hf_ecg_bench.robustness.evaluations import check_wanted, evaluate_finished

        check_wanted(spec, task)
    with explain_lost_processes(), ExitStack() as while_running:

        def start() -> tuple[dict[str, str | None], Claim]:
            digests = input_digests(spec, task.dataset)
            while_running.enter_context(only_one(folder))
            remove_leftovers(folder)
            return digests, claim(folder, {**spec.identity(), "inputs": digests})

        digests, claimed = on_main(start)
        if (folder / RESULT_FILE).exists():
            result = Result.load(folder)
            if further and is_main():
                evaluate_finished(spec, result, say)
            else:
                say(
                    f"{folder} holds the finished result of this run: nothing to do (another run, another --output-dir)"
                )
            return result
        for line in claimed.notes:
            say(line)
        try:
            # Torch and transformers are imported here: a wrong name or a finished run should answer at once.
            from hf_ecg_bench.training.experiment import execute

            with _explain_full_disk(folder):
                result = execute(spec, digests, say, write=is_main(), command=command)
        except BaseException:
            if claimed.new and is_main():
                release(folder)
            raise
        wait_for_all()
        if is_main():
            result.save(folder)
            shutil.rmtree(folder / CHECKPOINTS, ignore_errors=True)
            if further:
                evaluate_finished(spec, result, say)
    return result


@contextmanager
def _explain_full_disk(folder: Path) -> Iterator[None]:
    """Checkpoints are written by libraries that wrap the operating system's error in their own."""
    from safetensors import SafetensorError

    with explain_os_errors(folder):
        try:
            yield
        except (SafetensorError, RuntimeError) as error:
            if any(words in str(error) for words in _FULL_DISK):
                raise EcgBenchError(
                    f"cannot write a checkpoint below {folder}: no space left on the device",
                    fix=f"free some space (df -h {folder}) and start the same command again: it goes on",
                ) from error
            raise

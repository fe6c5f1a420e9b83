"""A Trainer that can be ended at any moment and goes on to the same numbers: what transformers leaves open.

Its own resuming is exact at the end of an epoch only, takes folders that were not finished for checkpoints, forgets
the best epoch when the run's folder was moved, and with several processes starts a half-done epoch in another order.
"""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import Any

import torch
from accelerate.utils.memory import clear_device_cache
from torch.nn.modules.batchnorm import _BatchNorm
from transformers import Trainer, TrainerCallback

from hf_ecg_bench.errors import TrainingError
from hf_ecg_bench.saying import Say, silent
from hf_ecg_bench.stopping import at_a_step, stop, stop_requested
from hf_ecg_bench.training.loop.batches import Batch, EpochSampler
from hf_ecg_bench.training.loop.divergence import Names, check_losses
from hf_ecg_bench.training.loop.snapshots import restore_tuned, tuned_tensors
from hf_ecg_bench.training.loop.wrappers import unwrapped
from hf_ecg_bench.training.surviving import checkpoints
from hf_ecg_bench.training.surviving.memory import (
    is_out_of_memory,
    remember_sizes,
    remembered_sizes,
    smaller_accumulation,
    with_less_memory,
)


class ResumableTrainer(Trainer):
    """Checkpoints that are whole or do not count; stops at a step; says which records made the loss NaN.

    Attributes:
        say: receives the lines a user should see.
        names: ids of training records from their positions, for messages.
        reduced: sizes that had to be reduced for lack of memory.
    """

    say: Say = staticmethod(silent)
    names: Names = staticmethod(lambda positions: [str(position) for position in positions])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.reduced: dict[str, int] = {}
        self._samplers: list[EpochSampler] = []
        self._batches: list[Batch] = []
        self._losses: list[torch.Tensor] = []
        self._votes: _Votes | None = None
        self._resumed_from: Path | None = None
        super().__init__(*args, **kwargs)
        self.add_callback(_Hooks(self))

    @property
    def _folder(self) -> Path:
        return Path(str(self.args.output_dir))

    # ---- from start to end ----------------------------------------------------------------------------------------

    def fit(self) -> bool:
        """Train, from the last whole checkpoint if there is one, and end with the best epoch's weights.

        Returns:
            Whether an earlier start was gone on with.

        Raises:
            TrainingError: the loss became NaN, or one record at a time is too much for the memory.
        """
        assert self.model is not None
        weights, random = tuned_tensors(self.model), torch.get_rng_state()
        on_devices = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
        for name, size in remembered_sizes(self._folder, self.args.world_size).items():
            self._reduce(name, size)
        checkpoint = self._last_checkpoint()
        resumed = checkpoint is not None
        while True:
            try:
                if checkpoint is not None:
                    self._before_resuming(checkpoint)
                with at_a_step():
                    self.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
                return resumed
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                self._shrink_or_raise(error)
            # Outside of the except block: the error holds the tensors of the failed step.
            self.optimizer = self.lr_scheduler = None
            self.model_wrapped = self.model = unwrapped(self.model)
            self.model.zero_grad()
            self._batches, self._losses = [], []
            clear_device_cache(garbage_collection=True)
            checkpoint = self._last_checkpoint()
            if checkpoint is None:
                restore_tuned(self.model, weights)
                torch.set_rng_state(random)
                if on_devices:
                    torch.cuda.set_rng_state_all(on_devices)

    def _before_resuming(self, checkpoint: Path) -> None:
        """For subclasses: the training that goes on from `checkpoint` may have had its last epoch."""

    def train(self, resume_from_checkpoint: Any = None, *args: Any, **kwargs: Any) -> Any:
        """As in the Trainer."""
        self._resumed_from = Path(resume_from_checkpoint) if isinstance(resume_from_checkpoint, str) else None
        return super().train(resume_from_checkpoint, *args, **kwargs)

    def _last_checkpoint(self) -> Path | None:
        """Where to go on; what other starts left unfinished is deleted."""
        checkpoint = checkpoints.last_complete_checkpoint(self._folder, self.say)
        self.accelerator.wait_for_everyone()
        if self.args.should_save:
            checkpoints.remove_leftovers(self._folder, checkpoint)
        self.accelerator.wait_for_everyone()
        manifest = checkpoints.read_manifest(checkpoint) if checkpoint else None
        if manifest is not None and manifest.processes != self.args.world_size:
            self.say(
                f"the earlier start ran on {manifest.processes} processes, this one on {self.args.world_size}: "
                "dropout is drawn anew from here"
            )
        return checkpoint

    # ---- memory ---------------------------------------------------------------------------------------------------

    def _shrink_or_raise(self, error: BaseException) -> None:
        """Twice as many micro-batches per step. Processes cannot agree on it after one of them has failed."""
        accumulation = self.args.gradient_accumulation_steps
        records = self.args.per_device_train_batch_size * accumulation
        smaller = smaller_accumulation(records, accumulation)
        if smaller is None:
            raise TrainingError(
                "out of memory with one record at a time",
                fix="--gradient-checkpointing, a smaller model, or a device with more memory",
            ) from error
        self._reduce("accumulation", smaller)
        self._remember_or_raise(error, f"micro-batches of {records // smaller} instead of {records // accumulation}")

    def _reduce(self, name: str, size: int) -> None:
        if name == "accumulation":
            records = self.args.per_device_train_batch_size * self.args.gradient_accumulation_steps
            self.args.gradient_accumulation_steps = size
            self.args.per_device_train_batch_size = self._train_batch_size = records // size
        else:
            self.args.per_device_eval_batch_size = size
        self.reduced[name] = size

    def _remember_or_raise(self, error: BaseException, what: str) -> None:
        remember_sizes(self._folder, self.args.world_size, self.reduced)
        if self.args.world_size > 1:
            raise TrainingError(
                f"out of memory on process {self.args.process_index}; the next start takes {what}",
                fix="start the same command again: it goes on from its last checkpoint",
            ) from error
        self.say(f"out of memory: going on with {what}; a step is still {self._records_per_step} records")

    @property
    def _records_per_step(self) -> int:
        args = self.args
        return args.per_device_train_batch_size * args.gradient_accumulation_steps * args.world_size

    def evaluation_loop(self, dataloader: Any, *args: Any, **kwargs: Any) -> Any:
        """As in the Trainer, with smaller batches where memory runs out."""
        planned = self.args.per_device_eval_batch_size

        def evaluate(size: int) -> Any:
            if size == planned:
                return super(ResumableTrainer, self).evaluation_loop(dataloader, *args, **kwargs)
            self._reduce("evaluation_batch_size", size)
            smaller = self.get_test_dataloader(dataloader.dataset)
            return super(ResumableTrainer, self).evaluation_loop(smaller, *args, **kwargs)

        if self.args.world_size == 1:
            result, used = with_less_memory(evaluate, planned, "evaluation", self.say)
            if used != planned:
                remember_sizes(self._folder, 1, self.reduced)
            return result
        try:
            return evaluate(planned)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error) or planned == 1:
                raise
            self._reduce("evaluation_batch_size", planned // 2)
            self._remember_or_raise(error, f"{planned // 2} windows at a time in evaluation")

    def notes(self) -> list[str]:
        """What a reader of the result must know about the reduced sizes."""
        if "accumulation" not in self.reduced or self.model is None:
            return []
        note = (
            f"memory ran out: each step was computed in {self.args.gradient_accumulation_steps} parts of "
            f"{self.args.per_device_train_batch_size} records"
        )
        if any(isinstance(part, _BatchNorm) and part.weight.requires_grad for part in self.model.modules()):
            note += ", and batch norm took its statistics over these, not over the batch"
        return [note]

    # ---- steps ----------------------------------------------------------------------------------------------------

    def _get_train_sampler(self, train_dataset: Any = None) -> EpochSampler:
        dataset: Any = self.train_dataset if train_dataset is None else train_dataset
        sampler = EpochSampler(dataset, self._records_per_step, self.args.seed)
        self._samplers = [sampler]
        return sampler

    def sum_over_processes(self, counts: torch.Tensor, batches: list[Batch]) -> torch.Tensor:
        """The step's counts over all processes; with them travels whether one of them was asked to stop."""
        self._batches, self._losses = batches, []
        if self.args.world_size == 1:
            return counts
        asked = counts.new_tensor([int(stop_requested())])
        total: torch.Tensor = self.accelerator.reduce(torch.cat([counts, asked]), "sum")
        self._votes = _Votes(total[-1:])
        return total[:-1]

    def training_step(self, *args: Any, **kwargs: Any) -> torch.Tensor:
        """As in the Trainer; keeps the loss until the step's weights are about to change."""
        loss: torch.Tensor = super().training_step(*args, **kwargs)
        self._losses.append(loss)
        return loss

    def _check_losses(self) -> None:
        step = self.state.global_step
        where = f"step {step + 1} (epoch {step // self._steps_per_epoch + 1})"
        check_losses(self._losses, self._batches, self.names, where)
        self._batches, self._losses = [], []

    @property
    def _steps_per_epoch(self) -> int:
        return math.ceil(len(self.callback_handler.train_dataloader) / self.args.gradient_accumulation_steps)

    def _asked_to_stop(self) -> bool:
        """The same answer in all processes at the same step."""
        if self.args.world_size == 1:
            return stop_requested()
        return self._votes is not None and self._votes.read() > 0

    # ---- checkpoints ----------------------------------------------------------------------------------------------

    def _save_checkpoint(self, model: torch.nn.Module, trial: Any) -> None:
        """As in the Trainer, then what makes it exact and the manifest that makes it count; then older ones go.

        A stop that was asked for happens here, between two steps.
        """
        step, best = self.state.global_step, self.state.best_global_step or None
        checkpoint = checkpoints.checkpoint_folder(self._folder, step)
        try:
            super()._save_checkpoint(model, trial)
            self._progress_file(checkpoint).write_text(
                # The sum of losses since the last log: a float32 is the same number in JSON.
                json.dumps({"loss": self._tr_loss.item(), "logged": self._globalstep_last_logged}),
                encoding="utf-8",
            )
            self.accelerator.wait_for_everyone()
            if self.args.should_save:
                checkpoints.seal(checkpoint, best, self.args.world_size)
        except BaseException:
            if self.args.should_save:
                shutil.rmtree(checkpoint, ignore_errors=True)
            raise
        if self.args.should_save:
            checkpoints.keep_only(self._folder, {step} if best is None else {step, best})
        self.accelerator.wait_for_everyone()
        if step % self._steps_per_epoch and self._asked_to_stop():
            stop()

    def _progress_file(self, checkpoint: Path) -> Path:
        return checkpoint / f"progress_{self.args.process_index}.json"

    def _continue(self) -> None:
        """After the Trainer loaded a checkpoint: what it forgets."""
        if self._resumed_from is None:
            return
        self.state.best_model_checkpoint = checkpoints.own_best_checkpoint(
            self._folder, self.state.best_global_step or None
        )
        progress = self._progress_file(self._resumed_from)
        if progress.exists():  # not where there were fewer processes
            values = json.loads(progress.read_text(encoding="utf-8"))
            self._tr_loss += values["loss"]
            self._globalstep_last_logged = values["logged"]


class _Hooks(TrainerCallback):
    """Where in the training loop the methods above are called."""

    def __init__(self, trainer: ResumableTrainer) -> None:
        self.trainer = trainer

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.trainer._continue()

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        trainer = self.trainer
        # The data loader does not reach the sampler of an epoch that is gone on with in several processes.
        for sampler in trainer._samplers:
            sampler.set_epoch(state.global_step // trainer._steps_per_epoch)
        if state.global_step and trainer._asked_to_stop():  # the checkpoint of the epoch before was just written
            stop()

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.trainer._check_losses()

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        # Not at an epoch's last step: it would be taken for the whole epoch, whose validation is still to come.
        if state.global_step % self.trainer._steps_per_epoch and self.trainer._asked_to_stop():
            control.should_save = True


class _Votes:
    """How many processes were asked to stop, read without making the CPU wait for the step on the device."""

    def __init__(self, total: torch.Tensor) -> None:
        self.event: torch.cuda.Event | None = None
        if total.is_cuda:
            self.total = torch.empty_like(total, device="cpu", pin_memory=True)
            self.total.copy_(total, non_blocking=True)
            self.event = torch.cuda.Event()
            self.event.record()
        else:
            self.total = total

    def read(self) -> int:
        if self.event is not None:
            self.event.synchronize()
        return int(self.total)

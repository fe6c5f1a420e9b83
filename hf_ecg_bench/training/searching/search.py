"""A small search: one training per learning rate, from the same start, of which validation picks one.

Each rate is a training of its own, with the run's seed, its own checkpoints and early stopping; the rate whose best
epoch is best on validation wins, and that epoch's weights are the result: nothing is trained again. Of equal values
the larger rate wins, which got there in no more steps. A finished trial is on disk, so that a killed search goes on.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from hf_ecg_bench.errors import DivergedError, TrainingError
from hf_ecg_bench.saying import Say
from hf_ecg_bench.training.feeding import Feed
from hf_ecg_bench.training.fitted import Fitted
from hf_ecg_bench.training.inputs import Inputs
from hf_ecg_bench.training.loop.selection import GREATER_IS_BETTER
from hf_ecg_bench.training.loop.setup import build_trainer
from hf_ecg_bench.training.loop.snapshots import restore_tuned, tuned_tensors
from hf_ecg_bench.training.loop.wrappers import unwrapped
from hf_ecg_bench.training.searching.trials import Trial, drop_weights, load_trial, load_weights, rate_name, save_trial
from hf_ecg_bench.training.surviving.processes import is_main, wait_for_all, world_size
from hf_ecg_bench.training.surviving.state import CHECKPOINTS

FitOnce = Callable[..., Fitted]


def search(inputs: Inputs, feed: Feed, say: Say, fit_once: FitOnce) -> Fitted:
    """Train at every rate of the protocol and leave the best one's weights in `feed.module`.

    Raises:
        TrainingError: the weights are spread over processes (FSDP, DeepSpeed), where they cannot be reset.
        DivergedError: training diverged at every rate.
    """
    _refuse_spread_weights()
    folder = Path(inputs.spec.output_dir) / CHECKPOINTS
    start = tuned_tensors(feed.module)
    trials: list[Trial] = []
    resumed = False
    for number, rate in enumerate(inputs.protocol.learning_rates, 1):
        place = folder / rate_name(rate)
        trial = load_trial(place)
        resumed |= trial is not None
        if trial is None:
            say(f"learning rate {rate:g} ({number} of {len(inputs.protocol.learning_rates)})")
            restore_tuned(feed.module, start)
            trial, went_on = _run_trial(inputs, feed, say, fit_once, rate, place)
            resumed |= went_on
        trials.append(trial)
        _keep_only(best_trial(trials, inputs.task.selection), trials, folder)
    best = best_trial(trials, inputs.task.selection)
    if best is None:
        raise DivergedError(
            "training diverged at every learning rate: " + ", ".join(f"{trial.learning_rate:g}" for trial in trials),
            fix="smaller --learning-rates, or --max-grad-norm 1, into another --output-dir",
        )
    restore_tuned(feed.module, load_weights(folder / rate_name(best.learning_rate)))
    return _fitted(inputs, feed, best, trials, resumed, say)


def best_trial(trials: list[Trial], metric: str) -> Trial | None:
    """The trial with the best validation value, of equal ones that with the larger rate; None if all diverged."""
    sign = 1.0 if GREATER_IS_BETTER[metric] else -1.0  # type: ignore[index]
    finished = [trial for trial in trials if trial.diverged is None]
    return max(finished, key=lambda trial: (sign * trial.best_value, trial.learning_rate), default=None)


def _run_trial(inputs: Inputs, feed: Feed, say: Say, fit_once: FitOnce, rate: float, place: Path) -> tuple[Trial, bool]:
    """Train at one rate and write the outcome down; whether an earlier start was gone on with."""
    protocol = replace(inputs.protocol, learning_rate=rate, learning_rates=())
    went_on = False
    try:
        fitted = fit_once(inputs, feed, say, protocol=protocol, folder=place)
        trial = Trial(rate, fitted.history, fitted.selection, fitted.precision, fitted.chosen, fitted.notes)
        went_on = fitted.resumed
    except DivergedError as error:
        if world_size() > 1:  # maybe only in this process: the others would wait for it forever
            raise
        say(f"learning rate {rate:g}: {error.message}")
        trial = Trial(rate, diverged=error.message)
    unwrapped(feed.module)
    if is_main():
        save_trial(place, trial, tuned_tensors(feed.module))
    wait_for_all()
    return trial, went_on


def _keep_only(best: Trial | None, trials: list[Trial], folder: Path) -> None:
    """Checkpoints of finished trials and the weights of beaten ones go."""
    if not is_main():
        return
    for trial in trials:
        place = folder / rate_name(trial.learning_rate)
        for checkpoint in place.glob("checkpoint-*"):
            shutil.rmtree(checkpoint, ignore_errors=True)
        if trial is not best:
            drop_weights(place)


def _fitted(inputs: Inputs, feed: Feed, best: Trial, trials: list[Trial], resumed: bool, say: Say) -> Fitted:
    rate, rates = best.learning_rate, [trial.learning_rate for trial in trials]
    say(f"learning rate {rate:g} is the best of {len(rates)} on validation")
    protocol = replace(inputs.protocol, learning_rate=rate, learning_rates=())
    # A Trainer of its own to predict with, whether or not the trials ran in this process.
    trainer = build_trainer(inputs, feed, say, protocol=protocol)
    notes = list(best.notes)
    if len(rates) > 1:
        notes.append(
            f"the learning rate {rate:g} was chosen on validation over {len(rates)} trials "
            f"({', '.join(f'{value:g}' for value in rates)}): the validation value is that of the best of them"
        )
        if rate in (min(rates), max(rates)):
            notes.append(f"{rate:g} is the {'smallest' if rate == min(rates) else 'largest'} rate that was tried")
    failed = [trial.learning_rate for trial in trials if trial.diverged is not None]
    if failed:
        notes.append("training diverged at the learning rates " + ", ".join(f"{value:g}" for value in failed))
    return Fitted(
        trainer.window_logits,
        best.history,
        {**best.selection, "trials": [trial.summary() for trial in trials]},
        best.precision,
        resumed,
        {**best.chosen, "learning_rate": rate},
        notes,
    )


def _refuse_spread_weights() -> None:
    for name in ("FSDP", "DEEPSPEED"):
        if os.environ.get(f"ACCELERATE_USE_{name}", "false").lower() in ("true", "1"):
            raise TrainingError(
                f"learning rates cannot be searched under {name}, where no process holds the whole model",
                fix="one run per rate: --learning-rate 1e-3 (and --patience), or launch without it",
            )

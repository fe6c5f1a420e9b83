"""Training a feed's module: by the Trainer, once or at several learning rates, or by the convex solver."""

from __future__ import annotations

from pathlib import Path

from hf_ecg_bench.saying import Say
from hf_ecg_bench.training.convex.fit import fit_convex
from hf_ecg_bench.training.feeding import Feed
from hf_ecg_bench.training.fitted import Fitted
from hf_ecg_bench.training.inputs import Inputs
from hf_ecg_bench.training.loop.setup import build_trainer
from hf_ecg_bench.training.protocol import Protocol
from hf_ecg_bench.training.searching.search import search


def fit(inputs: Inputs, feed: Feed, say: Say) -> Fitted:
    """Train `feed.module` as the protocol says and leave the selected weights in it."""
    if inputs.protocol.solver == "lbfgs":
        return fit_convex(inputs, feed, say)
    if inputs.protocol.learning_rates:
        return search(inputs, feed, say, fit_once)
    return fit_once(inputs, feed, say)


def fit_once(
    inputs: Inputs, feed: Feed, say: Say, *, protocol: Protocol | None = None, folder: Path | None = None
) -> Fitted:
    """Train at one learning rate and leave the best epoch's weights in `feed.module`.

    Args:
        protocol, folder: in place of the run's own (see `build_trainer`).
    """
    trainer = build_trainer(inputs, feed, say, protocol=protocol, folder=folder)
    resumed = trainer.fit()
    return Fitted(
        trainer.window_logits,
        trainer.epochs(),
        trainer.selection(inputs.task.selection),
        trainer.precision,
        resumed,
        dict(trainer.reduced),
        trainer.notes(),
    )

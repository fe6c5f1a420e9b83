"""What the processes of a launch do in `test_launch`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

RUN = (
    "run", "--model", "s4", "--task", "synthetic", "--mode", "scratch", "--epochs", "2", "--batch-size", "32",
    "--learning-rate", "0.01", "--n-resamples", "50", "--model-option", "hidden_size=16",
    "--model-option", "n_layers=1", "--model-option", "dropout=0.0",
)  # fmt: skip


def steps(folder: str) -> None:
    """The steps of `test_step.weights_after` with each process's share of the batch."""
    import torch.distributed

    from hf_ecg_bench.training.surviving.processes import leave, world_size
    from tests.training.test_step import weights_after

    weights = weights_after(Path(folder), 16 // world_size(), 1)
    if torch.distributed.get_rank() == 0:
        arrays = {name: value.numpy() for name, value in weights.items()}
        np.savez(Path(folder) / "weights.npz", world_size=torch.distributed.get_world_size(), **arrays)
    leave()


def evaluate(folder: str, rows: int, batch_size: int) -> None:
    """Logits of `rows` windows from one set of weights, and the records that this process has read."""
    from hf_ecg_bench.training.surviving.processes import is_main, leave
    from tests.training.small_trainer import small_trainer

    trainer = small_trainer(Path(folder))
    windows: Any = trainer.eval_dataset
    windows.rows = rows
    trainer.args.per_device_eval_batch_size = batch_size
    metrics = trainer.evaluate()
    logits = trainer.window_logits(windows)
    if is_main():
        values = {name: value for name, value in metrics.items() if name in ("eval_composite", "eval_macro_auroc")}
        np.savez(Path(folder) / "logits.npz", logits=logits, metrics=json.dumps(values), read=len(windows.read))
    leave()


def stop(folder: str, at_step: int) -> None:
    """Train; the last process gets SIGTERM at that step (-1: none does)."""
    import os
    import signal

    from hf_ecg_bench.stopping import stops_cleanly
    from hf_ecg_bench.training.surviving.processes import leave, rank, world_size
    from tests.training.small_trainer import outcome, small_trainer

    trainer = small_trainer(Path(folder), batch_size=8 // world_size())
    original = trainer.training_step

    def step(*args: Any) -> torch.Tensor:
        if trainer.state.global_step == at_step and rank() == world_size() - 1:
            os.kill(os.getpid(), signal.SIGTERM)
        return original(*args)

    trainer.training_step = step  # type: ignore[method-assign]
    with stops_cleanly():
        resumed = trainer.fit()
    if rank() == 0:
        torch.save({**outcome(trainer), "resumed": resumed}, Path(folder) / "outcome.pt")
    leave()


def claim(folder: str, data: str) -> None:
    """Leave what an unfinished run of two epochs leaves."""
    from hf_ecg_bench.cli.main import main
    from hf_ecg_bench.training import experiment
    from hf_ecg_bench.training.surviving.state import CHECKPOINTS, TRIAL_FILE

    def killed(*args: Any, **kwargs: Any) -> None:
        (Path(folder) / CHECKPOINTS).mkdir()
        (Path(folder) / CHECKPOINTS / TRIAL_FILE).write_text("{}")  # something worth keeping
        raise KeyboardInterrupt

    experiment.execute = killed  # type: ignore[assignment]
    assert main([*RUN, "--data", data, "--output-dir", folder]) == 130


def shard(folder: str) -> None:
    """Spread a model's weights as FSDP does, use them, gather them, and let the first process alone save them."""
    from torch.distributed.fsdp import fully_shard

    from hf_ecg_bench.models.saving import save_model
    from hf_ecg_bench.training.surviving.processes import is_main, leave, wait_for_all
    from hf_ecg_bench.training.surviving.sharding import gather_weights
    from tests.training.test_step import tiny_model

    wait_for_all()
    model = tiny_model()
    if is_main():
        save_model(model, Path(folder) / "before")
    fully_shard(model.encoder)
    fully_shard(model)
    spread = sum(parameter.to_local().numel() for parameter in model.parameters())  # type: ignore[attr-defined]
    windows = torch.randn(2, 12, 250, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        logits = model(windows).logits
    gather_weights(model)
    assert spread < 0.6 * sum(parameter.numel() for parameter in model.parameters())
    wait_for_all()
    if is_main():
        with torch.no_grad():
            assert torch.equal(model(windows).logits, logits), "one process alone can use the model"
        save_model(model, Path(folder) / "after")
    wait_for_all()
    leave()

"""One run: records of a task into a model, the best epoch onto the test records, a scored result onto disk."""

from __future__ import annotations

import logging
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hf_ecg_bench.errors import TrainingError
from hf_ecg_bench.results.schema import MODEL_FOLDER, PREDICTIONS_FILE, RESULT_FILE, Result
from hf_ecg_bench.tasks import Task, get_task
from hf_ecg_bench.training.modes import get_mode
from hf_ecg_bench.training.spec import Protocol, RunSpec
from hf_ecg_bench.training.state import CHECKPOINTS, claim

logger = logging.getLogger(__name__)
Say = Callable[[str], None]


def _say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


def run(spec: RunSpec, say: Say = _say) -> Result:
    """Train, select, test and write the run's files into `spec.output_dir`, the result last.

    A killed run goes on from its last complete checkpoint; a finished one is returned as it is.

    Args:
        spec: what to run.
        say: receives the lines a user should see (the conversion plan, what was left out, where the result is).

    Raises:
        UnknownNameError, DataError, ContractError, CheckpointError, TrainingError: with the step that mends it.
    """
    task, mode, protocol = get_task(spec.task), get_mode(spec.mode), spec.hyperparameters()
    folder = Path(spec.output_dir)
    state = claim(folder, spec.identity()) if _is_main() else "started"
    _wait()
    if (folder / RESULT_FILE).exists():
        say(f"{folder} holds the finished result of this run; nothing to do. Another run needs another --output-dir.")
        return Result.load(folder)
    try:
        return _Run(spec, task, mode.id, protocol, folder, say).execute()
    except BaseException:
        if state == "new" and not (folder / CHECKPOINTS).exists():
            (folder / "run.json").unlink(missing_ok=True)  # nothing was computed: leave no trace of a failed start
        raise


@dataclass
class _Run:
    spec: RunSpec
    task: Task
    mode_id: str
    protocol: Protocol
    folder: Path
    say: Say

    def execute(self) -> Result:
        from hf_ecg_bench.data.load import load_prepared
        from hf_ecg_bench.data.windows import WindowReader
        from hf_ecg_bench.evaluation.summary import summarise
        from hf_ecg_bench.results.predictions import Predictions, write_predictions
        from hf_ecg_bench.training.batches import EvaluationWindows, TrainingWindows
        from hf_ecg_bench.training.build import build_model, build_trainer, conversion_plan, model_source, quiet
        from hf_ecg_bench.training.environment import environment, peak_memory_bytes
        from hf_ecg_bench.training.examples import choose_examples, write_examples
        from hf_ecg_bench.training.records import standardise, task_records, training_subset
        from hf_ecg_bench.training.selection import check_selectable, selection_metrics
        from hf_ecg_bench.training.trainer import record_predictions

        spec, task, protocol, mode = self.spec, self.task, self.protocol, get_mode(self.mode_id)
        quiet()
        prepared = load_prepared(spec.data or task.dataset)
        records = task_records(prepared, task)
        records.splits["train"] = training_subset(records.splits["train"], spec.fraction, spec.limit, spec.seed)
        mean, std = standardise(records)
        is_regression = records.columns.is_regression
        check_selectable(records.splits["validation"].targets, is_regression, task.selection)
        if len(records.splits["train"].records) < protocol.batch_size:
            raise TrainingError(
                f"{len(records.splits['train'].records)} training records do not fill one batch of {protocol.batch_size}",
                fix=f"--batch-size {max(1, len(records.splits['train'].records) // 2)}",
            )

        model = build_model(spec, mode, records.columns, mean, std)
        plan = conversion_plan(records, model.config, prepared.source)
        self.say(plan.describe())
        for reason, number in records.excluded.items():
            self.say(f"left out: {number} records ({reason})")

        readers = {name: WindowReader(split.view, plan) for name, split in records.splits.items()}
        train, validation, test = (records.splits[name] for name in ("train", "validation", "test"))
        training = TrainingWindows(readers["train"], train.records, train.targets, spec.seed)
        evaluation = {
            name: EvaluationWindows(readers[name], split.records, split.targets, protocol.tail)
            for name, split in (("validation", validation), ("test", test))
        }
        trainer = build_trainer(
            spec, mode, protocol, model, training, evaluation["validation"], is_regression, task.selection,
            lambda targets, predictions: selection_metrics(targets, predictions, is_regression),
        )  # fmt: skip
        self.say(
            f"{spec.model} on {task.id}, mode {mode.id}: {len(training)} training, {len(validation.records)} validation, "
            f"{len(test.records)} test records; {len(records.columns.names)} targets; {protocol.epochs} epochs"
        )
        started = time.perf_counter()
        trainer.fit()
        train_seconds = time.perf_counter() - started

        started = time.perf_counter()
        output = trainer.predict(evaluation["test"], metric_key_prefix="test")
        predictions = record_predictions(output.predictions, evaluation["test"], is_regression)
        evaluate_seconds = time.perf_counter() - started
        if not np.isfinite(predictions).all():
            raise TrainingError(
                f"{int((~np.isfinite(predictions)).any(1).sum())} test predictions are not finite: the training diverged",
                fix="a smaller --learning-rate, or --max-grad-norm 1",
            )
        if not _is_main():
            _wait()
            return Result.load(self.folder)

        names, kinds = records.columns.names, records.columns.kinds
        metrics = summarise(
            test.targets, predictions, names, kinds, groups=test.patient_id, n_resamples=spec.n_resamples, seed=spec.seed
        )
        write_predictions(
            self.folder / PREDICTIONS_FILE,
            Predictions(test.record_id, test.patient_id, test.targets, predictions, names, kinds),
        )
        chosen = choose_examples(test.targets, predictions, is_regression, spec.examples)
        write_examples(self.folder, test, chosen, records.sampling_rate)
        trainer.save_adapted(self.folder / MODEL_FOLDER)
        parameters = sum(p.numel() for p in model.parameters())
        result = Result(
            task=task.id,
            dataset={
                "id": task.dataset,
                "source": prepared.source,
                "digest": prepared.info.get("digest"),
                "records": {name: len(split.records) for name, split in records.splits.items()},
                "patients": {name: len(np.unique(split.patient_id)) for name, split in records.splits.items()},
                "excluded": records.excluded,
            },
            model=model_source(spec, model),
            mode=mode.id,
            protocol=spec.protocol,
            preprocessing="paper",
            fraction=spec.fraction,
            seed=spec.seed,
            hyperparameters={
                **asdict(protocol),
                "limit": spec.limit,
                "optimizer": "AdamW (betas 0.9, 0.999; eps 1e-8)",
                "model_options": spec.model_options,
                "target_mean": dict(zip(names, mean.tolist(), strict=True)),
                "target_std": dict(zip(names, std.tolist(), strict=True)),
            },
            signal=plan.to_dict(),
            selection=trainer.selection(task.selection),
            metrics=metrics,
            history=trainer.epochs(),
            cost={
                "train_seconds": train_seconds,
                "evaluate_seconds": evaluate_seconds,
                "peak_memory_bytes": peak_memory_bytes(),
                "parameters": parameters,
                "trainable_parameters": sum(p.numel() for p in model.parameters() if p.requires_grad),
                "records_per_second": len(test.records) / evaluate_seconds,
            },
            environment=environment(),
            warnings=[*records.warnings, *_warnings(metrics, len(test.records), protocol, spec)],
        )
        result.save(self.folder)
        shutil.rmtree(self.folder / CHECKPOINTS, ignore_errors=True)
        _wait()
        return result


def _warnings(metrics: dict[str, Any], n_test: int, protocol: Protocol, spec: RunSpec) -> list[str]:
    """What a reader must know before trusting the number."""
    found = []
    undefined = [n for n, t in metrics["targets"].items() if t.get("auroc", {"value": 0})["value"] is None]
    if undefined:
        found.append(
            f"{len(undefined)} of {len(metrics['targets'])} targets have no positive or no negative test record "
            f"and are left out of the macro: {', '.join(undefined[:8])}{' ...' if len(undefined) > 8 else ''}"
        )
    rare = [n for n, t in metrics["targets"].items() if 0 < min(t.get("n_positive", 99), t.get("n_negative", 99)) < 10]
    if rare:
        found.append(
            f"{len(rare)} targets have fewer than 10 positive or negative test records; their intervals are unreliable: "
            f"{', '.join(rare[:8])}{' ...' if len(rare) > 8 else ''}"
        )
    if n_test < 200:
        found.append(f"only {n_test} test records: this is a check that things work, not a benchmark score")
    if spec.limit or spec.fraction < 1:
        found.append("trained on a subset of the training records")
    if protocol.epochs < 10 and spec.protocol == "paper":
        found.append(f"{protocol.epochs} epochs; the paper's protocol has 100")
    found.append("the interval covers the sampling of test patients only, not the training's own randomness (one seed)")
    return found


def _is_main() -> bool:
    import os

    return int(os.environ.get("RANK", "0")) == 0


def _wait() -> None:
    """All processes of a launch meet here; nothing to wait for with one."""
    import os

    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        from accelerate import PartialState

        PartialState(cpu=os.environ.get("ACCELERATE_USE_CPU", "").lower() in ("true", "1")).wait_for_everyone()

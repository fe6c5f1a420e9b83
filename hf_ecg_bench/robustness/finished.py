"""A finished run's model, and its predictions for further test records."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from transformers import PreTrainedModel

from hf_ecg_bench.data.load import PreparedDataset, load_prepared, require_signals
from hf_ecg_bench.data.record_windows import window_reader
from hf_ecg_bench.data.signal_view import SignalView
from hf_ecg_bench.data.windows import Plan
from hf_ecg_bench.errors import DataError
from hf_ecg_bench.models.loading import load_model
from hf_ecg_bench.progress import quiet_libraries
from hf_ecg_bench.results.schema import MODEL_FOLDER, Result
from hf_ecg_bench.results.target_units import stored_scales
from hf_ecg_bench.tasks import Task, get_task
from hf_ecg_bench.threads import numpy_on_one_thread
from hf_ecg_bench.training.build import conversion_plan
from hf_ecg_bench.training.determinism import deterministic
from hf_ecg_bench.training.loop.batches import RECORD, EvaluationWindows
from hf_ecg_bench.training.loop.predicting import record_predictions
from hf_ecg_bench.training.records.of_task import SplitRecords, TaskRecords, only_test_records


@dataclass(frozen=True, eq=False)
class FinishedRun:
    """A run's folder with its result and its model, in eval mode and in float32.

    Attributes:
        names, kinds: of the targets that the model predicts.
    """

    folder: Path
    result: Result
    task: Task
    model: PreTrainedModel
    names: tuple[str, ...]
    kinds: tuple[str, ...]

    @property
    def is_regression(self) -> np.ndarray:
        """(targets,) bool."""
        return np.array([kind == "regression" for kind in self.kinds])

    @property
    def accept_unit(self) -> str | None:
        """The unit that the run fed as if it were mV, on purpose."""
        return self.result.hyperparameters.get("accept_unit")

    def plan(self, records: TaskRecords, where: str) -> Plan:
        """How a dataset's signals become this model's input.

        Raises:
            ContractError: they cannot.
        """
        accepted = self.accept_unit if records.unit == self.accept_unit else None
        return conversion_plan(records, self.model.config, where, accepted)

    def standardised(self, targets: np.ndarray) -> np.ndarray:
        """(records, targets) with the run's own z-scores for its regression targets."""
        mean, std = stored_scales(self.result, self.names)
        return ((targets - mean) / std).astype(np.float32)

    def predict(self, view: SignalView, plan: Plan, split: SplitRecords) -> np.ndarray:
        """(records, targets) float32: probabilities, or regression outputs in z-scores, averaged over all windows.

        Args:
            view: the split's signals, or others in their place.
            split: its records, all as long as a window.
        """
        settings = self.result.hyperparameters
        windows = EvaluationWindows(
            window_reader(view, plan), split.records, split.targets, settings.get("tail", "drop")
        )
        batch = int(settings.get("evaluation_batch_size", 256))
        device = next(self.model.parameters()).device
        logits = []
        with deterministic(), numpy_on_one_thread(), torch.inference_mode():
            for start in range(0, len(windows), batch):
                inputs = windows.__getitems__(list(range(start, min(start + batch, len(windows)))))
                inputs = {name: value.to(device) for name, value in inputs.items() if name not in ("labels", RECORD)}
                logits.append(self.model(**inputs).logits.float().cpu().numpy())
        return record_predictions(np.concatenate(logits), windows, self.is_regression)


def load_finished(folder: Path, result: Result) -> FinishedRun:
    """Load a run's model onto the GPU, where there is one.

    Raises:
        CheckpointError: the folder's model is missing or damaged.
    """
    quiet_libraries()
    model = load_model(folder / MODEL_FOLDER).float().eval()
    if torch.cuda.is_available():
        model.cuda()
    targets = result.metrics["targets"]
    kinds = tuple(str(target["kind"]) for target in targets.values())
    return FinishedRun(folder, result, get_task(result.task), model, tuple(targets), kinds)


def home_records(run: FinishedRun, data: str | None) -> tuple[PreparedDataset, TaskRecords]:
    """The test records that the run was scored on, with z-scored regression targets.

    Args:
        data: where the run's dataset is; None takes the task's own.

    Raises:
        DataError: the data are not those of the run any more.
    """
    prepared = load_prepared(data or run.task.dataset)
    require_signals(prepared)
    expected = run.result.dataset.get("digest")
    if prepared.info["digest"] != expected:
        raise DataError(
            f"{prepared.source} is not the data of {run.folder}: digest {prepared.info['digest'][:12]}, "
            f"expected {str(expected)[:12]}",
            fix="give the prepared folder that the run used as --data",
        )
    records = only_test_records(prepared, run.task)
    split = records.splits["test"]
    records.splits["test"] = split.with_targets(run.standardised(split.targets))
    return prepared, records


def long_enough(split: SplitRecords, plan: Plan, excluded: dict[str, int]) -> SplitRecords:
    """The records that hold at least one of the model's windows; the others are counted in `excluded`.

    Raises:
        DataError: none does.
    """
    lengths = plan.record_lengths(split.view.lengths())[split.records]
    keep = lengths >= plan.window
    if not keep.all():
        excluded[f"test: shorter than the model's window of {plan.target.seconds:g} s"] = int((~keep).sum())
    if not keep.any():
        raise DataError(
            f"{plan.source.where}: none of {len(keep)} test records is as long as the window of {plan.target.where}",
            fix="choose another dataset for --evaluate-on",
        )
    return split.take(np.flatnonzero(keep))

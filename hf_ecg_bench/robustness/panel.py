"""A finished run tested on disturbed signals of its own test records."""

from __future__ import annotations

from typing import Any

import numpy as np

from hf_ecg_bench.data.load import PreparedDataset
from hf_ecg_bench.data.windows import Plan
from hf_ecg_bench.evaluation.differences import summarise_difference
from hf_ecg_bench.evaluation.summary import summarise
from hf_ecg_bench.results.predictions import Predictions, make_predictions
from hf_ecg_bench.robustness.finished import FinishedRun, home_records
from hf_ecg_bench.robustness.perturbations import Perturbation
from hf_ecg_bench.robustness.perturbed_view import PerturbedView
from hf_ecg_bench.training.records.of_task import SplitRecords, TaskRecords

_SEED = 0  # as of the run's own intervals


class Panel:
    """The run's test records and its predictions on their clean signals, made once for all perturbations.

    The clean signals are predicted again instead of read from predictions.parquet, so that both sides of a difference
    come from the same precision and batches; how far both are apart is recorded.

    Args:
        run: the finished run.
        data: where its dataset is; None takes the task's own.
        stored: the run's stored predictions.
        n_resamples: of the paired bootstrap over patients.
    """

    def __init__(self, run: FinishedRun, data: str | None, stored: Predictions, n_resamples: int) -> None:
        self.run, self.n_resamples = run, n_resamples
        self.prepared, self.records = home_records(run, data)
        self.split: SplitRecords = self.records.splits["test"]
        self.plan: Plan = run.plan(self.records, self.prepared.source)
        self.clean = run.predict(self.split.view, self.plan, self.split)
        self.apart = largest_difference(stored, self.split, self.clean)

    def score(self, perturbation: Perturbation) -> tuple[dict[str, Any], Predictions]:
        """The content of evaluation.json, and the predictions on the perturbed signals.

        Raises:
            ContractError: the perturbation cannot be made on these signals.
        """
        view = perturbed_view(self.prepared, self.records, perturbation)
        predictions = self.run.predict(view, self.plan, self.split)
        settings: dict[str, Any] = {
            "groups": self.split.patient_id,
            "n_resamples": self.n_resamples,
            "seed": _SEED,
            "undefined": "drop",
        }
        named = self.run.names, self.run.kinds
        content = {
            "kind": "perturbation",
            "perturbation": {"id": perturbation.id, "title": perturbation.title, "detail": perturbation.detail},
            "dataset": {
                "id": self.prepared.info["dataset"],
                "source": self.prepared.source,
                "digest": self.prepared.info["digest"],
                "records": len(self.split.records),
            },
            "metrics": summarise(self.split.targets, predictions, *named, **settings),
            "difference": summarise_difference(self.split.targets, predictions, self.clean, *named, **settings),
            "clean_apart_from_stored": self.apart,
        }
        split = self.split
        return content, make_predictions(
            split.record_id.tolist(), split.patient_id.tolist(), split.targets, predictions, *named
        )


def perturbed_view(prepared: PreparedDataset, records: TaskRecords, perturbation: Perturbation) -> PerturbedView:
    """The test split's signals, perturbed."""
    return PerturbedView(
        records.splits["test"].view,
        perturbation,
        rate=records.sampling_rate,
        unit=records.unit,
        record_ids=[str(record) for record in prepared.splits["test"]["record_id"]],
        where=prepared.source,
    )


def largest_difference(stored: Predictions, split: SplitRecords, predictions: np.ndarray) -> float | None:
    """Between stored and repeated predictions, in probability or z-units; None where the records are others."""
    if stored.record_id.tolist() != [str(record) for record in split.record_id.tolist()]:
        return None
    return float(np.abs(stored.predictions - predictions).max())

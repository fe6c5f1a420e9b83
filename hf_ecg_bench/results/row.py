"""One row per result and task, flat and versioned: what tables, rankings, the Hub and the leaderboard read."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from hf_ecg_bench.models.overlaps import OverlapState

ROW_VERSION = 2

#: What a model's pretraining has seen of a task's data; see `results.contamination`.
ContaminationState = OverlapState
#: Where a row comes from: a run of this program, or a published table.
Origin = Literal["ours", "published"]


@dataclass(frozen=True)
class Row:
    """A scored task of one run. Numbers that are not known are NaN, texts that are not known empty.

    Attributes:
        model: model id; `model_source` the folder, Hub id or file its weights came from, `model_digest` of the weights.
        task, category, dataset: catalogue ids; `dataset_digest` of the data that were used.
        mode, protocol, preprocessing, fraction, seed, subset: how it was adapted, on which share of the records.
        settings: digest of what else decided the training (`results.settings`); empty where unknown.
        trained_as: the task that was run, where this one is a part of it; else empty.
        metric: the primary metric (`macro_auroc`, `pooled_mae`), with `value` and its 95 % interval `low`, `high`.
        higher_is_better: of that metric.
        records_train, records_test: how many.
        n_targets, n_undefined: targets, and labels among them without positives or negatives in the test records.
        resampling: what was resampled: `patient` or `record`; empty where unknown.
        selection_metric, selection_value: what chose the epoch, and its value on the validation records (of the run;
            its parts have the same): by these settings are chosen without a look at test records.
        contamination, contamination_reason: see `results.contamination`.
        parameters, trainable_parameters, train_seconds, evaluate_seconds, peak_memory_bytes, records_per_second,
            latency_ms, training_flops, energy_joules: cost, as `Result.cost` has them.
        device: that it ran on.
        origin, citation: `ours`, or `published` with where.
        audit: ids of what is known against a published row (`published.audit`), with commas between them.
        warnings: how many things its result warns of.
        folder: the run's folder below where the rows were read from, with `/`; empty for published rows.
        predictions_digest: SHA-256 of its predictions file; empty where there is none.
        schema_version: of its result.json; `program`: version of this program that made it.
        row_version: of this schema.
    """

    model: str
    task: str
    category: str
    dataset: str
    mode: str
    metric: str
    value: float
    low: float = math.nan
    high: float = math.nan
    higher_is_better: bool = True
    model_source: str = ""
    model_digest: str = ""
    dataset_digest: str = ""
    protocol: str = "paper"
    preprocessing: str = "paper"
    fraction: float = 1.0
    seed: int = 0
    subset: str = "nested"
    settings: str = ""
    trained_as: str = ""
    records_train: float = math.nan
    records_test: float = math.nan
    n_targets: float = math.nan
    n_undefined: float = math.nan
    resampling: str = ""
    selection_metric: str = ""
    selection_value: float = math.nan
    contamination: ContaminationState = "unknown"
    contamination_reason: str = ""
    parameters: float = math.nan
    trainable_parameters: float = math.nan
    train_seconds: float = math.nan
    evaluate_seconds: float = math.nan
    peak_memory_bytes: float = math.nan
    records_per_second: float = math.nan
    latency_ms: float = math.nan
    training_flops: float = math.nan
    energy_joules: float = math.nan
    device: str = ""
    origin: Origin = "ours"
    citation: str = ""
    audit: str = ""
    warnings: int = 0
    folder: str = ""
    predictions_digest: str = ""
    schema_version: int = 0
    program: str = ""
    row_version: int = ROW_VERSION

"""A run's metrics in the Hub's two forms: `model-index` of a card, and `.eval_results/<task>.yaml`."""

from __future__ import annotations

import math
from typing import Any

import yaml

from hf_ecg_bench.errors import PredictionsError
from hf_ecg_bench.hub.models.facts import ModelFacts
from hf_ecg_bench.names import NAMESPACE
from hf_ecg_bench.results.estimate import Estimate
from hf_ecg_bench.results.metrics import metric_estimates, metric_name, primary_metric
from hf_ecg_bench.results.schema import Result
from hf_ecg_bench.results.slices import with_slices
from hf_ecg_bench.tasks.catalogue import CATALOGUE

EVAL_RESULTS = ".eval_results"
TASK_TYPE = "other"  # the Hub's list of tasks has none for biosignals
# What the Hub calls our metrics, where it has them; ours keep their names beside it.
HUB_METRICS = {
    "macro_auroc": "roc_auc",
    "macro_auroc_supported": "roc_auc",
    "macro_mae": "mae",
    "pooled_mae": "mae",
}


def task_results(facts: ModelFacts) -> list[Result]:
    """The run's result, and one for each task that is a part of it."""
    return with_slices([facts.result]) if facts.result is not None else []


def model_index(facts: ModelFacts, source: str) -> list[dict[str, Any]]:
    """The value of `model-index`: a result per task, with task, dataset (revision, digest), metrics and intervals.

    Metrics without a value are left out: YAML's `.nan` is no number to the Hub.
    """
    from huggingface_hub import EvalResult
    from huggingface_hub.repocard_data import eval_results_to_model_index

    results: list[dict[str, Any]] = []
    for result in task_results(facts):
        task = CATALOGUE.get(result.task)
        dataset = str(result.dataset.get("id"))
        arguments = {"task": result.task, "digest": result.dataset.get("digest"), **_setting(result)}
        resampling = result.metrics.get("resampling", {})
        entries = []
        for name, estimate in metric_estimates(result).items():
            if not estimate.defined:
                continue
            entries.append(
                EvalResult(
                    task_type=TASK_TYPE,
                    task_name=task.name if task else result.task,
                    dataset_type=f"{NAMESPACE}/{dataset}",
                    dataset_name=f"{dataset} ({result.task})",
                    dataset_config="default",
                    dataset_split="test",
                    dataset_revision=facts.dataset_revision,
                    dataset_args=arguments,
                    metric_type=HUB_METRICS.get(name, name),
                    metric_name=metric_name(name),
                    metric_value=estimate.value,
                    metric_config=name,
                    metric_args={
                        **_interval(estimate),
                        "resamples": resampling.get("n_resamples"),
                        "unit": resampling.get("unit"),
                    },
                    source_url=source,
                    source_name="result.json of the run",
                )
            )
        if entries:  # each task by itself: the client puts all of one dataset into one result
            results += eval_results_to_model_index(_name(facts), entries)[0]["results"]
    return [{"name": _name(facts), "results": results}] if results else []


def _name(facts: ModelFacts) -> str:
    return facts.repo_id.split("/")[1]


def evaluation_files(facts: ModelFacts, source: str) -> dict[str, str]:
    """Task id -> the YAML of `.eval_results/<task>.yaml`, read back and compared before it is returned.

    Raises:
        PredictionsError: the client's own reader does not give back what was written.
    """
    from huggingface_hub import EvalResultEntry, eval_result_entries_to_yaml, parse_eval_result_entries

    files = {}
    for result in task_results(facts):
        name = primary_metric(result)
        estimate = metric_estimates(result)[name]
        if not estimate.defined or result.task not in CATALOGUE:
            continue
        entry = EvalResultEntry(
            dataset_id=f"{NAMESPACE}/{result.dataset.get('id')}",
            task_id=result.task,
            value=estimate.value,
            dataset_revision=facts.dataset_revision,
            source_url=source,
            source_name="hf-ecg-bench",
            notes=_notes(result, name, estimate),
        )
        text = yaml.safe_dump(eval_result_entries_to_yaml([entry]), sort_keys=False, allow_unicode=True, width=120)
        if parse_eval_result_entries(yaml.safe_load(text)) != [entry]:
            raise PredictionsError(f"{EVAL_RESULTS}/{result.task}.yaml does not read back as it was written")
        files[result.task] = text
    return files


def _notes(result: Result, metric: str, estimate: Estimate) -> str:
    interval = f", 95 % interval {estimate.low:.4f} to {estimate.high:.4f}" if estimate.has_interval else ""
    setting = ", ".join(f"{name} {value}" for name, value in _setting(result).items())
    return f"{metric_name(metric)}{interval}; {setting}; data digest {str(result.dataset.get('digest'))[:16]}"


def _setting(result: Result) -> dict[str, Any]:
    setting: dict[str, Any] = {"mode": result.mode, "protocol": result.protocol, "preprocessing": result.preprocessing}
    return {**setting, "fraction": result.fraction, "seed": result.seed}


def _interval(estimate: Estimate) -> dict[str, float]:
    return {name: value for name, value in (("low", estimate.low), ("high", estimate.high)) if math.isfinite(value)}

"""What a result says was run: names that exist, the task as it is today, numbers that can be."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from hf_ecg_bench.hub.submission.checks import Check, passed, shown, verdict
from hf_ecg_bench.results.schema import Result
from hf_ecg_bench.tasks import get_task
from hf_ecg_bench.tasks.version import task_version
from hf_ecg_bench.training.modes import get_mode
from hf_ecg_bench.training.protocol import PROTOCOLS

_DIGEST = re.compile(r"[0-9a-f]{64}(?:\+[0-9a-f]{64})*")
_SCORES = ("auroc", "precision", "f1", "fmax", "brier", "calibration", "ece")  # between 0 and 1


def check_setting(result: Result, declared_version: str) -> Iterator[Check]:
    """Task, mode, protocol, fraction; that it is the whole benchmark and not a quick look or a fault on purpose.

    Args:
        declared_version: of the task, from submission.json; empty where there is none.
    """
    task = get_task(result.task)
    get_mode(result.mode)
    version = task_version(task)
    declared = declared_version or str(result.dataset.get("task_version") or "")
    if declared:
        problems = [f"version {declared[:20]}"] if declared != version else []
        yield verdict(
            "task version", problems, expected=f"{task.id} of version {version}",
            fix="pip install --upgrade hf-ecg-bench, and run again",
        )  # fmt: skip
    else:
        yield Check("task version", None, version, "the result does not state one")
    problems = [f"protocol {result.protocol}"] if result.protocol not in PROTOCOLS else []
    problems += [f"preprocessing {result.preprocessing}"] if result.preprocessing not in ("paper", "original") else []
    problems += [f"fraction {result.fraction}"] if not 0 < result.fraction <= 1 else []
    problems += [f"status {result.status}"] if result.status != "complete" else []
    problems += [f"dataset {result.dataset.get('id')}"] if result.dataset.get("id") != task.dataset else []
    settings = result.hyperparameters
    problems += [f"{name} {settings[name]}" for name in ("limit", "fault") if settings.get(name)]
    yield verdict(
        "setting", problems, expected=f"a complete run on {task.dataset} by a known protocol, without limit or fault",
        fix="hf-ecg-bench run without --limit and --fault",
    )  # fmt: skip
    digests = {"dataset.digest": result.dataset.get("digest"), "model.digest": result.model.get("digest")}
    odd = [
        f"{name}: {shown(value)}"
        for name, value in digests.items()
        if not (isinstance(value, str) and _DIGEST.fullmatch(value)) and not (value is None and name == "model.digest")
    ]
    yield verdict("stated digests", odd, expected="SHA-256 of data and weights", fix="run again")
    if get_mode(result.mode).pretrained and result.model.get("digest") is None:
        yield Check("pretrained weights", None, "the digest of the weights", "the run started from random ones")


def check_plausible(result: Result) -> Iterator[Check]:
    """Values inside their range and their interval, counts and costs that are numbers and not negative."""
    problems = [*_metric_problems(result.metrics.get("metrics"), "metrics")]
    targets = result.metrics.get("targets")
    for name, target in targets.items() if isinstance(targets, dict) else ():
        own = (
            {key: value for key, value in target.items() if isinstance(value, dict)} if isinstance(target, dict) else {}
        )
        problems += _metric_problems(own, f"targets.{shown(name)}")
    for name, value in result.cost.items():
        if isinstance(value, int | float) and not isinstance(value, bool) and not 0 <= value < 1e30:
            problems.append(f"cost.{shown(name)}: {value:g}")
    records = result.dataset.get("records")
    if not isinstance(records, dict) or records.get("test") != result.metrics.get("n"):
        test = records.get("test") if isinstance(records, dict) else None
        problems.append(f"dataset.records.test: {test!r:.20}, scored {result.metrics.get('n')!r:.20}")
    if problems:
        yield verdict(
            "plausible values", problems, expected="low <= value <= high, scores from 0 to 1", fix="run again"
        )
    else:
        yield passed("plausible values")


def _metric_problems(metrics: Any, where: str) -> Iterator[str]:
    if not isinstance(metrics, Mapping) or (where == "metrics" and not metrics):
        yield f"{where}: no metrics"
        return
    for name, estimate in metrics.items():
        if not isinstance(estimate, Mapping):
            yield f"{where}.{shown(name)}: no estimate"
            continue
        values = [estimate.get(key) for key in ("low", "value", "high")]
        numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
        # An interval of resamples may miss a value by a hair, never by much.
        span = max(numbers) - min(numbers) if numbers else 0.0
        disordered = len(numbers) == 3 and not numbers[0] - 0.5 * span <= numbers[1] <= numbers[2] + 0.5 * span
        score = any(part in name for part in _SCORES)
        outside = [value for value in numbers if not math.isfinite(value) or (score and not 0 <= value <= 1)]
        if disordered or (len(numbers) == 3 and numbers[0] > numbers[2]) or outside or not _null_or_number(values):
            yield f"{where}.{shown(name)}: low, value, high {values!r:.80}"


def _null_or_number(values: list[Any]) -> bool:
    return all(value is None or (isinstance(value, int | float) and not isinstance(value, bool)) for value in values)

"""A grid of invented runs: shared test records per task, models of different skill."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hf_ecg_bench.evaluation.summary import summarise
from hf_ecg_bench.results.predictions import make_predictions, write_predictions
from hf_ecg_bench.results.schema import PREDICTIONS_FILE, Result
from hf_ecg_bench.tasks.catalogue import CATALOGUE

#: Logit by which positives and negatives differ; an error's size is its inverse.
SKILLS = {"s4": 1.6, "merl": 1.5, "ecg_jepa": 2.0, "st_mem": 0.9, "net1d": 1.0}
_MODES = {"scratch": 1.0, "finetune": 1.15, "frozen": 0.85, "linear": 0.7, "lora": 1.05}
_LABELS = ("A", "B", "C")
_SECONDS = {"scratch": 700.0, "finetune": 900.0, "frozen": 90.0, "linear": 20.0, "lora": 500.0}


def make_grid(
    folder: Path,
    *,
    models: Mapping[str, float] = SKILLS,
    tasks: Sequence[str] = ("ptbxl_super", "chapman", "echonext"),
    modes: Sequence[str] = ("finetune", "frozen"),
    fractions: Sequence[float] = (1.0,),
    seeds: Sequence[int] = (0, 1),
    n: int = 120,
    n_resamples: int = 20,
    **changes: Any,
) -> list[Path]:
    """Write the runs as a grid does, below `folder`/runs; returns their folders."""
    found = []
    for task in tasks:
        for model, skill in models.items():
            for mode in ("scratch",) if model in ("s4", "net1d") else modes:
                for fraction in fractions:
                    for seed in seeds:
                        out = folder / f"runs/{model}/{task}/{mode}/fraction-{fraction:g}/seed-{seed}"
                        ability = skill * _MODES[mode] * (0.4 + 0.6 * fraction**0.25)
                        make_cell(out, task, model, mode, fraction, seed, ability, n, n_resamples, **changes)
                        found.append(out)
    return found


def make_cell(
    out: Path,
    task: str,
    model: str,
    mode: str,
    fraction: float,
    seed: int,
    ability: float,
    n: int = 120,
    n_resamples: int = 20,
    **changes: Any,
) -> Result:
    """Write one run's result.json and predictions.parquet; test records depend on the task alone."""
    numeric = task in CATALOGUE and CATALOGUE[task].selection == "mae"
    shared = np.random.default_rng(_number(task))
    own = np.random.default_rng([_number(f"{task} {model} {mode} {fraction}"), seed])
    if numeric:
        targets = shared.normal(size=(n, len(_LABELS)))
        values = targets + own.normal(size=targets.shape) / ability
    else:
        targets = (shared.random((n, len(_LABELS))) < (0.4, 0.25, 0.15)).astype(float)
        hard = shared.normal(size=targets.shape)
        values = 1 / (1 + np.exp(-(ability * (targets - 0.5) + 0.9 * hard + 0.45 * own.normal(size=targets.shape))))
    kinds = ("regression" if numeric else "binary",) * len(_LABELS)
    patients = [f"p{row // 2}" for row in range(n)]
    groups = np.array(patients, dtype=object)
    parameters = 1e6 * (1 + _number(model) % 90)
    values_of: dict[str, Any] = {
        "task": task,
        "dataset": {
            "id": CATALOGUE[task].dataset if task in CATALOGUE else task,
            "source": "ecg-bench/x",
            "digest": "5f3c" * 16,
            "records": {"train": round(8000 * fraction), "validation": 300, "test": n},
        },
        "model": {"id": model, "source": model, "digest": "9b1d" * 16},
        "mode": mode,
        "protocol": "paper",
        "preprocessing": "paper",
        "fraction": fraction,
        "seed": seed,
        "hyperparameters": {"epochs": 20, "learning_rate": 1e-3},
        "signal": {},
        "selection": {"metric": "macro_auroc", "best_epoch": 3, "best_value": 0.8},
        "metrics": summarise(targets, values, _LABELS, kinds, groups, n_resamples=n_resamples),
        "history": [],
        "cost": {
            "train_seconds": _SECONDS[mode] * fraction * (1 + parameters / 5e7),
            "evaluate_seconds": 3.0,
            "parameters": parameters,
            "trainable_parameters": parameters if mode in ("finetune", "scratch") else 4e3,
            "latency_ms": 2.0 + parameters / 1e7,
        },
        "environment": {"device": "cpu"},
        "warnings": [f"{n} test records: single records decide"] if seed == 0 else [],
    }
    result = Result(**{**values_of, **changes})
    out.mkdir(parents=True, exist_ok=True)
    predictions = make_predictions([f"r{row}" for row in range(n)], patients, targets, values, _LABELS, kinds)
    write_predictions(out / PREDICTIONS_FILE, predictions)
    result.save(out)
    return result


def _number(text: str) -> int:
    """The same number for the same text in every process."""
    return int.from_bytes(text.encode()[-24:], "little") % (2**31)

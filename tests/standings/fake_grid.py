"""Folders of runs as a grid leaves them, of invented predictions: models of known skill on the same test records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hf_ecg_bench.evaluation.summary import summarise
from hf_ecg_bench.results.predictions import make_predictions, write_predictions
from hf_ecg_bench.results.schema import PREDICTIONS_FILE, Result

LABELS = ("NORM", "AFIB", "LBBB", "RBBB", "IMI", "LVH")


def write_run(
    folder: Path,
    *,
    model: str,
    task: str,
    skill: float,
    mode: str = "frozen",
    seed: int = 0,
    n: int = 240,
    labels: Sequence[str] = LABELS,
    numbers: Sequence[str] = (),
    parts: Mapping[str, Sequence[str]] | None = None,
    dataset: str | None = None,
    test_seed: int = 0,
    shuffle: bool = False,
    predictions: bool = True,
    n_resamples: int = 10,
    model_digest: str = "9b1d" * 16,
    **changes: Any,
) -> Result:
    """One run: all with the same `n`, targets and `test_seed` have the same test records, two to a patient."""
    truth = np.random.default_rng(test_seed)
    binary = (truth.random((n, len(labels))) < np.geomspace(0.45, 0.12, max(len(labels), 1))[: len(labels)]).astype(
        float
    )
    real = truth.normal(0, 1, (n, len(numbers)))
    targets = np.hstack([binary, real])
    shared = truth.normal(0, 1.0, targets.shape)  # what is hard for every model
    own = np.random.default_rng([seed, *model.encode(), *mode.encode(), *task.encode()]).normal(0, 1.0, targets.shape)
    logit = skill * (2 * binary - 1) + (shared + own)[:, : len(labels)]
    guess = real + (0.5 * (shared + own) / max(skill, 0.1))[:, len(labels) :]
    values = np.hstack([1 / (1 + np.exp(-logit)), guess])
    names, kinds = (*labels, *numbers), ("binary",) * len(labels) + ("regression",) * len(numbers)
    ids = [f"rec{i:05d}" for i in range(n)]
    patients = np.array([f"pat{i // 2:05d}" for i in range(n)], dtype=object)
    slices = {}
    for part, wanted in (parts or {}).items():
        columns = [names.index(name) for name in wanted]
        summary = summarise(
            targets[:, columns], values[:, columns], wanted, [kinds[c] for c in columns], patients, n_resamples
        )
        slices[part] = {"metrics": summary, "n_excluded": 0}
    result = Result(
        task=task,
        dataset={
            "id": dataset or task,
            "source": task,
            "digest": "5f3c" * 16,
            "records": {"train": 2400, "validation": 300, "test": n},
        },
        model={"id": model, "source": model, "digest": model_digest},
        mode=mode,
        protocol="paper",
        preprocessing="paper",
        fraction=1.0,
        seed=seed,
        hyperparameters={"epochs": 20, "batch_size": 64, "learning_rate": 1e-3},
        signal={"steps": []},
        selection={"metric": "macro_auroc", "best_epoch": 3, "best_value": 0.5 + 0.2 * min(skill, 2.4)},
        metrics=summarise(targets, values, names, kinds, patients, n_resamples),
        history=[{"epoch": 1, "train_loss": 0.5}],
        cost={"train_seconds": 12.5, "parameters": 2_000_000, "records_per_second": 800.0, "latency_ms": 3.0},
        environment={"device": "cpu", "packages": {"hf-ecg-bench": "0.0.0"}},
        slices=slices,
    )
    result = Result(**{**vars(result), **changes})
    folder.mkdir(parents=True, exist_ok=True)
    if predictions:
        made = make_predictions(ids, patients, targets, values, names, kinds)
        order = np.random.default_rng(seed + 1).permutation(n) if shuffle else np.arange(n)
        write_predictions(folder / PREDICTIONS_FILE, made.take(order))
    result.save(folder)
    return result


def write_grid(
    folder: Path,
    skills: Mapping[str, float],
    tasks: Sequence[str],
    *,
    modes: Sequence[str] = ("frozen", "linear"),
    seeds: Sequence[int] = (0, 1),
    fractions: Sequence[float] = (1.0,),
    **options: Any,
) -> Path:
    """Every model on every task in every mode; `linear` is a little worse than `frozen`."""
    for model, skill in skills.items():
        for task in tasks:
            for mode in modes:
                for fraction in fractions:
                    for seed in seeds:
                        worse = (0.15 if mode == "linear" else 0.0) + 0.4 * (1 - fraction)
                        place = folder / "runs" / model / task / mode / f"fraction-{fraction:g}" / f"seed-{seed}"
                        options_of_run = {"test_seed": len(task), **options, "fraction": fraction}
                        write_run(
                            place, model=model, task=task, skill=skill - worse, mode=mode, seed=seed, **options_of_run
                        )
    return folder

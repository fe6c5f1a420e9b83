"""Finished run folders whose macro AUROC follows a given law, all tested on the same invented records."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np

from hf_ecg_bench.evaluation.summary import summarise
from hf_ecg_bench.results.predictions import make_predictions, write_predictions
from hf_ecg_bench.results.schema import PREDICTIONS_FILE, Result

NAMES, KINDS = ("A", "B", "rate"), ("binary", "binary", "regression")
ALL_RECORDS = 4096
N_TEST = 400


def law(records: float, scale: float = 2.0, alpha: float = 0.4, offset: float = 0.1) -> float:
    return scale * records**-alpha + offset


def make_run(
    folder: Path,
    error: float,
    *,
    model: str = "s4",
    mode: str = "scratch",
    fraction: float = 1.0,
    seed: int = 0,
    predictions: bool = True,
    std: float = 1.0,
    **changes: Any,
) -> Result:
    """A run whose macro AUROC is 1 - `error` but for sampling: binormal scores, the test records' share in common."""
    common, own = np.random.default_rng(0), np.random.default_rng([seed, round(1e6 * error)])
    yes_no = (common.random((N_TEST, 2)) < 0.4).astype(float)
    number = common.normal(size=(N_TEST, 1))
    shared = common.normal(size=(N_TEST, 2))
    distance = np.sqrt(2) * NormalDist().inv_cdf(1 - error)
    scores = distance * yes_no + np.sqrt(0.8) * shared + np.sqrt(0.2) * own.normal(size=(N_TEST, 2))
    guess = number + error * common.normal(size=(N_TEST, 1)) + 0.01 * own.normal(size=(N_TEST, 1))
    targets = np.hstack([yes_no, number / std])
    values = np.hstack([1 / (1 + np.exp(-scores)), guess / std])
    patients = [f"p{record // 2}" for record in range(N_TEST)]
    result = Result(
        task="synthetic",
        dataset={"id": "synthetic", "digest": "d", "records": {"train": round(fraction * ALL_RECORDS), "test": N_TEST}},
        model={"id": model, "source": model, "digest": None},
        mode=mode,
        protocol="paper",
        preprocessing="paper",
        fraction=fraction,
        seed=seed,
        hyperparameters={
            "epochs": 3, "limit": 0, "learning_rates": [], "learning_rate": 1e-3,
            "target_mean": dict.fromkeys(NAMES, 0.0), "target_std": {"A": 1.0, "B": 1.0, "rate": std},
        },
        signal={},
        selection={},
        metrics=summarise(targets, values, NAMES, KINDS, patients, n_resamples=50),
        history=[],
        cost={},
        environment={},
    )  # fmt: skip
    result = replace(result, **changes)
    folder.mkdir(parents=True)
    if predictions:
        ids = [f"r{record}" for record in range(N_TEST)]
        write_predictions(folder / PREDICTIONS_FILE, make_predictions(ids, patients, targets, values, NAMES, KINDS))
    result.save(folder)
    return result


def make_sweep(
    folder: Path, fractions: tuple[float, ...], seeds: tuple[int, ...] = (0, 1), *, better: float = 1.0, **changes: Any
) -> None:
    """One run per fraction and seed; `better` scales the falling part of the error."""
    for fraction in fractions:
        for seed in seeds:
            error = law(fraction * ALL_RECORDS, scale=2.0 * better) + (0.004 if seed % 2 else -0.004)
            make_run(folder / f"fraction-{fraction:g}" / f"seed-{seed}", error, fraction=fraction, seed=seed, **changes)

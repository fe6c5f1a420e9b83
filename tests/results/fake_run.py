"""Run folders as `run` would leave them, made of invented numbers: what the report is tested with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from hf_ecg_bench.evaluation.summary import summarise
from hf_ecg_bench.results.predictions import make_predictions, write_predictions
from hf_ecg_bench.results.schema import EXAMPLES_FILE, PREDICTIONS_FILE, Result

LABELS = ("NORM", "AFIB", "LBBB", "RBBB", "IMI", "LVH", "PVC", "1AVB")
REGRESSION = {
    "heart_rate": (72.0, 14.0, "1/min"),
    "pr_interval": (158.0, 24.0, "ms"),
    "qrs_duration": (96.0, 18.0, "ms"),
}


def fake_ecg(seconds: float = 10.0, rate: int = 500, *, beat: float = 0.84, seed: int = 0) -> np.ndarray:
    """(time, 12) in mV: sums of Gaussians that look enough like an ECG to judge the drawing by."""
    random = np.random.default_rng(seed)
    time = np.arange(round(seconds * rate)) / rate
    phase = (time + 0.3) % beat
    waves = {
        "p": (0.16, 0.022),
        "q": (0.285, 0.009),
        "r": (0.31, 0.011),
        "s": (0.337, 0.011),
        "t": (0.56, 0.045),
    }
    wave = {key: np.exp(-((phase - centre) ** 2) / (2 * width**2)) for key, (centre, width) in waves.items()}
    x = 0.10 * wave["p"] - 0.1 * wave["q"] + 1.0 * wave["r"] - 0.20 * wave["s"] + 0.25 * wave["t"]
    y = 0.12 * wave["p"] - 0.1 * wave["q"] + 0.8 * wave["r"] - 0.10 * wave["s"] + 0.20 * wave["t"]
    limb_i, limb_ii = x, 0.5 * x + 0.87 * y
    limb = [
        limb_i,
        limb_ii,
        limb_ii - limb_i,
        -(limb_i + limb_ii) / 2,
        limb_i - limb_ii / 2,
        limb_ii - limb_i / 2,
    ]
    chest = [
        0.06 * wave["p"] + r * wave["r"] - s * wave["s"] + t * wave["t"]
        for r, s, t in (
            (0.2, 0.9, -0.1),
            (0.4, 1.4, 0.4),
            (0.7, 1.0, 0.5),
            (1.4, 0.6, 0.45),
            (1.3, 0.3, 0.3),
            (1.0, 0.1, 0.2),
        )
    ]
    signal = np.stack([*limb, *chest], axis=1) + random.normal(0, 0.008, (len(time), 12))
    return (signal + 0.05 * np.sin(2 * np.pi * 0.2 * time)[:, None]).astype(np.float32)


def make_run(
    folder: Path,
    *,
    labels: tuple[str, ...] = LABELS,
    regression: dict[str, tuple[float, float, str]] | None = None,
    n: int = 300,
    skill: float = 1.6,
    model: str = "s4",
    mode: str = "scratch",
    task: str = "synthetic",
    seed: int = 0,
    without_positives: tuple[str, ...] = (),
    examples: int = 3,
    patients: bool = True,
    scales: bool = True,
    n_resamples: int = 200,
    **changes: Any,
) -> Result:
    """Write result.json, predictions.parquet and examples.npz into `folder`; returns the result."""
    regression = {} if regression is None else regression
    random = np.random.default_rng(seed)
    names = (*labels, *regression)
    kinds = ("binary",) * len(labels) + ("regression",) * len(regression)
    prevalence = np.geomspace(0.45, 0.02, len(labels)) if len(labels) > 1 else np.array([0.3])
    binary = (random.random((n, len(labels))) < prevalence).astype(float)
    binary[:, [name in without_positives for name in labels]] = 0
    logit = skill * (2 * binary - 1) + np.log(prevalence / (1 - prevalence)) + random.normal(0, 1.3, binary.shape)
    numbers = random.normal(0, 1, (n, len(regression)))
    targets = np.hstack([binary, numbers])
    targets[random.random(targets.shape) < 0.02] = np.nan
    values = np.hstack([1 / (1 + np.exp(-logit)), 0.85 * numbers + random.normal(0, 0.4, numbers.shape)])
    record_id = [f"rec{index:05d}" for index in range(n)]
    patient_id = [f"pat{index // 2:05d}" for index in range(n)] if patients else None
    groups = np.array(patient_id, dtype=object) if patient_id else None
    hyperparameters: dict[str, Any] = {
        "epochs": 20,
        "batch_size": 64,
        "learning_rate": 1e-3,
        "weight_decay": 1e-3,
        "optimizer": "adamw",
        "lr_scheduler": "constant",
        "learning_rate_factors": [1.0, 0.1, 0.01],
        "max_grad_norm": None,
    }
    if scales and regression:
        hyperparameters |= {
            "target_mean": {name: mean for name, (mean, _, _) in regression.items()},
            "target_std": {name: std for name, (_, std, _) in regression.items()},
            "target_units": {name: unit for name, (_, _, unit) in regression.items()},
        }
    curve = 0.5 + 0.42 * (1 - np.exp(-np.arange(1, 21) / 5)) + random.normal(0, 0.008, 20)
    result = Result(
        task=task,
        dataset={
            "id": task,
            "source": f"ecg-bench/{task}",
            "digest": "5f3c" * 16,
            "records": {"train": 2400, "validation": 300, "test": n},
        },
        model={"id": model, "source": model, "digest": "9b1d" * 16},
        mode=mode,
        protocol="paper",
        preprocessing="paper",
        fraction=1.0,
        seed=seed,
        hyperparameters=hyperparameters,
        signal={
            "source": {"rate": 500, "unit": "mV", "seconds": 10.0},
            "target": {"rate": 100, "unit": "mV", "seconds": 2.5},
            "window": 1250,
            "samples": 250,
            "steps": [
                "take windows of 1250 samples (2.5 s at 500 Hz)",
                "NaN -> 0",
                "resample 500 Hz -> 100 Hz: 250 samples",
                "transpose to (12, 250)",
            ],
        },
        selection={
            "metric": "macro_auroc",
            "best_epoch": int(curve.argmax()) + 1,
            "best_value": float(curve.max()),
        },
        metrics=summarise(targets, values, names, kinds, groups, n_resamples=n_resamples),
        history=[
            {
                "epoch": index + 1,
                "train_loss": 0.7 * float(np.exp(-index / 6)) + 0.05,
                "validation_macro_auroc": float(value),
            }
            for index, value in enumerate(curve)
        ],
        cost={
            "train_seconds": 734.2,
            "evaluate_seconds": 3.1,
            "peak_memory_bytes": 1.9e9,
            "parameters": 2_283_528,
            "trainable_parameters": 2_283_528,
            "records_per_second": 812.4,
        },
        environment={
            "python": "3.11.2",
            "torch": "2.6.0",
            "transformers": "5.20",
            "device": "cpu",
            "git_commit": "0123abc",
        },
        warnings=[],
    )
    result = Result(**{**vars(result), **changes})
    folder.mkdir(parents=True, exist_ok=True)
    predictions = make_predictions(record_id, patient_id, targets, values, names, kinds)
    write_predictions(folder / PREDICTIONS_FILE, predictions)
    if examples:
        signals = np.stack([fake_ecg(seed=index, beat=0.7 + 0.12 * index) for index in range(examples)])
        np.savez_compressed(
            folder / EXAMPLES_FILE,
            record_id=np.array(record_id[:examples]),
            signals=signals,
            sampling_rate=500,
        )
    result.save(folder)
    return result

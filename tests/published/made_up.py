"""A table of published rows as it should be: values of models and tasks, noise, and honest intervals."""

from __future__ import annotations

import numpy as np

from hf_ecg_bench.results.row import Row

MODELS = ("ecg_founder", "ecg_jepa", "st_mem", "hubert_ecg", "ecg_cpc")
MODES = {"finetune": 0.4, "frozen": 0.1, "linear": -0.3}
TASKS = tuple(f"task{number}" for number in range(12))
ERRORS = ("errors0", "errors1")


def table(seed: int = 0) -> list[Row]:
    """Rows of five models, three modes, twelve tasks with labels and two of regression, six digits each."""
    random = np.random.default_rng(seed)
    ability = dict(zip(MODELS, random.normal(0, 0.15, len(MODELS)), strict=True))
    level = {task: random.uniform(1.2, 2.6) for task in TASKS}
    rows = []
    for model in MODELS:
        for mode, gain in MODES.items():
            for task in (*TASKS, *ERRORS):
                noise = random.normal(0, 0.1)
                if task in ERRORS:
                    value, half = 0.5 - 0.1 * (ability[model] + gain) + 0.1 * noise, 0.01 + random.normal(0, 5e-4)
                else:
                    value = 1 / (1 + np.exp(-(level[task] + ability[model] + gain + noise)))
                    half = 0.1 * value * (1 - value) * random.uniform(0.97, 1.03)
                shift = random.normal(0, 0.04) * half
                rows.append(row(model, mode, task, value, value - half + shift, value + half + shift))
    return rows


def row(model: str, mode: str, task: str, value: float, low: float, high: float) -> Row:
    """One of them."""
    errors = task in ERRORS
    return Row(
        model=model,
        mode=mode,
        task=task,
        category="",
        dataset="",
        metric="pooled_mae" if errors else "macro_auroc",
        higher_is_better=not errors,
        value=round(float(value), 6),
        low=round(float(low), 6),
        high=round(float(high), 6),
        n_targets=1.0 if errors else 10.0,
        origin="published",
    )

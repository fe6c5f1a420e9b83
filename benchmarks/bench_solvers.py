"""A linear head on stored features: the convex solver against the protocol's AdamW; seconds and macro AUROC.

    python benchmarks/bench_solvers.py [--records 17000] [--size 1024] [--targets 71] [--epochs 100] [--json]

The features are made up: 200 hidden causes with a falling spectrum, mixed into `size` float16 numbers with noise, of
which 71 labels of 0.2 to 40 % depend; the size of PTB-XL and its 71 statements. The yardstick is the default solver,
the Trainer with the paper's protocol (AdamW, rate 1e-3, batch 64, best of the epochs on validation). Reading the
features from the backbone comes before both and is not timed. Above 1, the solver is faster.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from dataclasses import dataclass, field
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import nn
from transformers import PrinterCallback, TrainingArguments

from hf_ecg_bench.models.outputs import EcgClassifierOutput
from hf_ecg_bench.training.convex.data import linear_data
from hf_ecg_bench.training.convex.fit import STRENGTHS
from hf_ecg_bench.training.convex.solve import exact_gradient, solve
from hf_ecg_bench.training.loop.batches import RECORD, Batch, collate
from hf_ecg_bench.training.loop.selection import selection_metrics
from hf_ecg_bench.training.loop.trainer import EcgTrainer

_CAUSES = 200


@dataclass
class Split:
    """Features and labels in memory, one window per record: for the solver and for the Trainer."""

    features: np.ndarray
    targets: np.ndarray
    record: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.record = np.arange(len(self.features))

    def read(self, rows: np.ndarray) -> np.ndarray:
        """(n, size) float32."""
        return self.features[rows].astype(np.float32)

    def set_epoch(self, epoch: int) -> None:
        """There is one window per record."""

    def __len__(self) -> int:
        return len(self.features)

    def __getitems__(self, indices: list[int]) -> Batch:
        return {
            "features": torch.from_numpy(self.features[indices]),
            "labels": torch.from_numpy(self.targets[indices]),
            RECORD: torch.tensor(indices),
        }


class Head(nn.Module):
    """The linear head as a model for the Trainer."""

    def __init__(self, size: int, targets: int) -> None:
        super().__init__()
        self.head = nn.Linear(size, targets)
        self.config = SimpleNamespace(model_type="s4")  # one group of parameters

    def forward(self, features: torch.Tensor) -> Any:
        """Logits of windows."""
        return EcgClassifierOutput(logits=self.head(features.float()))


def make_splits(records: int, size: int, targets: int) -> tuple[Split, Split, Split]:
    """Training, validation and test: 8 to 1 to 1."""
    rng = np.random.default_rng(0)
    mixing = rng.normal(size=(_CAUSES, size)) * (np.arange(1, _CAUSES + 1) ** -0.7)[:, None]
    effects = rng.normal(size=(_CAUSES, targets))
    effects *= 3 / np.linalg.norm(effects, axis=0)
    shares = np.geomspace(0.002, 0.4, targets)
    numbers = (records, records // 8, records // 8)
    causes = rng.normal(size=(sum(numbers), _CAUSES))
    features = (causes @ mixing + 0.3 * rng.normal(size=(len(causes), size))).astype(np.float16)
    scores = causes @ effects + rng.logistic(size=(len(causes), targets))
    labels = scores > np.array([np.quantile(scores[:, t], 1 - share) for t, share in enumerate(shares)])
    bounds = np.cumsum((0, *numbers))
    first, second, third = (
        Split(features[low:high], labels[low:high].astype(np.float32)) for low, high in pairwise(bounds)
    )
    return first, second, third


def by_solver(train: Split, validation: Split, test: Split) -> dict[str, Any]:
    """As `training.convex.fit` does."""
    started = time.perf_counter()
    data = linear_data(train, train.targets, np.zeros(train.targets.shape[1], bool))
    prepared = time.perf_counter() - started
    best: tuple[float, float, Any] | None = None
    solution, iterations, slowest = None, [], 0.0
    for strength in STRENGTHS:
        begun = time.perf_counter()
        solution = solve(data, strength, solution)
        value = auroc(validation, solution.folded(data))
        iterations.append(solution.iterations)
        slowest = max(slowest, time.perf_counter() - begun)
        if best is None or value > best[0]:
            best = value, strength, solution
    assert best is not None
    value, strength, solution = best
    gradient = float(exact_gradient(data, strength, solution).max())
    return {
        "solver": "lbfgs",
        "seconds": time.perf_counter() - started,
        "preparing_seconds": prepared,
        "slowest_strength_seconds": slowest,
        "validation": value,
        "test": auroc(test, solution.folded(data)),
        "chosen": f"strength {strength:.1e}, gradient {gradient:.1e}, {sum(iterations)} iterations",
    }


def by_trainer(train: Split, validation: Split, test: Split, epochs: int) -> dict[str, Any]:
    """As a run does, without logs and with the same checkpoints."""
    targets = train.targets.shape[1]
    torch.manual_seed(0)
    module = Head(train.features.shape[1], targets)
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            output_dir=folder, num_train_epochs=epochs, per_device_train_batch_size=64, learning_rate=1e-3,
            per_device_eval_batch_size=256, weight_decay=1e-3, max_grad_norm=0.0, lr_scheduler_type="constant",
            eval_strategy="epoch", save_strategy="epoch", logging_strategy="epoch", load_best_model_at_end=True,
            metric_for_best_model="macro_auroc", greater_is_better=True, label_names=["labels"],
            remove_unused_columns=False, report_to="none", use_cpu=True, disable_tqdm=True, dataloader_pin_memory=False,
        )  # fmt: skip
        yes_no = np.zeros(targets, bool)
        trainer = EcgTrainer(
            model=module, args=arguments, data_collator=collate, train_dataset=train, eval_dataset=validation,
            is_regression=torch.from_numpy(yes_no), layer_factors=(1.0, 1.0, 1.0),
            record_metrics=lambda truth, predictions: selection_metrics(truth, predictions, yes_no),
        )  # fmt: skip
        trainer.remove_callback(PrinterCallback)
        started = time.perf_counter()
        trainer.fit()
        seconds = time.perf_counter() - started
        selection = trainer.selection("macro_auroc")
    weights = module.head.weight.detach().double().numpy(), module.head.bias.detach().double().numpy()
    return {
        "solver": "trainer",
        "seconds": seconds,
        "validation": selection["best_value"],
        "test": auroc(test, weights),
        "chosen": f"epoch {selection['best_epoch']} of {epochs}",
    }


def auroc(split: Split, weights: tuple[np.ndarray, np.ndarray]) -> float:
    """Macro AUROC of a linear head."""
    scores = split.features.astype(np.float64) @ weights[0].T + weights[1]
    return selection_metrics(split.targets, scores, np.zeros(split.targets.shape[1], bool))["macro_auroc"]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=17_000, help="of training")
    parser.add_argument("--size", type=int, default=1024)
    parser.add_argument("--targets", type=int, default=71)
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    splits = make_splits(arguments.records, arguments.size, arguments.targets)
    rows = [by_solver(*splits), by_trainer(*splits, arguments.epochs)]
    ratio = rows[1]["seconds"] / rows[0]["seconds"]
    if arguments.json:
        print(json.dumps({"rows": rows, "ratio": ratio}, indent=2))
        return
    print(f"{'solver':8} {'seconds':>8} {'validation':>11} {'test':>7}  chosen")
    for row in rows:
        print(f"{row['solver']:8} {row['seconds']:8.1f} {row['validation']:11.4f} {row['test']:7.4f}  {row['chosen']}")
    print(f"the solver is {ratio:.1f} times as fast as the Trainer")


if __name__ == "__main__":
    main()

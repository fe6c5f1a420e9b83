"""`select`: speed of the transferability scores, and what they say about real results of random tiny models.

    python benchmarks/bench_select.py                       speed at 17,000 x 1,024 features and 71 labels
    python benchmarks/bench_select.py --small --naive       beside plain loops, at a size at which these end
    python benchmarks/bench_select.py --grid [--data FOLDER --task ID,...] [--epochs N]

The grid makes backbones with RANDOM weights (see bench_modes.py), trains modes linear and frozen on them, and prints
for each task the rank correlation (Kendall's tau) of each score with the results on the test records; the scores see
training records only. Random weights differ less than pretrained ones: this shows that the scores measure what a head
can use, not how they would order public models.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from bench_modes import _synthetic, backbone, tiny_options
from scipy.stats import kendalltau

from hf_ecg_bench.cli.printing import print_json, print_table
from hf_ecg_bench.models.registry import get_model_spec, list_models
from hf_ecg_bench.saying import silent
from hf_ecg_bench.selecting.transfer.columns import Targets, make_targets
from hf_ecg_bench.selecting.transfer.h_score import h_score
from hf_ecg_bench.selecting.transfer.logme import logme
from hf_ecg_bench.selecting.transfer.neighbours import neighbour_predictions
from hf_ecg_bench.selecting.transfer.probe import probe


def speed(records: int, dim: int, labels: int, naive: bool) -> dict[str, dict[str, float]]:
    """Seconds of each score on made-up features."""
    random = np.random.default_rng(0)
    f = random.standard_normal((records, dim)).astype(np.float32)
    z = f[:, : min(dim, 20)] @ random.standard_normal((min(dim, 20), labels))
    y = (z > z.std(0) * random.uniform(0, 1.9, labels)).astype(np.float64)
    targets, patients = make_targets(y), np.arange(records) // 2
    ways: dict[str, Callable[[], object]] = {
        "LogME": lambda: logme(f, targets),
        "H-score": lambda: h_score(f, targets),
        "20-NN": lambda: neighbour_predictions(f, targets, patients),
        "ridge probe": lambda: probe(f, targets, patients),
    }
    if naive:
        ways |= {"LogME, naive": lambda: naive_logme(f, y), "20-NN, naive": lambda: naive_neighbours(f, y, patients)}
        ways |= {"H-score, naive": lambda: naive_h_score(f, y)}
    found = {}
    for name, way in ways.items():
        started, cpu = time.perf_counter(), time.process_time()
        way()
        found[name] = {"seconds": time.perf_counter() - started, "cpu_seconds": time.process_time() - cpu}
        print(f"{name}: {found[name]['seconds']:.2f} s", file=sys.stderr, flush=True)
    return found


def naive_logme(f: np.ndarray, y: np.ndarray) -> list[float]:
    """One singular value decomposition and one iteration per label, as the paper's first algorithm."""
    result = []
    for label in y.T:
        u, s, v = np.linalg.svd(f.astype(np.float64), full_matrices=False)
        alpha = beta = 1.0
        for _ in range(100):
            m = v.T @ (beta * s / (alpha + beta * s**2) * (u.T @ label))
            gamma = (beta * s**2 / (alpha + beta * s**2)).sum()
            old, alpha = alpha / beta, gamma / (m @ m)
            rest = ((f @ m - label) ** 2).sum()
            beta = (len(f) - gamma) / rest
            if abs(alpha / beta / old - 1) < 1e-7:
                break
        logs = len(f) * np.log(beta / 2 / np.pi) + len(s) * np.log(alpha) - np.log(alpha + beta * s**2).sum()
        result.append((logs - beta * rest - alpha * m @ m) / 2 / len(f))
    return result


def naive_h_score(f: np.ndarray, y: np.ndarray) -> list[float]:
    """A covariance and its inverse per label."""
    result = []
    for label in y.T:
        means = np.where(label[:, None] == 1, f[label == 1].mean(0), f[label == 0].mean(0))
        result.append(float(np.trace(np.linalg.pinv(np.cov(f.T)) @ np.cov(means.T))))
    return result


def naive_neighbours(f: np.ndarray, y: np.ndarray, patients: np.ndarray) -> np.ndarray:
    """A loop over records."""
    z = (f - f.mean(0)) / f.std(0)
    result = np.empty_like(y)
    for i in range(len(f)):
        far = ((z - z[i]) ** 2).sum(1)
        far[patients == patients[i]] = np.inf
        result[i] = y[np.argsort(far)[:20]].mean(0)
    return result


def grid(arguments: argparse.Namespace, folder: Path) -> list[dict[str, object]]:
    """One entry per task: results of the models, their scores, and the correlations."""
    from hf_ecg_bench.selecting.features import training_features
    from hf_ecg_bench.selecting.scoring import score_features
    from hf_ecg_bench.training.run import run
    from hf_ecg_bench.training.spec import RunSpec

    data = arguments.data or _synthetic(folder)
    models = [name for name in list_models() if get_model_spec(name).pretrained]
    entries: list[dict[str, object]] = []
    for task in arguments.task.split(","):
        results: dict[str, list[float]] = {"linear": [], "frozen": []}
        scores: dict[str, list[float]] = {name: [] for name in ("probe", "neighbours", "logme", "h_score")}
        for model in models:
            source = str(backbone(model, tiny_options(model), folder))
            for mode, values in results.items():
                overrides: dict[str, object] = {"epochs": arguments.epochs, "batch_size": 32, "learning_rate": 1e-2}
                if mode == "linear":
                    overrides = {"solver": "lbfgs"}
                spec = RunSpec(source, task, mode, folder / "runs" / task / model / mode, str(data), "paper", overrides)
                values.append(run(spec, silent).metrics["metrics"]["macro_auroc"]["value"])
            found = training_features(source, task, str(data), silent)
            targets: Targets = make_targets(found.targets, found.is_regression)
            scored = score_features(found.features, targets, found.patients, "auroc")
            for name, own in scores.items():
                own.append(float(scored[name]))
            print(
                f"{task} {model}: linear {results['linear'][-1]:.3f}, probe {scores['probe'][-1]:.3f}", file=sys.stderr
            )
        tau = {
            f"{name} ~ {mode}": float(kendalltau(own, values).statistic)
            for name, own in scores.items()
            for mode, values in results.items()
        }
        entries.append({"task": task, "models": models, "results": results, "scores": scores, "tau": tau})
    return entries


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true", help="2,000 x 256 features and 20 labels")
    parser.add_argument("--naive", action="store_true", help="plain loops beside it")
    parser.add_argument("--grid", action="store_true", help="scores against results")
    parser.add_argument("--data", help="a prepared folder (default: synthetic records)")
    parser.add_argument("--task", default="synthetic", help="tasks, with commas between them")
    parser.add_argument("--epochs", type=int, default=10, help="of mode frozen")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if arguments.grid:
        with tempfile.TemporaryDirectory() as folder:
            entries = grid(arguments, Path(folder))
        if arguments.json:
            print_json(entries)
            return
        names = list(entries[0]["tau"])  # type: ignore[call-overload]
        columns = [[n, *(f"{e['tau'][n]:+.2f}" for e in entries)] for n in names]  # type: ignore[index]
        print_table(["Kendall's tau", *(str(e["task"]) for e in entries)], columns)
        print("8 models with random weights: nothing is said about public ones")
        return
    found = speed(*((2_000, 256, 20) if arguments.small else (17_000, 1_024, 71)), arguments.naive)
    if arguments.json:
        print_json(found)
    else:
        timed = [[name, f"{v['seconds']:.2f}", f"{v['cpu_seconds']:.2f}"] for name, v in found.items()]
        print_table(["score", "seconds", "CPU"], timed)


if __name__ == "__main__":
    main()

"""Time of the bootstrap against a loop of scikit-learn's roc_auc_score, both in this run.

    python benchmarks/bench_evaluation.py [--json] [--large]

Test set: --records x --labels with the prevalences of a clinical label set, from one positive to 40 %.
scikit-learn is timed on --loop of the same resamples (the loop costs the same for each), extrapolated to
--resamples, and its values are compared with ours. `summarise` is everything that a run reports. --large also measures
all 1,000 resamples of 6,000 x 1,127 and of 46,000 x 1,127, each in a process of its own for its peak memory, with
scikit-learn on a few resamples and labels there. Threads: OMP_NUM_THREADS. Needs the `dev` extra.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hf_ecg_bench.evaluation import bootstrap, summarise


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=2200)
    parser.add_argument("--labels", type=int, default=71)
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--loop", type=int, default=20, help="resamples on which scikit-learn is timed")
    parser.add_argument("--large", action="store_true", help="also measure 6,000 and 46,000 x 1,127")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--one", choices=["auroc", "summarise"], help="measure this alone (used by --large)")
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(measure_one(arguments.one, arguments.records, arguments.labels, arguments.resamples)))
        return

    result = compare_with_sklearn(arguments.records, arguments.labels, arguments.resamples, arguments.loop)
    if arguments.large:
        for records in (6_000, 46_000):
            result |= measure_large(records, 1127, arguments.resamples)
    if arguments.json:
        print(json.dumps(result, indent=2))
        return
    for name, value in result.items():
        print(f"{name:<44}{value:>14.6g}" if isinstance(value, float) else f"{name:<44}{value:>14}")


def compare_with_sklearn(n: int, n_labels: int, n_resamples: int, loop: int) -> dict[str, Any]:
    """Best of five runs of `bootstrap`, and of the loop's time per resample."""
    from sklearn.metrics import roc_auc_score

    targets, scores = example(n, n_labels)
    indices = np.random.default_rng(1).integers(0, n, size=(n_resamples, n))
    ours = best(lambda: bootstrap(targets, scores, n_resamples=n_resamples), 5)
    given = best(lambda: bootstrap(targets, scores, indices=indices), 3)
    names, kinds = [str(k) for k in range(n_labels)], ["binary"] * n_labels
    settings: dict[str, Any] = {"n_resamples": n_resamples, "validation": (targets, scores)}
    everything = best(lambda: summarise(targets, scores, names, kinds, **settings), 3)
    samples = bootstrap(targets, scores, indices=indices).per_target.samples

    one_call, per_label, worst = [], [], 0.0
    for resample in range(min(loop, n_resamples)):
        rows = indices[resample]
        t, s = targets[rows], scores[rows]
        defined = np.flatnonzero((t.min(axis=0) == 0) & (t.max(axis=0) == 1))
        t, s = t[:, defined], s[:, defined]
        start = time.perf_counter()
        reference = roc_auc_score(t, s, average=None)
        middle = time.perf_counter()
        for column in range(len(defined)):
            roc_auc_score(t[:, column], s[:, column])
        one_call.append(middle - start)
        per_label.append(time.perf_counter() - middle)
        worst = max(worst, float(np.abs(reference - samples[resample, defined]).max()))
    # The least favourable reading for us: scikit-learn's faster form at its fastest resample.
    sklearn_seconds = min(min(one_call), min(per_label)) * n_resamples
    return {
        "records": n,
        "labels": n_labels,
        "resamples": n_resamples,
        "threads (OMP_NUM_THREADS)": os.environ.get("OMP_NUM_THREADS", "not set"),
        "bootstrap, s": ours,
        "bootstrap with given indices, s": given,
        "summarise (all metrics), s": everything,
        "scikit-learn, resamples timed": len(one_call),
        "scikit-learn, one call a resample, ms": 1e3 * min(one_call),
        "scikit-learn, one call a label, ms": 1e3 * min(per_label),
        "scikit-learn, extrapolated, s": sklearn_seconds,
        "ratio": sklearn_seconds / ours,
        "ratio to one call a label (median)": float(np.median(per_label)) * n_resamples / ours,
        "largest difference of an AUROC": worst,
    }


def measure_large(n: int, n_labels: int, n_resamples: int) -> dict[str, Any]:
    """Seconds and peak memory of the AUROCs of all resamples, and of everything; scikit-learn on a part of it."""
    result: dict[str, Any] = {}
    for what in ("auroc", "summarise"):
        command = [sys.executable, __file__, "--one", what, "--records", str(n), "--labels", str(n_labels)]
        done = subprocess.run(
            [*command, "--resamples", str(n_resamples)], check=True, stdout=subprocess.PIPE, text=True
        )
        measured = json.loads(done.stdout)
        result |= {f"{n} x {n_labels}, {what}: {name}": value for name, value in measured.items()}
    from sklearn.metrics import roc_auc_score

    targets, scores = example(n, 40)  # of the same range of prevalences
    rng, seconds = np.random.default_rng(1), []
    for _ in range(3):
        rows = rng.integers(0, n, size=n)
        t, s = targets[rows], scores[rows]
        defined = np.flatnonzero((t.min(axis=0) == 0) & (t.max(axis=0) == 1))
        start = time.perf_counter()
        roc_auc_score(t[:, defined], s[:, defined], average=None)
        seconds.append((time.perf_counter() - start) / len(defined))
    loop = min(seconds) * n_labels * n_resamples
    result[f"{n} x {n_labels}, scikit-learn, extrapolated from 3 resamples of 40 labels, s"] = loop
    result[f"{n} x {n_labels}, ratio"] = loop / result[f"{n} x {n_labels}, auroc: s"]
    return result


def measure_one(what: str, n: int, n_labels: int, n_resamples: int) -> dict[str, float]:
    """Seconds, and the peak memory of this process (test set included)."""
    targets, scores = example(n, n_labels)
    start = time.perf_counter()
    if what == "auroc":
        bootstrap(targets, scores, n_resamples=n_resamples)
    else:
        names, kinds = [f"label {k}" for k in range(n_labels)], ["binary"] * n_labels
        summarise(targets, scores, names, kinds, n_resamples=n_resamples, validation=(targets, scores))
    seconds = time.perf_counter() - start
    return {"s": seconds, "peak memory, GiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20}


def example(n: int, n_labels: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Labels with prevalences on a log scale from one positive to 40 %, scores with an AUROC of about 0.9."""
    rng = np.random.default_rng(0)
    positives = np.geomspace(1, 0.4 * n, n_labels).astype(int)
    targets, scores = np.zeros((n, n_labels), dtype=np.float32), np.empty((n, n_labels), dtype=np.float32)
    for column, count in enumerate(positives):
        targets[rng.choice(n, size=count, replace=False), column] = 1
        scores[:, column] = 1 / (1 + np.exp(-rng.normal(size=n) - 1.8 * targets[:, column]))
    return targets, scores


def best(run: Callable[[], object], times: int) -> float:
    """Shortest of several runs, in seconds."""
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


if __name__ == "__main__":
    main()

"""Time of the bootstrap against a loop of scikit-learn's roc_auc_score, both in this run.

    python benchmarks/bench_evaluation.py [--json] [--large]

Test set: --records x --labels with the prevalences of a clinical label set, from one positive to 40 %.
scikit-learn is timed on --loop of the same resamples (the loop costs the same for each), extrapolated to
--resamples, and its values are compared with ours. One thread: OMP_NUM_THREADS=1. Needs the `dev` extra.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hf_ecg_bench.evaluation import bootstrap
from hf_ecg_bench.evaluation.resampling import draw_resamples
from hf_ecg_bench.evaluation.weighted_auroc import label_order, weighted_auroc


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=2200)
    parser.add_argument("--labels", type=int, default=71)
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--loop", type=int, default=20, help="resamples on which scikit-learn is timed")
    parser.add_argument("--large", action="store_true", help="also estimate 46,000 x 1,127 from some of its labels")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()

    result = compare_with_sklearn(arguments.records, arguments.labels, arguments.resamples, arguments.loop)
    if arguments.large:
        result |= estimate_large()
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
        "scikit-learn, resamples timed": len(one_call),
        "scikit-learn, one call a resample, ms": 1e3 * min(one_call),
        "scikit-learn, one call a label, ms": 1e3 * min(per_label),
        "scikit-learn, extrapolated, s": sklearn_seconds,
        "ratio": sklearn_seconds / ours,
        "ratio to one call a label (median)": float(np.median(per_label)) * n_resamples / ours,
        "largest difference of an AUROC": worst,
    }


def estimate_large(n: int = 46_000, n_labels: int = 1127, timed: int = 30) -> dict[str, Any]:
    """Seconds for 1,000 resamples of a large test set, from `timed` of its labels."""
    targets, scores = example(n, timed)
    start = time.perf_counter()
    resamples = draw_resamples(n)
    drawn = time.perf_counter()
    for column in range(timed):
        weighted_auroc(label_order(targets[:, column], scores[:, column]), resamples.counts)
    kernel = time.perf_counter() - drawn
    return {
        f"{n} x {n_labels}: drawing, s": drawn - start,
        f"{n} x {n_labels}: estimated from {timed} labels, s": drawn - start + kernel * n_labels / timed,
    }


def example(n: int, n_labels: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Labels with prevalences on a log scale from one positive to 40 %, scores with an AUROC of about 0.9."""
    rng = np.random.default_rng(0)
    positives = np.geomspace(1, 0.4 * n, n_labels).astype(int)
    targets = np.zeros((n, n_labels), dtype=np.float32)
    for column, count in enumerate(positives):
        targets[rng.choice(n, size=count, replace=False), column] = 1
    logits = rng.normal(size=(n, n_labels)) + 1.8 * targets
    return targets, (1 / (1 + np.exp(-logits))).astype(np.float32)


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

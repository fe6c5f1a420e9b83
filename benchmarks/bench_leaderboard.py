"""How long ranking and the leaderboard's snapshot take, and how large it is: of invented runs on disk.

python benchmarks/bench_leaderboard.py                      one task: 30 entries x 2,200 records x 71 labels
python benchmarks/bench_leaderboard.py --rows 10000         a whole leaderboard (writes 10,000 small runs first)
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path

import numpy as np

from hf_ecg_bench.evaluation.summary import summarise
from hf_ecg_bench.leaderboard.gathering import rank_rows
from hf_ecg_bench.leaderboard.snapshot import write_snapshot
from hf_ecg_bench.models.registry import list_models
from hf_ecg_bench.published import published_rows
from hf_ecg_bench.results.predictions import make_predictions, write_predictions
from hf_ecg_bench.results.rows import read_rows
from hf_ecg_bench.results.schema import PREDICTIONS_FILE, Result
from hf_ecg_bench.standings.scoring import score_tasks
from hf_ecg_bench.standings.task_ranking import stand
from hf_ecg_bench.tasks.catalogue import BENCHMARK
from hf_ecg_bench.training.modes import MODES


def write_run(folder: Path, model: str, mode: str, task: str, dataset: str, seed: int, n: int, labels: int) -> None:
    """One invented run; all of a task share their truth."""
    truth = np.random.default_rng([n, labels, *task.encode()])
    targets = (truth.random((n, labels)) < np.geomspace(0.4, 0.02, labels)).astype(np.float32)
    targets[0], targets[1] = 1, 0
    random = np.random.default_rng([seed, *model.encode(), *mode.encode(), *task.encode()])
    skill = 0.8 + 0.1 * (len(model) % 7)
    scores = 1 / (1 + np.exp(-(skill * (2 * targets - 1) + random.normal(0, 1.4, targets.shape))))
    names = [f"label {i}" for i in range(labels)]
    patients = [f"p{i // 2}" for i in range(n)]
    folder.mkdir(parents=True)
    write_predictions(
        folder / PREDICTIONS_FILE,
        make_predictions([f"r{i:06d}" for i in range(n)], patients, targets, scores.astype(np.float32), names),
    )
    Result(
        task=task,
        dataset={"id": dataset, "digest": "0" * 64, "records": {"train": 8 * n, "validation": n, "test": n}},
        model={"id": model, "source": model, "digest": "1" * 64},
        mode=mode,
        protocol="paper",
        preprocessing="paper",
        fraction=1.0,
        seed=seed,
        hyperparameters={},
        signal={},
        selection={"metric": "macro_auroc", "best_value": float(random.random())},
        metrics=summarise(
            targets, scores, names, ["binary"] * labels, np.array(patients, dtype=object), n_resamples=10
        ),
        history=[],
        cost={"parameters": 1e6, "train_seconds": 60.0},
        environment={"device": "cpu"},
    ).save(folder)


def one_task(folder: Path, entries: int, records: int, labels: int) -> None:
    """Scores and pairs of one task."""
    for i in range(entries):
        write_run(folder / f"run{i}", f"model_{'x' * i}", "frozen", "ptbxl_all", "ptbxl", 0, records, labels)
    rows, _ = read_rows(folder)
    start = time.perf_counter()
    scores = score_tasks(rows, folder, cache=False)["ptbxl_all"]
    scored = time.perf_counter()
    standing = stand(scores)
    print(
        f"{entries} entries x {records:,} records x {labels} labels, 1,000 resamples: scored in {scored - start:.1f} "
        f"s, ranked in {time.perf_counter() - scored:.2f} s ({standing.rank.max()} ranks, tail {standing.tail})"
    )


def leaderboard(folder: Path, n_rows: int, records: int, labels: int) -> None:
    """A snapshot of `n_rows` rows of this program and the published ones."""
    models = list_models()
    cells = [
        (model if copy == 0 else f"{model}_{copy}", mode, task, seed)
        for copy in range(1000)
        for seed in range(3)
        for mode in MODES
        for task in BENCHMARK
        for model in models
    ][: 3 * n_rows]
    start = time.perf_counter()
    for model, mode, task, seed in cells[:n_rows]:
        place = folder / "runs" / model / task.id / mode / f"seed-{seed}"
        write_run(place, model, mode, task.id, task.dataset, seed, records, labels)
    print(f"{n_rows:,} runs written in {time.perf_counter() - start:.0f} s")
    start = time.perf_counter()
    rows, _ = read_rows(folder)
    print(f"read_rows: {time.perf_counter() - start:.1f} s")
    for what in ("first", "from the cache"):
        start, cpu = time.perf_counter(), time.process_time()
        results = rank_rows((*rows, *published_rows()), folder)
        ranked, ranked_cpu = time.perf_counter(), time.process_time()
        data = write_snapshot(results, folder / "data", created="bench")
        print(
            f"{what}: scored and ranked in {ranked - start:.1f} s (CPU {ranked_cpu - cpu:.1f} s), views and files in "
            f"{time.perf_counter() - ranked:.1f} s (CPU {time.process_time() - ranked_cpu:.1f} s)",
            flush=True,
        )
    files = list(data.rglob("*.json"))
    sizes = {
        name: sum(p.stat().st_size for p in files if p.parent.name == name) for name in ("views", "tasks", "pairs")
    }
    index = json.loads((data / "index.json").read_text(encoding="utf-8"))
    print(
        f"{len(index['entries'])} entries, {len(index['cells']['value']):,} cells, {len(index['views'])} views; "
        f"index {(data / 'index.json').stat().st_size / 1e6:.1f} MB, "
        + ", ".join(f"{name} {size / 1e6:.1f} MB" for name, size in sizes.items())
        + f"; largest file {max(p.stat().st_size for p in files) / 1e6:.1f} MB"
    )


def main() -> None:
    """Parse and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=0, help="measure a leaderboard of so many rows")
    parser.add_argument("--entries", type=int, default=30)
    parser.add_argument("--records", type=int, default=2200)
    parser.add_argument("--labels", type=int, default=71)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        os.environ["HF_ECG_BENCH_CACHE"] = f"{temporary}/cache"
        if arguments.rows:
            leaderboard(Path(temporary), arguments.rows, min(arguments.records, 400), min(arguments.labels, 12))
        else:
            one_task(Path(temporary), arguments.entries, arguments.records, arguments.labels)


if __name__ == "__main__":
    main()

"""What is known of the models, tasks and datasets that results name; strangers' ones have an id alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from hf_ecg_bench.data.registry import get_dataset_spec, list_datasets
from hf_ecg_bench.leaderboard.gathering import Results
from hf_ecg_bench.leaderboard.numbers import amount
from hf_ecg_bench.leaderboard.space.board.snapshot import Dataset, Model, Task
from hf_ecg_bench.models.registry import MODELS, get_model_spec
from hf_ecg_bench.results.row import Row
from hf_ecg_bench.tasks.catalogue import CATALOGUE
from hf_ecg_bench.tasks.categories import category_name, category_order, task_order


def model_facts(models: Sequence[str]) -> list[Model]:
    """Of the registry where the id is one of it."""
    return [_model(model) for model in models]


def _model(model: str) -> Model:
    blank: Model = {
        "id": model,
        "title": model,
        "paper": "",
        "citation": "",
        "license_code": "",
        "license_weights": "",
        "parameters": None,
        "sampling_rate": None,
        "window_seconds": None,
        "pretraining": [],
        "overlaps": [],
        "hub_id": "",
    }
    if model not in MODELS:
        return blank
    spec = get_model_spec(model)
    return {
        "id": model,
        "title": spec.title,
        "paper": spec.paper,
        "citation": spec.citation,
        "license_code": spec.license_code,
        "license_weights": spec.license_weights,
        "parameters": spec.parameters,
        "sampling_rate": spec.sampling_rate,
        "window_seconds": spec.window_seconds,
        "pretraining": list(spec.pretraining),
        "overlaps": [{"dataset": o.dataset, "state": o.state, "reason": o.reason} for o in spec.overlaps],
        "hub_id": spec.hub_id if spec.pretrained else "",
    }


def task_ids(rows: Sequence[Row]) -> list[str]:
    """Tasks of rows: those of the catalogue in its order, then others by name."""
    return sorted({row.task for row in rows}, key=task_order)


def task_facts(results: Results, tasks: Sequence[str]) -> list[Task]:
    """Name and category of the catalogue, numbers of the results."""
    of_task: dict[str, list[Row]] = {task: [] for task in tasks}
    for row in results.rows:
        of_task[row.task].append(row)
    return [_task(results, task, rows) for task, rows in of_task.items()]


def _task(results: Results, task: str, rows: Sequence[Row]) -> Task:
    known, scores = CATALOGUE.get(task), results.scores.get(task)
    ours = [row for row in rows if row.origin == "ours"] or list(rows)
    targets = Counter(row.n_targets for row in ours if row.n_targets == row.n_targets)
    tests = Counter(row.records_test for row in ours if row.records_test == row.records_test)
    n_test = scores.n_records if scores is not None and scores.n_records else _most(tests)
    return {
        "id": task,
        "name": known.name if known else task,
        "category": known.category if known else ours[0].category,
        "dataset": known.dataset if known else results.datasets.get(task, ""),
        "metric": scores.metric if scores is not None else ours[0].metric,
        "higher_is_better": scores.higher_is_better if scores is not None else ours[0].higher_is_better,
        "n_targets": _most(targets),
        "n_test": n_test,
        "trained_as": next((row.trained_as for row in ours if row.trained_as), ""),
    }


def _most(counted: Counter[float]) -> float | None:
    return amount(min(counted, key=lambda n: (-counted[n], n))) if counted else None


def dataset_facts(datasets: Sequence[str]) -> list[Dataset]:
    """Of the registry where the id is one of it."""
    known = set(list_datasets())
    return [_dataset(dataset, dataset in known) for dataset in datasets]


def _dataset(dataset: str, known: bool) -> Dataset:
    if not known:
        return {
            "id": dataset,
            "title": dataset,
            "homepage": "",
            "license": "",
            "access": "",
            "records": None,
            "patients": None,
            "sampling_rate": None,
            "seconds": None,
            "description": "",
            "citation": "",
        }
    spec = get_dataset_spec(dataset)
    return {
        "id": dataset,
        "title": spec.title,
        "homepage": spec.homepage,
        "license": spec.license,
        "access": spec.access,
        "records": spec.records,
        "patients": spec.patients,
        "sampling_rate": spec.sampling_rate,
        "seconds": spec.seconds,
        "description": spec.description,
        "citation": spec.citation,
    }


def category_facts(tasks: Sequence[Task]) -> list[dict[str, str]]:
    """Categories of these tasks: the paper's in its order, then others."""
    found = sorted({task["category"] for task in tasks if task["category"]}, key=category_order)
    return [{"id": category, "name": category_name(category)} for category in found]

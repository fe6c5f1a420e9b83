"""What a dataset's repository holds beyond the prepared folder: which tasks of the benchmark it is tested with."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

from hf_ecg_bench.names import INFO_FILE
from hf_ecg_bench.tasks.catalogue import CATALOGUE

EVAL_FILE = "eval.yaml"


def dataset_extras(folder: Path) -> dict[str, bytes]:
    """`eval.yaml` of a dataset that tasks of the benchmark are about and that has test records; else nothing.

    The Hub shows a leaderboard per task of such a file, from the `.eval_results` of models that name it.
    """
    info = json.loads((folder / INFO_FILE).read_text(encoding="utf-8"))
    tasks = [task for task in CATALOGUE.values() if task.dataset == info["dataset"]]
    if not tasks or not info["splits"].get("test", {}).get("records"):
        return {}
    content = {
        "name": f"hf-ecg-bench: {info['dataset']}",
        "description": "12-lead ECG interpretation: macro AUROC of yes/no targets, mean absolute error of z-scored "
        "numbers, with 95 % intervals from resampled patients. Run: hf-ecg-bench run --task TASK --model MODEL.",
        "evaluation_framework": "hf-ecg-bench",
        "tasks": [{"id": task.id, "config": "default", "split": "test"} for task in tasks],
    }
    return {EVAL_FILE: yaml.safe_dump(content, sort_keys=False, allow_unicode=True).encode()}

"""Small folders in the form that `prepare` and `save_pretrained` give them, for pushing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from datasets import Dataset, DatasetDict
from datasets.info import DatasetInfo, DatasetInfosDict
from huggingface_hub import DatasetCardData
from safetensors.numpy import save_file

from hf_ecg_bench.data.features import row_features

RECORDS = {"train": 5, "validation": 2, "test": 3}
CLASSES = ("NORM", "AFIB", "LBBB")


def tiny_rows(generator: np.random.Generator, split: str) -> dict[str, list[Any]]:
    """Records of different length, with missing values in every column that may have them."""
    n = RECORDS[split]
    return {
        "record_id": [f"{split}/{number}" for number in range(n)],
        "patient_id": [None, *(f"p{number}" for number in range(1, n))],
        "signal": [generator.normal(size=(20 + number, 12)).astype(np.float32) for number in range(n)],
        "sampling_rate": [500] * n,
        "age": [None, *np.linspace(30, 90, n - 1)],
        "sex": [None, *(["female", "male"] * n)[: n - 1]],
        "strat_fold": [-1, *range(1, n)],
        "labels": [sorted({number % 3, 2}) if number else [] for number in range(n)],
        "targets": [[1.0, float("nan")], *([0.0, 71.5] for _ in range(1, n))],
    }


def tiny_dataset() -> DatasetDict:
    """Three splits with the columns of every dataset of this project."""
    generator = np.random.default_rng(0)
    features = row_features({"labels": CLASSES}, n_targets=2)
    rows = {split: tiny_rows(generator, split) for split in RECORDS}
    return DatasetDict({split: Dataset.from_dict(columns, features=features) for split, columns in rows.items()})


def write_dataset_folder(folder: Path, *, dataset: str = "tiny", shards: int = 1, **info: Any) -> DatasetDict:
    """Write `tiny_dataset` as Parquet, card and ecg_bench.json; `info` replaces facts in the latter."""
    splits = tiny_dataset()
    (folder / "data").mkdir(parents=True)
    for split, rows in splits.items():
        for number in range(shards):
            part = rows.shard(shards, number, contiguous=True)
            part.to_parquet(folder / "data" / f"{split}-{number:05d}-of-{shards:05d}.parquet")
    card = DatasetCardData(license="cc-by-4.0", configs=[{"config_name": "default", "data_files": _data_files(splits)}])
    DatasetInfosDict({"default": DatasetInfo(features=splits["train"].features)}).to_dataset_card_data(card)
    (folder / "README.md").write_text(f"---\n{card.to_yaml()}\n---\n# Tiny\n", encoding="utf-8")
    facts = {
        "dataset": dataset,
        "access": "open",
        "splits": {split: {"records": rows.num_rows} for split, rows in splits.items()},
        "options": {"splits": "fixed", "min_count": None, "limit": None},
        "ledger": {"found": sum(splits.num_rows.values())},
    }
    (folder / "ecg_bench.json").write_text(json.dumps({**facts, **info}), encoding="utf-8")
    return splits


def _data_files(splits: DatasetDict) -> list[dict[str, str]]:
    return [{"split": split, "path": f"data/{split}-*.parquet"} for split in splits]


def edit_card(folder: Path, **front_matter: Any) -> None:
    """Replace entries of the card's YAML; None removes one."""
    front = yaml.safe_load((folder / "README.md").read_text(encoding="utf-8").split("---\n")[1])
    front = {key: value for key, value in {**front, **front_matter}.items() if value is not None}
    (folder / "README.md").write_text(f"---\n{yaml.safe_dump(front, sort_keys=False)}---\n# Tiny\n", encoding="utf-8")


def write_model_folder(folder: Path, **config: Any) -> dict[str, np.ndarray]:
    """A config and some weights; returns the weights."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = {"a.weight": np.arange(6, dtype=np.float32).reshape(2, 3), "a.bias": np.zeros(2, np.float32)}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    facts = {"model_type": "tiny_net", "architectures": ["TinyNetModel"], **config}
    (folder / "config.json").write_text(json.dumps(facts), encoding="utf-8")
    (folder / "README.md").write_text(
        "---\nlicense: mit\nlibrary_name: transformers\n---\n# Tiny net\n", encoding="utf-8"
    )
    return weights

"""Opening prepared datasets: a folder, the working directory's `ecg-bench/<id>`, the Hub, or generated on the spot."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import datasets
from huggingface_hub import hf_hub_download
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled

from hf_ecg_bench.data.registry import get_builder, list_datasets
from hf_ecg_bench.errors import DataError, first_line, unknown_name
from hf_ecg_bench.names import INFO_FILE, NAMESPACE, SPLITS, WORK_FOLDER

_HUB_ID = re.compile(r"[\w-][\w.-]*/[\w.-]+")


@dataclass(frozen=True)
class PreparedDataset:
    """Rows and what is known about them.

    Attributes:
        splits: train, validation, test; a split may be empty.
        info: the content of ecg_bench.json.
        source: where it was found (folder, Hub id, or `generated`).
        revision: the Hub's commit that rows and info come from; None where they come from elsewhere.
    """

    splits: datasets.DatasetDict
    info: dict[str, Any]
    source: str
    revision: str | None = None


def load_prepared(name: str | Path) -> PreparedDataset:
    """Open a prepared dataset.

    Args:
        name: a folder written by `prepare` or downloaded from the Hub, or a dataset id. An id is looked for in
            `./ecg-bench/<id>`, then on the Hub; generated datasets are made in the datasets cache when absent.

    Raises:
        DataError: nothing there, an unfinished prepare, or another kind of folder.
        UnknownNameError: neither a folder nor a dataset id.
    """
    text = str(name)
    folder = Path(text)
    if folder.is_dir():
        return _from_folder(folder)
    dataset_id = text.removeprefix(f"{NAMESPACE}/")
    if dataset_id not in list_datasets():
        if _HUB_ID.fullmatch(text):
            return _from_hub(text)
        if len(folder.parts) > 1:
            raise DataError(f"no folder {text}", fix="hf-ecg-bench prepare DATASET --raw-dir ... --output-dir " + text)
        raise unknown_name("dataset or folder", text, list_datasets(), fix="hf-ecg-bench list datasets")
    local = Path(NAMESPACE) / dataset_id
    if local.is_dir():
        return _from_folder(local)
    if not get_builder(dataset_id).SPEC.needs_raw_dir:
        return _generated(dataset_id)
    return _from_hub(f"{NAMESPACE}/{dataset_id}")


def require_signals(prepared: PreparedDataset) -> None:
    """Refuse rows that were prepared without signals.

    Raises:
        DataError: naming the folder.
    """
    if prepared.info.get("metadata_only"):
        raise DataError(
            f"{prepared.source} was prepared with --metadata-only: it has labels and folds, but no signals",
            fix=f"hf-ecg-bench prepare {prepared.info['dataset']} --raw-dir ... --output-dir ANOTHER_FOLDER",
        )


def _from_folder(folder: Path) -> PreparedDataset:
    info = read_info(folder / INFO_FILE)
    for shard in info.get("shards", []):
        file = folder / "data" / f"{shard['name']}.parquet"
        if not file.is_file() or file.stat().st_size != shard["file_size"]:
            found = f"{file.stat().st_size} bytes" if file.is_file() else "nothing"
            raise DataError(
                f"{file} is damaged: expected {shard['file_size']} bytes, found {found}",
                fix="start the same prepare again: it writes this file anew",
            )
    try:
        loaded = datasets.load_dataset(str(folder))
    except (ValueError, FileNotFoundError, datasets.exceptions.DatasetGenerationError) as error:
        raise DataError(
            f"{folder} cannot be opened as a dataset: {first_line(error)}", fix=_prepare_hint(folder)
        ) from error
    return _prepared(loaded, info, str(folder))


def _from_hub(repo: str) -> PreparedDataset:
    name = repo.split("/")[1]
    try:
        file = Path(hf_hub_download(repo, INFO_FILE, repo_type="dataset"))
        revision = file.parent.name  # rows and info are of one commit, whatever is pushed in between
        info = read_info(file)
        loaded = datasets.load_dataset(repo, revision=revision)
    except (
        HfHubHTTPError,
        LocalEntryNotFoundError,
        OfflineModeIsEnabled,
        ConnectionError,
        ValueError,
        datasets.exceptions.DatasetNotFoundError,
    ) as error:
        raise DataError(
            f"{name}: no folder ./{repo}, and the Hub did not give {repo} ({first_line(error)})",
            fix=f"hf-ecg-bench prepare {name} --raw-dir FOLDER --output-dir {repo}",
        ) from error
    return replace(_prepared(loaded, info, repo), revision=revision)


def _generated(dataset_id: str) -> PreparedDataset:
    builder = get_builder(dataset_id)()
    builder.download_and_prepare()
    info = read_info(Path(builder.cache_dir) / INFO_FILE)
    return _prepared(builder.as_dataset(), info, "generated")


def _prepared(loaded: datasets.DatasetDict, info: dict[str, Any], source: str) -> PreparedDataset:
    """Put the splits in order and add those without rows, which `load_dataset` cannot offer."""
    features = next(iter(loaded.values())).features
    splits = datasets.DatasetDict()
    for split in SPLITS:
        empty = features.arrow_schema.empty_table()
        splits[split] = loaded[split] if split in loaded else datasets.Dataset(empty, split=datasets.NamedSplit(split))
        expected = info["splits"].get(split, {}).get("records", 0)
        if len(splits[split]) != expected:
            raise DataError(
                f"{source}: split {split} has {len(splits[split])} records, {INFO_FILE} says {expected}",
                fix="prepare the dataset again into an empty folder",
            )
    return PreparedDataset(splits, info, source)


def read_info(path: Path) -> dict[str, Any]:
    """The content of an ecg_bench.json.

    Raises:
        DataError: absent (then whether the folder is unfinished), damaged, or about something else.
    """
    try:
        info = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        unfinished = (path.parent / WORK_FOLDER).is_dir()
        what = "an unfinished prepare" if unfinished else f"not a prepared dataset (no {INFO_FILE})"
        fix = "start the same prepare again" if unfinished else _prepare_hint(path.parent)
        raise DataError(f"{path.parent} is {what}", fix=fix) from error
    except ValueError as error:
        raise DataError(f"{path} is not JSON: {error}", fix="prepare the dataset again into an empty folder") from error
    if not isinstance(info, dict) or not {"dataset", "splits", "label_columns", "digest"} <= info.keys():
        raise DataError(f"{path} does not describe a dataset", fix="prepare the dataset again into an empty folder")
    return info


def _prepare_hint(folder: Path) -> str:
    if (folder.parent / INFO_FILE).is_file():
        return f"give the folder above it: {folder.parent}"
    if any(folder.iterdir()):  # prepare would not write there
        folder = Path("ANOTHER_FOLDER")
    return f"hf-ecg-bench prepare DATASET --raw-dir ... --output-dir {folder}"

"""What a prepared dataset's folder must hold before it may go to the Hub. Talks to nobody."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from hf_ecg_bench.errors import DataError, UnknownNameError
from hf_ecg_bench.front_matter import split_front_matter
from hf_ecg_bench.hub.folders import CheckedFolder, read_object, select_files
from hf_ecg_bench.names import CARD_FILE, FINGERPRINTS_FOLDER, INFO_FILE, NAMESPACE


def check_dataset_folder(folder: Path) -> CheckedFolder:
    """Check an output folder of `hf-ecg-bench prepare`: card, data files, row counts, open data.

    Raises:
        DataError: it is not such a folder, it is incomplete, or its data may not be passed on.
    """
    info = read_object(folder, INFO_FILE, DataError, "hf-ecg-bench prepare DATASET --output-dir " + str(folder))
    name = info.get("dataset")
    if not isinstance(name, str) or not name:
        raise DataError(f"{folder / INFO_FILE}: no dataset id under 'dataset'", fix="prepare the folder again")
    _check_access(folder, name, info)
    _check_rows(folder, info, _data_files(folder))
    why = _not_the_release(name, info)
    files, left_out = select_files(folder, "dataset")
    return CheckedFolder(name, files, left_out, None if why else f"{NAMESPACE}/{name}", why)


def _check_access(folder: Path, name: str, info: dict[str, Any]) -> None:
    from hf_ecg_bench.data.access import refuse_sharing
    from hf_ecg_bench.data.registry import get_dataset_spec

    access = info.get("access")
    if access not in ("open", "credentialed", "restricted"):
        raise DataError(
            f"{folder / INFO_FILE}: 'access' is {access!r}, expected 'open', 'credentialed' or 'restricted'",
            fix="prepare the folder again",
        )
    refuse_sharing(name, access)
    # The folder's own word is not enough where the project knows the dataset.
    with suppress(UnknownNameError):
        refuse_sharing(name, get_dataset_spec(name).access)


def _data_files(folder: Path) -> dict[str, list[Path]]:
    """Split -> Parquet files, as the card's `configs:` says."""
    card = folder / CARD_FILE
    fix = "prepare the folder again; `configs:` in the card says which files belong to which split"
    found: dict[str, list[Path]] = {}
    for config in _card_configs(card, fix):
        entries = config.get("data_files") if isinstance(config, dict) else None
        if not isinstance(entries, list) or not all(
            isinstance(entry, dict) and {"split", "path"} <= entry.keys() for entry in entries
        ):
            raise DataError(f"{card}: `data_files` is not a list of split and path", fix=fix)
        for entry in entries:
            patterns = [entry["path"]] if isinstance(entry["path"], str) else entry["path"]
            files = sorted({file for pattern in patterns for file in folder.glob(pattern)})
            if not files:
                raise DataError(f"{card}: split {entry['split']}: there is no {entry['path']}", fix=fix)
            found.setdefault(entry["split"], []).extend(files)
    return found


def _card_configs(card: Path, fix: str) -> list[Any]:
    text = card.read_text(encoding="utf-8") if card.is_file() else ""
    try:
        front, _ = split_front_matter(text)
    except ValueError as error:
        raise DataError(f"{card}: {error}", fix=fix) from error
    configs = front.get("configs")
    if not isinstance(configs, list) or not configs:
        raise DataError(f"{card}: no `configs:` in the YAML at its top", fix=fix)
    return configs


def _check_rows(folder: Path, info: dict[str, Any], data_files: dict[str, list[Path]]) -> None:
    # A split without rows is in no card: load_dataset could not open it.
    expected = {split: facts["records"] for split, facts in info.get("splits", {}).items() if facts["records"]}
    rows = {split: sum(map(_count_rows, files)) for split, files in data_files.items()}
    if rows != expected:
        raise DataError(
            f"{folder}: the data files hold {rows} rows, {INFO_FILE} says {expected}",
            fix="prepare the folder again: a part of it is missing or of another build",
        )
    known = {file for files in data_files.values() for file in files}
    others = [
        file for file in folder.rglob("*.parquet") if file not in known and file.parent != folder / FINGERPRINTS_FOLDER
    ]
    stray = sorted(str(file.relative_to(folder)) for file in others if _count_rows(file))
    if stray:
        raise DataError(
            f"{folder}: {', '.join(stray)} belongs to no split of the card", fix="move it out of the folder"
        )


def _count_rows(file: Path) -> int:
    try:
        return int(pq.read_metadata(file).num_rows)
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{file} is not a whole Parquet file: {error}", fix="prepare the folder again") from error


def _not_the_release(name: str, info: dict[str, Any]) -> str:
    """Why these data must not replace the complete, default build in the organisation's repository; or ''."""
    from hf_ecg_bench.data.registry import get_builder

    try:
        builder = get_builder(name)
    except UnknownNameError:
        return f"{name} is not a dataset of this project"
    defaults = vars(builder.BUILDER_CONFIG_CLASS(name="default"))
    if info.get("metadata_only"):
        return "built with metadata_only=True, so it has no signals"
    changed = {key: value for key, value in info.get("options", {}).items() if defaults.get(key) != value}
    if changed:
        return "built with " + ", ".join(f"{key}={value}" for key, value in sorted(changed.items()))
    found, records = info.get("ledger", {}).get("found"), builder.SPEC.records
    if records is not None and found != records:
        return f"built from {found} of {records} records"
    return ""

"""What a folder must hold before it may go to the Hub. Reads the folder; talks to nobody."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from hf_ecg_bench.errors import CheckpointError, DataError, EcgBenchError, UnknownNameError
from hf_ecg_bench.models.adapters.folders import ADAPTER_WEIGHTS, is_adapter_folder, read_adapter_folder
from hf_ecg_bench.models.registry import MODELS, get_model_spec, model_id_of
from hf_ecg_bench.names import CARD_FILE, FINGERPRINTS_FOLDER, INFO_FILE, NAMESPACE

Kind = Literal["dataset", "model"]

# Only files of these names go to the Hub: no pickles (weights are safetensors), no optimizer states.
PATTERNS: dict[str, tuple[str, ...]] = {
    "dataset": ("*.parquet", "*.json", "*.md", "*.csv", "LICENSE*"),
    "model": ("*.safetensors", "*.json", "*.md", "LICENSE*"),
}


@dataclass(frozen=True)
class CheckedFolder:
    """A folder that is what it claims to be.

    Attributes:
        title: what it holds, for the commit message.
        files: what to upload, as paths relative to the folder.
        left_out: the other files.
        default_repo: the Hub id it belongs to, or None where the user has to choose one.
        why_no_default: the reason for that.
    """

    title: str
    files: tuple[str, ...]
    left_out: tuple[str, ...]
    default_repo: str | None
    why_no_default: str = ""


def check_dataset_folder(folder: Path) -> CheckedFolder:
    """Check an output folder of `hf-ecg-bench prepare`: card, data files, row counts, open data.

    Raises:
        DataError: it is not such a folder, it is incomplete, or its data may not be passed on.
    """
    info = _read_object(folder, INFO_FILE, DataError, "hf-ecg-bench prepare DATASET --output-dir " + str(folder))
    name = info.get("dataset")
    if not isinstance(name, str) or not name:
        raise DataError(f"{folder / INFO_FILE}: no dataset id under 'dataset'", fix="prepare the folder again")
    _check_access(folder, name, info)
    _check_rows(folder, info, _data_files(folder))
    why = _not_the_release(name, info)
    files, left_out = _select(folder, "dataset")
    return CheckedFolder(name, files, left_out, None if why else f"{NAMESPACE}/{name}", why)


def check_model_folder(folder: Path) -> CheckedFolder:
    """Check an output folder of `convert` or `save_pretrained`: config.json and whole safetensors.

    Raises:
        CheckpointError: it is not such a folder, or its weights are incomplete.
    """
    config = _read_object(
        folder, "config.json", CheckpointError, "hf-ecg-bench convert MODEL --output-dir " + str(folder)
    )
    model_type = config.get("model_type")
    if not isinstance(model_type, str) or not model_type:
        raise CheckpointError(f"{folder / 'config.json'}: no 'model_type'", fix="save the model with save_pretrained")
    name = model_id_of(model_type)
    if is_adapter_folder(folder):
        _check_adapters(folder)
        files, left_out = _select(folder, "model")
        return CheckedFolder(name, files, left_out, None, f"adapters are not the backbone {name}")
    _check_weights(folder)
    # The organisation's model repositories hold backbones; a trained classifier must not replace one.
    classifier = any("Classification" in architecture for architecture in config.get("architectures") or ())
    why = f"a trained classifier is not the backbone {name}" if classifier else _not_the_usual(name, config)
    files, left_out = _select(folder, "model")
    default = None if why else f"{NAMESPACE}/{name.replace('_', '-')}"
    return CheckedFolder(name, files, left_out, default, why)


def _not_the_usual(name: str, config: dict[str, Any]) -> str:
    """Why a backbone's folder must not replace the one that the model's name means; empty where it may."""
    if config.get("preprocessing") == "original":
        return f"the name {name} means the preprocessing `paper`, this folder does `original`"
    spec = get_model_spec(name) if name in MODELS else None
    width = config.get("hidden_size")
    if spec is not None and spec.other_sizes and isinstance(width, int) and width != spec.hidden_size:
        others = ", ".join(f"{spec.hub_id}-{size}" for size in spec.other_sizes)
        return f"the name {name} means the width {spec.hidden_size}, this folder has {width} (perhaps {others})"
    return ""


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
    parts = text.split("---\n", 2)
    try:
        front = yaml.safe_load(parts[1]) if len(parts) == 3 and not parts[0] else None
    except yaml.YAMLError as error:
        raise DataError(f"{card}: the YAML at its top cannot be read: {error}", fix=fix) from error
    configs = front.get("configs") if isinstance(front, dict) else None
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


def _check_weights(folder: Path) -> None:
    index = folder / "model.safetensors.index.json"
    stored: set[str] = set()
    expected: set[str] | None = None
    names = ["model.safetensors"]
    if index.is_file():
        weight_map = _read_object(folder, index.name, CheckpointError, "save the model again").get("weight_map", {})
        expected, names = set(weight_map), sorted(set(weight_map.values()))
    for name in names:
        stored |= _tensors(folder, name)
    if not stored:
        raise CheckpointError(f"{folder}: the weights hold no tensors", fix="save the model again")
    if expected is not None and stored != expected:
        wrong = ", ".join(sorted(stored ^ expected)[:3])
        raise CheckpointError(
            f"{folder}: the tensors are not those of {index.name}, for instance {wrong}",
            fix="save the model again",
        )


def _tensors(folder: Path, name: str) -> set[str]:
    """Names of the tensors in a safetensors file."""
    from safetensors import SafetensorError, safe_open

    if not (folder / name).is_file():
        raise CheckpointError(f"{folder}: no {name}", fix="save the model with save_pretrained, as safetensors")
    try:
        with safe_open(folder / name, framework="numpy") as weights:
            return set(weights.keys())
    except SafetensorError as error:
        raise CheckpointError(
            f"{folder / name} is not a whole safetensors file: {error}", fix="save the model again"
        ) from error


def _check_adapters(folder: Path) -> None:
    """Adapters and a head that others can put on their base."""
    adapter = read_adapter_folder(folder)
    if not _tensors(folder, ADAPTER_WEIGHTS):
        raise CheckpointError(f"{folder}: {ADAPTER_WEIGHTS} holds no tensors", fix="save the model again")
    if adapter.base.is_local:
        raise CheckpointError(
            f"the adapters of {folder} belong to {adapter.base.name}, a folder that only this machine has",
            fix=f"push that first, then: hf-ecg-bench push model {folder} --base ITS_REPOSITORY --repo ...; or push "
            f"the whole model: hf-ecg-bench merge {folder} --output-dir MERGED",
        )


def _select(folder: Path, kind: Kind) -> tuple[tuple[str, ...], tuple[str, ...]]:
    names = sorted(_visible_files(folder))
    wanted = tuple(
        name for name in names if any(fnmatch(name.rsplit("/", 1)[-1], pattern) for pattern in PATTERNS[kind])
    )
    return wanted, tuple(sorted(set(names) - set(wanted)))


def _visible_files(folder: Path) -> Iterator[str]:
    for file in folder.rglob("*"):
        relative = file.relative_to(folder)
        if file.is_file() and not any(part.startswith(".") for part in relative.parts):
            yield relative.as_posix()


def _read_object(folder: Path, name: str, error_type: type[EcgBenchError], fix: str) -> dict[str, Any]:
    if not folder.is_dir():
        raise error_type(f"no folder {folder}", fix=fix)
    try:
        value = json.loads((folder / name).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise error_type(f"no {name} in {folder}", fix=fix) from error
    except ValueError as error:
        raise error_type(f"{folder / name} is not JSON: {error}", fix=fix) from error
    if not isinstance(value, dict):
        raise error_type(f"{folder / name}: expected a JSON object, found {type(value).__name__}", fix=fix)
    return value

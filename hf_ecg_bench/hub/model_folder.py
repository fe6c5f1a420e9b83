"""What a saved model's folder must hold before it may go to the Hub. Talks to nobody."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hf_ecg_bench.errors import CheckpointError
from hf_ecg_bench.hub.folders import CheckedFolder, read_object, select_files
from hf_ecg_bench.models.adapters.folders import ADAPTER_WEIGHTS, is_adapter_folder, read_adapter_folder
from hf_ecg_bench.models.registry import MODELS, get_model_spec, model_id_of
from hf_ecg_bench.names import NAMESPACE


def check_model_folder(folder: Path) -> CheckedFolder:
    """Check an output folder of `convert` or `save_pretrained`: config.json and whole safetensors.

    Raises:
        CheckpointError: it is not such a folder, or its weights are incomplete.
    """
    config = read_object(
        folder, "config.json", CheckpointError, "hf-ecg-bench convert MODEL --output-dir " + str(folder)
    )
    model_type = config.get("model_type")
    if not isinstance(model_type, str) or not model_type:
        raise CheckpointError(f"{folder / 'config.json'}: no 'model_type'", fix="save the model with save_pretrained")
    name = model_id_of(model_type)
    if is_adapter_folder(folder):
        _check_adapters(folder)
        files, left_out = select_files(folder, "model")
        return CheckedFolder(name, files, left_out, None, f"adapters are not the backbone {name}")
    _check_weights(folder)
    # The organisation's model repositories hold backbones; a trained classifier must not replace one.
    classifier = any("Classification" in architecture for architecture in config.get("architectures") or ())
    why = f"a trained classifier is not the backbone {name}" if classifier else _not_the_usual(name, config)
    files, left_out = select_files(folder, "model")
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


def _check_weights(folder: Path) -> None:
    index = folder / "model.safetensors.index.json"
    stored: set[str] = set()
    expected: set[str] | None = None
    names = ["model.safetensors"]
    if index.is_file():
        weight_map = read_object(folder, index.name, CheckpointError, "save the model again").get("weight_map", {})
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

"""A folder of adapters into a folder of a plain model."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from hf_ecg_bench.errors import CheckpointError
from hf_ecg_bench.models.adapters.folders import AdapterFolder, is_adapter_folder, read_adapter_folder
from hf_ecg_bench.models.adapters.loading import load_adapted
from hf_ecg_bench.models.card import render_model_card
from hf_ecg_bench.models.feature_extraction import EcgFeatureExtractor
from hf_ecg_bench.models.registry import get_model_spec, model_id_of
from hf_ecg_bench.models.resolve import resolve_model
from hf_ecg_bench.models.saving import save_model


@dataclass(frozen=True)
class Merge:
    """What was merged into what.

    Attributes:
        adapter: the adapters' folder.
        folder: of the merged model.
        parameters: of the merged classifier.
    """

    adapter: AdapterFolder
    folder: Path
    parameters: int


def merge_folder(
    source: str | os.PathLike[str], output_dir: str | os.PathLike[str], base: str | os.PathLike[str] | None = None
) -> Merge:
    """Write the plain classifier that adapters and their base amount to.

    Args:
        source: a run's folder, a folder of adapters, or a Hub id.
        output_dir: of the merged model; must be empty or absent.
        base: where the weights are that the adapters were trained on, if not where they say.

    Raises:
        CheckpointError: no adapters there, or as `load_adapted`.
        TrainingError: adapters beside convolutions in groups, which cannot be merged.
        EcgBenchError: the folder cannot be written, or holds files.
    """
    folder = Path(source)
    if not is_adapter_folder(folder):
        folder = folder / "model" if is_adapter_folder(folder / "model") else resolve_model(source).folder
    if not is_adapter_folder(folder):
        raise CheckpointError(
            f"{source} holds no adapters: there is nothing to merge",
            fix="give a run of --mode lora; one with --merge-adapter is a plain model already, in its model folder",
        )
    adapter = read_adapter_folder(folder)
    model = load_adapted(folder, merge=True, base=base)
    origin = f"{adapter.kind} adapters merged into {adapter.base.name}\nSHA-256 of the base: {adapter.base.digest}"
    spec = get_model_spec(model_id_of(adapter.model_type))
    parameters = sum(value.numel() for value in model.parameters())
    backbone = sum(value.numel() for value in model.encoder.parameters())
    model.config.architectures = [type(model).__name__]
    card = render_model_card(spec, model.config, provenance=origin, parameters=backbone)
    tail = EcgFeatureExtractor.from_pretrained(folder).tail
    written = save_model(model, Path(output_dir), card, replace=False, tail=tail)
    return Merge(adapter, written, parameters)

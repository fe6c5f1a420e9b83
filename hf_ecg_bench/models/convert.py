"""Strict conversion of public checkpoints: every tensor is used, ignored for a stated reason, or an error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from hf_ecg_bench.errors import CheckpointError, some
from hf_ecg_bench.files import sha256_file
from hf_ecg_bench.models.archives import unpacked
from hf_ecg_bench.models.base import EcgPreTrainedModel
from hf_ecg_bench.models.card import render_model_card
from hf_ecg_bench.models.checkpoints import read_checkpoint
from hf_ecg_bench.models.conversion.containers import find_tensors
from hf_ecg_bench.models.conversion.exact import load_exactly
from hf_ecg_bench.models.conversion.names import account
from hf_ecg_bench.models.conversion.report import ConversionReport
from hf_ecg_bench.models.preprocessing import preprocessing_overrides
from hf_ecg_bench.models.registry import get_model_spec, model_class
from hf_ecg_bench.models.saving import save_model
from hf_ecg_bench.models.spec import ModelSpec, Shapes

__all__ = ["ConversionReport", "build_from_checkpoint", "build_from_file", "card_of", "convert"]


def convert(
    model_id: str, checkpoint: str | Path, output_dir: str | Path, *, preprocessing: str = "paper"
) -> ConversionReport:
    """Convert a public checkpoint into a folder that the Auto classes load, with feature extractor and card.

    Args:
        model_id: which model the checkpoint is said to be.
        checkpoint: the file, as its authors publish it; a zip archive that holds it does too. Name and digest in the
            configuration are those of the checkpoint itself.
        output_dir: absent or empty; appears as a whole.
        preprocessing: `paper` or `original`, what the folder's feature extractor does.

    Raises:
        UnknownNameError: no such preprocessing.
        ContractError: a model without an original preprocessing is asked for it.
        CheckpointError: the file is no such checkpoint.
        EcgBenchError: the folder cannot be written.
    """
    spec = get_model_spec(model_id)
    own = {} if preprocessing == "paper" else preprocessing_overrides(spec, preprocessing)
    with unpacked(checkpoint, spec.source.member if spec.source else None) as file:
        model, report = build_from_file(spec, file, sha256_file(file), own)
    save_model(model, output_dir, card_of(spec, model, report), replace=False)
    return replace(report, output_dir=str(output_dir))


def build_from_file(
    spec: ModelSpec, file: Path, digest: str, overrides: Mapping[str, Any] | None = None
) -> tuple[EcgPreTrainedModel, ConversionReport]:
    """As `build_from_checkpoint`, from a file and its SHA-256; the report also names objects that were left out."""
    content = read_checkpoint(file)
    model, report = build_from_checkpoint(spec, content, file.name, digest, overrides)
    if content.replaced:
        left_out = f"objects of other programs in the file were not restored: {some(content.replaced, 4)}"
        report = replace(report, warnings=(*report.warnings, left_out))
    return model, report


def card_of(spec: ModelSpec, model: EcgPreTrainedModel, report: ConversionReport, origin: str = "") -> str:
    """The card of a converted model's folder."""
    how = "fetched" if "://" in origin else "converted"
    provenance = report.describe() + (f"\n{how} from {origin}" if origin else "")
    return render_model_card(spec, model.config, provenance, report.parameters)


def build_from_checkpoint(
    spec: ModelSpec,
    content: Mapping[str, Any],
    file_name: str,
    digest: str,
    overrides: Mapping[str, Any] | None = None,
) -> tuple[EcgPreTrainedModel, ConversionReport]:
    """The model that a checkpoint's content makes, in eval mode, and the account of its tensors.

    A checkpoint whose own head is part of the model (a supervised baseline) becomes a classifier, else a
    backbone.

    Args:
        overrides: fields of the configuration that no tensor decides.

    Raises:
        CheckpointError: a tensor that is missing, unknown, misshapen, not finite or never loaded; no tensors at all.
    """
    found = find_tensors(spec, content, file_name)
    where = f"{file_name} ({'/'.join(found.container)})" if found.container else file_name
    lots = account(spec, found.tensors, where)
    public = lots.public | {full: full.removeprefix(lots.prefix) for full in lots.ignored}
    shapes = {name: tuple(found.tensors[full].shape) for full, name in public.items()}
    options = _options(spec, shapes, where)
    tensors = {ours: found.tensors[full] for full, ours in lots.ours.items()}
    fields = {**options, **(overrides or {}), "source_file": file_name, "source_digest": digest}
    if (head := tensors.get("head.weight")) is None:
        model = model_class(spec.id, "Model")(model_class(spec.id, "Config")(**fields))
    else:
        config = model_class(spec.id, "Config")(num_labels=head.shape[0], **fields)
        model = model_class(spec.id, "ForSequenceClassification")(config)
        tensors = {name if name.startswith("head.") else f"encoder.{name}": value for name, value in tensors.items()}
    doubts = load_exactly(model, tensors, spec, where)
    parameters = sum(parameter.numel() for parameter in model.base_model.parameters())
    sizes = (spec.parameters, *spec.other_sizes.values())
    if parameters not in sizes:
        declared = " or ".join(f"{size:,}" for size in sizes)
        doubts.append(f"{parameters:,} backbone parameters, where {declared} are declared for {spec.id}")
    if spec.license_warning:
        doubts.insert(0, spec.license_warning)
    report = ConversionReport(
        model=spec.id,
        checkpoint=file_name,
        sha256=digest,
        container=found.container,
        prefix=lots.prefix,
        used=tuple(lots.ours),
        ignored=lots.ignored,
        beside=found.beside,
        options=options,
        parameters=parameters,
        expected_size=parameters in sizes,
        license_weights=spec.license_weights,
        warnings=tuple(doubts),
    )
    return model.eval(), report


def _options(spec: ModelSpec, shapes: Shapes, where: str) -> dict[str, Any]:
    if spec.options_from is None:
        return {}
    try:
        return spec.options_from(shapes)
    except CheckpointError as error:
        raise CheckpointError(f"{where}: {error.message}", fix=error.fix) from error

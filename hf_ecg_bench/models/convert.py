"""Strict conversion of public checkpoints: every tensor is used, ignored for a stated reason, or an error."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel

from hf_ecg_bench.errors import CheckpointError, some
from hf_ecg_bench.files import sha256_file
from hf_ecg_bench.models.card import render_model_card
from hf_ecg_bench.models.checkpoints import read_checkpoint
from hf_ecg_bench.models.registry import get_model_spec, model_class
from hf_ecg_bench.models.saving import save_model
from hf_ecg_bench.models.spec import ModelSpec


@dataclass(frozen=True)
class ConversionReport:
    """What became of a checkpoint.

    Attributes:
        model: model id.
        checkpoint: file name of the source.
        sha256: of the source.
        container: keys under which the tensors were nested, outermost first.
        prefix: wrapper prefix that was stripped from every name.
        used: names (as in the source) of the tensors that were used.
        ignored: names of the tensors that were not, with the reason.
        parameters: of the backbone.
        output_dir: the folder written, or None.
    """

    model: str
    checkpoint: str
    sha256: str
    container: tuple[str, ...]
    prefix: str
    used: tuple[str, ...]
    ignored: dict[str, str]
    parameters: int
    output_dir: str | None = None

    def describe(self) -> str:
        """Lines for the user."""
        reasons: dict[str, int] = {}
        for reason in self.ignored.values():
            reasons[reason] = reasons.get(reason, 0) + 1
        found = "/".join(self.container) or "the top level"
        wrapper = f", prefix {self.prefix!r} stripped" if self.prefix else ""
        lines = [
            f"{self.model}: {len(self.used)} tensors used, found at {found}{wrapper}",
            *(f"  {count} ignored: {reason}" for reason, count in reasons.items()),
            f"  {self.parameters:,} backbone parameters; source {self.checkpoint}, sha256 {self.sha256}",
        ]
        return "\n".join([*lines, f"written to {self.output_dir}"] if self.output_dir else lines)

    def to_dict(self) -> dict[str, Any]:
        """JSON values."""
        return asdict(self)


def convert(model_id: str, checkpoint: str | Path, output_dir: str | Path) -> ConversionReport:
    """Convert a public checkpoint into a folder that the Auto classes load, with feature extractor and card.

    Args:
        model_id: which model the checkpoint is said to be.
        checkpoint: the file, as its authors publish it.
        output_dir: absent or empty; appears as a whole.

    Raises:
        CheckpointError: the file is no such checkpoint.
        EcgBenchError: the folder cannot be written.
    """
    spec = get_model_spec(model_id)
    content = read_checkpoint(checkpoint)
    digest = sha256_file(checkpoint)
    model, report = build_from_checkpoint(spec, content, Path(checkpoint).name, digest)
    card = render_model_card(spec, model.config, report.describe())
    save_model(model, output_dir, card, replace=False)
    return ConversionReport(**{**vars(report), "output_dir": str(output_dir)})


def build_from_checkpoint(
    spec: ModelSpec, content: Mapping[str, Any], file_name: str, digest: str
) -> tuple[PreTrainedModel, ConversionReport]:
    """The model that a checkpoint's content makes, and the account of its tensors.

    A checkpoint whose own head is part of the model (a supervised baseline) becomes a classifier, else a
    backbone.
    """
    container, tensors = find_tensors(spec, content, file_name)
    prefix, tensors = strip_wrapper(spec, tensors)
    names, ignored = rename(spec, tensors)
    renamed = {new: tensors[old] for old, new in names.items()}
    head = renamed.get("head.weight")
    options = {"source_file": file_name, "source_digest": digest}
    if head is None:
        model = model_class(spec.id, "Model")(model_class(spec.id, "Config")(**options))
    else:
        config = model_class(spec.id, "Config")(num_labels=head.shape[0], **options)
        model = model_class(spec.id, "ForSequenceClassification")(config)
        renamed = {name if name.startswith("head.") else f"encoder.{name}": tensor for name, tensor in renamed.items()}
    load_exactly(model, renamed, spec, file_name)
    used = tuple(prefix + old for old in names)
    report = ConversionReport(
        model=spec.id,
        checkpoint=file_name,
        sha256=digest,
        container=container,
        prefix=prefix,
        used=used,
        ignored={prefix + name: reason for name, reason in ignored.items()},
        parameters=sum(parameter.numel() for parameter in model.base_model.parameters()),
    )
    return model.eval(), report


def find_tensors(
    spec: ModelSpec, content: Mapping[str, Any], file_name: str
) -> tuple[tuple[str, ...], dict[str, Tensor]]:
    """Where the tensors are, at the declared key, a usual one or the top level, and the tensors."""
    for key in (*spec.containers, "state_dict", "model_state_dict", "model"):
        inner = content.get(key)
        if isinstance(inner, Mapping) and any(isinstance(value, Tensor) for value in inner.values()):
            return (key,), {str(name): value for name, value in inner.items() if isinstance(value, Tensor)}
    flat = {str(name): value for name, value in content.items() if isinstance(value, Tensor)}
    if flat:
        return (), flat
    raise CheckpointError(
        f"{file_name} holds no tensors where {spec.id}'s are expected "
        f"({' or '.join(spec.containers) or 'the top level'}); it has the keys {some(map(str, content), 6)}"
    )


def strip_wrapper(spec: ModelSpec, tensors: dict[str, Tensor]) -> tuple[str, dict[str, Tensor]]:
    """Take off what training wrappers put before every name."""
    stripped = ""
    while True:
        prefix = next((wrapper for wrapper in spec.wrappers if all(name.startswith(wrapper) for name in tensors)), None)
        if prefix is None:
            return stripped, tensors
        stripped += prefix
        tensors = {name.removeprefix(prefix): tensor for name, tensor in tensors.items()}


def rename(spec: ModelSpec, names: Iterable[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Source names -> our names for what is used, and -> reasons for what is ignored."""
    used: dict[str, str] = {}
    ignored: dict[str, str] = {}
    for name in names:
        reason = next((reason for pattern, reason in spec.ignored_tensors if re.search(pattern, name)), None)
        if reason is not None:
            ignored[name] = reason
            continue
        ours = name
        for pattern, replacement in spec.renames:
            ours = re.sub(pattern, replacement, ours)
        used[name] = ours
    return used, ignored


def load_exactly(model: torch.nn.Module, tensors: dict[str, Tensor], spec: ModelSpec, file_name: str) -> None:
    """Copy tensors into the model; a missing, unexpected or misshapen one is an error with its neighbours."""
    expected = model.state_dict()
    missing, unexpected = sorted(set(expected) - set(tensors)), sorted(set(tensors) - set(expected))
    if missing or unexpected:
        problems = []
        if missing:
            problems.append(f"{len(missing)} of {len(expected)} tensors are missing: {_near(missing, unexpected)}")
        if unexpected:
            problems.append(f"{len(unexpected)} are not known: {_near(unexpected, missing)}")
        raise CheckpointError(
            f"{file_name} is not a complete {spec.id} checkpoint: " + "; ".join(problems),
            fix=f"check that it is {spec.source.file} from {spec.source.page}" if spec.source else None,
        )
    loaded = {}
    for name, tensor in tensors.items():
        shape, found = expected[name].shape, tensor.shape
        # Some files keep a trailing axis of length 1 (a 1x1 convolution's bias); the numbers are the same.
        if shape != found and [n for n in shape if n != 1] != [n for n in found if n != 1]:
            raise CheckpointError(f"{file_name}: tensor {name!r} has the shape {tuple(found)}, expected {tuple(shape)}")
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise CheckpointError(f"{file_name}: tensor {name!r} holds NaN or infinite values", fix="download it again")
        loaded[name] = tensor.reshape(shape).to(expected[name].dtype)
    model.load_state_dict(loaded, strict=True)


def _near(names: list[str], others: list[str], limit: int = 3) -> str:
    parts = []
    for name in names[:limit]:
        close = difflib.get_close_matches(name, others, n=1, cutoff=0.7) if len(others) < 5000 else []
        parts.append(name + (f" (nearest: {close[0]})" if close else ""))
    return ", ".join(parts) + (", ..." if len(names) > limit else "")

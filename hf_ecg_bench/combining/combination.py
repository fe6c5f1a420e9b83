"""A trained combination of models: a recording in, predictions out."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError

from hf_ecg_bench.combining.folder import CombinationFacts, Member, read_combination
from hf_ecg_bench.combining.head import CombinedHead
from hf_ecg_bench.combining.names import HEADS_FILE
from hf_ecg_bench.combining.spans import Windows, longest, windows_in_spans
from hf_ecg_bench.errors import CheckpointError
from hf_ecg_bench.models.feature_extraction import EcgFeatureExtractor
from hf_ecg_bench.models.loading import load_model
from hf_ecg_bench.models.resolve import resolve_model, weights_digest
from hf_ecg_bench.training.loop.predicting import window_predictions

_READS = {"linear": "pooler_output", "attention": "last_hidden_state"}


class Combination:
    """Several backbones and the head on their features.

    No Auto class loads it: one `input_values` cannot hold the windows of models with different rates and lengths, so it
    is a function of whole recordings.

    Attributes:
        facts: what the folder says.
        backbones: of the members, in eval mode.
        combined: the head.
    """

    def __init__(self, facts: CombinationFacts, backbones: list[Any], combined: CombinedHead) -> None:
        self.facts, self.backbones, self.combined = facts, backbones, combined.eval()
        self.extractors = [EcgFeatureExtractor.from_config(b.config, tail=facts.tail) for b in backbones]

    @property
    def target_names(self) -> tuple[str, ...]:
        """What `predict` returns, in order."""
        return self.facts.target_names

    @torch.inference_mode()
    def logits(self, signal: Any, sampling_rate: float) -> np.ndarray:
        """(spans, targets) float32 outputs before any sigmoid; arguments and errors as in `predict`."""
        found, features = [], []
        for extractor, backbone in zip(self.extractors, self.backbones, strict=True):
            windows = extractor(signal, sampling_rate=sampling_rate)["input_values"]
            found.append(_windows(len(windows), extractor.window_seconds, len(signal) / sampling_rate))
            features.append(getattr(backbone(windows), _READS[self.facts.head]))
        lead = longest([windows.seconds for windows in found])
        duration = np.array([len(signal) / sampling_rate])
        places = [
            np.arange(len(own.record))[:, None] if number == lead else windows_in_spans(found[lead], own, duration)
            for number, own in enumerate(found)
        ]
        parts = {
            str(n): part[torch.from_numpy(place)] for n, (part, place) in enumerate(zip(features, places, strict=True))
        }
        return self.combined(parts).logits.float().numpy()

    def predict(self, signal: Any, sampling_rate: float) -> np.ndarray:
        """Predictions for a recording.

        Args:
            signal: (time, 12) in mV in the canonical lead order, NaN where samples are missing.
            sampling_rate: Hz.

        Returns:
            (targets,) float32, means over the recording: probabilities, and regression targets in their own unit.

        Raises:
            ContractError: another shape or unit, or a recording shorter than a member's window.
        """
        is_regression = np.array([kind == "regression" for kind in self.facts.target_kinds])
        outputs = window_predictions(self.logits(np.asarray(signal), sampling_rate), is_regression)
        means = outputs.mean(axis=0) * np.array(self.facts.target_std) + np.array(self.facts.target_mean)
        return means.astype(np.float32)


def load_combination(folder: str | os.PathLike[str]) -> Combination:
    """Load what `run --model a,b` saved as its model folder.

    The members' backbones are found as `load_model` finds them, under the names that the run was given, and have to be
    the weights that it used.

    Raises:
        CheckpointError: no combination there, a damaged one, or a member that is absent or has other weights.
    """
    where = Path(folder)
    facts = read_combination(where)
    backbones = [_backbone(member, where) for member in facts.members]
    sizes = [member.hidden_size for member in facts.members]
    combined = CombinedHead(facts.head, sizes, len(facts.target_names), backbones[0].config)
    try:
        from safetensors.torch import load_file

        combined.load_state_dict(load_file(where / HEADS_FILE))
    except (OSError, SafetensorError, RuntimeError) as error:
        text = str(error).splitlines()[0]
        raise CheckpointError(f"{where / HEADS_FILE} does not fit: {text}", fix="copy the folder again") from error
    return Combination(facts, backbones, combined)


def _backbone(member: Member, folder: Path) -> Any:
    found = resolve_model(member.source)
    digest = weights_digest(found.folder)
    if digest != member.digest:
        raise CheckpointError(
            f"{folder} was trained on other weights of {member.source}: SHA-256 {member.digest[:12]}, found "
            f"{str(digest)[:12]} in {found.folder}",
            fix=f"put the weights of then there, or train again: hf-ecg-bench run --model ...{member.source}...",
        )
    model: Any = load_model(member.source, preprocessing=member.preprocessing)
    return model.base_model.eval()


def _windows(number: int, seconds: float, duration: float) -> Windows:
    """The evaluation windows of one recording; where the last one is shifted, it ends with the recording."""
    start = np.minimum(np.arange(number) * seconds, max(duration - seconds, 0.0))
    return Windows(np.zeros(number, np.int64), start, np.ones(number, bool), seconds)

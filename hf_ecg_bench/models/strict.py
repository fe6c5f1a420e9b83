"""What may and may not be missing when a saved model is loaded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from logging import WARNING
from typing import Any

from safetensors import SafetensorError
from torch import nn
from transformers.utils import logging

from hf_ecg_bench.errors import CheckpointError, some

logger = logging.get_logger(__name__)


def check_loading(info: dict[str, Any], model: nn.Module, source: str) -> None:
    """Accept a load only where every tensor found its place; a head may be fresh or left out as a whole.

    Args:
        info: transformers' loading info (missing_keys, unexpected_keys, mismatched_keys).
        model: the loaded model.
        source: where it came from, for the message.

    Raises:
        CheckpointError: naming the tensors.
    """
    head = {name for name in model.state_dict() if name.startswith("head.")}
    mismatched = {entry[0] if isinstance(entry, tuple) else entry for entry in info["mismatched_keys"]}
    missing = set(info["missing_keys"]) | mismatched
    fresh_head = bool(head) and bool(missing & head)
    problems = []
    if lost := sorted(missing - head):
        problems.append(f"{len(lost)} tensors are missing or of another shape: {some(lost, 4)}")
    if fresh_head and not mismatched and not head <= missing:
        problems.append(f"a part of the head is missing: {some(sorted(missing & head), 4)}")
    unexpected = [
        name for name in info["unexpected_keys"] if not (name.startswith("head.") and (fresh_head or not head))
    ]
    if unexpected:
        problems.append(f"{len(unexpected)} tensors have no place: {some(sorted(unexpected), 4)}")
    if problems:
        raise CheckpointError(
            f"{source} does not fit {type(model).__name__}: " + "; ".join(problems),
            fix="load a folder that `hf-ecg-bench convert` or save_pretrained wrote for this model",
        )
    if fresh_head and logging.get_verbosity() <= WARNING:  # a run, which always wants a new head, keeps this quiet
        logger.warning("%s has no head for these targets: a fresh %s is trained", source, type(model.head).__name__)


@contextmanager
def explain_loading_errors(source: Any) -> Iterator[None]:
    """Turn a damaged or misfitting weights file into a CheckpointError."""
    try:
        yield
    except SafetensorError as error:
        raise CheckpointError(
            f"{source}: the weights file is damaged or incomplete ({error})",
            fix="download or convert it again",
        ) from error
    except RuntimeError as error:
        if "mismatch" not in str(error) and "size" not in str(error):
            raise
        raise CheckpointError(
            f"{source} holds tensors of other shapes than its configuration: {error}",
            fix="for other targets pass target_names to load_model, which makes a fresh head",
        ) from error

"""The loss of the paper's protocol, exact for missing targets and for any split of a batch."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def masked_loss(
    logits: Tensor,
    labels: Tensor,
    is_regression: Tensor,
    counts: Tensor | None = None,
    *,
    positive_weights: Tensor | None = None,
    focal_gamma: float = 0.0,
) -> Tensor:
    """Binary cross-entropy of the yes/no targets plus L1 of the continuous ones, NaN entries left out.

    Per target the mean over its non-missing entries, then the mean over the targets that have any, separately
    for the two kinds; both are added. Without missing entries and continuous targets this is the plain mean
    over batch and targets.

    Args:
        logits: (batch, targets).
        labels: (batch, targets); 0 or 1, or the (z-scored) number; NaN where missing.
        is_regression: (targets,) bool.
        counts: (targets,) non-missing entries over the whole optimizer step, that is over all micro-batches
            and processes. With it, the losses of the parts add up to the loss of the whole; without it, this
            batch counts.
        positive_weights: (targets,) factors of the yes/no targets' positive entries; None is 1 everywhere. They
            change no count: a target's loss is still divided by its entries, so that parts still add up.
        focal_gamma: of the focal loss, (1 - p_t)^gamma times the cross-entropy (Lin et al., ICCV 2017).

    Returns:
        A scalar, 0 (with a gradient of zeros) where every entry is missing.
    """
    if logits.dtype in (torch.float16, torch.bfloat16):
        logits = logits.float()
    valid = ~torch.isnan(labels)
    target = torch.where(valid, labels, 0).to(logits.dtype)
    error = torch.where(
        is_regression,
        (logits - target).abs(),
        _cross_entropy(logits, target, positive_weights, focal_gamma),
    )
    total = torch.where(valid, error, 0).sum(dim=0)
    counts = valid.sum(dim=0) if counts is None else counts
    per_target = total / counts.clamp(min=1)
    present = counts > 0
    loss = per_target.new_zeros(())
    for kind in (~is_regression & present, is_regression & present):
        loss = loss + torch.where(kind, per_target, 0).sum() / kind.sum().clamp(min=1)
    return loss


def _cross_entropy(logits: Tensor, target: Tensor, weights: Tensor | None, gamma: float) -> Tensor:
    """(batch, targets) cross-entropy of each entry, with the factors of `masked_loss`."""
    if weights is not None:
        weights = weights.to(logits)
    entropy = functional.binary_cross_entropy_with_logits(logits, target, reduction="none", pos_weight=weights)
    if gamma:
        # log(1 - p_t), from the logit: no power of a probability that was rounded to 0 and has no gradient.
        entropy = entropy * torch.exp(-gamma * functional.softplus((2 * target - 1) * logits))
    return entropy


def valid_counts(labels: Tensor) -> Tensor:
    """Non-missing entries per target of (batch, targets) labels: added up, `masked_loss` takes them."""
    return (~torch.isnan(labels)).sum(dim=0)

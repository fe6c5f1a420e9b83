"""Contrastive predictive coding: which of a sequence's codes comes a step ahead? (van den Oord et al., 2018)

With predictions p_i and codes z_j of one sequence, for each position i the positive is z_(i + step), and negatives are
drawn with replacement from all other positions. As negatives come from the sequence itself, their dot products are
entries of the matrix p z^T: we compute it whole, one matrix product, and let n_ij, how often position j was drawn for
i, weigh it:

    loss_i = log(exp(p_i z_(i + step)) + sum_j n_ij exp(p_i z_j)) - p_i z_(i + step)

The same number as the cross-entropy over gathered candidates, without moving `negatives` codes per position.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


def draw_negatives(
    batch: int, tokens: int, negatives: int, step: int, generator: torch.Generator | None = None
) -> Tensor:
    """Positions (tokens - step, batch, negatives), uniform with replacement over all but the positive.

    Drawn as the reference does, position after position: with the same generator (on its device; None: torch's
    default one) these are the reference's numbers.
    """
    positives = torch.arange(step, tokens).view(-1, 1, 1)
    device = generator.device if generator is not None else None
    drawn = torch.randint(0, tokens - 1, (tokens - step, batch, negatives), generator=generator, device=device)
    return drawn + (drawn >= positives.to(drawn.device))


def cpc_loss(predictions: Tensor, codes: Tensor, negatives: Tensor) -> tuple[Tensor, Tensor]:
    """The loss, and how often the positive has the largest logit.

    Args:
        predictions, codes: (batch, tokens, width), float32 or float64.
        negatives: (tokens - step, batch, number) positions, as `draw_negatives` gives them.

    Returns:
        The sum over positions of the batch's mean cross-entropy (about (tokens - step) log(1 + number) at chance),
        and the share of positions and sequences whose positive wins; both scalars.
    """
    positions, batch, _ = negatives.shape
    loss, hits = _CpcLoss.apply(predictions, codes, negatives)
    return loss / batch, hits / (positions * batch)


class _CpcLoss(torch.autograd.Function):
    """Sums over all positions and sequences of the loss and of the hits, one sequence at a time.

    The gradients are computed along with the loss, so that no matrix of all pairs outlives its sequence.
    """

    @staticmethod
    def forward(ctx: Any, predictions: Tensor, codes: Tensor, negatives: Tensor) -> tuple[Tensor, Tensor]:
        to_predictions, to_codes = ctx.needs_input_grad[:2]
        rows = len(negatives)
        grad_predictions = torch.zeros_like(predictions) if to_predictions else None
        grad_codes = torch.empty_like(codes) if to_codes else None
        loss, hits = predictions.new_zeros(()), predictions.new_zeros(())
        for index, (p, z) in enumerate(zip(predictions[:, :rows], codes, strict=True)):
            shares, sequence_loss, sequence_hits = _one_sequence(p @ z.t(), negatives[:, index])
            loss += sequence_loss
            hits += sequence_hits
            if grad_predictions is not None:
                torch.mm(shares, z, out=grad_predictions[index, :rows])
            if grad_codes is not None:
                torch.mm(shares.t(), p, out=grad_codes[index])
        ctx.save_for_backward(grad_predictions, grad_codes)
        ctx.mark_non_differentiable(hits)
        return loss, hits

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor, _: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        grad_predictions, grad_codes = ctx.saved_tensors
        return (
            None if grad_predictions is None else grad_predictions * grad,
            None if grad_codes is None else grad_codes * grad,
            None,
        )


def _one_sequence(logits: Tensor, negatives: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The loss's gradient by the logits (positions, tokens), the loss and the hits; `logits` is overwritten.

    Args:
        negatives: (positions, number).
    """
    positions, tokens = logits.shape
    step = tokens - positions
    positive = logits.diagonal(step).clone()
    counts = torch.zeros_like(logits).scatter_add_(1, negatives, torch.ones_like(logits[:, :1]).expand_as(negatives))
    logits.masked_fill_(counts == 0, -torch.inf)
    largest = logits.amax(dim=1)
    hits = (positive >= largest).sum()
    counts.diagonal(step).fill_(1)
    logits.diagonal(step).copy_(positive)
    largest = torch.maximum(largest, positive)
    shares = logits.sub_(largest.unsqueeze(1)).exp_().mul_(counts)
    totals = shares.sum(dim=1)
    loss = (totals.log() + largest - positive).sum()
    shares.div_(totals.unsqueeze(1)).diagonal(step).sub_(1)
    return shares, loss, hits

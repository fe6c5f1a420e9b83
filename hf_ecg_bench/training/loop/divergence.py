"""A training loss that is not finite ends the run before it reaches the weights, and names the records."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch

from hf_ecg_bench.errors import DivergedError, TrainingError, some
from hf_ecg_bench.training.loop.batches import RECORD, Batch

#: In mV, or in the standard deviations of a z-scored target: nothing a heart does.
HUGE = 1e3

Names = Callable[[np.ndarray], list[str]]


def check_losses(losses: Sequence[torch.Tensor], batches: Sequence[Batch], names: Names, where: str) -> None:
    """Raise if a micro-batch's loss is NaN or infinite.

    One number is read back from the device per optimizer step; the Trainer's own filter, which is switched off for
    this, reads two per micro-batch, and replaces such losses in its log without a word.

    Args:
        losses: scalars of one optimizer step's micro-batches.
        batches: these micro-batches.
        names: positions of used training records to record ids.
        where: step and epoch, for the message.

    Raises:
        DivergedError: with the records of the micro-batch.
        TrainingError: with those of them whose values are out of all bounds: no other hyperparameter would help.
    """
    if bool(torch.stack(list(losses)).sum().isfinite()):
        return
    broken = [index for index, loss in enumerate(losses) if not bool(loss.isfinite())] or range(len(losses))
    value = float(losses[broken[0]])
    found, wild = [], []
    for index in broken:
        batch = batches[index]
        if RECORD in batch:
            ids = names(batch[RECORD].cpu().numpy())
            found += ids
            wild += [name for name, odd in zip(ids, _wild_rows(batch), strict=True) if odd]
    about = f"; records of its batch: {some(found, 5)}" if found else ""
    about += f"; of these, with infinite or huge values (beyond {HUGE:g}): {some(wild, 5)}" if wild else ""
    raise (TrainingError if wild else DivergedError)(
        f"the training diverged: its loss is {value} at {where}{about}",
        fix="look at these records (prepare --strict, verify)"
        if wild
        else "a smaller --learning-rate or --max-grad-norm 1, into another --output-dir",
    )


def _wild_rows(batch: Batch) -> list[bool]:
    """Per record, whether a value is infinite or huge. NaN is not: it stands for a missing sample or target."""
    odd = torch.zeros(len(batch[RECORD]), dtype=torch.bool)
    for name, values in batch.items():
        if name != RECORD and values.is_floating_point():
            odd |= (values.abs() > HUGE).flatten(1).any(1).cpu()
    return odd.tolist()

"""How sure a recommendation is, in words by a fixed rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hf_ecg_bench.selecting.outlook import Outlook

Sureness = Literal["high", "medium", "low", "too little to say"]

#: Expected regret, in AUROC or standardised error, up to which it is high or medium.
HIGH, MEDIUM = 0.004, 0.012
_FEWEST_DATASETS = 3


@dataclass(frozen=True)
class Judgement:
    """The word and the reason."""

    level: Sureness
    reason: str


def sureness(seen: Outlook | None, kind: str, *, beyond_runs: bool = False) -> Judgement:
    """By this rule:

    `high`: the pick was run on this task, the expected regret is at most 0.004, and it is best with at least one half.
    `medium`: there are results on this task or dataset, and the expected regret is at most 0.012.
    `low`: everything else; in particular whenever the dataset is a new one, or there is only one candidate.
    `too little to say`: nothing on this task, not even a probe, and fewer than three other datasets, or fewer than two
    candidates with any result.

    Args:
        beyond_runs: whether the number of records is more than a doubling away from those that were run on this task:
            then it is never `high`.
    """
    if seen is None:
        return Judgement("too little to say", "no usable result")
    cells = seen.model.cells
    known = {cell.candidate for cell in cells}
    # A probe says something on this task, but it is no run.
    direct = {cell.candidate for cell in cells if cell.asked and cell.origin != "probe"}
    probed = any(cell.asked and cell.origin == "probe" for cell in cells)
    datasets = {cell.dataset for cell in cells if not cell.asked}
    if len(known) < 2:
        return Judgement("too little to say", "fewer than two candidates have any result")
    if not direct and not probed and len(datasets) < _FEWEST_DATASETS:
        return Judgement(
            "too little to say", f"nothing on this task, and results on {len(datasets)} other datasets only"
        )
    if len(seen.candidates) == 1:
        return Judgement("low", "there is no other candidate to choose from")
    pick, regret, chance = seen.candidates[0], float(seen.regret[0]), float(seen.chance[0])
    unit = "AUROC" if kind == "auroc" else "standardised error"
    told = f"another one is expected to be better by {regret:.4f} in {unit}, and it is the best with {chance:.0%}"
    if regret <= HIGH and pick in direct and chance >= 0.5 and not beyond_runs:
        return Judgement("high", told)
    close = bool(direct) or seen.dataset in datasets
    return Judgement("medium" if close and regret <= MEDIUM else "low", told)

"""What the user decides about an overview."""

from __future__ import annotations

from dataclasses import dataclass

from hf_ecg_bench.standings.overall import ContaminationPolicy, Rule

#: A report on more runs than this is an overview; fewer are compared in full, a section each.
MOST_SECTIONS = 8


@dataclass(frozen=True)
class Choices:
    """How results are ranked and shown.

    Attributes:
        contamination: what is done with cells whose test records the model may have seen.
        rule: how ranks are given; see `standings.across`.
        published: whether published rows stand beside ours.
        n_resamples, seed: of the test patients.
    """

    contamination: ContaminationPolicy = "keep"
    rule: Rule = "anchor"
    published: bool = True
    n_resamples: int = 1000
    seed: int = 0

"""Unused records of the China Physiological Signal Challenge 2018 (Challenge 2021): 3,453 records, 33 diagnoses."""

from __future__ import annotations

from hf_ecg_bench.data.sources.challenge.builder import ChallengeBuilder
from hf_ecg_bench.data.sources.challenge.example import write_example
from hf_ecg_bench.data.sources.challenge.sets import (
    CPSC_CITATION,
    CPSC_EXTRA,
    FOLDS,
    HOMEPAGE,
    KNOWN_ISSUES,
    RATE,
    SHORT_RECORDS,
    published_labels,
)
from hf_ecg_bench.data.spec import DatasetSpec


class CpscExtra(ChallengeBuilder):
    """Built from the folder `training/cpsc_2018_extra` of the Challenge 2021 release, or from one flat folder."""

    SOURCE = CPSC_EXTRA
    SPEC = DatasetSpec(
        id="cpsc_extra",
        title="CPSC-Extra (PhysioNet/CinC Challenge 2021)",
        homepage=HOMEPAGE,
        license="cc-by-4.0",
        access="open",
        citation=CPSC_CITATION,
        sampling_rate=RATE,
        seconds=None,
        label_columns={"labels": published_labels(CPSC_EXTRA)},
        description="12-lead ECGs of the CPSC2018 collection that its competition did not use, with 33 diagnoses.",
        records=3_453,
        folds=FOLDS,
        validation_fold=8,
        test_fold=9,
        nan_samples="drop",
        min_seconds=10.0,
        origins=(CPSC_EXTRA.origin,),
        known_issues=(
            *KNOWN_ISSUES,
            SHORT_RECORDS,
            "CPSC2018 holds other records of the same collection; whether they share patients is not known",
        ),
    )

    @staticmethod
    def example(root: str, n: int) -> None:
        write_example(CPSC_EXTRA, root, n)

"""China Physiological Signal Challenge 2018, from the PhysioNet/CinC Challenge 2021: 6,877 records, 9 diagnoses."""

from __future__ import annotations

from hf_ecg_bench.data.sources.challenge.builder import ChallengeBuilder
from hf_ecg_bench.data.sources.challenge.example import write_example
from hf_ecg_bench.data.sources.challenge.sets import (
    CPSC2018,
    CPSC_CITATION,
    FOLDS,
    HOMEPAGE,
    KNOWN_ISSUES,
    RATE,
    SHORT_RECORDS,
    published_labels,
)
from hf_ecg_bench.data.spec import DatasetSpec


class Cpsc2018(ChallengeBuilder):
    """Built from the folder `training/cpsc_2018` of the Challenge 2021 release, or from one flat folder."""

    SOURCE = CPSC2018
    SPEC = DatasetSpec(
        id="cpsc2018",
        title="CPSC2018 (PhysioNet/CinC Challenge 2021)",
        homepage=HOMEPAGE,
        license="cc-by-4.0",
        access="open",
        citation=CPSC_CITATION,
        sampling_rate=RATE,
        seconds=None,
        label_columns={"labels": published_labels(CPSC2018)},
        description="12-lead ECGs of 6 to 144 s from 11 Chinese hospitals with 9 diagnoses.",
        records=6_877,
        folds=FOLDS,
        validation_fold=8,
        test_fold=9,
        nan_samples="drop",
        min_seconds=10.0,
        origins=(CPSC2018.origin,),
        known_issues=(
            *KNOWN_ISSUES,
            SHORT_RECORDS,
            "CPSC-Extra holds other records of the same collection; whether they share patients is not known",
        ),
    )

    @staticmethod
    def example(root: str, n: int) -> None:
        write_example(CPSC2018, root, n)

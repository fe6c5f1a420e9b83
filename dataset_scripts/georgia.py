"""Georgia 12-lead ECG Challenge Database, from the PhysioNet/CinC Challenge 2021: 10,344 records, 50 diagnoses."""

from __future__ import annotations

from hf_ecg_bench.data.sources.challenge.builder import ChallengeBuilder
from hf_ecg_bench.data.sources.challenge.example import write_example
from hf_ecg_bench.data.sources.challenge.sets import (
    CITATION,
    FOLDS,
    GEORGIA,
    HOMEPAGE,
    KNOWN_ISSUES,
    RATE,
    SHORT_RECORDS,
    published_labels,
)
from hf_ecg_bench.data.spec import DatasetSpec


class Georgia(ChallengeBuilder):
    """Built from the folder `training/georgia` of the Challenge 2021 release, or from one flat folder."""

    SOURCE = GEORGIA
    SPEC = DatasetSpec(
        id="georgia",
        title="Georgia 12-lead ECG (PhysioNet/CinC Challenge 2021)",
        homepage=HOMEPAGE,
        license="cc-by-4.0",
        access="open",
        citation=CITATION,
        sampling_rate=RATE,
        seconds=None,
        label_columns={"labels": published_labels(GEORGIA)},
        description="12-lead ECGs of at most 10 s from Emory University, Atlanta, with 50 diagnoses.",
        records=10_344,
        folds=FOLDS,
        validation_fold=8,
        test_fold=9,
        nan_samples="drop",
        min_seconds=10.0,
        origins=(GEORGIA.origin,),
        known_issues=(
            *KNOWN_ISSUES,
            SHORT_RECORDS,
        ),
    )

    @staticmethod
    def example(root: str, n: int) -> None:
        write_example(GEORGIA, root, n)

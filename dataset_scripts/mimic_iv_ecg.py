"""MIMIC-IV-ECG: 10 s ECGs of the emergency department with diagnoses, outcomes, laboratory values and vital signs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from hf_ecg_bench.data.builder import EcgBuilder, EcgBuilderConfig
from hf_ecg_bench.data.ledger import Ledger
from hf_ecg_bench.data.records import RecordIndex
from hf_ecg_bench.data.sources.mimic.example import write_example
from hf_ecg_bench.data.sources.mimic.index import LABELS, TEST_FOLD, VALIDATION_FOLD, index_mimic
from hf_ecg_bench.data.sources.mimic.names import ID, published_codes, target_specs
from hf_ecg_bench.data.sources.mimic.signals import RATE, Reference, read_mimic
from hf_ecg_bench.data.spec import DatasetSpec
from hf_ecg_bench.errors import DataError


@dataclass
class MimicConfig(EcgBuilderConfig):
    """Options of MIMIC-IV-ECG.

    Attributes:
        icd_min_count: None for the 1,076 published ICD-10 codes; a number for the codes that at least so many ECGs of
            the table at hand have, by descending count (the published list comes from 2,000). The same as `min_count`.
        chart_label_min_count: labels of charted values with fewer rows are left out.
        tables: `available` to build without some of the tables; their targets are then missing in every record.
    """

    icd_min_count: int | None = None
    chart_label_min_count: int = 1000
    tables: Literal["all", "available"] = "all"

    def __post_init__(self) -> None:
        super().__post_init__()
        if None not in (self.icd_min_count, self.min_count) and self.icd_min_count != self.min_count:
            raise DataError("options icd_min_count and min_count mean the same and differ; give one of them")
        self.icd_min_count = self.min_count = self.icd_min_count or self.min_count


class MimicIvEcg(EcgBuilder):
    """Built from the credentialed tables and the signals' archive (or folder), all below one folder."""

    BUILDER_CONFIG_CLASS = MimicConfig
    SPEC = DatasetSpec(
        id=ID,
        title="MIMIC-IV-ECG",
        homepage="https://physionet.org/content/mimic-iv-ecg/1.0/",
        license="other",
        access="credentialed",
        citation="""@misc{gow2023mimicivecg,
  title = {{MIMIC-IV-ECG}: Diagnostic Electrocardiogram Matched Subset},
  author = {Gow, Brian and Pollard, Tom and Nathanson, Larry A. and Johnson, Alistair and Moody, Benjamin and
            Fernandes, Chrystinne and Greenbaum, Nathaniel and Waks, Jonathan W. and Eslami, Parastou and
            Carbonati, Tanner and Chaudhari, Ashish and Herbst, Elizabeth and Moukheiber, Dana and
            Berkowitz, Seth and Mark, Roger and Horng, Steven},
  publisher = {PhysioNet},
  year = {2023},
  doi = {10.13026/4nqg-sb35}
}""",
        sampling_rate=RATE,
        seconds=None,
        label_columns={LABELS: published_codes()},
        targets=target_specs(published_codes()),
        description=(
            "10 s ECGs taken in an emergency department, with 1,127 targets: discharge diagnoses, acute outcomes, sex, "
            "age, body measures, ECG intervals, laboratory values and vital signs."
        ),
        records=800_035,
        patients=161_352,
        folds="train 0-17, validation 18, test 19 (the published strat_fold; a patient is in one fold)",
        validation_fold=VALIDATION_FOLD,
        test_fold=TEST_FOLD,
        access_steps=(
            "Become a credentialed user of PhysioNet (a course in research with human data), sign the data use "
            "agreements of MIMIC-IV, MIMIC-IV-ED, MIMIC-IV-ECG, MIMIC-IV-ECG-Ext-ICD and MIMIC-IV-Ext-MDS-ED, and "
            "download their tables and the archive of signals into one folder."
        ),
        known_issues=(
            "code lists, limits of values and most frequent units are taken from all patients, test patients included",
            "measurements up to an hour (body measures: 30 days) after the ECG count, as published",
            "only the first ECG of a stay is used where the column fold is 18 or 19, which is not the split's fold",
        ),
    )

    def index(self, raw_dir: str | None, config: MimicConfig, ledger: Ledger) -> RecordIndex:
        assert raw_dir is not None  # the base class has checked it
        return index_mimic(
            raw_dir,
            ledger,
            icd_min_count=config.icd_min_count,
            chart_label_min_count=config.chart_label_min_count,
            tables=config.tables,
            metadata_only=config.metadata_only,
        )

    def read(self, reference: Any, ledger: Ledger) -> np.ndarray:
        return read_mimic(Reference(*reference), ledger)

    @staticmethod
    def example(root: str, n: int) -> None:
        write_example(root, n)

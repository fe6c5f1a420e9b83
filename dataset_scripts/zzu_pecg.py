"""ZZU pECG: 12,334 twelve-lead records of children, with findings in two vocabularies and disease categories."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from hf_ecg_bench.data.builder import EcgBuilder, EcgBuilderConfig
from hf_ecg_bench.data.ledger import Ledger
from hf_ecg_bench.data.origins import Figshare, Unpack
from hf_ecg_bench.data.records import RecordIndex
from hf_ecg_bench.data.sources.zzu_pecg.example import write_example
from hf_ecg_bench.data.sources.zzu_pecg.signals import RATE, read_zzu_pecg
from hf_ecg_bench.data.sources.zzu_pecg.tables import (
    N_FOLDS,
    STRATIFY_SEED,
    index_zzu_pecg,
    published_label_names,
)
from hf_ecg_bench.data.spec import DatasetSpec, ExtraColumn


@dataclass
class ZzuPecgConfig(EcgBuilderConfig):
    """Options of ZZU pECG.

    Attributes:
        n_folds: number of folds; the last is the test fold, the one before it the validation fold.
        stratify_seed: of the folds' draws.
    """

    n_folds: int = N_FOLDS
    stratify_seed: int = STRATIFY_SEED


class ZzuPecg(EcgBuilder):
    """Built from `AttributesDictionary.csv`, `ECGCode.csv`, `DiseaseCode.csv` and `Child_ecg/`."""

    BUILDER_CONFIG_CLASS = ZzuPecgConfig
    SPEC = DatasetSpec(
        id="zzu_pecg",
        title="ZZU pECG (Zhengzhou University, children)",
        homepage="https://doi.org/10.6084/m9.figshare.27078763",
        license="cc-by-4.0",
        access="open",
        citation="""@article{tan2025zzupecg,
  title = {A pediatric {ECG} database with disease diagnosis covering 11643 children},
  author = {Tan, Jian and Fan, Haoyi and Luo, Jiawei and Zhou, Yanjie and Wang, Ning and Wang, Xizheng and
            Liu, Guizhi and Liu, Chengyu and Wang, Zongmin},
  journal = {Scientific Data},
  volume = {12},
  pages = {867},
  year = {2025},
  doi = {10.1038/s41597-025-05225-z}
}""",
        sampling_rate=RATE,
        seconds=None,
        label_columns=published_label_names(),
        description="12-lead ECGs of children from birth to 14 years, with ECG findings and disease categories.",
        records=12_334,
        folds="train 0-7, validation 8, test 9 (by patient, stratified on disease category, sex and age in days)",
        validation_fold=8,
        test_fold=9,
        min_seconds=10.0,
        extra_columns=(
            ExtraColumn("findings", "strings", "All AHA findings as written: codes, codes with modifiers, and words."),
        ),
        origins=(
            Figshare(
                article="27078763",
                include=("*.csv", "Child_ecg.z*"),
                metadata=("*.csv",),
                about=4_063_000_000,
            ),
            Unpack("Child_ecg.zip", into="Child_ecg", strip="Child_ecg", members=("*.hea", "*.dat")),
        ),
        known_issues=(
            "1,856 of the 14,190 records have nine leads and are left out, children with a heart disease more often",
            "findings in words and codes with modifiers are no labels, as in the published benchmark",
            "saturated or loose leads reach 26 mV; they are kept",
        ),
    )

    def index(self, raw_dir: str | None, config: ZzuPecgConfig, ledger: Ledger) -> RecordIndex:
        assert raw_dir is not None  # the base class has checked it
        return index_zzu_pecg(
            raw_dir,
            ledger,
            min_count=config.min_count,
            n_folds=config.n_folds,
            stratify_seed=config.stratify_seed,
            metadata_only=config.metadata_only,
        )

    def read(self, reference: Any, ledger: Ledger) -> np.ndarray:
        return read_zzu_pecg(reference, ledger)

    @staticmethod
    def example(root: str, n: int) -> None:
        write_example(root, n)

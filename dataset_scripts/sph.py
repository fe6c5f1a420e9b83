"""SPH: 25,770 records of 10 to 56 s with AHA statements, from Shandong Provincial Hospital."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from hf_ecg_bench.data.builder import EcgBuilder, EcgBuilderConfig
from hf_ecg_bench.data.ledger import Ledger
from hf_ecg_bench.data.origins import Figshare, Unpack
from hf_ecg_bench.data.records import RecordIndex
from hf_ecg_bench.data.sources.sph.example import write_example
from hf_ecg_bench.data.sources.sph.signals import RATE, read_sph
from hf_ecg_bench.data.sources.sph.tables import (
    AUTHORS_SEED,
    N_FOLDS,
    STRATIFY_SEED,
    index_sph,
    published_codes,
)
from hf_ecg_bench.data.spec import DatasetSpec, ExtraColumn


@dataclass
class SphConfig(EcgBuilderConfig):
    """Options of SPH.

    Attributes:
        n_folds: number of folds; the last is the test fold, the one before it the validation fold.
        stratify_seed: of the folds' draws.
        orig_fold_seed: of the authors' own split (column `orig_split`).
    """

    n_folds: int = N_FOLDS
    stratify_seed: int = STRATIFY_SEED
    orig_fold_seed: int = AUTHORS_SEED


class Sph(EcgBuilder):
    """Built from `metadata.csv` and `records/<ECG_ID>.h5`."""

    BUILDER_CONFIG_CLASS = SphConfig
    SPEC = DatasetSpec(
        id="sph",
        title="SPH (Shandong Provincial Hospital)",
        homepage="https://doi.org/10.6084/m9.figshare.c.5779802.v1",
        license="cc-by-4.0",
        access="open",
        citation="""@article{liu2022sph,
  title = {A large-scale multi-label 12-lead electrocardiogram database with standardized diagnostic statements},
  author = {Liu, Hui and Chen, Dan and Chen, Da and Zhang, Xiyu and Li, Huijie and Bian, Lipan and Shu, Minglei and
            Wang, Yinglong},
  journal = {Scientific Data},
  volume = {9},
  pages = {272},
  year = {2022},
  doi = {10.1038/s41597-022-01403-5}
}""",
        sampling_rate=RATE,
        seconds=None,
        label_columns={"labels": published_codes()},
        description="12-lead ECGs of 10 to 56 s with AHA diagnostic statements, from one hospital in China.",
        records=25_770,
        patients=24_666,
        folds="train 0-7, validation 8, test 9 (by patient, stratified on statements with modifiers, sex and age)",
        validation_fold=8,
        test_fold=9,
        extra_columns=(
            ExtraColumn("statements", "strings", "All statements as written, with their modifiers: `60+310`."),
            ExtraColumn("orig_split", "text", "The authors' own 80/20 split, `train` or `test`; not the benchmark's."),
        ),
        origins=(
            Figshare(
                collection="5779802",
                include=("metadata.csv", "code.csv", "records.tar*"),
                metadata=("metadata.csv", "code.csv"),
                about=2_283_000_000,
            ),
            Unpack("records.tar*", into="records", strip="records", members=("*.h5",)),
        ),
        known_issues=(
            "some hundred records have saturated or loose leads beyond 10 mV, a few beyond 100 mV; they are kept",
            "modifiers (acute, old, frequent, ...) are not part of the labels; the column `statements` has them",
        ),
    )

    def index(self, raw_dir: str | None, config: SphConfig, ledger: Ledger) -> RecordIndex:
        assert raw_dir is not None  # the base class has checked it
        return index_sph(
            raw_dir,
            ledger,
            min_count=config.min_count,
            n_folds=config.n_folds,
            stratify_seed=config.stratify_seed,
            orig_fold_seed=config.orig_fold_seed,
            metadata_only=config.metadata_only,
        )

    def read(self, reference: Any, ledger: Ledger) -> np.ndarray:
        return read_sph(reference, ledger)

    @staticmethod
    def example(root: str, n: int) -> None:
        write_example(root, n)

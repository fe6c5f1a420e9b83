"""PTB Diagnostic ECG Database 1.0.0: 549 records of 32 to 120 s with clinical diagnoses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from hf_ecg_bench.data.builder import EcgBuilder, EcgBuilderConfig
from hf_ecg_bench.data.ledger import Ledger
from hf_ecg_bench.data.origins import PhysioNet
from hf_ecg_bench.data.records import RecordIndex
from hf_ecg_bench.data.sources.ptb.example import write_example
from hf_ecg_bench.data.sources.ptb.signals import RATE, read_ptb
from hf_ecg_bench.data.sources.ptb.tables import RECORDS, index_ptb, published_labels
from hf_ecg_bench.data.spec import DatasetSpec


@dataclass
class PtbConfig(EcgBuilderConfig):
    """Options of `ptb`.

    Attributes:
        n_folds: number of folds; the last two are validation and test.
        kfold_seed: of the shuffled folds, 0 or above.
    """

    n_folds: int = 5
    kfold_seed: int = 42


class Ptb(EcgBuilder):
    """Built from the official folder: `patient001/`, `patient002/`, ..."""

    BUILDER_CONFIG_CLASS = PtbConfig
    SPEC = DatasetSpec(
        id="ptb",
        title="PTB Diagnostic ECG Database",
        homepage="https://physionet.org/content/ptbdb/1.0.0/",
        license="odc-by",
        access="open",
        citation="""@article{bousseljot1995cardiodat,
  title = {Nutzung der {EKG}-Signaldatenbank {CARDIODAT} der {PTB} {\\"u}ber das {Internet}},
  author = {Bousseljot, Ralf-Dieter and Kreiseler, Dieter and Schnabel, Allard},
  journal = {Biomedizinische Technik},
  volume = {40},
  number = {s1},
  pages = {317--318},
  year = {1995},
  doi = {10.1515/bmte.1995.40.s1.317}
}""",
        sampling_rate=RATE,
        seconds=None,
        label_columns={"labels": published_labels()},
        description="Clinical 12-lead ECGs of 32 to 120 s at 1000 Hz with 18 diagnoses from the patients' records.",
        records=549,
        patients=290,
        folds="train 0-2, validation 3, test 4 (by patient, shuffled)",
        validation_fold=3,
        test_fold=4,
        origins=(
            PhysioNet(
                "ptbdb",
                "1.0.0",
                include=(RECORDS, "patient*.hea", "patient*.dat"),
                metadata=(RECORDS, "patient*.hea"),
                about=1_400_000_000,
            ),
        ),
        known_issues=(
            "`catheterized` may mean a catheter after the ECG: a fact of the patient's future",
            "an infarction without a date counts as old",
            "`Coronary artery disease (PTCA+Stent)` is not joined with `Coronary artery disease`, as in the benchmark",
            "PhysioNet/CinC Challenge copies of PTB (Snnnn) hold the same recordings: never mix them",
        ),
    )

    def index(self, raw_dir: str | None, config: PtbConfig, ledger: Ledger) -> RecordIndex:
        assert raw_dir is not None  # the base class has checked it
        return index_ptb(
            raw_dir,
            min_count=config.min_count,
            n_folds=config.n_folds,
            seed=config.kfold_seed,
            metadata_only=config.metadata_only,
            ledger=ledger,
        )

    def read(self, reference: Any, ledger: Ledger) -> np.ndarray:
        return read_ptb(reference, ledger)

    @staticmethod
    def example(root: str, n: int) -> None:
        write_example(root, n)

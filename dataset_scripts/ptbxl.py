"""PTB-XL 1.0.3: 21,799 10 s records with SCP-ECG statements in six label sets."""

from __future__ import annotations

from typing import Any

import numpy as np

from hf_ecg_bench.data.builder import EcgBuilder, EcgBuilderConfig
from hf_ecg_bench.data.ledger import Ledger
from hf_ecg_bench.data.origins import PhysioNet
from hf_ecg_bench.data.records import RecordIndex
from hf_ecg_bench.data.sources.ptbxl.example import write_example
from hf_ecg_bench.data.sources.ptbxl.signals import RATE, read_ptbxl
from hf_ecg_bench.data.sources.ptbxl.tables import index_ptbxl, published_label_names
from hf_ecg_bench.data.spec import DatasetSpec


class PtbXl(EcgBuilder):
    """Built from the official folder: `ptbxl_database.csv`, `scp_statements.csv`, `records500/`."""

    SPEC = DatasetSpec(
        id="ptbxl",
        title="PTB-XL",
        homepage="https://physionet.org/content/ptb-xl/1.0.3/",
        license="cc-by-4.0",
        access="open",
        citation="""@article{wagner2020ptbxl,
  title = {{PTB-XL}, a large publicly available electrocardiography dataset},
  author = {Wagner, Patrick and Strodthoff, Nils and Bousseljot, Ralf-Dieter and Kreiseler, Dieter and
            Lunze, Fatima I. and Samek, Wojciech and Schaeffter, Tobias},
  journal = {Scientific Data},
  volume = {7},
  pages = {154},
  year = {2020},
  doi = {10.1038/s41597-020-0495-6}
}""",
        sampling_rate=RATE,
        seconds=10.0,
        label_columns=published_label_names(),
        description="10 s clinical 12-lead ECGs annotated by cardiologists with 71 SCP-ECG statements.",
        records=21_799,
        patients=18_869,
        folds="train 1-8, validation 9, test 10 (the authors' strat_fold; a patient is in one fold)",
        validation_fold=9,
        test_fold=10,
        origins=(
            PhysioNet(
                "ptb-xl",
                "1.0.3",
                include=("ptbxl_database.csv", "scp_statements.csv", "records500/*"),
                metadata=("ptbxl_database.csv", "scp_statements.csv"),
                about=2_650_000_000,
            ),
        ),
        known_issues=(
            "ages above 89 are published as 300 and stored as 90",
            "411 records have no superclass; they are kept with an empty list",
            "PhysioNet/CinC Challenge copies of PTB-XL (HRnnnnn) hold the same recordings: never mix them",
        ),
    )

    def index(self, raw_dir: str | None, config: EcgBuilderConfig, ledger: Ledger) -> RecordIndex:
        assert raw_dir is not None  # the base class has checked it
        return index_ptbxl(raw_dir, config.min_count, ledger, signals=not config.metadata_only)

    def read(self, reference: Any, ledger: Ledger) -> np.ndarray:
        return read_ptbxl(reference, ledger)

    @staticmethod
    def example(root: str, n: int) -> None:
        write_example(root, n)

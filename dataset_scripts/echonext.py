"""EchoNext 1.1.0: 100,000 ECGs with eleven findings of structural heart disease from echocardiograms."""

from __future__ import annotations

from typing import Any

import numpy as np

from hf_ecg_bench.data.builder import EcgBuilder
from hf_ecg_bench.data.ledger import Ledger
from hf_ecg_bench.data.records import RecordIndex
from hf_ecg_bench.data.sources.echonext.example import write_echonext
from hf_ecg_bench.data.sources.echonext.index import MEASURED, TABULAR, EchoNextConfig, index_echonext, tabular_column
from hf_ecg_bench.data.sources.echonext.metadata import flag_names
from hf_ecg_bench.data.sources.echonext.signals import RATE, read_waveform
from hf_ecg_bench.data.spec import DatasetSpec, ExtraColumn


class EchoNext(EcgBuilder):
    """Built from the release's metadata table and its arrays of train, val and test."""

    BUILDER_CONFIG_CLASS = EchoNextConfig
    SPEC = DatasetSpec(
        id="echonext",
        title="EchoNext",
        homepage="https://physionet.org/content/echonext/1.1.0/",
        license="other",
        access="restricted",
        citation="""@misc{echonext2025,
  title = {{EchoNext}: a dataset for detecting echocardiogram-confirmed structural heart disease from {ECGs}},
  author = {Elias, Pierre and Finer, Joshua},
  publisher = {PhysioNet},
  year = {2025},
  note = {version 1.1.0}
}""",
        sampling_rate=RATE,
        seconds=10.0,
        label_columns={"labels": flag_names()},
        description="10 s 12-lead ECGs with eleven findings of structural heart disease from an echocardiogram.",
        unit="z",
        # The release has 100,000; the others are in no split.
        records=82_543,
        folds="the release's own split; train is cut into folds 0-7 by patient, stratified on the flags; "
        "validation 8, test 9; -1 for patients without a positive flag",
        validation_fold=8,
        test_fold=9,
        extra_columns=(
            ExtraColumn(
                MEASURED,
                "flags",
                "one entry per class of `labels`: whether the echocardiogram measured it; null where the table does "
                "not say",
            ),
            *(
                ExtraColumn(tabular_column(name), "number", f"`{name}` as the release's tabular features have it")
                for name in TABULAR
            ),
        ),
        access_steps="Sign in at https://physionet.org, sign the data use agreement of "
        "https://physionet.org/content/echonext/1.1.0/ and download the files from there.",
        known_issues=(
            "a flag is negative also where nothing was measured; the column `measured` tells them apart",
            "signals are filtered, clipped and z-scored by their authors: they have no unit",
            "17,457 earlier ECGs of validation and test patients are in no split and not in the rows",
        ),
    )

    def index(self, raw_dir: str | None, config: EchoNextConfig, ledger: Ledger) -> RecordIndex:
        assert raw_dir is not None  # the base class has checked it
        return index_echonext(raw_dir, config, ledger)

    def read(self, reference: Any, ledger: Ledger) -> np.ndarray:
        return read_waveform(reference)

    @staticmethod
    def example(root: str, n: int) -> None:
        write_echonext(root, n)

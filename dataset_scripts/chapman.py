"""Chapman-Shaoxing: 10,646 records of 10 s with rhythm and condition labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from hf_ecg_bench.data.builder import EcgBuilder, EcgBuilderConfig
from hf_ecg_bench.data.ledger import Ledger
from hf_ecg_bench.data.origins import Figshare, Unpack
from hf_ecg_bench.data.records import RecordIndex
from hf_ecg_bench.data.sources.chapman.challenge import index_challenge
from hf_ecg_bench.data.sources.chapman.example import write_example
from hf_ecg_bench.data.sources.chapman.figshare import index_figshare
from hf_ecg_bench.data.sources.chapman.labels import published_label_names
from hf_ecg_bench.data.sources.chapman.layouts import ChapmanOptions, find_layout
from hf_ecg_bench.data.sources.chapman.signals import RATE, read_chapman
from hf_ecg_bench.data.spec import DatasetSpec


@dataclass
class ChapmanConfig(EcgBuilderConfig):
    """Options of `chapman`.

    Attributes:
        n_folds: number of folds; the last two are validation and test.
        stratify_seed: of the draws between equally suited folds, 0 or above.
        layout: `figshare` (the published task) or `challenge` (PhysioNet/CinC Challenge 2021: other records, merged
            codes, NOT the published task); by default what lies in the folder.
    """

    n_folds: int = 10
    stratify_seed: int = 0
    layout: Literal["figshare", "challenge"] | None = None


class Chapman(EcgBuilder):
    """Built from the figshare folder: `Diagnostics.xlsx`, `ECGData/`; or from the Challenge's `chapman_shaoxing`."""

    BUILDER_CONFIG_CLASS = ChapmanConfig
    SPEC = DatasetSpec(
        id="chapman",
        title="Chapman-Shaoxing",
        homepage="https://doi.org/10.6084/m9.figshare.c.4560497.v2",
        license="cc-by-4.0",
        access="open",
        citation="""@article{zheng2020chapman,
  title = {A 12-lead electrocardiogram database for arrhythmia research covering more than 10,000 patients},
  author = {Zheng, Jianwei and Zhang, Jianming and Danioko, Sidy and Yao, Hai and Guo, Hangyuan and Rakovski, Cyril},
  journal = {Scientific Data},
  volume = {7},
  pages = {48},
  year = {2020},
  doi = {10.1038/s41597-020-0386-x}
}""",
        sampling_rate=RATE,
        seconds=None,
        label_columns=published_label_names(),
        description="10 s 12-lead ECGs of 10,646 patients with 9 rhythms and 33 further conditions.",
        records=10_646,
        patients=10_646,
        folds="train 0-7, validation 8, test 9 (stratified on all labels; one record per patient)",
        validation_fold=8,
        test_fold=9,
        origins=(
            Figshare(
                collection="4560497",
                include=("Diagnostics.xlsx", "ECGData.zip"),
                metadata=("Diagnostics.xlsx",),
            ),
            Unpack("ECGData.zip", into="ECGData"),
        ),
        known_issues=(
            "the PhysioNet/CinC Challenge 2021 holds 10,247 of these recordings as JS00001 to JS10646: never mix them",
            "layout=challenge (the Challenge's copy): records and labels are not those of the published task",
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Here, not in `index`: the layout is part of what the built data say about themselves.
        if self.config.layout is None:
            self.config.layout = find_layout(self.config.data_dir)

    def index(self, raw_dir: str | None, config: ChapmanConfig, ledger: Ledger) -> RecordIndex:
        assert raw_dir is not None  # the base class has checked it
        options = ChapmanOptions(
            min_count=config.min_count,
            n_folds=config.n_folds,
            seed=config.stratify_seed,
            published=config.protocol == "published",
            metadata_only=config.metadata_only,
        )
        index = index_challenge if config.layout == "challenge" else index_figshare
        return index(raw_dir, options, ledger)

    def read(self, reference: Any, ledger: Ledger) -> np.ndarray:
        return read_chapman(reference, ledger)

    @staticmethod
    def example(root: str, n: int) -> None:
        write_example(root, n)

"""What the builders of the four Challenge sets share. No file is touched here (see `hf_ecg_bench.data.builder`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from hf_ecg_bench.data.builder import EcgBuilder, EcgBuilderConfig
from hf_ecg_bench.data.ledger import Ledger
from hf_ecg_bench.data.records import RecordIndex
from hf_ecg_bench.data.sources.challenge.sets import N_FOLDS, ChallengeSet
from hf_ecg_bench.data.sources.challenge.signals import read_challenge
from hf_ecg_bench.data.sources.challenge.tables import index_challenge


@dataclass
class ChallengeConfig(EcgBuilderConfig):
    """Options of the Challenge sets.

    Attributes:
        n_folds: number of stratified folds; the last two are validation and test.
    """

    n_folds: int = N_FOLDS


class ChallengeBuilder(EcgBuilder):
    """A subclass in `dataset_scripts/` sets SPEC and SOURCE."""

    SOURCE: ClassVar[ChallengeSet]
    BUILDER_CONFIG_CLASS = ChallengeConfig

    def index(self, raw_dir: str | None, config: ChallengeConfig, ledger: Ledger) -> RecordIndex:
        assert raw_dir is not None  # the base class has checked it
        return index_challenge(
            raw_dir,
            self.SOURCE,
            ledger,
            n_folds=config.n_folds,
            min_count=config.min_count,
            signals=not config.metadata_only,
        )

    def read(self, reference: Any, ledger: Ledger) -> np.ndarray:
        return read_challenge(reference, ledger)

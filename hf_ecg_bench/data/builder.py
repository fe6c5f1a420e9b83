"""The base class of all dataset builders: index the records, then turn shards of them into rows.

`datasets` replaces `open`, `os.path`, `Path` and others inside every module that defines a builder or a parent of
one, for good. So nothing in this module or in `dataset_scripts/` touches files: readers and parsers live elsewhere.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Literal

import datasets
import numpy as np
import pyarrow as pa
from datasets.builder import Key

from hf_ecg_bench.data import build_files
from hf_ecg_bench.data.fingerprints import same_but_for_rounding
from hf_ecg_bench.data.info import dataset_info, finish_ledger
from hf_ecg_bench.data.ledger import Ledger, RecordProblem
from hf_ecg_bench.data.options import check_values
from hf_ecg_bench.data.records import RecordIndex, check_index
from hf_ecg_bench.data.rows import ShardRows
from hf_ecg_bench.data.shards import Shard, plan_shards
from hf_ecg_bench.data.spec import DatasetSpec
from hf_ecg_bench.data.splits import SplitRule, assign_splits, report_empty_splits
from hf_ecg_bench.errors import unknown_name

# What the library's builders take beyond the fields of their configuration.
_LIBRARY_ARGUMENTS = frozenset(inspect.signature(datasets.DatasetBuilder.__init__).parameters)


@dataclass
class EcgBuilderConfig(datasets.BuilderConfig):
    """Options of every builder; a dataset adds its own fields in a subclass. `--option KEY=VALUE` sets one.

    Attributes:
        splits: `fixed` (the complete release's fold numbers) or `largest_folds` (the largest left, as the reference).
        min_count: None for the published label lists; a number to count labels on the records at hand instead.
        protocol: `corrected`, or `published` to repeat what the published benchmark does where it is wrong and a
            published number depends on it.
        metadata_only: rows without signals, from tables and headers alone; for counting labels and folds.
        strict: stop at the first record that would be left out or only partly understood.
        limit: only the first records, for a quick look.
    """

    splits: SplitRule = "fixed"
    min_count: int | None = None
    protocol: Literal["corrected", "published"] = "corrected"
    metadata_only: bool = False
    strict: bool = False
    limit: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_values(self)


class EcgBuilder(datasets.ArrowBasedBuilder):
    """A dataset builder. A subclass sets SPEC and implements `index` and `read`; the base makes rows, splits, checks.

    It works in two ways, with equal rows: `hf-ecg-bench prepare` (Parquet shards and a card), and as any
    other builder of the `datasets` library (`download_and_prepare`, `as_dataset`, `as_streaming_dataset`).
    """

    SPEC: ClassVar[DatasetSpec]
    BUILDER_CONFIG_CLASS = EcgBuilderConfig
    VERSION = datasets.Version("1.0.0")
    DEFAULT_WRITER_BATCH_SIZE = 100

    def __init__(self, cache_dir: str | None = None, dataset_name: str | None = None, **kwargs: Any) -> None:
        # Without a name, builders in modules of one name share a cache folder; without a hash, changed code goes
        # unseen.
        kwargs["hash"] = kwargs.get("hash") or build_files.code_hash(type(self))
        known = {item.name for item in fields(self.BUILDER_CONFIG_CLASS)} | _LIBRARY_ARGUMENTS
        for name in kwargs:
            if name not in known:
                raise unknown_name("option", name, known - _LIBRARY_ARGUMENTS)
        super().__init__(cache_dir=cache_dir, dataset_name=dataset_name or self.SPEC.id, **kwargs)

    # --- what a dataset implements ---

    def index(self, raw_dir: str | None, config: Any, ledger: Ledger) -> RecordIndex:
        """List the records: metadata, labels, and a reference from which `read` makes the signal.

        Args:
            raw_dir: the folder of original files (exists), or None where SPEC.needs_raw_dir is False.
            config: an instance of BUILDER_CONFIG_CLASS.
            ledger: set `found`; name what is left out or not understood.
        """
        raise NotImplementedError

    def read(self, reference: Any, ledger: Ledger) -> np.ndarray:
        """The signal of one record: (time, 12) float32, canonical leads, SPEC.unit, SPEC.sampling_rate.

        Runs in any process, so it may use nothing that `index` left on `self`.

        Raises:
            RecordProblem: the record cannot be read; it is left out and named.
        """
        raise NotImplementedError

    @staticmethod
    def example(root: str, n: int) -> None:
        """Write a made-up source of about `n` records in the official layout below the empty folder `root`.

        It builds without a defect, has every split, and is what tests and benchmarks of this dataset run on.
        """
        raise NotImplementedError

    def fold_numbers(self) -> tuple[int, int]:
        """The fixed numbers of the validation and the test fold: the last two of a configured `n_folds`."""
        n_folds = getattr(self.config, "n_folds", None)
        return (self.SPEC.validation_fold, self.SPEC.test_fold) if n_folds is None else (n_folds - 2, n_folds - 1)

    # --- shared by both ways of building ---

    def plan(self, ledger: Ledger) -> dict[str, list[Shard]]:
        """Index the source, check it, and cut it into shards per split."""
        raw_dir = build_files.require_raw_dir(self.config.data_dir, self.SPEC)
        index = self.index(raw_dir, self.config, ledger)
        check_index(index, self.SPEC)
        splits = assign_splits(index, self.SPEC, self.config.splits, folds=self.fold_numbers())
        if self.config.limit is not None and self.config.limit < len(index):
            ledger.note(f"limited to the first {self.config.limit} of {len(index)} records")
            index, splits = index.head(self.config.limit), splits[: self.config.limit]
        report_empty_splits(splits, self.SPEC, ledger)
        code = f"{self.hash} {self.options()}"
        return plan_shards(index, splits, self.SPEC, code, metadata_only=self.config.metadata_only)

    def rows(self, shard: Shard) -> ShardRows:
        """The rows of one shard, as an iterable of Arrow tables with a report at the end."""
        return ShardRows(shard, self.read, self.SPEC, strict=self.config.strict)

    def same_signal(self, a: Any, b: Any) -> bool:
        """Whether the records behind two references hold the same signal but for rounding to 1 uV."""
        try:
            signals = [self.read(reference, Ledger(self.SPEC.id)) for reference in (a, b)]
        except RecordProblem:
            return False
        return same_but_for_rounding(*signals)

    def options(self) -> dict[str, Any]:
        """The configuration's values that change the rows, by name."""
        return build_files.option_values(self.config)

    # --- the interface of the datasets library ---

    def _info(self) -> datasets.DatasetInfo:
        # With a threshold the class names depend on the records, which are not known yet.
        features = None
        if self.config.min_count is None and not self.config.metadata_only:
            features = build_files.published_features(self.SPEC)
        return datasets.DatasetInfo(
            description=self.SPEC.description,
            homepage=self.SPEC.homepage,
            license=self.SPEC.license,
            citation=self.SPEC.citation,
            features=features,
        )

    def _split_generators(self, dl_manager: Any) -> list[datasets.SplitGenerator]:
        self._ledger = Ledger(self.SPEC.id, strict=self.config.strict)
        self._shards = self.plan(self._ledger)
        self.info.features = build_files.features_of(self._shards)
        # Shards may be written by other processes: their reports come back as files in the folder being built.
        reports = None if dl_manager.is_streaming else build_files.make_report_dir(self._output_dir)
        return [
            datasets.SplitGenerator(name=split, gen_kwargs={"shards": shards, "reports": reports})
            for split, shards in self._shards.items()
        ]

    def _generate_tables(self, shards: list[Shard], reports: str | None) -> Iterator[tuple[Key, pa.Table]]:
        for number, shard in enumerate(shards):
            rows = self.rows(shard)
            for chunk, table in enumerate(rows):
                yield Key(number, chunk), table
            if reports is not None:
                build_files.write_report(reports, rows)

    def _download_and_prepare(self, dl_manager: Any, verification_mode: Any, **kwargs: Any) -> None:
        super()._download_and_prepare(dl_manager, verification_mode, **kwargs)
        reports, fingerprints = build_files.take_reports(self._output_dir)
        finish_ledger(self._ledger, self._shards, reports, fingerprints, self.same_signal)
        build_files.write_info(self._output_dir, dataset_info(self.SPEC, self._shards, self._ledger, self.options()))

    def _as_dataset(self, split: Any = datasets.Split.TRAIN, in_memory: bool = False) -> datasets.Dataset:
        # The library raises for a split without rows, which a partial tree may well have.
        info = self.info.splits.get(str(split)) if self.info.splits else None
        if info is not None and info.num_examples == 0:
            empty = self.info.features.arrow_schema.empty_table()
            return datasets.Dataset(empty, info=self.info.copy(), split=datasets.NamedSplit(str(split)))
        return super()._as_dataset(split, in_memory)

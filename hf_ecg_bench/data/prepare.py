"""`prepare`: a dataset's original files (or generator) into a folder that `load_dataset` opens."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from pathlib import Path
from threading import Thread
from typing import Any

from hf_ecg_bench.data.build_files import features_of
from hf_ecg_bench.data.builder import EcgBuilder
from hf_ecg_bench.data.cards import dataset_card
from hf_ecg_bench.data.info import dataset_info, finish_ledger
from hf_ecg_bench.data.ledger import Ledger
from hf_ecg_bench.data.options import parse_options
from hf_ecg_bench.data.output_folder import OutputFolder
from hf_ecg_bench.data.registry import get_builder
from hf_ecg_bench.data.rows import ShardReport
from hf_ecg_bench.data.shards import Shard
from hf_ecg_bench.errors import DataError
from hf_ecg_bench.files import write_text
from hf_ecg_bench.names import CARD_FILE
from hf_ecg_bench.progress import progress

# Shards under way at a time in one process; each holds about 50 MB.
THREADS = 2


def prepare(
    dataset_id: str,
    *,
    raw_dir: str | Path | None,
    output_dir: str | Path,
    options: Mapping[str, str] | None = None,
    num_proc: int = 1,
    limit: int | None = None,
    metadata_only: bool = False,
    strict: bool = False,
) -> Ledger:
    """Build a dataset as Parquet shards, README.md and ecg_bench.json in `output_dir`.

    The result does not depend on `num_proc`. A killed prepare goes on where it stopped; one whose sources did not
    change since says it is complete (`ledger.status == "complete"`) and writes nothing. With several processes a
    calling script needs the usual `if __name__ == "__main__":`.

    Args:
        dataset_id: see `list_datasets`.
        raw_dir: folder of the original files; None for generated data.
        output_dir: the dataset folder itself.
        options: fields of the builder's configuration, as text.
        limit: only the first records, in the folds of the complete source.
        metadata_only: rows without signals, from tables and headers alone; the signal files may be absent.
        strict: the first record that would be left out or only partly understood is an error.

    Raises:
        UnknownNameError: no such dataset or option.
        DataError: unusable source, unusable output folder, a patient in two splits; in strict mode any defect.
    """
    builder_class = get_builder(dataset_id)
    if num_proc < 1:
        raise DataError(f"num_proc={num_proc}: expected 1 or more", fix="--num-proc 2")
    settings: dict[str, Any] = parse_options(builder_class.BUILDER_CONFIG_CLASS, options or {})
    # The library wants a cache folder for every builder; none of it is used here.
    with tempfile.TemporaryDirectory(prefix="ecg_bench_") as cache_dir:
        builder = builder_class(
            cache_dir=cache_dir,
            data_dir=None if raw_dir is None else str(raw_dir),
            limit=limit,
            metadata_only=metadata_only,
            strict=strict,
            **settings,
        )
        return build(builder, Path(output_dir), num_proc=num_proc)


def build(builder: EcgBuilder, output_dir: Path, *, num_proc: int = 1) -> Ledger:
    """What `prepare` does with a builder at hand; see there."""
    spec = builder.SPEC
    output = OutputFolder(output_dir, spec.id, builder.options())
    ledger = Ledger(spec.id, strict=builder.config.strict)
    # Both before anything is written: an unusable source leaves no empty dataset folder behind.
    output.check()
    plan = builder.plan(ledger)
    shards = [shard for parts in plan.values() for shard in parts]
    with output.claim():
        reports = output.finished(shards)
        missing = [shard for shard in shards if shard.name not in reports]
        if not missing and output.is_complete():
            finish_ledger(ledger, plan, list(reports.values()), output.read_fingerprints(shards), builder.same_signal)
            ledger.status = "complete"
            ledger.note(f"{output_dir} was already complete; nothing was written")
            return ledger
        output.begin(reports)
        with progress(
            total=sum(len(shard.references) for shard in shards), desc=f"prepare {spec.id}", unit="rec"
        ) as bar:
            bar.update(sum(report.records for report in reports.values()))
            for report in _write(builder, missing, output, num_proc):
                reports[report.name] = report
                bar.update(report.records)
        ordered = [reports[shard.name] for shard in shards]
        finish_ledger(ledger, plan, ordered, output.read_fingerprints(shards), builder.same_signal)
        output.remove_stale(shards)
        info = dataset_info(spec, plan, ledger, builder.options())
        card = dataset_card(spec, builder.BUILDER_CONFIG_CLASS, features_of(plan), ordered, info)
        write_text(output_dir / CARD_FILE, card)
        output.finish(info | {"shards": [report.to_dict() for report in ordered]})
    return ledger


def _write(builder: EcgBuilder, shards: Sequence[Shard], output: OutputFolder, num_proc: int) -> Iterator[ShardReport]:
    """Write shards, in threads of this process or in processes; reports come in any order."""
    if not shards:
        return
    pool: Executor
    if num_proc == 1:
        # One thread reads while the other writes: Arrow, numpy and hashing run outside the interpreter lock.
        pool = ThreadPoolExecutor(THREADS)
    else:
        # "spawn": forking a process in which Arrow has started threads can hang.
        pool = ProcessPoolExecutor(
            min(num_proc, len(shards)), mp_context=get_context("spawn"), initializer=_end_with_parent
        )
    with pool:
        jobs = [pool.submit(_write_one, builder, shard, output) for shard in shards]
        try:
            for job in as_completed(jobs):
                yield job.result()
        except BrokenProcessPool as error:
            raise DataError(
                "a worker process was killed (out of memory?); finished shards are kept",
                fix="start the same command again with a smaller --num-proc",
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)


def _write_one(builder: EcgBuilder, shard: Shard, output: OutputFolder) -> ShardReport:
    # With its report, which is not left to the caller: a written shard counts even if another one fails meanwhile.
    return output.write_shard(builder.rows(shard))


def _end_with_parent() -> None:
    """A worker whose parent was killed would wait for work for ever."""
    parent = parent_process()
    assert parent is not None

    def wait_and_end() -> None:
        wait([parent.sentinel])
        os._exit(1)

    Thread(target=wait_and_end, daemon=True).start()

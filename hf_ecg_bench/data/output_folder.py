"""The folder that `prepare` writes: whose it is, which shards in it are finished, and how it becomes complete."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import fields
from pathlib import Path
from typing import Any

import pyarrow as pa
from filelock import FileLock, Timeout

from hf_ecg_bench.data.fingerprints import read_fingerprints, write_fingerprints
from hf_ecg_bench.data.matching import COLUMNS
from hf_ecg_bench.data.parquet import write_shard
from hf_ecg_bench.data.rows import ShardReport, ShardRows
from hf_ecg_bench.data.shards import Shard
from hf_ecg_bench.errors import DataError, some
from hf_ecg_bench.files import explain_os_errors, write_json
from hf_ecg_bench.names import CARD_FILE, FINGERPRINTS_FOLDER, INFO_FILE, WORK_FOLDER

_PLAN = "plan.json"
_LOCK = "lock"


class OutputFolder:
    """A dataset folder under construction or complete: `data/*.parquet` and `fingerprints/*.parquet` (one of each per
    shard), README.md and, last of all, ecg_bench.json.

    While it is being written, `.ecg_bench/` holds the plan and a report per finished shard: a prepare that was
    killed goes on from there.
    """

    def __init__(self, path: Path, dataset: str, options: dict[str, Any]) -> None:
        self.path = path
        self.data = path / "data"
        self.fingerprints = path / FINGERPRINTS_FOLDER
        self.work = path / WORK_FOLDER
        self.identity = {"dataset": dataset, "options": options}

    @contextmanager
    def claim(self) -> Iterator[None]:
        """Make the folder this dataset's own, for one process at a time.

        Raises:
            DataError: a file stands there, the folder holds something else, or another process is writing it.
        """
        self.check()
        lock = FileLock(self.work / _LOCK, timeout=0)
        try:
            # Not around the build: what it cannot read is no reason to say that this folder cannot be written.
            with explain_os_errors(self.work):
                self.work.mkdir(parents=True, exist_ok=True)
                lock.acquire()
        except (Timeout, FileNotFoundError) as error:  # held by another process, or being removed by one
            raise DataError(
                f"another process is preparing {self.path}", fix="wait for it, or choose another --output-dir"
            ) from error
        try:
            yield
            if (self.path / INFO_FILE).is_file():
                self._remove_work()
        finally:
            lock.release()

    def finished(self, shards: Sequence[Shard]) -> dict[str, ShardReport]:
        """Reports of the shards that are already there and made from the same source, code and options."""
        reports: dict[str, ShardReport] = {}
        for raw in [*self._info().get("shards", []), *map(_read_json, sorted(self.work.glob("*-of-*.json")))]:
            if set(raw) == {item.name for item in fields(ShardReport)}:
                reports[raw["name"]] = ShardReport(**raw)
        done = {}
        for shard in shards:
            report = reports.get(shard.name)
            if (
                report is not None
                and report.inputs == shard.inputs
                and _has_size(self.data / f"{shard.name}.parquet", report.file_size)
                and _has_size(self.fingerprints / f"{shard.name}.parquet", report.fingerprints_size)
            ):
                done[shard.name] = report
        return done

    def is_complete(self) -> bool:
        """Whether the last prepare into this folder finished."""
        return bool(self._info()) and (self.path / CARD_FILE).is_file()

    def begin(self, done: dict[str, ShardReport]) -> None:
        """Mark the folder as unfinished, keeping the reports of shards that stay."""
        write_json(self.work / _PLAN, self.identity)
        for report in done.values():
            self.add_report(report)
        # From here on the folder must not be taken for a complete dataset.
        with explain_os_errors(self.path / INFO_FILE):
            (self.path / INFO_FILE).unlink(missing_ok=True)

    def write_shard(self, rows: ShardRows) -> ShardReport:
        """Write a shard's rows and fingerprints, and then the report that vouches for both."""
        name = rows.shard.name
        # A report of earlier rows must not vouch for these: the sources might change back after a crash.
        (self.work / f"{name}.json").unlink(missing_ok=True)
        report = write_shard(rows, self.data)
        path = write_fingerprints(self.fingerprints / f"{name}.parquet", rows.fingerprints.table())
        report.fingerprints_size = path.stat().st_size
        self.add_report(report)
        return report

    def read_fingerprints(self, shards: Sequence[Shard]) -> dict[str, pa.Table]:
        """What `finish_ledger` needs of the fingerprints of written shards."""
        return {shard.name: read_fingerprints(self.fingerprints / f"{shard.name}.parquet", COLUMNS) for shard in shards}

    def add_report(self, report: ShardReport) -> None:
        """Remember a finished shard."""
        write_json(self.work / f"{report.name}.json", report.to_dict())

    def remove_stale(self, shards: Sequence[Shard]) -> None:
        """Delete what belongs to no planned shard: left over from another number of shards, or from a crash."""
        planned = {f"{shard.name}.parquet" for shard in shards}
        for folder in (self.data, self.fingerprints):
            with explain_os_errors(folder):
                for file in folder.iterdir():
                    if file.name not in planned and file.suffix in (".parquet", ".part"):
                        file.unlink()
        for name in (CARD_FILE, INFO_FILE):
            for file in self.path.glob(f".{name}.*.part"):
                file.unlink()

    def finish(self, info: dict[str, Any]) -> None:
        """Write ecg_bench.json: the dataset is complete."""
        write_json(self.path / INFO_FILE, info)

    def check(self) -> None:
        """Refuse a path that is a file, or a folder with anything but this dataset under these options.

        Raises:
            DataError: saying what is there.
        """
        if not self.path.exists():
            return
        if not self.path.is_dir():
            raise DataError(
                f"{self.path} is a file; expected a folder for the dataset", fix="choose another --output-dir"
            )
        mine = self._info() or _read_json(self.work / _PLAN)
        if not mine:
            others = sorted(set(os.listdir(self.path)) - {WORK_FOLDER})
            if others:
                raise DataError(
                    f"{self.path} holds other files ({some(others, 3)})",
                    fix="choose an empty or new --output-dir",
                )
            return
        for key, expected in self.identity.items():
            if mine.get(key) != expected:
                found = "" if key == "dataset" else f" prepared with {key} {_show(mine.get(key))}"
                raise DataError(
                    f"{self.path} holds {mine.get('dataset')}{found}; asked for {_show(expected)}",
                    fix=f"choose another --output-dir, or remove the old one: rm -r {self.path}",
                )

    def _remove_work(self) -> None:
        """Clear the work folder under the lock: a prepare that takes it next must not lose its own plan."""
        with explain_os_errors(self.work):
            for file in self.work.iterdir():
                if file.name != _LOCK:
                    file.unlink()
        # The lock file last: FileLock notices one that was unlinked while it waited. It may stay where a system
        # does not unlink open files, or where another process is already there.
        with suppress(OSError):
            (self.work / _LOCK).unlink()
            self.work.rmdir()

    def _info(self) -> dict[str, Any]:
        return _read_json(self.path / INFO_FILE)


def _has_size(file: Path, size: int) -> bool:
    return file.is_file() and file.stat().st_size == size


def _read_json(path: Path) -> dict[str, Any]:
    """A JSON object, or an empty one where there is none (a torn file counts as none: it is written again)."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _show(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}={item}" for name, item in value.items()) or "(none)"
    return repr(value)

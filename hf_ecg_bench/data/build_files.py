"""What builders need from files and from their configuration (builder modules themselves may touch no files)."""

from __future__ import annotations

import hashlib
import inspect
import json
import shutil
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

import datasets
import pyarrow as pa

from hf_ecg_bench.data.access import how_to_get
from hf_ecg_bench.data.features import row_features
from hf_ecg_bench.data.fingerprints import read_fingerprints, write_fingerprints
from hf_ecg_bench.data.matching import COLUMNS
from hf_ecg_bench.data.rows import ShardReport, ShardRows
from hf_ecg_bench.data.shards import Shard
from hf_ecg_bench.data.spec import DatasetSpec
from hf_ecg_bench.errors import DataError
from hf_ecg_bench.files import write_json
from hf_ecg_bench.names import INFO_FILE

_REPORTS = "ecg_bench_reports"
# Fields of the library's own configuration class, and those that say how to build rather than what.
NOT_OPTIONS = {"name", "version", "data_dir", "data_files", "description", "strict"}


def option_values(config: Any) -> dict[str, Any]:
    """The configuration's fields that change the rows (`strict` only decides whether there are any)."""
    return {item.name: getattr(config, item.name) for item in fields(config) if item.name not in NOT_OPTIONS}


def code_hash(builder: type) -> str:
    """A hash of the code that makes a dataset's rows: the builder's module, and this package's `data` and `signals`.

    Part of cache paths and shard fingerprints, so that rows made by other code are never taken for current ones.
    """
    return _hash_files(Path(inspect.getfile(builder)))


@cache
def _hash_files(builder: Path) -> str:
    package = Path(__file__).resolve().parent
    files = sorted([*package.rglob("*.py"), *(package.parent / "signals").rglob("*.py")])
    digest = hashlib.sha256()
    for path in [builder, *files]:
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def require_raw_dir(data_dir: str | None, spec: DatasetSpec) -> str | None:
    """The folder of original files as given, checked to exist.

    Raises:
        DataError: none given, or no such folder; says where to get the files.
    """
    if not spec.needs_raw_dir:
        return None
    fix = how_to_get(spec)
    if data_dir is None:
        raise DataError(f"{spec.id} is built from its original files, and no --raw-dir was given", fix=fix)
    folder = Path(data_dir)
    if folder.is_file():
        raise DataError(
            f"{spec.id}: --raw-dir {data_dir} is a file, expected a folder",
            fix="unpack it, if it is an archive, and give the folder with the original files",
        )
    if not folder.is_dir():
        raise DataError(f"{spec.id}: no folder {data_dir}", fix=fix)
    if (folder / INFO_FILE).is_file():
        raise DataError(
            f"{spec.id}: {data_dir} is a prepared dataset (it has {INFO_FILE}), not the original files",
            fix=f"to use it: hf-ecg-bench run --data {data_dir} ...; to build again, give the original files",
        )
    return data_dir


def published_features(spec: DatasetSpec) -> datasets.Features:
    """The features of a dataset with its published label lists."""
    return row_features(spec.label_columns, len(spec.targets), spec.extra_columns)


def features_of(shards: dict[str, list[Shard]]) -> datasets.Features:
    """The features of planned shards (all have the same)."""
    return next(iter(shards.values()))[0].features


def make_report_dir(output_dir: str) -> str:
    """An empty folder for shard reports inside a folder that is being built."""
    folder = Path(output_dir) / _REPORTS
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return str(folder)


def write_report(folder: str, rows: ShardRows) -> None:
    """Leave one shard's report and fingerprints for `take_reports`."""
    write_fingerprints(Path(folder) / f"{rows.report.name}.parquet", rows.fingerprints.table())
    write_json(Path(folder) / f"{rows.report.name}.json", rows.report.to_dict())


def take_reports(output_dir: str) -> tuple[list[ShardReport], dict[str, pa.Table]]:
    """Read all shards' reports and fingerprints, and remove their folder."""
    folder = Path(output_dir) / _REPORTS
    reports = [ShardReport(**json.loads(path.read_text(encoding="utf-8"))) for path in sorted(folder.glob("*.json"))]
    fingerprints = {report.name: read_fingerprints(folder / f"{report.name}.parquet", COLUMNS) for report in reports}
    shutil.rmtree(folder)
    return reports, fingerprints


def write_info(output_dir: str, info: dict[str, Any]) -> None:
    """Write ecg_bench.json beside the data."""
    write_json(Path(output_dir) / INFO_FILE, info)

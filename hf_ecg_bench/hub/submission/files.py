"""A run folder's files: names, sizes, digests. Nothing is parsed before this has passed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from hf_ecg_bench.errors import PredictionsError, first_line
from hf_ecg_bench.files import sha256_file
from hf_ecg_bench.hub.results.manifest import MANIFEST_FILE, MANIFEST_VERSION
from hf_ecg_bench.hub.submission.checks import Check, shown, verdict
from hf_ecg_bench.results.predictions import VALIDATION_FILE
from hf_ecg_bench.results.schema import PREDICTIONS_FILE, RESULT_FILE
from hf_ecg_bench.robustness.evaluation_files import EVALUATION_FILE, EVALUATIONS

# Bytes. A result of 1,127 targets has 2 MB; predictions of 46,000 records for them have 400.
LARGEST = {".json": 32 * 2**20, ".parquet": 2**30}
_LARGEST_UNPACKED = 4 * 2**30
#: What a run folder in the repository of results may hold.
RUN_FILES = (RESULT_FILE, PREDICTIONS_FILE, VALIDATION_FILE, MANIFEST_FILE)
_NAME = re.compile(r"[\w+-][\w.+-]{0,120}", re.ASCII)
_FIX = "submit with: hf-ecg-bench submit RUN_FOLDER"


def name_problems(paths: Mapping[str, int], below: str = "") -> Iterator[str]:
    """What is wrong with the files of a run folder by name and size alone, before any is fetched.

    Args:
        paths: path below the run folder -> bytes.
        below: for messages.
    """
    for path, size in paths.items():
        parts = path.split("/")
        place = shown(f"{below}{path}", 120)
        if any(not _NAME.fullmatch(part) for part in parts):
            yield f"{place}: not a plain file name"
        elif not _belongs(parts):
            yield f"{place}: does not belong to a run"
        elif size > LARGEST[Path(path).suffix]:
            yield f"{place}: {size / 2**20:,.0f} MiB, at most {LARGEST[Path(path).suffix] / 2**20:,.0f}"


def check_files(folder: Path) -> Iterator[Check]:
    """Of a folder that came from the Hub (it has a submission.json): every file. Of a run's own: what would go."""
    submitted = (folder / MANIFEST_FILE).is_file() or (folder / MANIFEST_FILE).is_symlink()
    files = [path for path in sorted(folder.rglob("*")) if submitted or path.name in (*RUN_FILES, EVALUATION_FILE)]
    links = [f"{path.relative_to(folder)}: a link" for path in files if path.is_symlink()]
    sizes = {
        path.relative_to(folder).as_posix(): path.stat().st_size
        for path in files
        if path.is_file() and not path.is_symlink()
    }
    expected = "result.json, predictions and evaluations, as plain files of reasonable size"
    yield verdict("files", [*links, *name_problems(sizes)], expected=expected, fix=_FIX)
    packed = [problem for name in sizes if name.endswith(".parquet") for problem in _unpacked(folder, name)]
    yield verdict("parquet", packed, expected="whole Parquet files of at most 4 GiB unpacked", fix=_FIX)
    if submitted and not links:
        yield check_digests(folder, sizes)


def check_digests(folder: Path, sizes: Mapping[str, int]) -> Check:
    """Every file against the digest that submission.json gives for it."""
    listed = read_manifest(folder).get("files")
    expected = "each file with the SHA-256 that submission.json gives"
    if not isinstance(listed, dict):
        return Check("digests", False, expected, "submission.json lists no files", _FIX)
    problems = [f"{shown(name)}: listed, not there" for name in listed if name not in sizes]
    for name in sizes:
        facts = listed.get(name)
        if name == MANIFEST_FILE:
            continue
        if not isinstance(facts, dict):
            problems.append(f"{name}: not listed")
        elif facts.get("sha256") != (digest := sha256_file(folder / name)):
            problems.append(f"{name}: SHA-256 {digest[:12]}, listed {str(facts.get('sha256'))[:12]}")
    return verdict("digests", problems, expected=expected, fix=_FIX)


def read_manifest(folder: Path) -> dict[str, Any]:
    """The content of submission.json.

    Raises:
        PredictionsError: it is no JSON object, or of a later version.
    """
    try:
        content = json.loads((folder / MANIFEST_FILE).read_text(encoding="utf-8"))
    except (ValueError, RecursionError, OSError) as error:
        raise PredictionsError(f"{MANIFEST_FILE} cannot be read: {first_line(error)}", fix=_FIX) from error
    version = content.get("schema_version") if isinstance(content, dict) else None
    if type(version) is not int or not 1 <= version <= MANIFEST_VERSION:
        raise PredictionsError(
            f"{MANIFEST_FILE}: schema version {version!r:.40}, this program reads {MANIFEST_VERSION}",
            fix="pip install --upgrade hf-ecg-bench",
        )
    return dict(content)


def _belongs(parts: list[str]) -> bool:
    if len(parts) == 1:
        return parts[0] in RUN_FILES
    return parts[0] == EVALUATIONS and len(parts) in (3, 4) and parts[-1] in (EVALUATION_FILE, PREDICTIONS_FILE)


def _unpacked(folder: Path, name: str) -> Iterator[str]:
    """A small file may unpack to something that fills the memory."""
    try:
        metadata = pq.read_metadata(folder / name)
    except (pa.ArrowException, OSError) as error:
        yield f"{name}: {first_line(error)}"
        return
    size = sum(metadata.row_group(number).total_byte_size for number in range(metadata.num_row_groups))
    if size > _LARGEST_UNPACKED:
        yield f"{name}: {size / 2**30:.1f} GiB unpacked"

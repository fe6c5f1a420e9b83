"""`download`: a dataset's original files into a folder, as its builder wants them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hf_ecg_bench.data.access import refuse_download
from hf_ecg_bench.data.registry import get_dataset_spec
from hf_ecg_bench.data.spec import DatasetSpec
from hf_ecg_bench.downloads import Retry, offline
from hf_ecg_bench.downloads.addresses import is_loopback
from hf_ecg_bench.downloads.originals.files import RemoteFile
from hf_ecg_bench.downloads.originals.hosts import mirrored
from hf_ecg_bench.downloads.originals.listing import list_files
from hf_ecg_bench.downloads.originals.state import State
from hf_ecg_bench.downloads.originals.transfer import Transfer, check_space
from hf_ecg_bench.downloads.originals.unpacking import clean_up, packed_files, unpack
from hf_ecg_bench.errors import DataError, DownloadError, some
from hf_ecg_bench.files import explain_os_errors

CONNECTIONS = 4


@dataclass(frozen=True)
class Downloaded:
    """What a download did.

    Attributes:
        raw_dir: the folder of original files.
        files: how many published files there are (with metadata_only: that it needs).
        fetched: how many of them came over the network now.
        unpacked: how many files came out of archives now.
    """

    raw_dir: Path
    files: int
    fetched: int
    unpacked: int

    def describe(self) -> str:
        """One line."""
        if not self.fetched and not self.unpacked:
            return f"{self.raw_dir} was already complete; nothing was downloaded"
        out = f", {self.unpacked:,} files unpacked" if self.unpacked else ""
        return f"downloaded {self.fetched:,} of {self.files:,} files into {self.raw_dir}{out}"


def download(
    dataset: str | DatasetSpec,
    raw_dir: str | Path,
    *,
    connections: int = CONNECTIONS,
    metadata_only: bool = False,
    keep_archives: bool = False,
    verify: bool = False,
    command: str = "",
    retry: Retry | None = None,
) -> Downloaded:
    """Fetch the original files that are missing in `raw_dir`, verify and unpack them.

    What was found right stays known in `raw_dir/.ecg_bench_download`: a second start asks no host for it and computes
    no checksum again. Broken downloads go on where they stopped. A file that fails does not lose the others.

    Args:
        dataset: the id or the declaration of an open dataset.
        connections: files fetched at a time.
        metadata_only: only what a build without signals needs.
        keep_archives: leave archives in place after unpacking; otherwise those that were fetched are removed.
        verify: ask the hosts and compute all checksums again; what differs is fetched again. Without it, a file that
            is there and differs from what is published is an error: it may be somebody's work.
        command: what to type to go on, for messages.
        retry: how often to try.

    Raises:
        DataError: the data are not open, or not to be downloaded.
        DownloadError: a host cannot be asked, some files failed (all others are there), or an archive is not to be
            trusted.
    """
    spec = get_dataset_spec(dataset) if isinstance(dataset, str) else dataset
    refuse_download(spec)
    if connections < 1:
        raise DataError(f"connections={connections}: expected 1 or more", fix="--connections 4")
    folder = Path(raw_dir)
    with explain_os_errors(folder / "files"):
        folder.mkdir(parents=True, exist_ok=True)
    state = State(folder)
    resume = command or f"hf-ecg-bench prepare {spec.id} --download --raw-dir {folder} --output-dir ..."
    with state.claim():
        clean_up(state)
        files = None if verify else state.stored_list(spec.origins)
        if files is None:
            files = list_files(spec.origins)
            state.store_list(spec.origins, files)
        wanted = [file for file in files if file.metadata or not metadata_only]
        archives = [packed for packed in packed_files(spec.origins, files) if packed.archive in wanted]
        done = [packed for packed in archives if not verify and state.is_unpacked(packed.archive.path, packed.identity)]
        needless = {file for packed in done for file in packed.files}
        missing = [file for file in wanted if file not in needless and (verify or not state.is_finished(file))]
        fetched = _transfer(spec, missing, state, connections, verify, retry, resume)
        unpacked = sum(unpack(packed, state, replace=verify) for packed in archives if packed not in done)
        for file in [file for packed in archives for file in packed.files]:
            if not keep_archives and state.is_ours(file):
                (folder / file.path).unlink(missing_ok=True)
    return Downloaded(folder, len(wanted), fetched, unpacked)


def _transfer(
    spec: DatasetSpec,
    missing: Sequence[RemoteFile],
    state: State,
    connections: int,
    verify: bool,
    retry: Retry | None,
    resume: str,
) -> int:
    absent = [file for file in missing if not (state.raw_dir / file.path).is_file()]
    if absent and offline() and not is_loopback(mirrored(absent[0].url)):
        raise DownloadError(
            f"{spec.id}: not all files are in {state.raw_dir} (missing: {some((file.path for file in absent), 3)}), "
            "and offline mode is on",
            fix="unset HF_HUB_OFFLINE",
        )
    check_space(absent, state.raw_dir, spec.id)
    transfer = Transfer(missing, state, connections=connections, replace=verify, retry=retry)
    transfer.run(f"download {spec.id}")
    if transfer.failures:
        state.forget_list()  # the hosts may say something else next time
        raise _failed(spec, transfer, resume)
    return transfer.fetched


def _failed(spec: DatasetSpec, transfer: Transfer, resume: str) -> DownloadError:
    failures = sorted(transfer.failures, key=lambda failure: failure.path)
    shown = "; ".join(f"{failure.path}: {failure.reason}" for failure in failures[:3])
    more = f"; and {len(failures) - 3:,} more" if len(failures) > 3 else ""
    rest = "the rest was not tried" if transfer.gave_up else "all others are there"
    fix = f"start the same command again, it fetches only what is missing: {resume}"
    if any(failure.differs for failure in failures):
        fix = f"move away what is here and not as published, or replace it: {resume} --verify-download"
    return DownloadError(
        f"{spec.id}: {len(failures):,} of {len(transfer.files):,} files could not be had, {rest}: {shown}{more}",
        fix=fix,
    )

"""Fetching many files over several connections: one that fails does not lose the others."""

from __future__ import annotations

import hashlib
import queue
import shutil
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import requests

from hf_ecg_bench.downloads import CannotWrite, Retry, fetch
from hf_ecg_bench.downloads.originals.files import RemoteFile
from hf_ecg_bench.downloads.originals.hosts import mirrored
from hf_ecg_bench.downloads.originals.state import State
from hf_ecg_bench.downloads.partial import Partial
from hf_ecg_bench.errors import DownloadError, EcgBenchError
from hf_ecg_bench.files import inside
from hf_ecg_bench.progress import progress

# So many failures with no success between them: the host or the network is away, not a file.
GIVE_UP = 20
_TICK = 0.1  # seconds between two looks at the threads


@dataclass(frozen=True)
class Failure:
    """A file that could not be had, and why.

    Attributes:
        differs: it is there already, and not as published.
    """

    path: str
    reason: str
    differs: bool


class _Differs(DownloadError):
    """Somebody's file stands in the place of a published one."""


class _Stopped(Exception):
    """Ends a download that is under way; its part stays."""


class Transfer:
    """One run over a list of files.

    Args:
        files: what is missing, or has to be looked at.
        state: of the raw folder, claimed.
        connections: how many at a time.
        replace: fetch files again that are there and not as published; else each of them is a failure.

    Attributes:
        failures: what could not be had.
        fetched: how many files came over the network, the others having been there.
        gave_up: whether the rest was not tried any more.
    """

    def __init__(
        self, files: Sequence[RemoteFile], state: State, *, connections: int, replace: bool, retry: Retry | None = None
    ) -> None:
        self.files, self.state, self.connections, self.replace = files, state, connections, replace
        self.retry = retry
        self.failures: list[Failure] = []
        self.fetched = 0
        self.gave_up = False
        self._done = self._bytes = 0
        self._streak = 0
        self._fatal: BaseException | None = None
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._queue: queue.SimpleQueue[RemoteFile] = queue.SimpleQueue()

    def run(self, what: str) -> None:
        """Fetch everything; returns when all files are there or have failed.

        Raises:
            CannotWrite: the disk is full, or the folder not writable; nothing finished is lost.
        """
        for file in self.files:
            self._queue.put(file)
        # Daemons: an interrupted command does not wait for a connection that hangs.
        threads = [
            threading.Thread(target=self._work, name=f"download-{number}", daemon=True)
            for number in range(min(self.connections, len(self.files)))
        ]
        sizes = [file.size for file in self.files]
        in_bytes = all(size is not None for size in sizes)
        total = sum(size or 0 for size in sizes) if in_bytes else len(sizes)
        with progress(total=total, desc=what, unit="B" if in_bytes else "file", unit_scale=in_bytes) as bar:
            try:
                for thread in threads:
                    thread.start()
                while any(thread.is_alive() for thread in threads):
                    next(thread for thread in threads if thread.is_alive()).join(_TICK)
                    bar.update((self._bytes if in_bytes else self._done) - bar.n)
            finally:
                self._stop.set()
        if self._fatal is not None:
            raise self._fatal

    def _work(self) -> None:
        """One thread: one file after another over the same connections."""
        try:
            with requests.Session() as session:
                while not self._stop.is_set():
                    self._one(self._queue.get_nowait(), session)
        except (queue.Empty, _Stopped):
            pass
        except BaseException as error:  # handed to the thread that waits
            self._fatal = self._fatal or error
            self._stop.set()

    def _one(self, file: RemoteFile, session: requests.Session) -> None:
        try:
            place = inside(self.state.raw_dir, file.path)
            new = not self._is_right(file, place)
            if new:
                self._fetch(file, place, session)
            self.state.add_finished(file, fetched=new)
        except CannotWrite:
            raise
        except EcgBenchError as error:
            self._failed(file, error)
        else:
            with self._lock:
                self._streak = 0
                self._done += 1
                self.fetched += new
                self._bytes += 0 if new else file.size or 0

    def _fetch(self, file: RemoteFile, place: Path, session: requests.Session) -> None:
        fetch(
            mirrored(file.url),
            place,
            sha256=file.digest("sha256"),
            md5=file.digest("md5"),
            size=file.size,
            retry=self.retry or Retry(total=1000, pause=self._pause),
            session=session,
            advance=self._advance,
        )

    def _is_right(self, file: RemoteFile, place: Path) -> bool:
        """Whether the file is there and as published, as far as that is known.

        Raises:
            DownloadError: it is there and differs, and is not to be replaced.
        """
        if not place.is_file():
            return False
        found = place.stat().st_size
        problem = ""
        if file.size is not None and found != file.size:
            problem = f"{found:,} bytes, published {file.size:,}"
        elif file.checksum:
            kind, _, expected = file.checksum.partition(":")
            with open(place, "rb") as handle:
                if hashlib.file_digest(handle, kind).hexdigest() != expected:
                    problem = f"another {kind} than published"
        if problem and not self.replace:
            raise _Differs(f"here with {problem}")
        return not problem

    def _failed(self, file: RemoteFile, error: EcgBenchError) -> None:
        with self._lock:
            self.failures.append(Failure(file.path, error.message, isinstance(error, _Differs)))
            self._done += 1
            self._streak += 1
            if self._streak >= GIVE_UP:
                self.gave_up = True
                self._stop.set()

    def _advance(self, change: int) -> None:
        with self._lock:
            self._bytes += change
        if self._stop.is_set():
            raise _Stopped

    def _pause(self, seconds: float) -> None:
        if self._stop.wait(seconds):
            raise _Stopped


def check_space(files: Sequence[RemoteFile], raw_dir: Path, what: str) -> None:
    """Refuse to start what cannot fit on the disk.

    Raises:
        CannotWrite: with both numbers.
    """
    needed = sum(file.guess if file.size is None else file.size for file in files)
    needed -= sum(Partial(raw_dir / file.path, file.url).size() for file in files)
    free = shutil.disk_usage(raw_dir).free
    if needed > free:
        about = "about " if any(file.size is None for file in files) else ""
        raise CannotWrite(
            f"{what}: {about}{needed / 1e9:,.1f} GB are to come, {raw_dir} has room for {free / 1e9:,.1f} GB",
            fix=f"free some space (df -h {raw_dir}), or choose a --raw-dir on a larger disk",
        )

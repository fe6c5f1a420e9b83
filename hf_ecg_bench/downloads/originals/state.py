"""What a download remembers, in a hidden folder of the raw folder: lists, finished files, unpacked archives."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from threading import Lock
from typing import IO, Any

from filelock import FileLock, Timeout

from hf_ecg_bench.data.origins import Origin
from hf_ecg_bench.downloads.originals.files import STATE_FOLDER, RemoteFile
from hf_ecg_bench.errors import DownloadError
from hf_ecg_bench.files import explain_os_errors, write_json, write_text


class State:
    """`RAW/.ecg_bench_download/`: made by `claim`, safe to remove when no download is under way.

    `list.json` holds the hosts' lists, `files.jsonl` a line for each file whose checksum was found right (with its size
    and time, so that it needs no second look while these stay, and whether we fetched it or found it), `unpacked/` a
    note for each unpacked archive.
    """

    def __init__(self, raw_dir: Path) -> None:
        self.raw_dir = raw_dir
        self.folder = raw_dir / STATE_FOLDER
        self._finished: dict[str, list[Any]] = {}
        self._lock = Lock()
        self._journal: IO[str] | None = None

    @contextmanager
    def claim(self) -> Iterator[None]:
        """Make the folder this process's own.

        Raises:
            DownloadError: another process is downloading into it.
            EcgBenchError: it cannot be written.
        """
        lock = FileLock(self.folder / "lock", timeout=0)
        try:
            with explain_os_errors(self.folder / "lock"):
                self.folder.mkdir(parents=True, exist_ok=True)
                lock.acquire()
        except Timeout as error:
            raise DownloadError(
                f"another process is downloading into {self.raw_dir}", fix="wait for it, or choose another --raw-dir"
            ) from error
        try:
            self._finished = _read_lines(self.folder / "files.jsonl")
            # Written anew: without lines that later ones replaced, or that a crash cut off.
            write_text(self.folder / "files.jsonl", "".join(map(_line, self._finished.items())))
            with open(self.folder / "files.jsonl", "a", encoding="utf-8") as self._journal:
                yield
        finally:
            lock.release()

    # --- lists ---

    def stored_list(self, origins: Sequence[Origin]) -> list[RemoteFile] | None:
        """The hosts' lists as they were asked for before, if they were for the same origins."""
        value = _read_json(self.folder / "list.json")
        if value.get("origins") != repr(tuple(origins)):
            return None
        try:
            return [RemoteFile(**entry) for entry in value["files"]]
        except (TypeError, KeyError):
            return None

    def store_list(self, origins: Sequence[Origin], files: Sequence[RemoteFile]) -> None:
        """Keep the hosts' lists: what is complete needs no network."""
        write_json(self.folder / "list.json", {"origins": repr(tuple(origins)), "files": [asdict(f) for f in files]})

    def forget_list(self) -> None:
        """Ask the hosts next time."""
        (self.folder / "list.json").unlink(missing_ok=True)

    # --- files ---

    def is_finished(self, file: RemoteFile) -> bool:
        """Whether the file is there, was found right, and has not changed since."""
        known = self._finished.get(file.path)
        if known is None:
            return False
        try:
            stat = (self.raw_dir / file.path).stat()
        except OSError:
            return False
        return known[:3] == [file.identity, stat.st_size, stat.st_mtime_ns]

    def add_finished(self, file: RemoteFile, *, fetched: bool) -> None:
        """Remember that the file is there and right. For any thread.

        Args:
            fetched: whether it has just been fetched, and was not there.
        """
        stat = (self.raw_dir / file.path).stat()
        with self._lock:
            value = [file.identity, stat.st_size, stat.st_mtime_ns, fetched or self.is_ours(file)]
            assert self._journal is not None  # inside of claim
            self._finished[file.path] = value
            self._journal.write(_line((file.path, value)))
            self._journal.flush()

    def is_ours(self, file: RemoteFile) -> bool:
        """Whether the file was fetched by `download`, now or before."""
        return self._finished.get(file.path, [])[3:] == [True]

    # --- archives ---

    def is_unpacked(self, archive: str, identity: str) -> bool:
        """Whether this archive was unpacked in this way, and all that came out is there."""
        note = _read_json(self._note(archive))
        if note.get("identity") != identity or not isinstance(note.get("files"), list):
            return False
        return all(_has_size(self.raw_dir / path, size) for path, size in note["files"])

    def add_unpacked(self, archive: str, identity: str, files: Sequence[tuple[str, int]]) -> None:
        """Remember what came out of an archive, as paths below the raw folder and sizes."""
        write_json(self._note(archive), {"archive": archive, "identity": identity, "files": list(files)})

    def _note(self, path: str) -> Path:
        return self.folder / "unpacked" / f"{hashlib.sha256(path.encode()).hexdigest()[:16]}.json"


def _has_size(path: Path, size: int) -> bool:
    try:
        return path.stat().st_size == size
    except OSError:
        return False


def _line(item: tuple[str, list[Any]]) -> str:
    return json.dumps(item) + "\n"


def _read_lines(path: Path) -> dict[str, list[Any]]:
    """Path -> identity, size, time. A torn line counts as none: that file is looked at again."""
    found: dict[str, list[Any]] = {}
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return found
    for line in lines:
        try:
            name, value = json.loads(line)
        except (ValueError, TypeError):
            continue
        if isinstance(name, str) and isinstance(value, list):
            found[name] = value
    return found


def _read_json(path: Path) -> dict[str, Any]:
    """A JSON object, or an empty one where there is none (a torn file counts as none)."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}

"""`fetch`: one file from an address to a place on disk."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import requests
from filelock import FileLock, Timeout

from hf_ecg_bench.downloads.addresses import check_address, shown
from hf_ecg_bench.downloads.http import broken_connections, open_url
from hf_ecg_bench.downloads.partial import Partial, validator_of
from hf_ecg_bench.downloads.retries import Retry, Temporary, persist
from hf_ecg_bench.errors import DownloadError
from hf_ecg_bench.progress import progress

_CHUNK = 1 << 16
_SPARE = 16 * 2**20  # bytes to leave free on the disk
_PAGE = re.compile(rb"\s*(<!doctype html|<html)", re.IGNORECASE)


class CannotWrite(DownloadError):
    """The disk is full or the folder not writable: other files would fare no better."""


@dataclass(frozen=True)
class _Wanted:
    """What the file has to be, as far as it is known."""

    size: int | None
    sha256: str | None
    md5: str | None

    def problem(self, path: Path) -> str | None:
        """What is wrong with a file, or None."""
        found = path.stat().st_size
        if self.size is not None and found != self.size:
            return f"{found:,} bytes, expected {self.size:,}"
        for name in ("sha256", "md5"):
            expected = getattr(self, name)
            if expected is not None:
                with open(path, "rb") as handle:
                    digest = hashlib.file_digest(handle, name).hexdigest()
                if digest != expected.lower():
                    return f"{name} {digest}, expected {expected.lower()}"
        return None


def fetch(
    url: str,
    target: str | os.PathLike[str],
    *,
    sha256: str | None = None,
    md5: str | None = None,
    size: int | None = None,
    token: str | None = None,
    retry: Retry | None = None,
    session: requests.Session | None = None,
    advance: Callable[[int], None] | None = None,
) -> Path:
    """Fetch one file; where `target` is there already and is as expected, nothing is asked for.

    A broken or killed download goes on where it stopped, provided the server confirms that the content is still the
    same. `target` appears complete and verified, or not at all. Two processes that want one file fetch it once.

    Args:
        url: https, or http on this machine.
        sha256, md5, size: what the file must be; unknown ones are not checked.
        token: bearer token for the host of `url` alone.
        retry: how often to try.
        session: connections to use again, of one thread.
        advance: told how many bytes have come since it was told last (fewer than 0: thrown away), in place of a
            progress bar; what it raises ends the download, which can be continued.

    Raises:
        NotFound: the host has no such file.
        CannotWrite: no space, or no permission.
        DownloadError: it cannot be had, or is something else; the message says which.
    """
    check_address(url)
    place, wanted = Path(target), _Wanted(size, sha256, md5)
    lock = place.with_name(f".{place.name}.lock")
    if place.is_file() and wanted.problem(place) is None:
        lock.unlink(missing_ok=True)  # left by a process that was killed when all but this was done
        return place
    with _explain_disk(place):
        place.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(lock):
            try:
                if not (place.is_file() and wanted.problem(place) is None):
                    _Download(url, place, wanted, token, session, advance).run(retry or Retry())
            finally:  # while it is held: a process that waits notices that its file is gone, and makes a new one
                lock.unlink(missing_ok=True)
    return place


class _Download:
    def __init__(
        self,
        url: str,
        target: Path,
        wanted: _Wanted,
        token: str | None,
        session: requests.Session | None,
        advance: Callable[[int], None] | None,
    ) -> None:
        self.url, self.target, self.wanted, self.token = url, target, wanted, token
        self.session, self.advance = session, advance
        self.partial = Partial(target, url)
        self.furthest = self.partial.size()
        self.counted = 0

    def run(self, retry: Retry) -> None:
        for _ in range(2):
            persist(self._attempt, retry, shown(self.url), self._gained)
            problem = self.wanted.problem(self.partial.data)
            if problem is None:
                break
            # Once more from the start: pieces may not have belonged together, a proxy may have spoilt something.
            self.partial.discard()
            self.furthest = 0
            self._count(0)
        else:
            raise DownloadError(
                f"{shown(self.url)} is not the expected file: {problem}",
                fix="try again later; if it stays so, the file was replaced at its source",
            )
        self.partial.finish(self.target)

    def _count(self, there: int) -> None:
        """Tell the caller how far it is."""
        if self.advance is not None and there != self.counted:
            change, self.counted = there - self.counted, there
            self.advance(change)

    def _gained(self) -> bool:
        before, self.furthest = self.furthest, max(self.furthest, self.partial.size())
        return self.furthest > before

    def _attempt(self) -> None:
        """Get what is missing."""
        known = self.partial.resumable()
        offset, validator, total = known or (0, None, None)
        self._count(offset)
        if known and offset == total:
            return
        headers = {"Range": f"bytes={offset}-", "If-Range": str(validator)} if known else {}
        with open_url(self.url, headers, self.token, accepted=(200, 206, 416), session=self.session) as response:
            if response.status_code == 200:
                offset, total = 0, self._begin(response)
                self._count(0)
            elif response.status_code == 416 or not _continues(response, offset, total, validator):
                self.partial.discard()
                raise Temporary("the part that is here does not continue there")
            self._check_space((total or 0) - offset)
            self._write(response, offset, total)
        there = self.partial.size()
        if total is not None and there != total:
            raise Temporary(f"the connection broke after {there:,} of {total:,} bytes")

    def _begin(self, response: requests.Response) -> int | None:
        """Look at the head of a whole file before anything is written; returns its size."""
        if self.target.suffix not in (".html", ".htm") and "text/html" in response.headers.get("Content-Type", ""):
            raise self._page()
        length = response.headers.get("Content-Length", "")
        total = int(length) if length.isdigit() else None
        if total is not None and self.wanted.size is not None and total != self.wanted.size:
            raise DownloadError(
                f"{shown(self.url)} is not the expected file: {total:,} bytes announced, expected {self.wanted.size:,}",
                fix="try again later; if it stays so, the file was replaced at its source",
            )
        self.partial.start(validator_of(response), total)
        return total

    def _write(self, response: requests.Response, offset: int, total: int | None) -> None:
        whole = not offset
        bar = nullcontext()
        if self.advance is None:
            bar = progress(total=total, initial=offset, desc=self.target.name, unit="B", unit_scale=True)
        with open(self.partial.data, "ab" if offset else "wb") as file, bar as shown_bar:
            with broken_connections():
                for number, chunk in enumerate(response.iter_content(_CHUNK)):
                    if whole and not number and self.target.suffix not in (".html", ".htm") and _PAGE.match(chunk):
                        self.partial.discard()
                        raise self._page()
                    file.write(chunk)
                    offset += len(chunk)
                    self._count(offset)
                    if shown_bar is not None:
                        shown_bar.update(len(chunk))
            file.flush()
            os.fsync(file.fileno())

    def _check_space(self, missing: int) -> None:
        free = shutil.disk_usage(self.target.parent).free
        if missing + _SPARE > free:
            raise CannotWrite(
                f"{self.target}: {missing / 1e6:,.0f} MB are still to come, {free / 1e6:,.0f} MB are free on the disk",
                fix=f"free some space (df -h {self.target.parent}), then start the same command again: it goes on",
            )

    def _page(self) -> DownloadError:
        return DownloadError(
            f"{shown(self.url)} gave a web page instead of the file",
            fix="open the address in a browser: the host may want a confirmation, or the file has moved",
        )


def _continues(response: requests.Response, offset: int, total: int | None, validator: str | None) -> bool:
    """Whether a 206 answer goes on exactly where the part ends, in the same content."""
    match = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", response.headers.get("Content-Range", ""))
    if match is None or (int(match[1]), int(match[3])) != (offset, total):
        return False
    return validator_of(response) in (None, validator)


@contextmanager
def _explain_disk(target: Path) -> Iterator[None]:
    try:
        yield
    except Timeout:
        raise
    except PermissionError as error:
        raise CannotWrite(
            f"cannot write {target}: permission denied", fix=f"chmod u+w {target.parent}, or choose another folder"
        ) from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise CannotWrite(
                f"cannot write {target}: no space left on the device; what has arrived is kept",
                fix=f"free some space (df -h {target.parent}), then start the same command again: it goes on",
            ) from error
        if error.errno in (errno.EROFS, errno.ENOTDIR, errno.EEXIST):
            raise CannotWrite(f"cannot write {target}: {error.strerror}", fix="choose another folder") from error
        raise

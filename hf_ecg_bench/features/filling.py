"""Several processes fill one store: each takes what nobody else has, and takes over what a dead one left.

The ranks of a launch and unrelated runs are alike here. A killed process leaves whole blocks, perhaps one `.part` file,
and no lock; whoever takes the block next removes the file and computes it again.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from hf_ecg_bench.features.facts import STORE_FILE
from hf_ecg_bench.features.locks import BlockLocks
from hf_ecg_bench.progress import progress
from hf_ecg_bench.saying import Say

BLOCK_LOCKS = "blocks.lock"
_PART = re.compile(r"\.block-(\d{5})\.npy\..*\.part")
_POLL_SECONDS = 0.1
_SAY_SECONDS = 60.0


def fill(
    folder: Path,
    missing: set[int],
    windows: Callable[[int], int],
    is_there: Callable[[int], bool],
    compute: Callable[[int], None],
    say: Say,
    what: str,
) -> int:
    """Compute the missing blocks together with whoever else does; return when all are there.

    Args:
        folder: of the store.
        missing: numbers of the blocks that are not there; emptied.
        windows: how many windows a block has.
        is_there: whether somebody has written the block in the meantime.
        compute: writes a block.
        what: for the progress bar and messages.

    Returns:
        How many windows this process computed.
    """
    total = sum(map(windows, missing))
    done = 0
    started = said = time.monotonic()
    with (
        BlockLocks(folder / BLOCK_LOCKS) as locks,
        progress(total=total, desc=what, unit="windows", unit_scale=True) as bar,
    ):
        sweep(folder, locks)
        while missing:
            before = len(missing)
            for block in sorted(missing):
                if is_there(block):
                    missing.discard(block)
                    bar.update(windows(block))
                    continue
                if not locks.take(block):
                    continue
                try:
                    _remove_unfinished(folder, block)
                    if not is_there(block):  # finished between looking and locking
                        compute(block)
                        done += windows(block)
                finally:
                    locks.free(block)
                missing.discard(block)
                bar.update(windows(block))
                if missing and time.monotonic() - said > _SAY_SECONDS:
                    said = time.monotonic()
                    left = sum(map(windows, missing))
                    rate = (total - left) / (said - started)
                    say(f"{what}: {total - left} of {total} windows, about {left / rate / 60:.0f} minutes left")
            if missing and len(missing) == before:
                time.sleep(_POLL_SECONDS)
    return done


def sweep(folder: Path, locks: BlockLocks) -> None:
    """Remove the unfinished files of processes that are gone: whoever still writes one holds its block's lock."""
    for path in folder.glob(".block-*.part"):
        found = _PART.fullmatch(path.name)
        if found and locks.take(int(found[1])):
            _remove_unfinished(folder, int(found[1]))
            locks.free(int(found[1]))
    for path in folder.glob(f".{STORE_FILE}.*.part"):  # written in no time: an old one is nobody's
        with suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime > _SAY_SECONDS:
                path.unlink()


def _remove_unfinished(folder: Path, block: int) -> None:
    """Remove what a dead process left of a block; only for who holds its lock."""
    for path in folder.glob(f".block-{block:05d}.npy.*.part"):
        path.unlink(missing_ok=True)

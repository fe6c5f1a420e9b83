"""What is ranked: a model, adapted in one way."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from hf_ecg_bench.results.row import Origin, Row
from hf_ecg_bench.training.modes import MODES

#: `Entry.weights` of runs that do not say what they started from, where others of their model do.
UNSTATED = "unstated"
_DIGITS = 8
_DIGEST = re.compile(r"[0-9a-f]{16,}")


@dataclass(frozen=True, order=True)
class Entry:
    """Runs that differ only in task and seed. Rows of fraction 1 are ranked; smaller ones make curves.

    Attributes:
        model, mode, preprocessing, protocol, origin: as in `Row`.
        weights: the first digits of the digest of what the runs started from, where runs of the model started from
            several weights (see `entries_of`); else empty.
    """

    model: str
    mode: str
    preprocessing: str = "paper"
    protocol: str = "paper"
    origin: Origin = "ours"
    weights: str = ""

    @property
    def key(self) -> str:
        """A short identifier: `merl/lora`, `merl/lora@1a2b3c4d`, with what is unusual behind it, `published:` before
        it where it is."""
        unusual = [value for value in (self.preprocessing, self.protocol) if value != "paper"]
        before = "published:" if self.origin == "published" else ""
        return before + "/".join([self.model, self.mode, *unusual]) + (f"@{self.weights}" if self.weights else "")

    @property
    def unusual(self) -> tuple[str, ...]:
        """What a reader must be told beside model, mode and origin, in words."""
        said = tuple(value for value in (self.preprocessing, self.protocol) if value != "paper")
        return (*said, f"weights {self.weights}") if self.weights else said


def entries_of(rows: Iterable[Row]) -> Callable[[Row], Entry]:
    """Which entry each of these rows belongs to.

    One model id may stand for several weights: another checkpoint, a folder of an earlier run, another revision on the
    Hub. Where the rows of a model started from more than one, in whatever mode, each of them is an entry of its own:
    neither averaged over nor compared across modes as if it were one model. Training from scratch starts from none.

    Returns:
        The entry of a row that is one of `rows`.
    """
    of_model: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in rows:
        if _pretrained(row):
            of_model[row.model, row.origin].add(row.model_digest)
    names = {
        (model, origin, digest): name
        for (model, origin), digests in of_model.items()
        if len(digests) > 1
        for digest, name in _names(digests).items()
    }

    def entry_of(row: Row) -> Entry:
        weights = names.get((row.model, row.origin, row.model_digest), "") if _pretrained(row) else ""
        return Entry(row.model, row.mode, row.preprocessing, row.protocol, row.origin, weights)

    return entry_of


def _pretrained(row: Row) -> bool:
    return row.mode not in MODES or MODES[row.mode].pretrained


def _names(digests: Iterable[str]) -> dict[str, str]:
    """Digest -> its first digits, as many as tell all apart. A text that is no digest is named by its own."""
    found = {
        digest: digest if _DIGEST.fullmatch(digest) else hashlib.sha256(digest.encode()).hexdigest()
        for digest in digests
        if digest
    }
    digits = _DIGITS
    while len({text[:digits] for text in found.values()}) < len(found) and digits < 64:
        digits += 1
    return {digest: text[:digits] for digest, text in found.items()} | {"": UNSTATED}

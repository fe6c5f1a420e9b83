"""What is ranked: a model, adapted in one way."""

from __future__ import annotations

from dataclasses import dataclass

from hf_ecg_bench.results.row import Origin, Row


@dataclass(frozen=True, order=True)
class Entry:
    """Runs that differ only in task and seed. Rows of fraction 1 are ranked; smaller ones make curves."""

    model: str
    mode: str
    preprocessing: str = "paper"
    protocol: str = "paper"
    origin: Origin = "ours"

    @property
    def key(self) -> str:
        """A short identifier: `merl/lora`, with what is unusual behind it, `published:` before it where it is."""
        unusual = [value for value in (self.preprocessing, self.protocol) if value != "paper"]
        before = "published:" if self.origin == "published" else ""
        return before + "/".join([self.model, self.mode, *unusual])


def entry_of(row: Row) -> Entry:
    """The entry that a row belongs to."""
    return Entry(row.model, row.mode, row.preprocessing, row.protocol, row.origin)

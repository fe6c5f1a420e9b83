"""The pieces of an overview: parts with tables and pictures, in the order of the page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from hf_ecg_bench.results.figures import Picture
from hf_ecg_bench.results.tables import Table


@dataclass(frozen=True, eq=False)
class Block:
    """A table, a picture, or both, under a heading of their own.

    Attributes:
        title: of the heading, or of what is opened where `folded`; empty for none.
    """

    title: str = ""
    tables: tuple[Table, ...] = ()
    pictures: tuple[Picture, ...] = ()
    notes: tuple[str, ...] = ()
    folded: bool = False


@dataclass(frozen=True, eq=False)
class Part:
    """A section of the overview.

    Attributes:
        key: its anchor.
        intro: how to read it, in paragraphs; also why it has nothing to show.
        side_by_side: whether narrow blocks may stand beside each other.
    """

    key: str
    title: str
    intro: tuple[str, ...]
    blocks: tuple[Block, ...] = ()
    side_by_side: bool = False


@dataclass(frozen=True, eq=False)
class Overview:
    """What the templates are given.

    Attributes:
        facts: the size of the study in short phrases.
        alerts: what a reader must know first.
        numbers: the same results for machines: unrounded, as JSON values.
    """

    title: str
    facts: tuple[str, ...]
    alerts: tuple[str, ...]
    parts: tuple[Part, ...]
    numbers: dict[str, Any] = field(default_factory=dict)

    def tables(self) -> Iterator[Table]:
        """Every table, in order."""
        for block in self._blocks():
            yield from block.tables

    def pictures(self) -> Iterator[Picture]:
        """Every picture, in order."""
        for block in self._blocks():
            yield from block.pictures

    def _blocks(self) -> Iterator[Block]:
        for part in self.parts:
            yield from part.blocks

"""Label lists: published ones read from the package's tables, or counted on the records at hand."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Sequence
from importlib.resources import files


def read_label_table(name: str) -> list[dict[str, str]]:
    """Rows of `dataset_scripts/labels/<name>.csv`."""
    text = (files("hf_ecg_bench.dataset_scripts") / "labels" / f"{name}.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def count_vocabulary(lists: Iterable[Sequence[str]], min_count: int) -> tuple[str, ...]:
    """Labels that occur at least `min_count` times, sorted by code point.

    List items are counted, so a label that occurs twice in one record counts twice, as in the reference.
    """
    counts = Counter(label for labels in lists for label in labels)
    return tuple(sorted(label for label, count in counts.items() if count >= min_count))


def keep_known(lists: Sequence[Sequence[str]], names: Iterable[str]) -> list[list[str]]:
    """The lists without the labels that are not in `names`."""
    known = frozenset(names)
    return [[label for label in labels if label in known] for labels in lists]


def choose_labels(
    lists: Sequence[Sequence[str]], published: Sequence[str], min_count: int | None
) -> tuple[tuple[str, ...], list[list[str]]]:
    """The class names, and the records' labels that are among them.

    Args:
        lists: labels of each record, repeats included.
        published: the class names of the complete release, used unless `min_count` is given.
        min_count: count on these records instead.
    """
    names = tuple(published) if min_count is None else count_vocabulary(lists, min_count)
    return names, keep_known(lists, names)


def choose_in_order(
    lists: Sequence[Sequence[str]], published: Sequence[str], min_count: int | None
) -> tuple[tuple[str, ...], list[list[str]]]:
    """`choose_labels` for a fixed list: with `min_count` only the names that occur so often, in published order."""
    counts = Counter(label for labels in lists for label in labels)
    names = tuple(name for name in published if min_count is None or counts[name] >= min_count)
    return names, keep_known(lists, names)

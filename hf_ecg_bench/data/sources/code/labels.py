"""The six labels of CODE-15% and CODE-test, in published order."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache

from hf_ecg_bench.data.vocabulary import keep_known, read_label_table


@lru_cache(maxsize=1)
def label_columns() -> dict[str, str]:
    """Label -> its column in the release's tables, which order them differently."""
    return {row["label"]: row["column"] for row in read_label_table("code15")}


def label_names() -> tuple[str, ...]:
    """1AVB, RBBB, LBBB, SBRAD, AFIB, STACH."""
    return tuple(label_columns())


def choose(lists: list[list[str]], min_count: int | None) -> tuple[tuple[str, ...], list[list[str]]]:
    """Class names and the records' labels; with `min_count` only labels that occur so often, in the same order."""
    names = label_names()
    if min_count is not None:
        counts = Counter(label for labels in lists for label in labels)
        names = tuple(name for name in names if counts[name] >= min_count)
    return names, keep_known(lists, names)

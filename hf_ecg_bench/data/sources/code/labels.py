"""The six labels of CODE-15% and CODE-test, in published order."""

from __future__ import annotations

from functools import lru_cache

from hf_ecg_bench.data.vocabulary import read_label_table


@lru_cache(maxsize=1)
def label_columns() -> dict[str, str]:
    """Label -> its column in the release's tables, which order them differently."""
    return {row["label"]: row["column"] for row in read_label_table("code15")}


def label_names() -> tuple[str, ...]:
    """1AVB, RBBB, LBBB, SBRAD, AFIB, STACH."""
    return tuple(label_columns())

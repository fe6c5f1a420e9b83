"""Weights under one model id are told apart, and only where there are several."""

from __future__ import annotations

import pytest

from hf_ecg_bench.results.row import Row
from hf_ecg_bench.standings.entry import UNSTATED, Entry, entries_of

A, B = "1a2b3c4d" * 8, "5e6f7a8b" * 8


def row(digest: str = A, mode: str = "lora", model: str = "merl", **changes: object) -> Row:
    return Row(model, "ptb", "adult", "ptb", mode, "macro_auroc", 0.8, model_digest=digest, **changes)  # type: ignore[arg-type]


def keys(*rows: Row) -> list[str]:
    entry_of = entries_of(rows)
    return [entry_of(one).key for one in rows]


def test_one_digest_needs_no_name() -> None:
    assert keys(row(), row(seed=1), row(mode="linear")) == ["merl/lora", "merl/lora", "merl/linear"]


def test_several_are_entries_of_their_own_in_every_mode() -> None:
    assert keys(row(), row(B), row(mode="linear")) == [
        "merl/lora@1a2b3c4d",
        "merl/lora@5e6f7a8b",
        "merl/linear@1a2b3c4d",
    ]


def test_other_models_and_origins_are_not_concerned() -> None:
    found = keys(row(), row(B), row(model="st_mem"), row("", origin="published"))
    assert found[2:] == ["st_mem/lora", "published:merl/lora"]


def test_training_from_scratch_starts_from_no_weights() -> None:
    assert keys(row("", "scratch"), row()) == ["merl/scratch", "merl/lora"]
    assert keys(row(A, "scratch"), row(B, "scratch")) == ["merl/scratch", "merl/scratch"]


def test_runs_that_do_not_say_are_not_mixed_with_those_that_do() -> None:
    assert keys(row(""), row()) == [f"merl/lora@{UNSTATED}", "merl/lora@1a2b3c4d"]
    assert keys(row(""), row("", seed=1)) == ["merl/lora", "merl/lora"]


def test_rows_of_smaller_fractions_count_as_well() -> None:
    assert keys(row(), row(B, fraction=0.5))[0] == "merl/lora@1a2b3c4d"


def test_as_many_digits_as_tell_them_apart() -> None:
    assert keys(row("1a2b3c4d00" + "0" * 54), row("1a2b3c4d01" + "0" * 54)) == [
        "merl/lora@1a2b3c4d00",
        "merl/lora@1a2b3c4d01",
    ]


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "../..", "=1+1", "short"])
def test_a_text_that_is_no_digest_is_not_shown(text: str) -> None:
    name = entries_of([row(text), row()])(row(text)).weights
    assert len(name) == 8
    assert set(name) <= set("0123456789abcdef")


def test_what_is_unusual_stands_beside() -> None:
    entry = Entry("merl", "lora", "original", weights="1a2b3c4d")
    assert entry.key == "merl/lora/original@1a2b3c4d"
    assert entry.unusual == ("original", "weights 1a2b3c4d")
    assert Entry("merl", "lora").unusual == ()

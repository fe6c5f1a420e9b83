"""Ours beside theirs: which pairs there are, and what stands between them."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from hf_ecg_bench.published import beside, published_rows
from hf_ecg_bench.published.finding import by_key
from hf_ecg_bench.results.row import Row

THEIRS = by_key(published_rows())[("ecg_founder", "linear", "ptbxl_super")]
OURS = Row(
    model="ecg_founder",
    task="ptbxl_super",
    category=THEIRS.category,
    dataset="ptbxl",
    mode="linear",
    metric="macro_auroc",
    value=0.93,
    low=0.92,
    high=0.94,
    records_train=17_418,
    records_test=2_198,
    n_targets=5,
    n_undefined=0,
    contamination="none",
)


def one(row: Row):
    [pair] = beside([row], published_rows())
    return pair


def test_a_full_run_is_comparable() -> None:
    pair = one(OURS)
    assert pair.comparable
    assert pair.theirs == THEIRS
    assert pair.difference == pytest.approx(0.93 - THEIRS.value)
    assert pair.as_published == 0.93
    assert pair.remarks == ()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"records_train": 260, "records_test": 52}, "260 training and 52 test records of the data set's 21,799"),
        ({"fraction": 0.25}, "a part of the training records (0.25 of them)"),
        ({"subset": "limit"}, "a part of the training records"),
        ({"preprocessing": "original"}, "fed the original way"),
        ({"metric": "macro_auroc_supported"}, "ours is macro_auroc_supported, theirs macro_auroc"),
        ({"n_targets": 4}, "ours has 4 targets, theirs 5"),
        ({"value": math.nan}, "undefined"),
        ({"model": "st_mem", "mode": "finetune"}, "theirs: st_mem: fine-tuning is a linear head"),
    ],
)
def test_obstacles(changes: dict, said: str) -> None:
    pair = one(replace(OURS, **changes))
    assert not pair.comparable
    assert any(said in obstacle for obstacle in pair.obstacles)


def test_undefined_labels_count_half_in_theirs() -> None:
    pair = one(replace(OURS, n_undefined=1, value=0.95))
    assert pair.as_published == pytest.approx((0.95 * 4 + 0.5) / 5)
    assert pair.difference == pytest.approx(pair.as_published - THEIRS.value)
    assert pair.comparable
    assert "1 of 5 labels are undefined" in pair.remarks[0]
    # The published protocol counts them so itself.
    assert one(replace(OURS, n_undefined=1, value=0.95, protocol="published")).as_published == 0.95
    assert one(replace(OURS, n_undefined=math.nan)).as_published == 0.93


def test_remarks() -> None:
    assert any("ours none, theirs unknown" in text for text in one(replace(OURS, model="hubert_ecg")).remarks)
    both = one(replace(OURS, model="ecg_fm", contamination="test_records"))
    assert "seen in pretraining, both: test records" in both.remarks
    shifted = one(replace(OURS, task="ptbxl_all", n_targets=71))
    assert shifted.comparable
    assert "their interval is not to be compared with ours" in shifted.remarks


def test_one_target_has_one_mean() -> None:
    age = replace(
        OURS,
        task="mimic_age",
        dataset="mimic_iv_ecg",
        metric="macro_mae",
        n_targets=1,
        value=0.5,
        higher_is_better=False,
    )
    pair = one(replace(age, records_train=100_000, records_test=5_000))
    assert pair.comparable
    many = one(replace(age, task="mimic_biometrics", n_targets=3, metric="pooled_mae", records_train=100_000))
    assert "which mean over targets theirs is, is not known" in many.remarks


def test_pairs_are_of_the_same_model_mode_and_task() -> None:
    others = [
        replace(OURS, model="s4"),
        replace(OURS, mode="lora"),
        replace(OURS, task="synthetic"),
        replace(OURS, origin="published"),
    ]
    assert beside(others, published_rows()) == []
    two = beside([OURS, replace(OURS, seed=1, value=0.9)], published_rows())
    assert [pair.ours.seed for pair in two] == [0, 1]

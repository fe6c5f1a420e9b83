"""A candidate's value is a mean over seeds of one training, never over settings or weights."""

from __future__ import annotations

from collections import Counter

import pytest

from hf_ecg_bench.results.row import Row
from hf_ecg_bench.selecting.evidence import gather
from hf_ecg_bench.selecting.scale import to_scale
from tests.selecting.rows import row


def own(value: float, settings: str, validation: float, seed: int = 0, **changes: object) -> Row:
    return row(
        "merl", "lora", "chapman", value, settings=settings, selection_metric="macro_auroc",
        selection_value=validation, seed=seed, predictions_digest=f"{settings}{seed}{changes}", **changes,
    )  # fmt: skip


OTHER = row("ecg_cpc", "finetune", "chapman", 0.8)


def value_of(rows: list[Row]) -> tuple[float, Counter[str]]:
    evidence = gather(rows, "chapman", 1000.0)
    (cell,) = [cell for cell in evidence.cells if cell.candidate.model == "merl"]
    return cell.value, evidence.left_out


def test_settings_with_the_best_validation_value_count() -> None:
    value, left_out = value_of([OTHER, own(0.9, "a", 0.7), own(0.9, "a", 0.7, 1), own(0.6, "b", 0.8)])
    assert value == pytest.approx(to_scale([0.6], "auroc")[0])
    assert left_out == {"with other settings than the runs of the same model that count": 2}


def test_seeds_are_averaged() -> None:
    value, left_out = value_of([OTHER, own(0.9, "a", 0.7), own(0.6, "a", 0.7, 1)])
    assert value == pytest.approx(to_scale([0.9, 0.6], "auroc").mean())
    assert not left_out


def test_the_weights_of_most_rows_count() -> None:
    first, other = {"model_digest": "1a" * 32}, {"model_digest": "2b" * 32}
    rows = [OTHER, own(0.9, "a", 0.9, **first), own(0.6, "a", 0.7, **other), own(0.7, "a", 0.7, 1, **other)]
    value, left_out = value_of(rows)
    assert value == pytest.approx(to_scale([0.6, 0.7], "auroc").mean())
    assert left_out == {"started from other weights of the same name": 1}


def test_copies_count_once() -> None:
    value, left_out = value_of([OTHER, own(0.9, "a", 0.7), own(0.9, "a", 0.7), own(0.6, "a", 0.7, 1)])
    assert value == pytest.approx(to_scale([0.9, 0.6], "auroc").mean())
    assert left_out == {"there twice": 1}

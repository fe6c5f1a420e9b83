"""Which settings tell trainings apart, and which do not."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import pytest

from hf_ecg_bench.errors import PredictionsError
from hf_ecg_bench.results.schema import Result
from hf_ecg_bench.results.settings import DIGITS, differences, settings_digest, training_settings
from hf_ecg_bench.training.protocol import PROTOCOLS, Protocol, protocol_of


def result(protocol: Protocol = PROTOCOLS["paper"], **changes: Any) -> Result:
    """What decides the digest; `changes` to hyperparameters."""
    values = asdict(protocol) | {
        "optimizer": "AdamW",
        "precision": "fp32",
        "limit": 0,
        "fault": None,
        "accept_unit": None,
        "model_options": {},
        "target_mean": {"age": 60.0},
        "target_std": {"age": 15.0},
        "target_units": {"age": "years"},
    }
    fields: dict[str, Any] = dict.fromkeys(Result.__dataclass_fields__)
    fields |= {"model": {"id": "merl", "digest": "a"}, "subset": {}, "hyperparameters": values | changes}
    return Result(**fields)


USUAL = result()


@pytest.mark.parametrize(
    "changes",
    [
        {"epochs": 9},
        {"learning_rate": 1e-4},
        {"weight_decay": 0.0},
        {"batch_size": 32},
        {"layer_factors": [1, 1, 1]},
        {"max_grad_norm": 1.0},
        {"schedule": "cosine"},
        {"tail": "shift"},
        {"last_window": False},
        {"undefined": "half"},
        {"features": "reencoded"},
        {"crops": 5},
        {"feature_precision": "fp32"},
        {"solver": "lbfgs"},
        {"class_weights": "balanced"},
        {"focal_gamma": 2.0},
        {"learning_rates": [1e-3, 1e-4]},
        {"patience": 3},
        {"adapter": "dora"},
        {"adapter_rank": 4},
        {"fault": "merl_random"},
        {"accept_unit": "z"},
        {"model_options": {"hidden_size": 16}},
        {"optimizer": "SGD"},
        {"something_new": 3},
    ],
)
def test_what_decides_a_training_is_another_setting(changes: dict[str, Any]) -> None:
    assert settings_digest(result(**changes)) != settings_digest(USUAL)


@pytest.mark.parametrize(
    "changes",
    [
        {"target_mean": {"age": 61.0}, "target_std": {}, "target_units": {}},
        {"precision": "fp16"},
        {"accumulation": 4},
        {"evaluation_batch_size": 8},
        {"gradient_checkpointing": True},
        {"compile": True},
        {"strength": 0.1},
        {"limit": 10_000_000},  # more than there are: `subset` is empty
        {"epochs": 100.0},
        {"adapter_alpha": 16},
    ],
)
def test_the_machine_and_the_records_are_no_settings(changes: dict[str, Any]) -> None:
    assert settings_digest(result(**changes)) == settings_digest(USUAL)


def test_seed_and_fraction_are_no_settings() -> None:
    nested = {"rule": "nested", "fraction": 0.5, "seed": 3, "limit": 0, "digest": "x", "records": 7}
    assert settings_digest(replace(USUAL, seed=3, fraction=0.5, subset=nested)) == settings_digest(USUAL)


def test_limit_and_rule_of_the_subset_are_settings() -> None:
    limited = [replace(USUAL, subset={"rule": "limit", "limit": limit}) for limit in (64, 128)]
    published = replace(USUAL, subset={"rule": "published", "limit": 0})
    assert len({settings_digest(one) for one in (USUAL, *limited, published)}) == 4


def test_the_rate_that_a_search_chose_is_no_setting() -> None:
    searched = [result(PROTOCOLS["auto"], learning_rate=rate) for rate in (1e-4, 3e-3)]
    assert settings_digest(searched[0]) == settings_digest(searched[1])
    assert settings_digest(result(protocol_of("auto", {"learning_rate": 1e-4}))) != settings_digest(searched[0])


def test_what_an_older_file_lacks_is_the_papers() -> None:
    old = {name: value for name, value in USUAL.hyperparameters.items() if name not in ("adapter", "patience", "fault")}
    assert settings_digest(replace(USUAL, hyperparameters=old)) == settings_digest(USUAL)


def test_the_mean_of_runs_is_its_members() -> None:
    means = [
        replace(USUAL, model={"id": "mean of 2 merl", "digest": None, "members": [{"digest": "a"}, {"digest": other}]})
        for other in "ab"
    ]
    assert settings_digest(means[0]) != settings_digest(means[1])


def test_the_digest_is_short_and_the_same_on_every_machine() -> None:
    assert training_settings(USUAL) == {"optimizer": "AdamW"}
    assert settings_digest(USUAL) == "3efcef93d266"
    assert len(settings_digest(USUAL)) == DIGITS


def test_differences_are_said_of_each_also_where_it_is_the_usual_value() -> None:
    settings = [training_settings(one) for one in (USUAL, result(epochs=9, fault="x"))]
    assert differences(settings) == ["epochs 100, fault none", "epochs 9, fault x"]


def test_hyperparameters_that_no_run_writes_are_refused() -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(PredictionsError, match="hyperparameters"):
        settings_digest(result(model_options=deep))

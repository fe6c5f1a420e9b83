"""Stores are shared by what does not decide features, and by nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from hf_ecg_bench.features.planning import plan_features
from hf_ecg_bench.models.loading import load_model
from tests.features.conftest import FOUNDER


def key_of(case, **changes):
    return plan_features(**case.arguments(**changes)).key.digest


def another_weight(case):
    model = load_model("ecg_founder", pretrained=False, seed=0, **FOUNDER)
    tensor = next(iter(model.base_model.state_dict().values()))
    tensor.view(-1)[0] = torch.nextafter(tensor.view(-1)[0], torch.tensor(torch.inf))
    return {"model": model}


def another_buffer(case):
    model = load_model("ecg_founder", pretrained=False, seed=0, **FOUNDER)
    next(buffer for name, buffer in model.named_buffers() if "running_mean" in name)[0] += 1
    return {"model": model}


def other_order(case):
    """The same records in another order have the same data digest, but other positions."""
    split = case.records.splits["test"]
    view = type(split.view)(split.view.dataset.select(range(36, -1, -1)))
    return {"split": replace(split, view=view)}


def other_plan(case):
    return {"plan": replace(case.arguments()["plan"], factor=2.0)}


@pytest.mark.parametrize(
    "changes",
    [
        another_weight,
        another_buffer,
        other_order,
        other_plan,
        lambda case: {"data_digest": "another"},
        lambda case: {"split_name": "validation"},
        lambda case: {"kind": "tokens"},
        lambda case: {"crops": 1},
        lambda case: {"tail": "shift"},
        lambda case: {"last_window": False},
        lambda case: {"feature_precision": "bf16"},
        lambda case: {"batch_size": 16},
        lambda case: {"split": case.records.splits["test"].take([0, 1, 2])},
    ],
)
def test_another_store(case, changes):
    assert key_of(case, **changes(case)) != key_of(case)


def test_the_same_store(case):
    """For another task's head, a classifier or a backbone, another path of the same data, half of the records."""
    names = ["a", "b"]
    classifier = load_model(
        "ecg_founder", pretrained=False, seed=1, target_names=names, head="attention", freeze_backbone=True, **FOUNDER
    )
    classifier.base_model.load_state_dict(case.model.base_model.state_dict())
    from hf_ecg_bench.training.build import conversion_plan

    elsewhere = conversion_plan(replace(case.records, seconds=9.0), classifier.config, "/another/path")
    half = case.records.splits["test"].take(range(19))
    same = key_of(case, model=classifier, plan=elsewhere, split=half, dataset="renamed")
    assert same == key_of(case)


def test_autocast_counts_only_where_there_is_some(case, monkeypatch):
    assert key_of(case, precision="fp16") == key_of(case)
    monkeypatch.setattr("hf_ecg_bench.features.planning.run_device", lambda: torch.device("cuda"))
    assert key_of(case, precision="fp16") != key_of(case, precision="fp32")

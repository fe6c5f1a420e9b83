"""The steps of a conversion: finding the tensors, accounting for each by its name, putting them into the model."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from hf_ecg_bench.errors import CheckpointError
from hf_ecg_bench.models.conversion.containers import find_tensors
from hf_ecg_bench.models.conversion.exact import load_exactly
from hf_ecg_bench.models.conversion.names import SECOND_COPY, account
from hf_ecg_bench.models.registry import get_model_spec
from hf_ecg_bench.models.spec import Unused
from tests.models.fills import classifier

SPEC = dataclasses.replace(
    get_model_spec("net1d"),
    containers=("net",),
    wrappers=("module.", "ecg_encoder.", "encoder."),
    ignored_tensors=((r"^text\.", "the text side"), (r"^head\.", "the head")),
    duplicates=((r"^patch\.", "encoder.patch."), (r"\.second\.", ".first.")),
    renames=((r"^old\.", "new."),),
)
ONE, TWO = torch.ones(2), torch.zeros(3)
STATE = {"a.weight": ONE, "a.bias": TWO}


@pytest.mark.parametrize(
    "path",
    [
        (),
        ("net",),
        ("state_dict",),
        ("model_state_dict",),
        ("model",),
        ("encoder",),
        ("ecg_model",),
        ("model", "state_dict"),
        ("state_dict", "net"),
    ],
    ids="/".join,
)
def test_containers_are_found(path):
    content = STATE
    for key in reversed(path):
        content = {key: content, "epoch": 3}
    found = find_tensors(SPEC, content, "file.pth")
    assert (found.container, found.tensors, found.beside) == (path, STATE, {})


def test_tensors_elsewhere_are_counted_with_the_reason():
    moments = {"state": {0: {"exp_avg": ONE, "exp_avg_sq": TWO, "step": 3}}, "param_groups": [{"lr": 0.1}]}
    content = {
        "net": STATE,
        "text": {"layer": {"weight": ONE}},
        "other": {"weight": ONE},
        "optimizer_states": [moments, moments],
        "lr_schedulers": [{"base": torch.tensor(1.0)}],
        "model_ema": {"module": STATE},
        "loss.weight": ONE,
        "loss.bias": ONE,
        "callbacks": {"best": torch.tensor(0.1)},
        "hyper_parameters": {"lr": 0.1},
    }
    found = find_tensors(SPEC, content, "file.ckpt")
    assert found.container == ("net",)
    assert {where: (rest.tensors, rest.reason) for where, rest in found.beside.items()} == {
        "text": (1, "the text side"),
        "other": (1, "not where net1d's tensors are"),
        "optimizer_states": (4, "state of the optimizer"),
        "lr_schedulers": (1, "state of the learning-rate schedule"),
        "model_ema": (2, "a running average of weights"),
        "loss": (2, "not where net1d's tensors are"),
        "callbacks": (1, "training state"),
    }
    nested = find_tensors(SPEC, {"model": {"state_dict": STATE, "optimizer": moments}}, "file.ckpt")
    assert nested.container == ("model", "state_dict")
    assert {where: rest.tensors for where, rest in nested.beside.items()} == {"model/optimizer": 2}


def test_unknown_container_is_an_error_that_lists_the_keys():
    with pytest.raises(CheckpointError, match=r"net1d's are looked for .*under net, state_dict.*weights \(2 tensors\)"):
        find_tensors(SPEC, {"weights": STATE, "epoch": 3}, "file.pth")


def lots(*names: str, **values: torch.Tensor):
    """The account of tensors of these names."""
    return account(SPEC, {name: values.get(name, ONE) for name in names}, "file.pth")


def test_prefix_that_all_names_carry():
    found = lots("module.ecg_encoder.old.a", "module.ecg_encoder.b")
    assert found.prefix == "module.ecg_encoder."
    assert found.public == {"module.ecg_encoder.old.a": "old.a", "module.ecg_encoder.b": "b"}
    assert found.ours == {"module.ecg_encoder.old.a": "new.a", "module.ecg_encoder.b": "b"}


def test_prefix_beside_declared_other_parts():
    found = lots("module.ecg_encoder.a", "module.text.b", "module.head.c")
    assert (found.prefix, found.ours) == ("module.ecg_encoder.", {"module.ecg_encoder.a": "a"})
    assert found.ignored == {"module.text.b": "the text side", "module.head.c": "the head"}


def test_prefix_that_only_some_unexplained_names_carry_stays():
    found = lots("encoder.a", "b", "text.c")
    assert (found.prefix, set(found.ours), set(found.ignored)) == ("", {"encoder.a", "b"}, {"text.c"})


def test_second_copies():
    found = lots("encoder.patch.weight", "patch.weight", "encoder.block.first.a", "encoder.block.second.a")
    assert found.prefix == "encoder."
    assert set(found.ours.values()) == {"patch.weight", "block.first.a"}
    assert found.ignored == {"patch.weight": SECOND_COPY, "encoder.block.second.a": SECOND_COPY}
    alone = lots("patch.weight", "block.second.a")  # an encoder-only file, or one that kept the other name
    assert (set(alone.ours), alone.ignored) == ({"patch.weight", "block.second.a"}, {})
    with pytest.raises(CheckpointError, match=r"'patch\.weight' should be a second copy of 'encoder\.patch\.weight'"):
        lots("encoder.patch.weight", "patch.weight", **{"patch.weight": TWO})


def test_two_names_for_one_tensor():
    with pytest.raises(CheckpointError, match=r"'old\.a' and 'new\.a' both stand for 'new\.a'"):
        lots("old.a", "new.a")


def test_a_file_of_a_model_that_was_never_trained():
    torch.manual_seed(0)
    model = classifier("merl")
    spec = get_model_spec("merl")
    with pytest.raises(CheckpointError, match="tensors equal a random initialisation: encoder"):
        load_exactly(model, {name: value.clone() for name, value in model.state_dict().items()}, spec, "file.pth")
    fresh = classifier("merl").state_dict()
    (doubt,) = load_exactly(model, fresh, spec, "file.pth")
    assert "was it ever trained?" in doubt
    norms = [name for name in fresh if name.endswith("norm.weight")]
    trained = {
        name: value + 0.1 if name == norms[0] else value for name, value in classifier("merl").state_dict().items()
    }
    assert load_exactly(model, trained, spec, "file.pth") == []
    unused = dataclasses.replace(spec, unused_parameters=(Unused(r"encoder\..*norm\.", "never applied"),))
    assert load_exactly(model, classifier("merl").state_dict(), unused, "file.pth") == []


def test_half_precision_files_are_widened():
    model = classifier("merl")
    halves = {
        name: value.half() + 0.1 if value.is_floating_point() else value for name, value in model.state_dict().items()
    }
    load_exactly(model, halves, get_model_spec("merl"), "file.pth")
    assert all(
        torch.equal(value, halves[name].to(value.dtype)) and value.dtype != torch.float16
        for name, value in model.state_dict().items()
    )

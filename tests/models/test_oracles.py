"""Every model against the reference's own numbers: outputs, losses of training steps, parameter groups."""

from __future__ import annotations

from collections.abc import Container

import pytest
import torch

from hf_ecg_bench.models.conversion.containers import find_tensors
from hf_ecg_bench.models.conversion.names import account
from hf_ecg_bench.models.convert import build_from_checkpoint
from hf_ecg_bench.models.param_groups import param_groups
from hf_ecg_bench.models.registry import get_model_spec, model_class
from tests.models.fills import classifier
from tests.models.oracles import ORACLES, compared, load_oracle, oracle_classifier

pytestmark = pytest.mark.shared

# The default suite compares the outputs of the small models, and the training of one of convolutions and one of state
# spaces. The golden values and losses of every model stand for the rest (test_golden.py): they were recorded when the
# slow comparisons held.
SLOW_OUTPUTS = ("ecg_fm", "ecg_jepa", "st_mem", "hubert_ecg", "ecgfounder")  # the last has the network of net1d
BASELINES = ("net1d", "s4")

# Reference mode -> (head, frozen backbone).
MODES = {
    "finetuning_linear": ("linear", False),
    "finetuning_nonlinear": ("attention", False),
    "frozen": ("attention", True),
    "linear": ("linear", True),
}


def cases(*names: str, slow: Container[str]):
    """Test parameters, some marked slow."""
    return [pytest.param(name, id=name, marks=[pytest.mark.slow] if name in slow else []) for name in names]


ADAPTED = [name for name in ORACLES if name not in BASELINES]
TRAINED = [name for name in ADAPTED if name != "merl_vit_tiny"]  # the reference has no training facts for that one
SLOW_TRAINING = set(ORACLES) - {"merl_resnet18", "s4"}


@pytest.fixture(scope="module")
def oracle(shared):
    return load_oracle(shared)


def check_outputs(oracle, name: str, precision: str) -> None:
    bound = 1e-4 if precision == "float32" else 1e-9
    checked = set()
    for case, what, error, _, scale in compared(oracle, name, precision):
        assert error < bound * scale, (case, what, error)
        checked.add((case, what))
    assert ("main", "logits_attention") in checked


@pytest.mark.parametrize("name", cases(*ORACLES, slow=SLOW_OUTPUTS))
def test_outputs_equal_the_reference(oracle, name):
    check_outputs(oracle, name, "float32")


@pytest.mark.slow
@pytest.mark.parametrize("name", ORACLES)
def test_outputs_equal_the_reference_in_float64(oracle, name):
    check_outputs(oracle, name, "float64")


@pytest.mark.parametrize("name", ORACLES)
def test_every_public_tensor_has_its_place_at_full_size(oracle, name, monkeypatch):
    """Names and shapes of the whole checkpoint, without memory for its values."""
    monkeypatch.setattr(oracle, "_make", lambda key, entry, *_: torch.zeros(()).expand(entry["shape"]))
    spec = get_model_spec(ORACLES[name])
    tensors = find_tensors(spec, oracle.checkpoint(name), name).tensors
    lots = account(spec, tensors, name)
    public = {short: tuple(tensors[full].shape) for full, short in (lots.public | {n: n for n in lots.ignored}).items()}
    options = spec.options_from(public) if spec.options_from else {}
    with torch.device("meta"):
        model = model_class(spec.id, "Model")(model_class(spec.id, "Config")(**options))
    expected = {ours: tuple(value.shape) for ours, value in model.state_dict().items()}
    found = {ours: tuple(tensors[full].shape) for full, ours in lots.ours.items() if not ours.startswith("head.")}
    assert found.keys() == expected.keys()
    for ours, shape in found.items():  # an axis of length 1 changes no number
        assert [n for n in shape if n > 1] == [n for n in expected[ours] if n > 1], ours
    assert sum(p.numel() for p in model.parameters()) in (spec.parameters, *spec.other_sizes.values())


@pytest.mark.parametrize("name", BASELINES)
def test_converted_baseline_keeps_its_own_head(oracle, name):
    model, _ = build_from_checkpoint(get_model_spec(name), oracle.checkpoint(name), "oracle", "")
    with torch.no_grad():
        logits = model(oracle.inputs(name)["main"]).logits
    oracle.compare(name, "main", {"logits": logits})


def losses(oracle, name: str, model, training: bool) -> list[float]:
    """Loss before each of the oracle's optimizer steps, and after the last, in float64."""
    facts = oracle.load_manifest(name)["train"]
    x = oracle.inputs(name)[facts["case"]].double()
    targets = torch.tensor([[(i + j) % 2 for j in range(5)] for i in range(len(x))], dtype=torch.float64)
    model = model.double().train(training)
    optimizer = torch.optim.AdamW(param_groups(model, facts["lr"], facts["weight_decay"]))
    values = []
    for _ in range(facts["steps"]):
        loss = model(x, labels=targets).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        values.append(loss.item())
    return [*values, model(x, labels=targets).loss.item()]


def check_losses(oracle, name: str, mode: str, model) -> None:
    """Train as the reference did: in train mode, or in eval mode where its facts have no dropout."""
    facts = oracle.load_manifest(name)["train"]
    module_mode = facts["modes"][mode].get("module_mode") or facts["module_mode"]
    training = not module_mode.startswith("eval mode")
    assert losses(oracle, name, model, training) == pytest.approx(facts["modes"][mode]["loss64"], rel=1e-8)


@pytest.mark.parametrize("name", cases(*BASELINES, slow=SLOW_TRAINING))
def test_training_from_scratch_follows_the_reference(oracle, name):
    model, _ = build_from_checkpoint(get_model_spec(name), oracle.checkpoint(name), "oracle", "")
    check_losses(oracle, name, "supervised", model)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", cases(*TRAINED, slow=SLOW_TRAINING))
def test_adaptation_follows_the_reference(oracle, name, mode):
    head, frozen = MODES[mode]
    model = oracle_classifier(oracle, name, head, frozen)
    before = {name: value.clone().double() for name, value in model.encoder.state_dict().items()}
    modes = oracle.load_manifest(name)["train"]["modes"]
    check_losses(oracle, name, mode + "_fixed" if mode + "_fixed" in modes else mode, model)
    if frozen:
        assert all(torch.equal(value.double(), before[name]) for name, value in model.encoder.state_dict().items())


@pytest.mark.parametrize("mode", ["finetuning_linear", "finetuning_nonlinear"])
@pytest.mark.parametrize("name", TRAINED)
def test_parameter_groups_are_the_reference_ones(oracle, name, mode):
    """Trained parameters by learning-rate factor; tables and what never gets a gradient are not trained here."""
    manifest = oracle.load_manifest(name)
    facts = manifest["params"]
    without = manifest["train"]["modes"].get(mode, {}).get("tensors_without_gradient")  # by group, in some manifests
    with torch.device("meta"):
        model = classifier(ORACLES[name], MODES[mode][0], n_targets=5, small=False)
    expected: dict[float, int] = {}
    for group in facts.get(f"{mode}_fixed", facts[mode]):
        if isinstance(without, dict) and without.get(group["name"]) == group["tensors"]:
            continue  # the group never gets a gradient
        trained = group.get("of_which_trainable", group["parameters"])
        expected[group["lr_factor"]] = expected.get(group["lr_factor"], 0) + trained
    found = {
        group["lr"]: sum(parameter.numel() for parameter in group["params"]) for group in param_groups(model, 1.0, 1e-3)
    }
    assert found == expected
    model.freeze_backbone()
    assert [group["name"] for group in param_groups(model, 1.0, 1e-3)] == ["head"]


@pytest.mark.parametrize(("name", "total"), [("net1d", "total"), ("s4", "trainable")])
def test_baselines_have_one_group(oracle, name, total):
    facts = oracle.load_manifest(name)["params"]
    with torch.device("meta"):
        model = classifier(name, n_targets=5, small=False)
    (group,) = param_groups(model, 1.0, 1e-3)
    assert len(group["params"]) == facts["one_group"]["tensors"]
    assert sum(parameter.numel() for parameter in group["params"]) == facts[total]

"""Every model against the reference's own numbers: outputs, losses of training steps, parameter groups."""

from __future__ import annotations

import pytest
import torch

from hf_ecg_bench.models.convert import build_from_checkpoint
from hf_ecg_bench.models.heads import LinearHead
from hf_ecg_bench.models.param_groups import param_groups
from hf_ecg_bench.models.registry import get_model_spec
from tests.models.fills import classifier
from tests.models.oracles import ORACLES, load_oracle, oracle_classifier

pytestmark = pytest.mark.shared

# Reference mode -> (head, frozen backbone).
MODES = {
    "finetuning_linear": ("linear", False),
    "finetuning_nonlinear": ("attention", False),
    "frozen": ("attention", True),
    "linear": ("linear", True),
}


@pytest.fixture(scope="module")
def oracle(shared):
    return load_oracle(shared)


@pytest.mark.parametrize("model_id", ORACLES)
def test_outputs_equal_the_reference(oracle, model_id):
    name = ORACLES[model_id]
    model = oracle_classifier(oracle, model_id, "attention")
    linear = LinearHead(model.config.hidden_size, 5)
    linear.load_state_dict(oracle.head(name, "linear"))
    for precision in ("float32", "float64"):
        dtype = getattr(torch, precision)
        model, linear = model.to(dtype), linear.to(dtype)
        for case, x in oracle.inputs(name).items():
            with torch.no_grad():
                output = model(x.to(dtype))
                found = {
                    "seq": output.last_hidden_state,
                    "pooled": output.pooler_output,
                    "logits_attention": output.logits,
                    "logits_linear": linear(output.pooler_output),
                }
            want = oracle.outputs(name, precision)[case]
            for what, (error, _, _) in oracle.compare(name, case, found, precision).items():
                scale = float(want[what].abs().max())
                assert error < (1e-4 if precision == "float32" else 1e-9) * scale, (case, what, error)


@pytest.mark.parametrize("model_id", ["net1d", "s4"])
def test_converted_baseline_keeps_its_own_head(oracle, model_id):
    name = ORACLES[model_id]
    model, _ = build_from_checkpoint(get_model_spec(model_id), oracle.checkpoint(name), "oracle", "")
    with torch.no_grad():
        logits = model(oracle.inputs(name)["main"]).logits
    oracle.compare(name, "main", {"logits": logits})


def losses(oracle, model_id: str, model, training: bool) -> list[float]:
    """Loss before each of the oracle's optimizer steps, and after the last, in float64."""
    name = ORACLES[model_id]
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


def check_losses(oracle, model_id: str, mode: str, model, training: bool = True) -> None:
    expected = oracle.load_manifest(ORACLES[model_id])["train"]["modes"][mode]["loss64"]
    assert losses(oracle, model_id, model, training) == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize(("model_id", "training"), [("s4", False), ("net1d", True)])
def test_training_from_scratch_follows_the_reference(oracle, model_id, training):
    """S4 in eval mode, which switches its dropout off."""
    model, _ = build_from_checkpoint(get_model_spec(model_id), oracle.checkpoint(ORACLES[model_id]), "oracle", "")
    check_losses(oracle, model_id, "supervised", model, training)


@pytest.mark.parametrize("mode", MODES)
def test_adaptation_follows_the_reference(oracle, mode):
    head, frozen = MODES[mode]
    model = oracle_classifier(oracle, "ecg_founder", head, frozen)
    before = {name: value.clone().double() for name, value in model.encoder.state_dict().items()}
    check_losses(oracle, "ecg_founder", mode, model)
    if frozen:
        assert all(torch.equal(value.double(), before[name]) for name, value in model.encoder.state_dict().items())


@pytest.mark.parametrize("head", ["linear", "attention"])
def test_parameter_groups_are_the_reference_ones(oracle, head):
    facts = oracle.load_manifest("ecgfounder")["params"]
    with torch.device("meta"):
        model = classifier("ecg_founder", head, n_targets=5, small=False)
    expected = facts["finetuning_linear" if head == "linear" else "finetuning_nonlinear"]
    groups = param_groups(model, 1.0, 1e-3)
    found = [
        {
            "name": group["name"],
            "lr_factor": group["lr"],
            "tensors": len(group["params"]),
            "parameters": sum(parameter.numel() for parameter in group["params"]),
        }
        for group in groups
    ]
    assert found == expected
    model.freeze_backbone()
    assert [group["name"] for group in param_groups(model, 1.0, 1e-3)] == ["head"]


@pytest.mark.parametrize(("model_id", "total"), [("net1d", "total"), ("s4", "trainable")])
def test_baselines_have_one_group(oracle, model_id, total):
    facts = oracle.load_manifest(model_id)["params"]
    with torch.device("meta"):
        model = classifier(model_id, n_targets=5, small=False)
    (group,) = param_groups(model, 1.0, 1e-3)
    assert len(group["params"]) == facts["one_group"]["tensors"]
    assert sum(parameter.numel() for parameter in group["params"]) == facts[total]

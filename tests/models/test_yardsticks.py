"""The benchmark's yardsticks compute what our models compute: same weights, same outputs, same gradients."""

from __future__ import annotations

import pytest
import torch

from benchmarks.models.cases import CASES
from benchmarks.models.measure import TARGETS, Yardstick, build, differences
from benchmarks.models.pretraining import PlainPretraining, loss_difference
from hf_ecg_bench.models.ecg_cpc.configuration_ecg_cpc import EcgCpcConfig
from hf_ecg_bench.models.ecg_cpc.pretraining import EcgCpcForPreTraining
from hf_ecg_bench.models.registry import MODELS, get_model_spec

REGISTERED = [pytest.param(case, id=case.name) for case in CASES if case.model_id in MODELS]


def windows(samples: int, batch: int = 2) -> torch.Tensor:
    """Windows with a gap, which counts as zeros on both sides."""
    x = torch.randn(batch, 12, samples, generator=torch.Generator().manual_seed(1))
    x[0, 3, :10] = float("nan")
    return x


def gradient_norm(parameters) -> float:
    """Of all parameters that have a gradient."""
    return sum(float(p.grad.double().square().sum()) for p in parameters if p.grad is not None) ** 0.5


@pytest.mark.parametrize("case", REGISTERED)
def test_small_yardsticks_have_our_outputs_and_gradients(case):
    torch.manual_seed(0)
    spec = get_model_spec(case.model_id)
    tiny = {**case.options, **spec.tiny, **spec.tiny_variants.get(case.options.get("backbone", ""), {})}
    if "l_max" in tiny:  # the yardstick's kernel formula ends there
        tiny["l_max"] = 100
    ours = build(case, **tiny).eval()
    yardstick = Yardstick(case, ours)
    x, labels = windows(spec.tiny_samples), torch.ones(2, TARGETS)
    assert max(differences(ours, yardstick, x).values()) < 1e-4
    ours(x, labels=labels).loss.backward()
    yardstick.loss(x, labels).backward()
    assert gradient_norm(ours.parameters()) == pytest.approx(gradient_norm(yardstick.parameters()), rel=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("case", REGISTERED)
def test_yardsticks_of_full_size_have_our_outputs(case):
    torch.manual_seed(0)
    ours, spec = build(case).eval(), get_model_spec(case.model_id)
    samples = round(spec.sampling_rate * (case.window_seconds or spec.window_seconds))
    assert max(differences(ours, Yardstick(case, ours), windows(samples, 1)).values()) < 1e-4


def test_loop_over_positions_has_our_pretraining_loss():
    torch.manual_seed(0)
    config = EcgCpcConfig(**{**get_model_spec("ecg_cpc").tiny, "l_max": 100})
    ours = EcgCpcForPreTraining(config)
    assert loss_difference(ours, PlainPretraining(ours), 80) < 1e-4

"""What a run costs: measured without touching it, added up over its starts."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from hf_ecg_bench.models.feature_extraction import EcgFeatureExtractor
from hf_ecg_bench.training.costs import flops as flops_module
from hf_ecg_bench.training.costs import latency as latency_module
from hf_ecg_bench.training.costs import phases as phases_module
from hf_ecg_bench.training.costs.energy import EnergyMeter, Nvml, rapl_counter
from hf_ecg_bench.training.costs.flops import forward_flops, step_flops
from hf_ecg_bench.training.costs.latency import latency
from hf_ecg_bench.training.costs.meter import CostMeter, Spending
from hf_ecg_bench.training.costs.phases import Phases, Spent
from tests.models.common import Case, every_case


class Clock:
    """Seconds that pass when a test says so; CPU time runs at half the speed."""

    def __init__(self) -> None:
        self.now = 0.0

    def perf_counter(self) -> float:
        return self.now

    def fail_after(self, seconds: float) -> None:
        self.now += seconds
        raise KeyboardInterrupt

    def process_time(self) -> float:
        return self.now / 2


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(phases_module, "time", clock)
    return clock


def test_a_phase_inside_another_interrupts_it(clock: Clock) -> None:
    phases = Phases()
    clock.now = 5.0  # before any phase: nobody's
    with phases("train"):
        clock.now += 10
        with phases("validation"):
            clock.now += 3
        clock.now += 1
    clock.now += 100
    with phases("load"):
        clock.now += 2
        assert phases.seconds()["load"].wall == 2
    assert phases.seconds() == {"load": (2, 1), "train": (11, 5.5), "validation": (3, 1.5)}
    assert list(phases.seconds()) == ["load", "train", "validation"], "in the order of a run"


def test_a_failed_phase_counts_and_unknown_ones_are_refused(clock: Clock) -> None:
    phases = Phases()
    with pytest.raises(KeyboardInterrupt), phases("train"):
        clock.fail_after(4)
    assert phases.seconds() == {"train": (4, 2)}
    assert not phases.running
    with pytest.raises(ValueError, match="'trian': expected one of load"), phases("trian"):
        pass


def train_until_killed(meter: CostMeter, clock: Clock) -> None:
    """One checkpoint, and some seconds more, which are lost."""
    with meter("train"):
        clock.now += 10
        meter.trained += 64
        meter.save()
        clock.fail_after(5)


def test_costs_add_up_over_starts(clock: Clock, tmp_path: Path) -> None:
    file = tmp_path / "cost.json"
    for start in range(3):
        meter = CostMeter(file)
        assert meter.before.starts == start
        with meter("load"):
            clock.now += 1
        with pytest.raises(KeyboardInterrupt):
            train_until_killed(meter, clock)
    total = CostMeter(file).total()
    assert total.starts == 4
    assert total.phases == {"load": (3, 1.5), "train": (30, 15)}
    assert total.trained == 3 * 64
    assert total.memory["process"] > 0


def test_an_unreadable_file_of_costs_is_a_reason_and_not_an_end(tmp_path: Path) -> None:
    file = tmp_path / "cost.json"
    for text in ("", '{"starts": 2}', "[]"):
        file.write_text(text)
        meter = CostMeter(file)
        assert meter.before == Spending()
        assert "cost.json" in meter.reasons["earlier starts"]


def test_energy_that_one_start_could_not_read_is_unknown() -> None:
    both, one = Spending(1, joules={"cpu": 2.0, "gpu": 5.0}), Spending(1, joules={"gpu": 1.0})
    assert Spending().plus(both).joules == both.joules
    assert both.plus(one).joules == {"gpu": 6.0}
    assert both.plus(one).plus(both).joules == {"gpu": 11.0}


# ---- energy -----------------------------------------------------------------------------------------------------


def zone(folder: Path, name: str, microjoules: int, largest: int = 999_999) -> Path:
    folder.mkdir(parents=True)
    (folder / "name").write_text(f"{name}\n")
    (folder / "energy_uj").write_text(f"{microjoules}\n")
    (folder / "max_energy_range_uj").write_text(f"{largest}\n")
    return folder


def test_rapl_adds_packages_and_memory_and_survives_a_wrap_around(tmp_path: Path) -> None:
    package = zone(tmp_path / "intel-rapl:0", "package-0", 900_000)
    zone(tmp_path / "intel-rapl:0" / "intel-rapl:0:0", "core", 5)
    memory = zone(tmp_path / "intel-rapl:0" / "intel-rapl:0:1", "dram", 100)
    psys = zone(tmp_path / "intel-rapl:1", "psys", 0)
    counter, reason = rapl_counter(tmp_path)
    assert counter is not None, reason
    assert counter.covers == "RAPL package-0, dram of the whole machine"
    assert counter.joules() == 0
    (package / "energy_uj").write_text("950000")
    (psys / "energy_uj").write_text("999999")
    assert counter.joules() == pytest.approx(0.05)
    (package / "energy_uj").write_text("50000")  # 50,000 to the end, one to 0, 50,000 from there
    (memory / "energy_uj").write_text("300")
    assert counter.joules() == pytest.approx(0.05 + 0.1 + 0.0002)


def test_why_there_is_no_energy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert rapl_counter(tmp_path)[1].startswith("no RAPL counter")
    folder = zone(tmp_path / "intel-rapl:0", "package-0", 1)
    (folder / "energy_uj").write_text("not a number")
    counter, reason = rapl_counter(tmp_path)
    assert counter is None
    assert "cannot be read" in reason

    def denied(self: Path, *args: object, **kwargs: object) -> str:
        raise PermissionError(self)

    monkeypatch.setattr(Path, "read_text", denied)
    assert rapl_counter(tmp_path)[1].endswith("readable by root only")


def test_nvml_counts_from_its_start_and_its_errors_are_reasons() -> None:
    class Error(Exception):
        pass

    class Library:
        NVMLError = Error
        answers = iter([7_000, 9_500])

        def nvmlDeviceGetTotalEnergyConsumption(self, handle: str) -> int:
            if (answer := next(self.answers, None)) is None:
                raise Error("GPU is lost")
            return answer

    counter = Nvml(Library(), "handle", "a card")
    assert counter.joules() == 2.5
    meter = EnergyMeter({"gpu": (counter, "")})
    assert meter.joules() == {}
    meter.stop()
    assert meter.reasons["gpu"] == "NVML a card, the whole card could not be read to the end: GPU is lost"


def test_a_counter_that_fails_on_the_way_becomes_a_reason() -> None:
    class Failing:
        covers = "a counter"

        def joules(self) -> float:
            raise OSError("gone")

    meter = EnergyMeter({"cpu": (Failing(), ""), "gpu": (None, "no GPU")})
    assert meter.joules() == {}
    meter.stop()
    assert meter.reasons == {"gpu": "no GPU", "cpu": "a counter could not be read to the end: gone"}


# ---- the model --------------------------------------------------------------------------------------------------


def test_operations_of_known_layers() -> None:
    linear = nn.Linear(30, 7)
    x = torch.zeros(1, 30)
    assert forward_flops(linear, {"input": x}) == 2 * 30 * 7
    assert step_flops(linear, {"input": x}, 5, torch.sum) == 5 * 2 * 2 * 30 * 7, "forward, and the weight's gradient"
    linear.requires_grad_(False)
    linear.bias.requires_grad_(True)
    assert step_flops(linear, {"input": x}, 5, torch.sum) == 5 * 2 * 30 * 7, "a frozen weight costs no backward pass"


@pytest.mark.parametrize("groups", [1, 4])
def test_operations_of_grouped_convolutions(groups: int) -> None:
    layers = nn.Sequential(nn.Conv1d(8, 8, 1, bias=False), nn.Conv1d(8, 16, 5, stride=2, groups=groups))
    first, second = 2 * 100 * 8 * 8, 2 * 48 * 16 * 8 * 5 // groups
    x = {"input": torch.zeros(1, 8, 100)}
    assert forward_flops(layers, x) == first + second
    assert step_flops(layers, x, 3, torch.sum) == 3 * (2 * first + 3 * second), "the first input needs no gradient"


class NeedsValues(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x) if float(x.detach()[0].sum()) == 3 else x


def test_a_large_model_that_looks_at_its_values_is_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flops_module, "_COMPUTED", 0)
    model = NeedsValues()
    assert step_flops(model, {"x": torch.full((1, 3), 1.0)}, 10, torch.sum) == 10 * 2 * 2 * 3 * 4
    assert model.layer.weight.grad is None


class Fourier(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.fft.irfft(torch.fft.rfft(x), x.shape[-1])


class Attention(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.scaled_dot_product_attention(x, x, x)


def test_operations_that_torch_does_not_count() -> None:
    assert forward_flops(Fourier(), {"x": torch.zeros(1, 256)}, 3) == 2 * 3 * 5 * 256 * 8 / 2
    x = torch.zeros(1, 4, 16, 8)  # (batch, heads, tokens, width): two products of 16 x 16 x 8 per head
    assert forward_flops(Attention(), {"x": x}, 2) == 2 * 4 * 2 * (2 * 16 * 16 * 8)


@every_case
def test_measuring_leaves_no_trace(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights, buffers, modes, gradients and random numbers are what they were; every model has a number."""
    monkeypatch.setattr(latency_module, "_AT_MOST", 3)
    model = case.build()
    model.train()
    model.encoder.eval()
    some = next(parameter for parameter in model.parameters() if parameter.requires_grad)
    some.grad = torch.ones_like(some)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    modes = [module.training for module in model.modules()]
    random, numpy_random = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002  (the Trainer's)
    window = case.windows(model, batch=1)

    forward = forward_flops(model, {"input_values": window})
    step = step_flops(model, {"input_values": window}, 4)
    seconds = len(window[0, 0]) / 100
    extractor = EcgFeatureExtractor(100, seconds, fixed_length=model.config.fixed_length)
    measured = latency(model, extractor, 100)

    assert 0 < 4 * forward <= step < 3.5 * 4 * forward
    assert measured["repetitions"] == 3
    assert measured["windows"] == math.floor(10 / seconds)
    assert 0 < measured["median_seconds"] <= measured["p95_seconds"]
    assert [module.training for module in model.modules()] == modes
    torch.testing.assert_close(model.state_dict(), before, rtol=0, atol=0)
    assert torch.equal(some.grad, torch.ones_like(some))
    assert all(p.grad is None for p in model.parameters() if p is not some)
    assert torch.equal(torch.get_rng_state(), random)
    np.testing.assert_array_equal(np.random.get_state()[1], numpy_random)  # noqa: NPY002


@pytest.mark.slow
@every_case
def test_shapes_alone_give_the_same_operations(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """Large models are counted without computing them; and nothing of that stays in the model."""
    model = case.build()
    inputs = {"input_values": case.windows(model, batch=1)}
    before = model(**inputs).logits
    computed = forward_flops(model, inputs, 4), step_flops(model, inputs, 4)
    monkeypatch.setattr(flops_module, "_COMPUTED", 0)
    monkeypatch.setattr(flops_module, "_BATCH", None)  # computing it after all would fail
    traced = forward_flops(model, inputs, 4), step_flops(model, inputs, 4)
    if case.model_id in ("s4", "ecg_cpc"):  # their kernels, which are kept between steps, are computed each time
        assert all(1 <= shapes / values < 3 for shapes, values in zip(traced, computed, strict=True))
    else:
        assert traced == computed
    assert torch.equal(model(**inputs).logits, before)


def test_a_result_has_the_costs_of_all_starts(synthetic_folder, tmp_path, monkeypatch):
    """The old names of numbers included."""
    from hf_ecg_bench.training.loop import trainer
    from hf_ecg_bench.training.run import run
    from tests.training.small import small_spec

    spec = small_spec(synthetic_folder, tmp_path / "measured", examples=0, n_resamples=2, limit=96)
    killed = []
    original = trainer.EcgTrainer._save_checkpoint

    def killed_on_second_save(self, *args, **kwargs):
        if self.state.epoch > 1.5 and not killed:
            killed.append(json.loads((spec.output_dir / "checkpoints" / "cost.json").read_text()))
            raise KeyboardInterrupt
        original(self, *args, **kwargs)

    monkeypatch.setattr(trainer.EcgTrainer, "_save_checkpoint", killed_on_second_save)
    with pytest.raises(KeyboardInterrupt):
        run(spec, lambda _: None)
    result = run(spec, lambda _: None)
    cost, first = result.cost, killed[0]
    assert cost["starts"] == 2
    assert cost["train_seconds"] > Spent(*first["phases"]["train"]).wall
    assert first["trained"] > 0
    assert cost["flops"]["training_step"] > 32 * cost["flops"]["forward"]
    steps = first["trained"] // 32
    assert cost["training_flops"] == 2 * steps * cost["flops"]["training_step"], "an epoch of each start"
    assert {"load", "features", "train", "validation", "test", "fitted", "write"} == set(cost["phases"])
    assert {
        "train_seconds", "evaluate_seconds", "peak_memory_bytes", "parameters", "trainable_parameters",
        "records_per_second", "training_records_per_second", "latency_ms",
    } <= {name for name, value in cost.items() if isinstance(value, int | float) and value > 0}  # fmt: skip
    assert cost["energy_joules"] is not None or cost["reasons"]["cpu"]
    assert any("added up over its starts" in warning for warning in result.warnings)
    assert not (spec.output_dir / "checkpoints").exists()


@pytest.mark.slow
def test_a_run_is_the_same_whatever_is_measured(synthetic_folder, tmp_path, monkeypatch):
    from hf_ecg_bench.results.predictions import read_predictions
    from hf_ecg_bench.training import experiment
    from hf_ecg_bench.training.loop import setup as trainer_setup
    from hf_ecg_bench.training.run import run
    from tests.training.small import small_spec

    specs = [small_spec(synthetic_folder, tmp_path / name, n_resamples=2) for name in ("measured", "unmeasured")]
    run(specs[0], lambda _: None)
    monkeypatch.setattr(experiment, "cost_of", lambda *args, **kwargs: {})
    monkeypatch.setattr(trainer_setup, "CostCallback", lambda meter: trainer_setup.PrinterCallback())
    run(specs[1], lambda _: None)
    one, two = (read_predictions(spec.output_dir) for spec in specs)
    np.testing.assert_array_equal(one.predictions, two.predictions)
    assert (specs[0].output_dir / "model" / "model.safetensors").read_bytes() == (
        specs[1].output_dir / "model" / "model.safetensors"
    ).read_bytes()

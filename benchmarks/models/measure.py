"""One model against its yardstick and its floor. Runs in a process of its own, so that memory is only its own."""

from __future__ import annotations

import copy
import statistics
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.models.cases import PRETRAINING, Case, get_case
from benchmarks.models.clock import Memory, median_ratio, product_speed, take_turns
from benchmarks.models.floor import replay
from benchmarks.models.operations import Operation, flops, record
from benchmarks.models.pretraining import measure_pretraining
from benchmarks.models.weights import relative_difference
from hf_ecg_bench.models.registry import get_model_spec, model_class

TARGETS = 5
SAME = 1e-4  # relative difference up to which two float32 computations are the same


@dataclass(frozen=True)
class Settings:
    """How to measure."""

    repeats: int = 3
    threads: int = 1
    device: str = "cpu"
    dtype: str = "float32"

    def precision(self) -> AbstractContextManager[Any]:
        """Autocast where another type than float32 is asked for."""
        if self.dtype == "float32":
            return nullcontext()
        return torch.autocast(self.device, dtype=getattr(torch, self.dtype))


def measure(name: str, settings: Settings) -> dict[str, Any]:
    """All figures of one row, as JSON values."""
    torch.set_num_threads(settings.threads)
    torch.manual_seed(0)
    wall, cpu = time.perf_counter(), time.process_time()
    row = measure_pretraining(settings.repeats, settings.device) if name == PRETRAINING else _measure(name, settings)
    if settings.device == "cpu" and settings.threads == 1:
        row["share of a core"] = (time.process_time() - cpu) / (time.perf_counter() - wall)
    return row


def build(case: Case, **options: Any) -> nn.Module:
    """Our classifier with random weights, batch norms away from their start, where they would do nothing."""
    config = model_class(case.model_id, "Config")(num_labels=TARGETS, **{**case.options, **options})
    model = model_class(case.model_id, "ForSequenceClassification")(config)
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            nn.init.uniform_(module.weight, 0.5, 1.0)
            nn.init.normal_(module.bias, std=0.1)
            nn.init.normal_(module.running_mean, std=0.1)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
    return model


class Yardstick(nn.Module):
    """A plain backbone with the same weights, and the linear head."""

    def __init__(self, case: Case, ours: nn.Module) -> None:
        super().__init__()
        self.backbone = case.yardstick(ours.encoder)
        self.head = copy.deepcopy(ours.head)
        self.train(ours.training).to(next(ours.parameters()).device)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.backbone(x)

    def loss(self, x: Tensor, labels: Tensor) -> Tensor:
        """Of the linear head."""
        return functional.binary_cross_entropy_with_logits(self.head(self.backbone(x)[1]), labels)


def differences(ours: nn.Module, yardstick: Yardstick, x: Tensor) -> dict[str, float]:
    """Relative differences of tokens and pooled features, in eval mode."""
    ours.eval()
    yardstick.eval()
    with torch.no_grad():
        found = ours.encoder(x)
        tokens, pooled = yardstick(x)
    return {
        "tokens": relative_difference(found.last_hidden_state, tokens),
        "pooled": relative_difference(found.pooler_output, pooled),
    }


def _measure(name: str, settings: Settings) -> dict[str, Any]:
    case = get_case(name)
    spec, device = get_model_spec(case.model_id), settings.device
    if spec.full_precision:
        settings = replace(settings, dtype="float32")
    samples = round(spec.sampling_rate * (case.window_seconds or spec.window_seconds))
    x = 0.3 * torch.randn(case.batch, 12, samples, device=device)
    labels = (torch.rand(case.batch, TARGETS, device=device) < 0.3).float()
    speed = product_speed(device, torch.float32 if settings.dtype == "float32" else getattr(torch, settings.dtype))

    memory = Memory(device)
    ours = build(case).to(device)
    forward = {"ours": _no_grad(lambda: ours(x), settings)}
    training = {"ours": _backward(lambda: ours(x, labels=labels).loss, settings)}
    peaks, operations = {}, {}
    peaks["ours"], operations["ours"] = _first_pass(ours, memory, forward["ours"], training["ours"])

    memory = Memory(device)
    plain = Yardstick(case, ours)
    different = differences(ours, plain, x)  # before a step in train mode moves batch statistics
    if max(different.values()) > SAME:
        raise AssertionError(f"{case.name}: the yardstick computes something else: {different}")
    forward["yardstick"] = _no_grad(lambda: plain(x), settings)
    training["yardstick"] = _backward(lambda: plain.loss(x, labels), settings)
    peaks["yardstick"], operations["yardstick"] = _first_pass(
        plain, memory, forward["yardstick"], training["yardstick"]
    )

    row: dict[str, Any] = {
        "name": case.name,
        "model": case.model_id,
        "batch": case.batch,
        "samples": samples,
        "dtype": settings.dtype,
        "parameters": sum(parameter.numel() for parameter in ours.encoder.parameters()),
        "largest difference": max(different.values()),
        "product GFLOP/s": speed / 1e9,
        "memory by": memory.method,
    }
    for index, (stage, contenders) in enumerate((("forward", forward), ("forward + backward", training))):
        for model in (ours, plain):
            model.train(index == 1)
        recorded = {name: both[index] for name, both in operations.items()}
        row[stage] = _stage(contenders, recorded, settings.repeats, lambda: _forget(ours, plain))
        row[stage] |= {f"peak MB {name}": peaks[name][index] / 1e6 for name in peaks}
        row[stage]["required"] = case.required[index]
        row[stage]["quoted s"] = case.quoted[index] if case.quoted else None

    ours.eval()
    plain.eval()
    one = x[:1]
    single = {"ours": _no_grad(lambda: ours(one), settings), "yardstick": _no_grad(lambda: plain(one), settings)}
    times = take_turns(single, settings.repeats + 1, seconds=0.5)
    row["latency"] = {f"{name} ms": 1e3 * statistics.median(values[1:]) for name, values in times.items()}
    row["latency"]["ratio"] = median_ratio(times, "yardstick", "ours")
    return row


def _stage(
    contenders: dict[str, Callable[[], object]],
    operations: dict[str, list[Operation]],
    repeats: int,
    between: Callable[[], None],
) -> dict[str, Any]:
    """Times of ours, the yardstick and the floor, and what follows from them."""
    arithmetic = {name: sum(map(flops, recorded)) for name, recorded in operations.items()}
    times = take_turns({**contenders, "floor": replay(operations["ours"])}, repeats, between)
    middle = {name: statistics.median(values) for name, values in times.items()}
    result: dict[str, Any] = {f"{name} s": value for name, value in middle.items()}
    result |= {f"{name} s, spread": [min(values), max(values)] for name, values in times.items()}
    result["turns"] = len(times["ours"])
    result["ratio"] = median_ratio(times, "yardstick", "ours")
    result["share"] = median_ratio(times, "floor", "ours")
    result["GFLOP"] = arithmetic["ours"] / 1e9
    result["GFLOP yardstick"] = arithmetic["yardstick"] / 1e9
    result["GFLOP/s"] = arithmetic["ours"] / middle["ours"] / 1e9
    if abs(arithmetic["ours"] / arithmetic["yardstick"] - 1) > 0.02:
        other = take_turns({"floor": replay(operations["yardstick"])}, 1, seconds=0)["floor"]
        result["yardstick floor s"] = other[0]
    return result


def _first_pass(
    model: nn.Module, memory: Memory, forward: Callable[[], object], training: Callable[[], object]
) -> tuple[tuple[float, float], tuple[list[Operation], list[Operation]]]:
    """Peak memory and operations of both stages, with whatever the model keeps between calls in place."""
    operations: list[list[Operation]] = []
    model.eval()
    forward()
    peak_forward = memory.peak(lambda: operations.append(record(forward)))
    model.train()
    peak_training = memory.peak(lambda: operations.append(record(training)))
    _forget(model)
    return (peak_forward, peak_training), (operations[0], operations[1])


def _no_grad(work: Callable[[], object], settings: Settings) -> Callable[[], object]:
    def run() -> None:
        with torch.no_grad(), settings.precision():
            work()

    return run


def _backward(loss: Callable[[], Tensor], settings: Settings) -> Callable[[], object]:
    def run() -> None:
        with settings.precision():
            value = loss()
        value.backward()

    return run


def _forget(*models: nn.Module) -> None:
    for model in models:
        model.zero_grad(set_to_none=True)

"""The arithmetic of a grid's models and the rate of this machine, for estimates before anything has run."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from hf_ecg_bench.combining.members import is_combination
from hf_ecg_bench.errors import EcgBenchError, first_line
from hf_ecg_bench.grid.estimates import Counted, counting_key
from hf_ecg_bench.grid.plan import Cell
from hf_ecg_bench.models.registry import MODELS
from hf_ecg_bench.models.resolve import find_local, parse_name
from hf_ecg_bench.saying import Say
from hf_ecg_bench.training.modes import get_mode

# A network reaches about so much of what a large matrix product does.
_REACHED = 0.2
_SIZE = 1024
_SECONDS = 0.3


def count(cells: Sequence[Cell], say: Say) -> dict[str, Counted]:
    """Each of the cells' networks in numbers, by `counting_key`; nothing is fetched for it.

    A known model whose weights are not here is built with random ones. What cannot be built is said and left out.
    """
    found: dict[str, Counted] = {}
    for cell in cells:
        key = counting_key(cell)
        if key in found or is_combination(cell.run.model):
            continue
        try:
            counted = _count(cell)
        except (EcgBenchError, OSError, RuntimeError) as error:
            say(f"note: {cell.model}: no estimate: {first_line(error)}")
            continue
        if counted is None:
            say(f"note: {cell.model}: no estimate: its weights are not on this machine")
            continue
        found[key] = counted
    return found


def _count(cell: Cell) -> Counted | None:
    import torch

    from hf_ecg_bench.models.loading import load_model
    from hf_ecg_bench.progress import quiet_libraries
    from hf_ecg_bench.training.costs.flops import forward_flops

    quiet_libraries()
    run = cell.run
    options: dict[str, Any] = {}
    if not get_mode(run.mode).pretrained:
        name, options = run.model, dict(run.model_options)
    else:
        local = find_local(run.model)
        name = str(local.folder) if local is not None else ""
        if local is None:
            spec = run.model if run.model in MODELS else getattr(parse_name(run.model).spec, "id", "")
            if not spec:
                return None
            name = spec
    pretrained = name not in MODELS
    model = load_model(name, pretrained=pretrained, seed=0, target_names=["target"], head="linear", **options)
    config: Any = model.config
    samples = round(config.window_seconds * config.sampling_rate)
    window = torch.zeros(1, config.n_leads, samples)
    with torch.no_grad():
        tokens = model.base_model(window).last_hidden_state.shape
    return Counted(
        float(forward_flops(model, {"input_values": window})),
        float(config.window_seconds),
        sum(parameter.numel() for parameter in model.parameters()),
        int(tokens[2]),
        int(tokens[1]),
    )


def machine_rate() -> tuple[float, str]:
    """Operations per second that a network may reach here, from a short matrix product, and that in words."""
    import torch

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    kind = torch.float16 if device.type == "cuda" else torch.float32
    left = torch.ones(_SIZE, _SIZE, device=device, dtype=kind)

    def product() -> None:
        torch.mm(left, left)
        if device.type == "cuda":
            torch.cuda.synchronize()

    product()
    number, started = 0, time.perf_counter()
    while time.perf_counter() - started < _SECONDS:
        product()
        number += 1
    rate = _REACHED * number * 2 * _SIZE**3 / (time.perf_counter() - started)
    return rate, f"operations counted, at {_REACHED:.0%} of this machine's rate for a matrix product"

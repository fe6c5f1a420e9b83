"""Optimizer and evaluation steps at the protocol's batch size: milliseconds per batch and records per second.

    python benchmarks/bench_training.py [--models s4 net1d] [--batch-size 64] [--steps 5] [--json]

The two baselines by default; a transformer's step of 64 windows takes a CPU minutes; `bench_models.py` has them all.
There is no yardstick of another project here; the figures say what a run costs on this machine (records per epoch over
records per second), and the loader's share says whether reading limits it.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time

import torch

from hf_ecg_bench.models.loading import load_model
from hf_ecg_bench.models.param_groups import param_groups
from hf_ecg_bench.models.registry import list_models


def measure(name: str, batch_size: int, steps: int) -> dict[str, float | str]:
    """Median milliseconds of one optimizer step (forward, backward, AdamW) and of one forward pass in evaluation."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = load_model(name, pretrained=False, target_names=[f"t{i}" for i in range(5)], head="linear", seed=0).to(
        device
    )
    optimizer = torch.optim.AdamW(param_groups(model, 1e-3, 1e-3), lr=1e-3, fused=True)
    samples = round(model.config.sampling_rate * model.config.window_seconds)
    x = torch.randn(batch_size, 12, samples, device=device) * 0.2
    labels = (torch.rand(batch_size, 5, device=device) < 0.3).float()

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        model(input_values=x, labels=labels).loss.backward()
        optimizer.step()

    def evaluate() -> None:
        with torch.no_grad():
            model(input_values=x)

    model.train()
    training = _median(step, steps, device)
    model.eval()
    evaluation = _median(evaluate, steps, device)
    return {
        "model": name,
        "device": device,
        "train_ms": training * 1e3,
        "train_records_per_s": batch_size / training,
        "evaluate_ms": evaluation * 1e3,
        "evaluate_windows_per_s": batch_size / evaluation,
    }


def _median(function, steps: int, device: str) -> float:
    times = []
    for _ in range(steps + 1):
        started = time.perf_counter()
        function()
        if device == "cuda":
            torch.cuda.synchronize()
        times.append(time.perf_counter() - started)
    return statistics.median(times[1:])  # the first one allocates


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", default=["net1d", "s4"], choices=list_models())
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    rows = [measure(name, arguments.batch_size, arguments.steps) for name in arguments.models]
    if arguments.json:
        print(json.dumps(rows, indent=2))
        return
    print(f"batch {arguments.batch_size}, {torch.get_num_threads()} threads, torch {torch.__version__}")
    print(f"{'model':14} {'device':6} {'train ms':>9} {'records/s':>10} {'eval ms':>9} {'windows/s':>10}")
    for row in rows:
        print(
            f"{row['model']:14} {row['device']:6} {row['train_ms']:9.0f} {row['train_records_per_s']:10.0f} "
            f"{row['evaluate_ms']:9.0f} {row['evaluate_windows_per_s']:10.0f}"
        )


if __name__ == "__main__":
    main()

"""The oracles' table in Markdown: python -m tests.models.oracle_table [oracle ...]."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import torch

from hf_ecg_bench.models.heads import LinearHead
from tests.models.oracles import ORACLES, load_oracle, oracle_classifier

QUANTITIES = ("seq", "pooled", "logits_linear", "logits_attention")


def differences(oracle, name: str) -> list[str]:
    """One row: per quantity the largest float32 difference over all cases and its share of the tolerance; float64."""
    model = oracle_classifier(oracle, name, "attention")
    linear = LinearHead(model.config.hidden_size, 5)
    linear.load_state_dict(oracle.head(name, "linear"))
    cells: list[str] = []
    relative: list[float] = []
    for precision in ("float32", "float64"):
        dtype = getattr(torch, precision)
        model, linear = model.to(dtype), linear.to(dtype)
        worst = dict.fromkeys(QUANTITIES, (0.0, 0.0))
        scale = 0.0
        for case, x in oracle.inputs(name).items():
            want = oracle.outputs(name, precision).get(case) or {}
            with torch.no_grad():
                output = model(x.to(dtype))
            found = {"seq": output.last_hidden_state, "pooled": output.pooler_output,
                     "logits_linear": linear(output.pooler_output), "logits_attention": output.logits}  # fmt: skip
            found = {what: value for what, value in found.items() if what in want}
            for what, (error, tolerance, _) in oracle.compare(name, case, found, precision).items():
                worst[what] = max(worst[what], (error, error / tolerance))
                scale = max(scale, error / float(want[what].abs().max()))
        relative.append(scale)
        if precision == "float32":
            cells = [f"{error:.1e} ({share:.2f})" for error, share in worst.values()]
        else:
            cells.append(f"{max(error for error, _ in worst.values()):.1e}")
    return [name, *cells, *(f"{value:.1e}" for value in relative)]


def main() -> None:
    """Print the table of the oracles named on the command line, or of all."""
    shared = os.environ.get("HF_ECG_BENCH_SHARED") or Path(__file__).resolve().parents[3] / "shared"
    oracle = load_oracle(Path(shared))
    print(
        "largest absolute difference in float32 (share of the oracle's tolerance), then in float64, then both relative"
    )
    print("to the output's scale\n")
    print("| oracle | " + " | ".join(QUANTITIES) + " | float64, all | float32 relative | float64 relative |")
    print("| --- " * (len(QUANTITIES) + 4) + "|")
    for name in sys.argv[1:] or ORACLES:
        print("| " + " | ".join(differences(oracle, name)) + " |", flush=True)


if __name__ == "__main__":
    main()

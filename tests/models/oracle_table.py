"""The oracles' table in Markdown: python -m tests.models.oracle_table [oracle ...]."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tests.models.oracles import ORACLES, compared, load_oracle

QUANTITIES = ("seq", "pooled", "logits_linear", "logits_attention")


def differences(oracle, name: str) -> list[str]:
    """One row: per quantity the largest float32 difference over all cases and its share of the tolerance; float64."""
    cells: list[str] = []
    relative: list[float] = []
    for precision in ("float32", "float64"):
        worst = dict.fromkeys(QUANTITIES, (0.0, 0.0))
        relative.append(0.0)
        for _, what, error, tolerance, scale in compared(oracle, name, precision):
            worst[what] = max(worst[what], (error, error / tolerance))
            relative[-1] = max(relative[-1], error / scale)
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

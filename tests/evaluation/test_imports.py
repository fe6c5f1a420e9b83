"""The evaluation package needs numpy only."""

from __future__ import annotations

import subprocess
import sys


def test_evaluation_imports_neither_torch_nor_sklearn() -> None:
    heavy = ("torch", "sklearn", "scipy", "evaluate", "datasets", "pyarrow", "pandas")
    code = (
        "import sys, hf_ecg_bench.evaluation, hf_ecg_bench.results.predictions; "
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"

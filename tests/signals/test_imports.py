"""The signal modules are numpy only: no torch, no resampy, no datasets at import."""

import subprocess
import sys

CODE = """
import sys
from hf_ecg_bench.signals import contract, counter, leads, nan, original, resampling, steps, windows
resampling.resampler(1250, 500, 240)
print(sorted({"torch", "scipy", "numba", "resampy", "datasets", "transformers", "pandas"} & set(sys.modules)))
"""


def test_signals_import_and_resample_with_numpy_alone() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

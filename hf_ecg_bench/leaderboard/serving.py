"""The Space on this machine."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from hf_ecg_bench.errors import EcgBenchError
from hf_ecg_bench.leaderboard.export import export_space
from hf_ecg_bench.leaderboard.gathering import Results


def check_gradio() -> None:
    """Raises EcgBenchError where gradio is not installed: before anything is worked out."""
    if find_spec("gradio") is None:
        raise EcgBenchError("the leaderboard needs gradio", fix="pip install 'hf-ecg-bench[leaderboard]'")


def serve(results: Results, folder: Path | None, repo_id: str | None = None) -> None:
    """Start the exported Space in `folder`, or export into a temporary folder first; returns when it ends.

    Raises:
        EcgBenchError: the app ended with an error.
    """
    check_gradio()
    with tempfile.TemporaryDirectory(prefix="hf_ecg_bench_space_") as temporary:
        place = folder or export_space(results, Path(temporary) / "space", repo_id=repo_id)
        code = subprocess.run([sys.executable, "app.py"], cwd=place, check=False).returncode
    if code:
        raise EcgBenchError(f"the leaderboard's app ended with exit code {code}", fix="see the lines above")

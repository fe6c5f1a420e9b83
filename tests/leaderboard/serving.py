"""The exported Space as a stranger starts it: another process, in its folder, with gradio and the standard library."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hf_ecg_bench.leaderboard.export import space_files

SPACE = Path(__file__).resolve().parents[2] / "hf_ecg_bench" / "leaderboard" / "space"

#: Run before the app: whatever is not the Space's own business cannot be imported.
GUARD = """
import sys
class Guard:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("hf_ecg_bench", "torch", "transformers", "datasets", "scipy", "sklearn", "matplotlib",
                                  "pyarrow", "wfdb", "peft", "accelerate"):
            raise ModuleNotFoundError(f"the Space imports {name}", name=name)
sys.meta_path.insert(0, Guard())
"""


def export(folder: Path, data: Path) -> Path:
    """The app's files and a snapshot."""
    for source in space_files():
        target = folder / source.relative_to(SPACE)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)
    shutil.copytree(data, folder / "data")
    return folder


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def served(folder: Path, python: str = sys.executable, *, data: Path | None = None) -> Iterator[str]:
    """Starts `app.py` in its folder, isolated (`-I`) behind the guard; the address it answers at."""
    port = free_port()
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "HF_"))},
        "GRADIO_SERVER_PORT": str(port),
        "GRADIO_SERVER_NAME": "127.0.0.1",
        "HF_HUB_OFFLINE": "1",
        **({"ECG_BENCH_SNAPSHOT": str(data)} if data else {}),
    }
    start = GUARD + "import runpy; runpy.run_path('app.py', run_name='__main__')"
    log = folder / "server.log"
    with log.open("w") as out:
        process = subprocess.Popen([python, "-I", "-c", start], cwd=folder, env=environment, stdout=out, stderr=out)
    try:
        address = f"http://127.0.0.1:{port}"
        _wait(address, process, log)
        yield address
    finally:
        process.terminate()
        process.wait(20)


def _wait(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 90
    while time.monotonic() < end:
        if process.poll() is not None:
            raise AssertionError(f"the app ended with {process.returncode}:\n{log.read_text()[-3000:]}")
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"the app did not answer within 90 s:\n{log.read_text()[-3000:]}")

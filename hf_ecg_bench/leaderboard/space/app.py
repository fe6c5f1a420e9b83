"""The leaderboard as a Gradio Space: shows the files under data/, computes nothing. Start: `python app.py`."""

import os
import sys
from pathlib import Path

# Nothing is reported anywhere, and nothing is asked for; before gradio is imported.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from board.wiring import launch  # noqa: E402

if __name__ == "__main__":
    launch(Path(os.environ.get("ECG_BENCH_SNAPSHOT", HERE / "data")))

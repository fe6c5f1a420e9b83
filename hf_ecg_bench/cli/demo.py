"""The main job on the embedded data: prepare, run, score, report; minutes on two cores."""

from __future__ import annotations

import sys
from pathlib import Path

from hf_ecg_bench.cli.results import print_score
from hf_ecg_bench.data.prepare import prepare
from hf_ecg_bench.results.report import write_report
from hf_ecg_bench.training.run import run
from hf_ecg_bench.training.spec import RunSpec


def demo(output_dir: Path) -> Path:
    """Returns the path of the report. A killed demo goes on where it was; a finished one only shows the report again.

    A small S4 and a small data set: the point is to see every part work, not to compete.
    """
    data, folder = output_dir / "ecg-bench" / "synthetic", output_dir / "runs" / "s4"
    print("1/3 prepare: generating synthetic 12-lead ECGs", file=sys.stderr)
    prepare("synthetic", raw_dir=None, output_dir=data, options={"n_records": "1200"})
    print("2/3 run: S4 from scratch on the task 'synthetic'", file=sys.stderr)
    result = run(
        RunSpec(
            model="s4",
            task="synthetic",
            mode="scratch",
            output_dir=folder,
            data=str(data),
            overrides={"epochs": 12, "batch_size": 32, "learning_rate": 3e-3},
            model_options={"hidden_size": 64},
        )
    )
    print_score(result.metrics, as_json=False)
    print("3/3 report", file=sys.stderr)
    return write_report(folder, output_dir / "report")

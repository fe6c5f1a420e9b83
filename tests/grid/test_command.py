"""The command line of a cell: parsed again, it is the same run."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from hf_ecg_bench.cli import sweeping
from hf_ecg_bench.cli.main import build_parser
from hf_ecg_bench.cli.run_options import run_spec
from hf_ecg_bench.grid.command import command_of
from hf_ecg_bench.training.spec import RunSpec

OUT = Path("/grid/with space/x")
RUNS = [
    RunSpec("s4", "synthetic", "scratch", OUT),
    RunSpec(
        "s4", "sph", "scratch", OUT, data="a b", protocol="published", fraction=1 / 3, seed=4, limit=64, n_resamples=9,
        overrides={"epochs": 3, "learning_rate": 1e-4, "schedule": "cosine", "gradient_checkpointing": True},
        model_options={"hidden_size": 8, "bidirectional": False, "name": "x"}, subset="published",
        preprocessing="original",
        evaluate_on=("georgia", "/data/x"), perturb=("all",),
    ),
    RunSpec("ecg_fm", "echonext", "finetune", OUT, overrides={"layer_factors": (1.0, 0.5, 0.1)}, accept_unit="z"),
    RunSpec("ecg_fm", "sph", "lora", OUT, overrides={"adapter_rank": 4}, merge_adapter=True),
    RunSpec("ecg_fm", "sph", "linear", OUT, overrides={"learning_rates": (1e-4, 1e-3), "features": "stored"}),
]  # fmt: skip


@pytest.mark.parametrize("run", RUNS, ids=[str(number) for number in range(len(RUNS))])
def test_round_trip(run):
    words = shlex.split(command_of(run))
    assert words[0] == "hf-ecg-bench"
    arguments = build_parser().parse_args(words[1:])
    (fraction,), (seed,) = sweeping.fractions(arguments.fraction), sweeping.seeds(arguments.seed)
    assert run_spec(arguments, fraction, seed) == run


def test_files_of_the_current_folder_are_no_modules(tmp_path, monkeypatch):
    from hf_ecg_bench.grid.launching import Launcher

    (tmp_path / "json.py").write_text("raise SystemExit('taken for a module')")
    monkeypatch.chdir(tmp_path)
    launcher = Launcher({}, warm=False)
    launcher.close()

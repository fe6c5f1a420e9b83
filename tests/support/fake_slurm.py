"""A SLURM of one node for tests: sbatch, srun, squeue, sacct, scancel and scontrol as files of a folder.

`install(folder)` writes the commands; put `folder/bin` on the PATH. A job is a line in `folder/queue/<id>` (an array
task `<id>_<n>`) from sbatch until its script has ended. Tasks of an array run one after the other; `afterany`
dependencies are waited for. `folder/hold` keeps everything pending; `folder/refuse` makes sbatch fail.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

_NAMES = ("sbatch", "srun", "squeue", "sacct", "scancel", "scontrol")


def install(folder: Path) -> Path:
    """Write the commands; returns the folder for the PATH."""
    commands = folder / "bin"
    commands.mkdir(parents=True)
    (folder / "queue").mkdir()
    for name in _NAMES:
        file = commands / name
        file.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{__file__}" "{folder}" {name} "$@"\n')
        file.chmod(0o755)
    return commands


def _sbatch(folder: Path, script: str) -> int:
    if (folder / "refuse").exists():
        print("sbatch: error: Batch job submission failed: Invalid account", file=sys.stderr)
        return 1
    number = str(len(list(folder.glob("*.sh"))) + 100)
    text = Path(script).read_text()
    (folder / f"{number}.sh").write_text(text)
    array = re.search(r"--array='?0-(\d+)", text)
    names = [f"{number}_{task}" for task in range(int(array[1]) + 1)] if array else [number]
    for name in names:
        (folder / "queue" / name).write_text("PENDING")
    words = [sys.executable, __file__, str(folder), "work", number, *names]
    subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    print(f"Submitted batch job {number}")
    return 0


def _work(folder: Path, number: str, *names: str) -> int:
    script = folder / f"{number}.sh"
    after = re.search(r"--dependency='?afterany:([\d:]+)", script.read_text())
    waited = after[1].split(":") if after else []
    while (folder / "hold").exists() or any(path.name.split("_")[0] in waited for path in (folder / "queue").iterdir()):
        time.sleep(0.05)
    for name in names:
        queued = folder / "queue" / name
        if not queued.exists():  # cancelled
            continue
        queued.write_text("RUNNING")
        array = {"SLURM_ARRAY_JOB_ID": number, "SLURM_ARRAY_TASK_ID": name.split("_")[1]} if "_" in name else {}
        place = {"SLURM_JOB_ID": number, "SLURM_NTASKS": "1", "SLURM_JOB_NUM_NODES": "1", "SLURM_NODEID": "0"}
        place |= {"SLURM_PROCID": "0", "SLURM_LOCALID": "0", "SLURM_JOB_NODELIST": "node1", "SLURM_CPUS_PER_TASK": "1"}
        with open(folder / f"{name}.out", "w") as out:
            subprocess.run(["bash", str(script)], env={**os.environ, **place, **array}, stdout=out, stderr=out)
        with open(folder / "order.txt", "a") as order:
            order.write(f"{name}\n")
        queued.unlink(missing_ok=True)
    return 0


def _srun(folder: Path, *words: str) -> int:
    rest = list(words)
    while rest and rest[0].startswith("--"):
        flag = rest.pop(0)
        if flag in ("--output", "--error"):
            rest.pop(0)
    return subprocess.run(rest).returncode


def _squeue(folder: Path, *words: str) -> int:
    for path in sorted((folder / "queue").iterdir()):
        print(path.name)
    return 0


def _sacct(folder: Path, *words: str) -> int:
    print("JobID|State|NodeList")
    for path in sorted((folder / "queue").iterdir()):
        print(f"{path.name}|{path.read_text()}|node1")
    return 0


def _scancel(folder: Path, name: str) -> int:
    for path in (folder / "queue").iterdir():
        if path.name == name or path.name.split("_")[0] == name:
            path.unlink()
    return 0


def _scontrol(folder: Path, *words: str) -> int:
    return 0


if __name__ == "__main__":
    sys.exit(globals()[f"_{sys.argv[2]}"](Path(sys.argv[1]), *sys.argv[3:]))

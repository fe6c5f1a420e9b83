"""The project as a whole: what the wheel holds, what an import costs, and what must not be in any file."""

from __future__ import annotations

import re
import shutil
import statistics
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

SOURCES = {"hf_ecg_bench": "", "dataset_scripts": "hf_ecg_bench/", "model_cards": "hf_ecg_bench/"}
PACKAGED = {".py", ".csv", ".json", ".j2", ".css", ".js", ".txt", ".md", ".typed"}
HEAVY = {
    "torch",
    "transformers",
    "datasets",
    "pandas",
    "huggingface_hub",
    "matplotlib",
    "scipy",
    "sklearn",
    "wfdb",
}


def packaged_files() -> set[str]:
    """What belongs into the wheel, by its name there."""
    found = set()
    for folder, prefix in SOURCES.items():
        for file in (ROOT / folder).rglob("*"):
            if file.suffix in PACKAGED and "__pycache__" not in file.parts:
                found.add(prefix + file.relative_to(ROOT).as_posix())
    return found


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy: setuptools would leave a `build` folder behind, and pack it up again."""
    copy = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    for folder in SOURCES:
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    command = [
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--no-isolation",
        "--outdir",
        str(copy / "dist"),
        str(copy),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return next((copy / "dist").glob("*.whl"))


def test_the_wheel_holds_builders_cards_and_every_module(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert names == packaged_files()
    assert "hf_ecg_bench/dataset_scripts/synthetic.py" in names
    assert "hf_ecg_bench/dataset_scripts/synthetic.md" in names
    assert "hf_ecg_bench/py.typed" in names


def test_the_wheel_works_without_the_checkout(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    code = (
        "import hf_ecg_bench as package; print(package.__file__);"
        "print(*package.list_datasets()); print(*package.list_models()); print(*package.list_tasks())"
    )
    done = run_python(code, cwd=tmp_path)
    location, datasets, models, tasks = done.splitlines()
    assert Path(location).is_relative_to(tmp_path)
    assert "synthetic" in datasets.split()
    assert "ptbxl" in datasets.split()
    assert "s4" in models.split()
    assert "ptbxl_super" in tasks.split()


def run_python(code: str, cwd: Path = ROOT) -> str:
    """Run code in a fresh interpreter that sees the package in `cwd` first; returns what it prints."""
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(cwd)!r}); {code}"],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("modules", "forbidden"),
    [
        (["hf_ecg_bench"], HEAVY | {"numpy", "pyarrow", "tqdm"}),
        (["hf_ecg_bench.signals"], HEAVY),
        (["hf_ecg_bench.evaluation"], HEAVY),
        (["hf_ecg_bench.tasks"], HEAVY),
        (["hf_ecg_bench.cli.main"], HEAVY),
        (
            ["hf_ecg_bench.results", "hf_ecg_bench.results.schema", "hf_ecg_bench.models.registry"],
            {"torch", "transformers"},
        ),
        (["hf_ecg_bench.hub"], {"torch", "transformers", "datasets", "huggingface_hub"}),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_light_imports(modules: list[str], forbidden: set[str]) -> None:
    loaded = set(run_python(f"import {', '.join(modules)}; print(*sys.modules)").split())
    assert not loaded & forbidden


def project_files() -> Iterator[Path]:
    """Every text file of the project, except data."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listing.returncode != 0:
        pytest.skip("not a git checkout: which files belong to the project is not known")
    for name in listing.stdout.splitlines():
        file = ROOT / name
        if file.is_file() and file.suffix not in (
            ".csv",
            ".json",
            ".npz",
            ".png",
            ".safetensors",
            ".parquet",
        ):
            yield file


def test_no_paths_of_one_machine() -> None:
    pattern = re.compile(r"(?<![\w.$}])/(?:home|Users|root|tmp|work|private|scratch|mnt)/\w")
    hits = [
        f"{file.relative_to(ROOT)}:{number}: {line.strip()}"
        for file in project_files()
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        if pattern.search(line)
    ]
    assert hits == []


def test_files_are_short() -> None:
    lengths = {file: len(file.read_text(encoding="utf-8").splitlines()) for file in project_files()}
    assert {str(file.relative_to(ROOT)): length for file, length in lengths.items() if length > 500} == {}
    package = [length for file, length in lengths.items() if file.suffix == ".py" and "tests" not in file.parts]
    assert statistics.median(package) < 150

"""A folder that can be pushed as a Gradio Space: the app of this package, and a snapshot of results."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import yaml

from hf_ecg_bench.errors import EcgBenchError
from hf_ecg_bench.files import write_text
from hf_ecg_bench.front_matter import split_front_matter
from hf_ecg_bench.leaderboard.gathering import Results
from hf_ecg_bench.leaderboard.snapshot import write_snapshot

SPACE = Path(__file__).resolve().parent / "space"
DATA = "data"
_KINDS = (".py", ".css", ".js", ".md", ".txt", ".svg")
#: What a repository that the Hub has just made, or a checkout of it, may hold.
_HARMLESS = {".git", ".gitattributes", ".gitignore", "README.md"}


def export_space(results: Results, folder: Path, *, repo_id: str | None = None, created: str | None = None) -> Path:
    """Write app and data into `folder`: an empty one, a checkout of a Gradio Space, or an earlier export.

    Args:
        repo_id: the dataset repository that the results came from, for the Space's front matter.
        created: as `write_snapshot`.

    Returns:
        `folder`.

    Raises:
        EcgBenchError: the folder holds something else.
    """
    _check_target(folder)
    files = space_files()
    write_snapshot(results, folder / DATA, created=created)
    written = set()
    for source in files:
        relative = source.relative_to(SPACE)
        text = source.read_text(encoding="utf-8")
        write_text(folder / relative, with_datasets(text, repo_id) if relative == Path("README.md") else text)
        written.add(folder / relative)
    # Modules of an earlier version would be imported by nobody, but confuse whoever reads the folder.
    for stale in set((folder / "board").rglob("*")) - written:
        if stale.is_file():
            stale.unlink()
    shutil.rmtree(folder / "board" / "__pycache__", ignore_errors=True)
    return folder


def space_files() -> list[Path]:
    """The files of the app in this package.

    Raises:
        EcgBenchError: the package was built or copied without some of them.
    """
    found = [path for path in SPACE.rglob("*") if path.suffix in _KINDS and "__pycache__" not in path.parts]
    missing = {"README.md", "requirements.txt", "app.py", "board"} - {
        path.relative_to(SPACE).parts[0] for path in found
    }
    if missing:
        raise EcgBenchError(
            f"{SPACE}: this installation lacks {', '.join(sorted(missing))} of the leaderboard's app",
            fix="pip install --force-reinstall hf-ecg-bench",
        )
    return sorted(path for path in found if path != SPACE / "__init__.py")


def with_datasets(readme: str, repo_id: str | None) -> str:
    """The README with the repository that the numbers came from, or with none, in its front matter."""
    head, body = split_front_matter(readme)
    head.pop("datasets", None)
    if repo_id is not None:
        head["datasets"] = [repo_id]
    return f"---\n{yaml.safe_dump(head, sort_keys=False, allow_unicode=True)}---\n{body}"


def _check_target(folder: Path) -> None:
    if not folder.exists():
        return
    inside = {path.name for path in folder.iterdir()} if folder.is_dir() else {"a file"}
    if not inside - {".git", ".gitattributes", ".gitignore"}:
        return
    readme = folder / "README.md"
    is_space = readme.is_file() and _head(readme).get("sdk") == "gradio"
    exported = (folder / "board" / "snapshot.py").is_file() and (folder / "app.py").is_file()
    if not is_space or not (exported or inside <= _HARMLESS):
        raise EcgBenchError(
            f"{folder}: expected an empty folder, the checkout of a new Gradio Space or an earlier export, "
            "found something else",
            fix="--export-space with a folder of its own",
        )


def _head(readme: Path) -> dict[str, Any]:
    """A README's front matter; none where it is not to be read: then the folder is somebody else's."""
    try:
        return split_front_matter(readme.read_text(encoding="utf-8", errors="replace"))[0]
    except ValueError:
        return {}

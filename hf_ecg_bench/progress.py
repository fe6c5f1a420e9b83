"""Progress bars on stderr for work that takes longer than two seconds."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import Any

from tqdm import tqdm


def progress(
    iterable: Iterable[Any] | None = None,
    *,
    total: int | None = None,
    initial: int = 0,
    desc: str = "",
    unit: str = "it",
    unit_scale: bool = False,
) -> Any:
    """A tqdm bar that appears only after two seconds, on stderr, and leaves no trace when it is done.

    Off when stderr is not a terminal, or with HF_ECG_BENCH_NO_PROGRESS=1.
    """
    off = os.environ.get("HF_ECG_BENCH_NO_PROGRESS") == "1" or not sys.stderr.isatty()
    return tqdm(
        iterable,
        total=total,
        initial=initial,
        desc=desc,
        unit=unit,
        unit_scale=unit_scale,
        delay=2,
        leave=False,
        disable=off,
        file=sys.stderr,
    )


def quiet_libraries() -> None:
    """Keep the Hugging Face libraries' own chatter and per-file bars off the terminal; errors still show."""
    import datasets
    from huggingface_hub import utils as hub_utils
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    datasets.disable_progress_bars()
    hub_utils.disable_progress_bars()  # type: ignore[attr-defined]

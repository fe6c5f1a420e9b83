"""The lines on a converted model's card work as they stand there, once the folder is where they look for it."""

from __future__ import annotations

import re

import pytest
import torch

from hf_ecg_bench.models.convert import convert
from tests.embedding.wfdb_files import ecg, write
from tests.models.small_founder import FILE


@pytest.mark.parametrize("preprocessing", ["paper", "original"])
def test_the_lines_on_a_card(founder, tmp_path, preprocessing):
    write(tmp_path / "records" / "00001_hr", ecg())
    folder = tmp_path / "ecg-bench" / "ecg-founder"  # what the card calls it, below the working directory
    convert("ecg_founder", tmp_path / FILE, folder, preprocessing=preprocessing)
    card = (folder / "README.md").read_text(encoding="utf-8")
    names: dict = {}
    for code in re.findall(r"```python\n(.*?)```", card, re.DOTALL):
        exec(code, names)  # noqa: S102  our own lines
    windows, width = names["outputs"].shape
    assert (windows, width) == (1 if preprocessing == "original" else 4, names["model"].config.hidden_size)
    assert names["extractor"].preprocessing == preprocessing
    assert torch.isfinite(names["outputs"]).all()

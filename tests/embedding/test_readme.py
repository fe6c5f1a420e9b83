"""The README's lines for a user's own record work as they stand there."""

from __future__ import annotations

import re

from tests.conftest import ROOT
from tests.embedding.wfdb_files import ecg, write


def test_the_three_lines(founder, tmp_path):
    write(tmp_path / "records" / "00001_hr", ecg())
    section = (ROOT / "README.md").read_text(encoding="utf-8").split("## Use a model")[1]
    code = re.search(r"```python\n(.*?)```", section, re.DOTALL)
    assert code is not None
    names: dict = {}
    exec(code[1], names)  # noqa: S102  our own lines
    assert names["vector"].shape == (names["embedder"].width,)

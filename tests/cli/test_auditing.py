"""`audit` as a user meets it."""

from __future__ import annotations

import json

from hf_ecg_bench.cli.main import main


def test_everything(capsys) -> None:
    assert main(["audit"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("728 published rows")
    assert "111 do not hold what their column says" in out
    assert "DO NOT USE: hubert_ecg: finetune repeats linear to six digits on 11 tasks" in out
    assert "looked for, among all rows, and found in order" in out
    assert "NOT IN ORDER" not in out
    assert "test records 159, same corpus 6, unknown 87, none 476" in out
    assert max(map(len, out.splitlines())) <= 120


def test_one_model_and_task(capsys) -> None:
    assert main(["audit", "--model", "st_mem", "--task", "ptbxl_super"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("3 published rows")
    assert "head-only-st_mem" in out
    assert "hubert" not in out
    assert "st_mem on ptbxl_super: 0.9234 [0.9165, 0.9309]" in out


def test_json(capsys) -> None:
    assert main(["audit", "--task", "echonext", "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert len(content["rows"]) == 26
    assert {row["task"] for row in content["rows"]} == {"echonext"}
    assert all(finding["evidence"] for finding in content["findings"])
    assert {check["in_order"] for check in content["checks"]} == {True}


def test_wrong_names(capsys) -> None:
    assert main(["audit", "--model", "st_men"]) == 2
    assert "did you mean 'st_mem'" in capsys.readouterr().err
    assert main(["audit", "--task", "ptbxl_supper"]) == 2
    assert "did you mean 'ptbxl_super'" in capsys.readouterr().err

"""What is taken out of a result before anybody else sees it, and what is left alone."""

from __future__ import annotations

import pytest

from hf_ecg_bench.hub.results.scrubbing import describe, scrub, scrub_text


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("/nfs/anna/ecg/data", "[path]/data"),
        ("/nfs/anna/ecg-bench/ptbxl", "ecg-bench/ptbxl"),
        ("run --data /Volumes/anna/x/y --epochs 3", "run --data [path]/y --epochs 3"),
        ("run --data '/Volumes/anna berg/x y' --epochs 3", "run --data '[path]/x y' --epochs 3"),
        (r"run --data /Volumes/anna\ berg/x/y", "run --data [path]/y"),
        (r"C:\Users\anna\runs\s4", "[path]/s4"),
        (r"\\server\share\anna", "[path]/anna"),
        ("file:///nfs/anna/x.ckpt", "[path]/x.ckpt"),
        ("data=/srv/anna/x", "data=[path]/x"),
        ("by anna.berg@clinic.example.org", "by [mail]"),
        ("--token hf_abcdefghijklmnop", "--token [token]"),
        ("HF_TOKEN=hf_abcdefghijklmnop x", "HF_TOKEN=[token] x"),
        ("--hub-token somethingelse", "--hub-token [token]"),
        ("Authorization: Bearer abc.def", "Authorization: Bearer [token]"),
        ("https://me:secret@host.org/x/y", "https://[token]@host.org/x/y"),
        ("ghp_abcdefghijklmnopqrstuv", "[token]"),
        ("on gpu-node-17.", "on [host]."),
        ("in ~me", "in ~me"),
    ],
)
def test_private_texts(text: str, clean: str) -> None:
    found, what = scrub_text(text, {"gpu-node-17": "host"})
    assert found == clean
    assert bool(what) == (text != clean)


@pytest.mark.parametrize(
    "text",
    [
        "ecg-bench/ptbxl", "runs/s4/model", "https://huggingface.co/datasets/ecg-bench/results", "1/min", "mg/dl",
        "12 leads (I, II), 500 Hz -> 100 Hz", "hf_ecg_bench.results", "/sys/class/powercap is not readable", "p < 0.05",
        "macro AUROC +/- 0.01", "tokens of width 512", "and/or", "2.13.0+cpu", "AdamW, betas 0.9 and 0.999",
    ],
)  # fmt: skip
def test_other_texts_stay(text: str) -> None:
    assert scrub_text(text, {"gpu-node-17": "host"}) == (text, [])


def test_everywhere_in_a_value() -> None:
    value = {
        "a": [{"b": "/nfs/anna/x"}],
        "hostname": "node",
        "user": "",
        "n": 1,
        "t": "SECRET/SECRET",
        "/nfs/a/b": None,
    }
    clean, found = scrub(value, {"SECRET": "token"})
    assert clean == {
        "a": [{"b": "[path]/x"}], "hostname": "[private]", "user": "", "n": 1, "t": "[token]/[token]", "[path]/b": None
    }  # fmt: skip
    assert value["a"] == [{"b": "/nfs/anna/x"}], "the original stays as it is"
    assert describe(found) == "1 host (hostname), 2 paths (, a.b), 2 tokens (t)"
    assert describe([]) == ""
    assert scrub(clean, {"SECRET": "token"})[0] == clean, "a second time takes nothing more"

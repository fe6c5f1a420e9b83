"""Prepared datasets on the Hub: read by id, and a clear error where there is none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import HfApi

from hf_ecg_bench.data.load import load_prepared
from hf_ecg_bench.data.prepare import prepare
from hf_ecg_bench.errors import DataError
from tests.data.ptbxl_tree import PtbXlTree


def test_from_the_hub(tree: PtbXlTree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hub: Any) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    api = HfApi()
    if api.repo_exists("ecg-bench/ptbxl", repo_type="dataset"):
        api.delete_repo("ecg-bench/ptbxl", repo_type="dataset")
    with pytest.raises(DataError, match=r"ptbxl: no folder ./ecg-bench/ptbxl, and the Hub did not give") as caught:
        load_prepared("ptbxl")
    assert caught.value.fix == "hf-ecg-bench prepare ptbxl --raw-dir FOLDER --output-dir ecg-bench/ptbxl"
    prepare("ptbxl", raw_dir=tree.root, output_dir=tmp_path / "out")
    api.create_repo("ecg-bench/ptbxl", repo_type="dataset")
    api.upload_folder(repo_id="ecg-bench/ptbxl", repo_type="dataset", folder_path=tmp_path / "out")
    try:
        remote, local = load_prepared("ptbxl"), load_prepared(tmp_path / "out")
        assert remote.source == "ecg-bench/ptbxl"
        assert remote.info == local.info
        assert remote.splits["test"][0] == local.splits["test"][0]
    finally:
        api.delete_repo("ecg-bench/ptbxl", repo_type="dataset")

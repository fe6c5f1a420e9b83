"""CODE-test: the fixture, the real tables, and the order of the leads."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from hf_ecg_bench.data.ledger import Ledger
from hf_ecg_bench.data.load import load_prepared
from hf_ecg_bench.data.prepare import prepare
from hf_ecg_bench.data.registry import get_builder, get_dataset_spec
from hf_ecg_bench.data.sources.code.test_set import ANNOTATORS, ORDERS, lead_order
from hf_ecg_bench.data.sources.code.tracings import open_tracings
from hf_ecg_bench.data.sources.example.signals import example_ecg
from hf_ecg_bench.errors import DataError
from tests.data.sources.built import rows_in

# Positives in the gold standard of the release.
GOLD = {"1AVB": 28, "RBBB": 34, "LBBB": 30, "SBRAD": 16, "AFIB": 13, "STACH": 37}
COLUMNS = {"1AVB": "1dAVb", "RBBB": "RBBB", "LBBB": "LBBB", "SBRAD": "SB", "AFIB": "AF", "STACH": "ST"}


@pytest.mark.shared
def test_fixture(shared: Path, tmp_path: Path) -> None:
    fixture = shared / "fixtures" / "code_test"
    expected = json.loads((fixture / "expected.json").read_text())
    ledger = prepare("code_test", raw_dir=fixture / "raw", output_dir=tmp_path / "out")
    assert (ledger.found, ledger.kept, ledger.defects) == (24, 24, {})
    prepared = load_prepared(tmp_path / "out")
    assert prepared.info["label_columns"]["labels"] == expected["label_names"]
    rows = rows_in(tmp_path / "out")
    assert list(rows) == list(expected["records"])
    signals = np.load(fixture / "signals.npz")
    least = get_dataset_spec("code_test").min_seconds * 400
    for record_id, facts in expected["records"].items():
        row = rows[record_id]
        assert (row["age"], row["sex"], row["split"]) == (facts["age"], facts["sex"], "test")
        assert sorted(row["labels"]) == sorted(facts["labels"])
        assert len(row["signal"]) == facts["data_length"]
        assert (len(row["signal"]) >= least) == facts["kept"]
        if f"{record_id}/signal" in signals:
            np.testing.assert_allclose(row["signal"], signals[f"{record_id}/signal"], atol=1e-6)
    # Both rules of trimming are the same for zeros in equal numbers at both ends.
    published = prepare(
        "code_test", raw_dir=fixture / "raw", output_dir=tmp_path / "published", options={"protocol": "published"}
    )
    assert published.digests == ledger.digests


@pytest.mark.shared
def test_real_tables(shared: Path, tmp_path: Path) -> None:
    raw = shared / "data" / "code_test"
    ledger = prepare("code_test", raw_dir=raw, output_dir=tmp_path / "out", metadata_only=True, strict=True)
    assert (ledger.found, ledger.kept) == (827, 827)
    assert ledger.splits["test"]["labels"]["labels"] == GOLD
    rows = load_prepared(tmp_path / "out").splits["test"]
    assert "signal" not in rows.column_names
    for column, name in [("labels", "gold_standard"), *((f"annotations_{name}", name) for name in ANNOTATORS)]:
        with open(raw / "annotations" / f"{name}.csv", newline="") as handle:
            table = [[label for label, own in COLUMNS.items() if row[own] == "1"] for row in csv.DictReader(handle)]
        found = rows[column]
        if column == "labels":
            found = [[rows.features["labels"].feature.int2str(index) for index in labels] for labels in found]
        assert list(found) == table
    with pytest.raises(DataError, match=r"no ecg_tracings.hdf5 in .*: the signals are missing"):
        prepare("code_test", raw_dir=raw, output_dir=tmp_path / "whole")


def test_order_of_the_leads_is_found_from_the_signals(tmp_path: Path) -> None:
    canonical = np.stack([example_ecg(seed, 4096, 400) / np.float32(1000) for seed in range(4)])
    for name, order in ORDERS.items():
        # A record without signal and one with missing samples tell nothing.
        stored = np.concatenate([canonical[:, :, np.argsort(order)], np.zeros((1, 4096, 12), np.float32)])
        stored[1, 5] = np.nan
        with h5py.File(tmp_path / f"{name}.hdf5", "w") as file:
            file["tracings"] = stored.astype(np.float32)
        with open_tracings(tmp_path / f"{name}.hdf5") as data:
            assert lead_order(data, Ledger("code_test")) == name
            np.testing.assert_array_equal(data.row(0)[:, order], canonical[0].astype(np.float32))


def test_both_stored_orders_give_the_same_rows(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    raw.mkdir()
    get_builder("code_test").example(str(raw), 6)
    ledgers = []
    for number in range(2):
        ledgers.append(prepare("code_test", raw_dir=raw, output_dir=tmp_path / f"out{number}"))
        with h5py.File(raw / "ecg_tracings.hdf5", "r+") as file:
            file["tracings"][()] = file["tracings"][()][:, :, ORDERS["I II III aVL aVF aVR"]]
    assert ledgers[0].digests == ledgers[1].digests
    assert ledgers[0].notes != ledgers[1].notes
    assert ledgers[0].splits["test"]["labels"]["labels"] == dict.fromkeys(GOLD, 1)


def test_an_unpacked_archive_and_missing_annotators(tmp_path: Path) -> None:
    folder = tmp_path / "raw" / "data"
    folder.mkdir(parents=True)
    get_builder("code_test").example(str(folder), 3)
    (folder / "annotations" / "dnn.csv").unlink()
    ledger = prepare("code_test", raw_dir=tmp_path / "raw", output_dir=tmp_path / "out")
    assert any("no annotations/dnn.csv" in note for note in ledger.notes)
    rows = load_prepared(tmp_path / "out").splits["test"]
    assert list(rows["annotations_dnn"]) == [None] * 3
    assert list(rows["annotations_cardiologist1"]) == [["1AVB"], ["RBBB"], ["LBBB"]]
    assert list(rows["patient_id"]) == [None] * 3
    assert list(rows["strat_fold"]) == [-1] * 3

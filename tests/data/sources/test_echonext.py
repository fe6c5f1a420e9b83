"""EchoNext against the reference's fixture and on made-up trees; no real record may be here."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hf_ecg_bench.data.load import load_prepared
from hf_ecg_bench.data.prepare import prepare
from hf_ecg_bench.data.registry import get_builder, get_dataset_spec
from hf_ecg_bench.data.sources.echonext.index import TABULAR
from hf_ecg_bench.data.sources.echonext.metadata import METADATA, flag_names
from hf_ecg_bench.errors import DataError
from hf_ecg_bench.signals.resampling import resample
from tests.data.sources.built import rows_in

SPLITS = {"train": "train", "validation": "val", "test": "test"}


def build(raw: Path, out: Path, *, metadata_only: bool = False, **options: str) -> dict[str, dict[str, Any]]:
    prepare("echonext", raw_dir=raw, output_dir=out, options=options, metadata_only=metadata_only)
    return rows_in(out)


def read_rows(path: Path) -> list[dict[str, str]]:
    with open(path, newline="") as handle:
        return list(csv.DictReader(handle))


def write_rows(path: Path, rows: list[dict[str, str]]) -> None:
    with open(path, "w", newline="") as handle:
        writer = csv.DictWriter(handle, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    raw = tmp_path / "raw"
    raw.mkdir()
    get_builder("echonext").example(str(raw), 24)
    return raw


@pytest.mark.shared
@pytest.mark.parametrize("metadata_only", [False, True])
def test_fixture_equals_the_reference(shared: Path, tmp_path: Path, metadata_only: bool) -> None:
    fixture = shared / "fixtures" / "echonext"
    expected = json.loads((fixture / "expected.json").read_text())
    rows = build(fixture / "raw", tmp_path / "out", metadata_only=metadata_only, n_folds="10")
    unused = {record_id for record_id, facts in expected["records"].items() if facts["split"] == "no_split"}
    assert rows.keys() == expected["records"].keys() - unused
    prepared = load_prepared(tmp_path / "out")
    entries = prepared.info["ledger"]["excluded"]["not used: in no split (no_split)"]
    assert {entry[0] for entry in entries} == unused
    signals = np.load(fixture / "signals.npz")
    names = flag_names()
    for record_id, row in rows.items():
        facts = expected["records"][record_id]
        assert row["strat_fold"] == facts["strat_fold"]
        assert row["labels"] == [names[index] for index in sorted(facts["label"])]
        assert (row["patient_id"], row["age"], row["sex"]) == (
            facts["patient_key"],
            facts["age_at_ecg"],
            facts["sex"],
        )
        assert SPLITS[row["split"]] == facts["split"]
        if f"{record_id}/signal" in signals and not metadata_only:
            np.testing.assert_allclose(row["signal"], signals[f"{record_id}/signal"], atol=1e-6)
            for rate in (100, 240, 500):
                window = resample(row["signal"][:600], 250, rate)
                np.testing.assert_allclose(window, signals[f"{record_id}/first2.4s@{rate}"], atol=1e-5)
    task = expected["tasks"]["echonext"]
    assert prepared.info["label_columns"]["labels"] == task["label_names"]
    used = {key: {"split": SPLITS[row["split"]], "labels": sorted(row["labels"])} for key, row in rows.items()}
    assert used == {
        key: {"split": facts["split"], "labels": sorted(facts["labels"])} for key, facts in task["records"].items()
    }
    if not metadata_only:
        # The reference's statistics are those of all records, the unused ones included.
        unused_waves = np.load(fixture / "raw" / "EchoNext_no_split_waveforms.npy")[:, 0].astype(np.float32)
        stored = [*(row["signal"] for row in rows.values()), *unused_waves]
        for name, value in (("mean", np.mean), ("std", np.std)):
            ours = np.mean([value(signal, axis=0, dtype=np.float64) for signal in stored], axis=0)
            np.testing.assert_allclose(ours, expected["stats"][name], atol=1e-6)
    # The arrays belong to the rows of their split, one by one.
    table = read_rows(fixture / "raw" / "EchoNext_metadata_100k.csv")
    for split in ("train", "val", "test"):
        features = np.load(fixture / "raw" / f"EchoNext_{split}_tabular_features.npy")
        for values, own in zip(features, [row for row in table if row["split"] == split], strict=True):
            row = rows[own["ecg_key"]]
            assert [row[f"tabular_{name}"] for name in TABULAR] == values.tolist()
            if split == "test":
                assert row["measured"][0] == (own["lvef_value"] != "" or own["lvef_lte_45_flag"] == "1")


def test_order_of_the_table_does_not_matter_between_splits(tree: Path, tmp_path: Path) -> None:
    """Q11: the reference walks table and arrays by position over all splits, which is wrong unless it is grouped."""
    before = build(tree, tmp_path / "before")
    rows = read_rows(tree / METADATA)
    rows.sort(key=lambda row: ("test", "no_split", "train", "val").index(row["split"]))
    write_rows(tree / METADATA, rows)
    after = build(tree, tmp_path / "after")
    assert before.keys() == after.keys()
    for key, row in before.items():
        np.testing.assert_array_equal(row["signal"], after[key]["signal"])
        assert row["strat_fold"] == after[key]["strat_fold"]
        assert row["tabular_age"] == after[key]["tabular_age"]


def test_both_spellings_of_the_table(tree: Path, tmp_path: Path) -> None:
    before = build(tree, tmp_path / "before")
    (tree / METADATA).rename(tree / "EchoNext_metadata_100k.csv")
    assert build(tree, tmp_path / "after").keys() == before.keys()
    (tree / METADATA).write_bytes((tree / "EchoNext_metadata_100k.csv").read_bytes())
    with pytest.raises(DataError, match="expected one of them"):
        build(tree, tmp_path / "both")


def test_measured_tells_negative_from_not_measured(tree: Path, tmp_path: Path) -> None:
    """Q12: a flag is 0 also where nothing was measured."""
    rows = read_rows(tree / METADATA)
    own = rows[0]
    own |= {"lvef_lte_45_flag": "0", "lvef_value": "", "ivs_measurement": "", "lvpw_measurement": "1.1"}
    own |= {"lvwt_gte_13_flag": "0", "pasp_gte_45_flag": "1", "pasp_value": "", "tr_max_gte_32_flag": ""}
    write_rows(tree / METADATA, rows)
    built = build(tree, tmp_path / "out")[own["ecg_key"]]
    assert built["labels"] == ["pasp_gte_45_flag"]
    measured = dict(zip(flag_names(), built["measured"], strict=True))
    assert (measured["lvef_lte_45_flag"], measured["lvwt_gte_13_flag"]) == (False, True)
    # Without a measurement a flag is not set, so one that is set was measured; an empty flag was not.
    assert (measured["pasp_gte_45_flag"], measured["tr_max_gte_32_flag"]) == (True, False)
    for row in rows:
        del row["lvef_value"]
    rows[0]["lvef_lte_45_flag"], rows[1]["lvef_lte_45_flag"] = "0", "1"
    write_rows(tree / METADATA, rows)
    again = build(tree, tmp_path / "again")
    assert again[rows[0]["ecg_key"]]["measured"][0] is None
    assert again[rows[1]["ecg_key"]]["measured"][0]


def test_half_precision_gives_the_same_rows(tree: Path, tmp_path: Path) -> None:
    for split in ("train", "val", "test"):
        path = tree / f"EchoNext_{split}_waveforms.npy"
        np.save(path, np.load(path).astype(np.float16).astype(np.float32))
    full = prepare("echonext", raw_dir=tree, output_dir=tmp_path / "full")
    for split in ("train", "val", "test"):
        path = tree / f"EchoNext_{split}_waveforms.npy"
        np.save(path, np.load(path).astype(np.float16))
    (tree / "EchoNext_no_split_waveforms.npy").unlink()
    assert prepare("echonext", raw_dir=tree, output_dir=tmp_path / "half", strict=True).digests == full.digests


def test_golden_numbers_of_the_example(tree: Path, tmp_path: Path) -> None:
    rows = build(tree, tmp_path / "out")
    assert [len([row for row in rows.values() if row["split"] == split]) for split in SPLITS] == [18, 2, 2]
    folds = [rows[str(100_000 - 3 * number)]["strat_fold"] for number in (0, 1, 2, 3, 6, 7, 10, 11)]
    assert folds == [0, 0, 4, 4, 8, 9, 2, 2]
    assert {row["strat_fold"] for row in rows.values() if row["split"] == "validation"} == {8}
    few = build(tree, tmp_path / "few", n_folds="4", stratify_seed="1")
    assert {row["strat_fold"] for row in few.values()} == {0, 1, 2, 3}


def test_restricted() -> None:
    spec = get_dataset_spec("echonext")
    assert (spec.access, spec.unit, spec.origins) == ("restricted", "z", ())
    assert "physionet.org" in spec.access_steps

"""SPH against the reference's fixture, against its complete table, and rule by rule on made-up records."""

from __future__ import annotations

import csv
import json
import shutil
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np
import pytest

from hf_ecg_bench.data.ledger import Ledger
from hf_ecg_bench.data.load import load_prepared
from hf_ecg_bench.data.prepare import prepare
from hf_ecg_bench.data.sources.sph.authors_split import authors_split
from hf_ecg_bench.data.sources.sph.example import write_example
from hf_ecg_bench.data.sources.sph.signals import read_sph
from hf_ecg_bench.data.sources.sph.tables import index_sph, known_codes, published_codes, split_statements
from hf_ecg_bench.data.vocabulary import read_label_table
from hf_ecg_bench.errors import DataError
from hf_ecg_bench.signals.resampling import resample
from tests.data.sources.built import rows_in

GOLDEN_FOLDS = [3, 2, 2, 4, 4, 6, 2, 8, 3, 6, 5, 6]
EXAMPLE_FOLDS = [5, 0, 4, 6, 7, 2, 9, 3, 1, 1, 8, 5, 9, 8, 0, 2, 3, 7, 6, 6, 4, 7, 9, 8, 0, 2, 3, 4, 5, 5]
EXAMPLE_TEST = [8, 9, 18, 19, 28, 29]
SPLITS = {"train": "train", "validation": "val", "test": "test"}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty made-up records; not to be changed."""
    root = tmp_path_factory.mktemp("sph")
    write_example(str(root), 30)
    return root


# --- against the reference ---


@pytest.mark.shared
@pytest.mark.parametrize("min_count", [None, 10, 3])
def test_fixture_equals_the_reference(shared: Path, tmp_path: Path, min_count: int | None) -> None:
    fixture = shared / "fixtures" / "sph"
    expected = json.loads((fixture / "expected.json").read_text())
    params = expected["params"]
    options = {name: str(params[name]) for name in ("n_folds", "stratify_seed", "orig_fold_seed")}
    if min_count is not None:
        options |= {"splits": "largest_folds", "min_cnt": str(min_count)}
    ledger = prepare("sph", raw_dir=fixture / "raw", output_dir=tmp_path / "out", options=options, strict=True)
    assert ledger.found == ledger.kept == len(expected["records"])
    prepared = load_prepared(tmp_path / "out")
    rows = rows_in(tmp_path / "out")
    assert rows.keys() == expected["records"].keys()
    signals = np.load(fixture / "signals.npz")
    windows = 0
    for record_id, record in expected["records"].items():
        row = rows[record_id]
        assert (row["patient_id"], row["strat_fold"]) == (record["patient_id"], record["strat_fold"])
        assert row["sex"] == {"F": "female", "M": "male"}[record["sex"]]
        assert row["age"] == record["age"]
        assert list(row["statements"]) == record["label_primary_w_mod"]
        assert row["orig_split"] == ("test" if record["orig_fold"] else "train")
        assert row["signal"].shape == (record["data_length"], 12)
        if f"{record_id}/signal" in signals:
            np.testing.assert_array_equal(row["signal"], signals[f"{record_id}/signal"])
        for key in signals.files:
            if key.startswith(f"{record_id}/first2.4s@"):
                rate = int(key.split("@")[1])
                window = resample(row["signal"][: int(2.4 * 500)], 500, rate)
                np.testing.assert_allclose(window, signals[key], atol=1e-5)
                windows += 1
        if min_count is None:
            assert row["labels"] == sorted(set(record["label_primary"]))
    assert windows
    for facts in {None: {}, 10: expected["tasks"], 3: expected["tasks_min_cnt_3"]}[min_count].values():
        assert prepared.info["label_columns"]["labels"] == facts["label_names"]
        assert facts["records"].keys() == rows.keys()
        for record_id, record in facts["records"].items():
            row = rows[record_id]
            assert (row["labels"], row["strat_fold"]) == (record["labels"], record["fold"])
            assert SPLITS[row["split"]] == record["split"]


@pytest.mark.shared
def test_complete_table(shared: Path) -> None:
    """All 25,770 records: label lists, folds and the authors' split, from the table alone."""
    start = time.perf_counter()
    ledger = Ledger("sph", strict=True)
    index = index_sph(str(shared / "data" / "sph"), ledger, min_count=10, metadata_only=True)
    assert time.perf_counter() - start < 10  # 0.5 s on a quiet machine
    assert (ledger.found, len(index), len(set(index.patient_id))) == (25_770, 25_770, 24_666)
    # Counted on the table, the labels are the published ones, with their published counts.
    assert index.label_names["labels"] == published_codes()
    counts = Counter(label for labels in index.labels["labels"] for label in set(labels))
    published = {row["code"]: int(row["records"]) for row in read_label_table("sph") if row["in_benchmark"] == "1"}
    assert counts == published
    # Folds: equal sizes, whole patients, and each statement spread evenly.
    assert set(Counter(index.strat_fold).values()) == {2577}
    fold_of = dict(zip(index.patient_id, index.strat_fold, strict=True))
    assert [fold_of[patient] for patient in index.patient_id] == index.strat_fold
    statements = Counter(statement for own in index.extra["statements"] for statement in own)
    for fold in range(10):
        rows = [row for row, own in enumerate(index.strat_fold) if own == fold]
        found = Counter(statement for row in rows for statement in index.extra["statements"][row])
        for statement, count in statements.items():
            assert abs(found[statement] - count / 10) <= max(3.2, 0.01 * count), (fold, statement)
    assert index.strat_fold[:12] == GOLDEN_FOLDS
    assert Counter(index.extra["orig_split"]) == {"train": 20_616, "test": 5_154}
    repeated = {patient for patient, count in Counter(index.patient_id).items() if count > 1}
    splits = zip(index.patient_id, index.extra["orig_split"], strict=True)
    assert {split for patient, split in splits if patient in repeated} == {"test"}


@pytest.mark.shared
def test_published_code_tables_are_the_release_s(shared: Path) -> None:
    with open(shared / "data" / "sph" / "code.csv", newline="") as handle:
        rows = list(csv.DictReader(handle))
    primary, modifiers = known_codes()
    assert primary == {row["Code"] for row in rows if row["Category"] != "Modifier"}
    assert modifiers == {row["Code"] for row in rows if row["Category"] == "Modifier"}


# --- on made-up records ---


def test_golden_numbers_of_the_example(tree: Path) -> None:
    index = index_sph(str(tree), Ledger("sph", strict=True))
    assert index.strat_fold == EXAMPLE_FOLDS
    assert [row for row, split in enumerate(index.extra["orig_split"]) if split == "test"] == EXAMPLE_TEST
    assert index.samples is not None
    assert index.samples[:4] == [5000, 5000, 5000, 6000]


def test_codes_are_text_in_text_order() -> None:
    names = published_codes()
    assert len(names) == 35
    assert names[:4] == ("1", "101", "104", "105")
    assert names[-1] == "88"
    assert list(names) == sorted(names)


def test_lost_modifiers_are_kept_beside_the_labels(tree: Path) -> None:
    index = index_sph(str(tree), Ledger("sph"))
    assert index.extra["statements"][0] == ["1", "60+310"]
    assert index.labels["labels"][0] == ["1", "60"]
    assert split_statements(" 60+310;1 ;1;") == ["60+310", "1", "1"]


def test_folds_depend_on_the_table_alone(tree: Path, tmp_path: Path) -> None:
    folds = index_sph(str(tree), Ledger("sph")).strat_fold
    shutil.copy(tree / "metadata.csv", tmp_path)
    assert index_sph(str(tmp_path), Ledger("sph"), metadata_only=True).strat_fold == folds
    assert index_sph(str(tree), Ledger("sph"), stratify_seed=1).strat_fold != folds
    assert set(index_sph(str(tree), Ledger("sph"), n_folds=5).strat_fold) == set(range(5))


def test_modifiers_count_for_folds(tmp_path: Path) -> None:
    def folds(statements: Sequence[str]) -> list[int]:
        rows = [f"A{n},{code},S{n:02d},50,M,5000" for n, code in enumerate(statements)]
        (tmp_path / "metadata.csv").write_text("\n".join(["ECG_ID,AHA_Code,Patient_ID,Age,Sex,N", *rows]) + "\n")
        return index_sph(str(tmp_path), Ledger("sph", strict=True), metadata_only=True).strat_fold

    mixed = folds(["160+332", "160+330"] * 10)
    assert sorted(mixed[::2]) == sorted(mixed[1::2]) == list(range(10)), "each kind of infarction once in each fold"
    assert mixed != folds(["160"] * 20)


def test_a_patient_s_records_share_a_fold(tree: Path) -> None:
    index = index_sph(str(tree), Ledger("sph"))
    assert index.patient_id[9] == index.patient_id[8]
    assert index.strat_fold[9] == index.strat_fold[8]


def test_signal_equals_an_independent_reading(tree: Path) -> None:
    index = index_sph(str(tree), Ledger("sph"))
    for reference in index.references[:8]:
        signal = read_sph(reference, Ledger("sph", strict=True))
        with h5py.File(reference[1]) as file:
            np.testing.assert_array_equal(signal, np.asarray(file["ecg"]).T.astype(np.float32))
        assert signal.dtype == np.float32
        assert signal.flags.c_contiguous
        assert len(signal) == reference[2]


def test_authors_split() -> None:
    patients = [f"S{number}" for number in range(40)] + ["S3", "S3", "S5"]
    split = authors_split(patients, 73)
    assert split.count("test") == int(0.2 * 43)
    assert all(own == "test" for patient, own in zip(patients, split, strict=True) if patient in ("S3", "S5"))
    assert split != authors_split(patients, 74)
    # More repeated patients than a fifth of the records: nothing is drawn.
    assert authors_split(["a", "a", "b"], 73) == ["test", "test", "train"]


@pytest.mark.parametrize("option", [{"n_folds": "2"}, {"stratify_seed": "-1"}, {"orig_fold_seed": "4294967296"}])
def test_impossible_options_are_named(tree: Path, tmp_path: Path, option: dict[str, str]) -> None:
    with pytest.raises(DataError, match=f"option {next(iter(option))}="):
        prepare("sph", raw_dir=tree, output_dir=tmp_path / "out", options=option)

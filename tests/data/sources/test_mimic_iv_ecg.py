"""MIMIC-IV-ECG against the reference's fixture, and rule by rule on made-up tables."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hf_ecg_bench.data.ledger import Ledger
from hf_ecg_bench.data.prepare import prepare
from hf_ecg_bench.data.records import RecordIndex
from hf_ecg_bench.data.registry import get_builder
from hf_ecg_bench.data.sources.mimic.example import write_example
from hf_ecg_bench.data.sources.mimic.index import index_mimic
from hf_ecg_bench.data.sources.mimic.layout import find_signals
from hf_ecg_bench.data.sources.mimic.names import acute_names, regression_names
from hf_ecg_bench.data.sources.mimic.signals import find_records, read_mimic
from hf_ecg_bench.data.spec import DatasetSpec
from hf_ecg_bench.errors import DataError
from hf_ecg_bench.signals.resampling import resample
from tests.data.sources.built import build, class_names

ID = "mimic_iv_ecg"
SPLITS = {"train": "train", "validation": "val", "test": "test"}
FIXTURE = {"icd_min_count": "6", "chart_label_min_count": "3"}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty-four made-up ECGs of twelve patients."""
    root = tmp_path_factory.mktemp("mimic")
    write_example(str(root), 24)
    return root


@pytest.fixture
def copy(tree: Path, tmp_path: Path) -> Path:
    """The same, to be changed."""
    root = tmp_path / "copy"
    for path in tree.rglob("*"):
        if path.is_file():
            target = root / path.relative_to(tree)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    return root


def index(root: Path, ledger: Ledger | None = None, **options: Any) -> RecordIndex:
    settings: dict[str, Any] = {"icd_min_count": None, "chart_label_min_count": 1000, "tables": "all"}
    return index_mimic(str(root), ledger or Ledger(ID), **(settings | {"metadata_only": True} | options))


def column(found: RecordIndex, name: str) -> np.ndarray:
    assert found.target_specs is not None
    return np.asarray(found.targets)[:, [target.name for target in found.target_specs].index(name)]


def edit(path: Path, line: int, cell: int, value: str) -> None:
    """Replace one cell of a plain table without quotes."""
    lines = path.read_text().splitlines()
    cells = lines[line].split(",")
    cells[cell] = value
    lines[line] = ",".join(cells)
    path.write_text("\n".join(lines) + "\n")


# --- against the reference ---


@pytest.mark.shared
def test_fixture_equals_the_reference(shared: Path, tmp_path: Path) -> None:
    expected = json.loads((shared / "fixtures/mimic/expected.json").read_text())
    ledger, rows = build(ID, shared / "fixtures/mimic/raw", tmp_path / "out", **FIXTURE)
    left_out = {int(name) for entries in ledger.excluded.values() for name, _ in entries}
    assert left_out == set(expected["excluded_study_ids"])
    assert all(reason.startswith("not used: ") for reason in ledger.excluded)
    assert (ledger.found, ledger.kept) == (64, 41)
    assert list(rows)
    assert rows.keys() == expected["records"].keys()
    codes = class_names(tmp_path / "out")["labels"]
    assert set(codes) == set(expected["label_names"][: len(codes)])
    info = json.loads((tmp_path / "out/ecg_bench.json").read_text())
    assert [target["name"] for target in info["targets"]][len(codes) :] == expected["label_names"][len(codes) :]
    means = np.array([scaler["mean"] for scaler in expected["scalers"].values()])
    stds = np.array([scaler["std"] for scaler in expected["scalers"].values()])
    for record_id, record in expected["records"].items():
        row = rows[record_id]
        targets = np.array(row["targets"], np.float64)
        assert row["patient_id"] == str(record["subject_id"])
        assert row["strat_fold"] == record["strat_fold"]
        assert SPLITS[row["split"]] == record["split"]
        assert set(row["labels"]) == set(record["icd10"])
        assert {code for code, own in zip(codes, targets, strict=False) if own} == set(record["icd10"])
        at = len(codes) + 16
        np.testing.assert_array_equal(targets[len(codes) : at], numbers([*record["deterioration"], record["sex"]]))
        raw = numbers(record["regression_z"]) * stds + means
        # The column is float32: seven digits of the raw value.
        np.testing.assert_allclose(targets[at:], raw, rtol=2e-7, atol=1e-6)
        assert row["sex"] == {0.0: "female", 1.0: "male", None: None}[record["sex"]]
        assert row["age"] == (None if np.isnan(raw[0]) else pytest.approx(raw[0]))
        assert row["signal"].shape == (expected["signals"][record_id]["data_length"], 12)


@pytest.mark.shared
def test_fixture_z_scores_before_they_are_stored(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mean and standard deviation of folds 0 to 17, and every z-score, in the precision of the computation."""
    from hf_ecg_bench.data.sources.mimic import index as module

    expected = json.loads((shared / "fixtures/mimic/expected.json").read_text())
    kept: dict[str, np.ndarray] = {}
    monkeypatch.setattr(module, "_report_empty", lambda columns, fold, ledger: kept.update(columns))
    found = index(shared / "fixtures/mimic/raw", icd_min_count=6, chart_label_min_count=3)
    training = np.array(found.strat_fold) < 18
    for position, (name, scaler) in enumerate(expected["scalers"].items()):
        mean, std = np.nanmean(kept[name][training]), np.nanstd(kept[name][training])
        assert (mean, std) == (pytest.approx(scaler["mean"], abs=1e-6), pytest.approx(scaler["std"], abs=1e-6))
        assert np.isfinite(kept[name][training]).sum() == scaler["n"]
        z = numbers([expected["records"][record_id]["regression_z"][position] for record_id in found.record_id])
        np.testing.assert_allclose((kept[name] - mean) / std, z, atol=1e-6)


@pytest.mark.shared
def test_fixture_signals(shared: Path) -> None:
    """All 64 records, used or not, with missing samples of every kind."""
    fixture = shared / "fixtures/mimic"
    expected = json.loads((fixture / "expected.json").read_text())["signals"]
    signals = np.load(fixture / "signals.npz")
    ledger = Ledger(ID)
    found = find_records(
        find_signals(fixture / "raw"), {int(name): own["subject_id"] for name, own in expected.items()}, ledger
    )
    assert len(found) == 64
    assert not ledger.excluded
    compared = 0
    for name, own in expected.items():
        signal = read_mimic(found[int(name)][0], ledger)
        assert signal.shape == (own["data_length"], 12)
        assert signal.dtype == np.float32
        assert np.nanmax(np.abs(signal)) <= 3
        if f"{name}/signal" in signals:
            compared += 1
            np.testing.assert_allclose(signal, signals[f"{name}/signal"], atol=1e-6)
            # What nothing is known about stays missing, which resampling refuses.
            whole = np.isfinite(signal).all(axis=0)
            for rate in (100, 240, 250):
                window = resample(signal[: int(2.4 * 500), whole], 500, rate)
                np.testing.assert_allclose(window, signals[f"{name}/first2.4s@{rate}"][:, whole], atol=1e-5)
    assert compared == 5
    with_missing = {name for name, own in expected.items() if sum(own["nans_per_stored_lead"])}
    assert {name for name, _ in ledger.defects["missing samples (interpolated)"]} == with_missing


def numbers(values: list[float | None]) -> np.ndarray:
    return np.array([np.nan if value is None else value for value in values], np.float64)


# --- on made-up tables ---


def test_example_counts_and_columns(tree: Path) -> None:
    """Golden numbers of the made-up tree, so that a changed rule shows without the fixture."""
    ledger = Ledger(ID, strict=True)
    found = index(tree, ledger)
    spec: DatasetSpec = get_builder(ID).SPEC
    assert found.target_specs == spec.targets
    assert (len(spec.targets), len(found.label_names["labels"]), len(found)) == (1127, 1076, 24)
    assert sorted(set(found.strat_fold)) == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 18, 19]
    targets = np.asarray(found.targets)
    assert targets.dtype == np.float32
    assert np.isfinite(targets[:, :1076]).all()
    assert [len(set(own)) for own in found.labels["labels"][:3]] == targets[:3, :1076].sum(axis=1).tolist()
    known = {name: int(np.isfinite(column(found, name)).sum()) for name in regression_names()}
    assert known["age"] == known["QT"] == 24
    assert min(known.values()) >= 15


def test_rows_of_the_matrix_are_made_when_asked(tree: Path) -> None:
    targets = index(tree).targets
    assert targets is not None
    dense = np.asarray(targets)
    assert targets.shape == dense.shape == (24, 1127)
    np.testing.assert_array_equal(targets[np.array([3, 20, 3])], dense[[3, 20, 3]])
    np.testing.assert_array_equal(targets[5], dense[5])
    np.testing.assert_array_equal(np.asarray(targets[2:9][1:3]), dense[3:5])
    assert targets[np.array([], int)].shape == (0, 1127)


def test_tables_are_joined_by_study_and_never_by_row(copy: Path) -> None:
    """Quirk of the reference: three tables and the signal file are matched by row number."""
    before = index(copy)
    for name in ("machine_measurements", "mds_ed"):
        head, *lines = (copy / f"{name}.csv").read_text().splitlines()
        (copy / f"{name}.csv").write_text("\n".join([head, *reversed(lines)]) + "\n")
    after = index(copy)
    np.testing.assert_array_equal(np.asarray(before.targets), np.asarray(after.targets))


def test_first_of_the_stay_is_asked_by_fold_and_the_split_by_strat_fold(copy: Path) -> None:
    """The published rule, kept: the two columns are different, so it holds for others than validation and test."""
    path = copy / "records_w_diag_icd10.csv"
    text = path.read_text().splitlines()
    text[1] = text[1].replace(',0,"True",0,0', ',1,"True",18,0')  # training, but of fold 18
    text[3] = text[3].replace(',0,"True",18,18', ',1,"True",3,18')  # validation, but of fold 3
    path.write_text("\n".join(text) + "\n")
    ledger = Ledger(ID)
    found = index(copy, ledger)
    assert ledger.excluded == {"not used: not the first ECG of its stay (fold 18 and 19)": [["40000000", ""]]}
    assert "40000002" in found.record_id


def test_unused_records_do_not_stop_a_strict_build(tmp_path: Path) -> None:
    write_example(str(tmp_path / "raw"), 120, used=0.6, signals=False)
    ledger = prepare(ID, raw_dir=tmp_path / "raw", output_dir=tmp_path / "out", strict=True, metadata_only=True)
    assert 30 < ledger.n_excluded < 70
    assert ledger.kept + ledger.n_excluded == ledger.found == 120
    assert set(ledger.excluded) == {"not used: taken outside the emergency department"}


def test_codes_are_counted_over_the_whole_table_with_ties_by_name(tmp_path: Path) -> None:
    write_example(str(tmp_path), 60, used=0.5, signals=False)
    counted = index(tmp_path, icd_min_count=3)
    everyone = "".join(Path(tmp_path, "records_w_diag_icd10.csv").read_text().splitlines()[1:])
    names = counted.label_names["labels"]
    assert names
    assert counted.target_specs is not None
    assert len(counted.target_specs) == len(names) + 51
    leaves = [name for name in names if len(name) == 5]
    counts = [everyone.count(f"'{name}'") for name in leaves]
    assert counts == sorted(counts, reverse=True)
    assert min(counts) >= 3
    tied = [name for name, count in zip(leaves, counts, strict=True) if count == counts[-1]]
    assert tied == sorted(tied)


def test_a_target_without_training_values_stays_missing(copy: Path) -> None:
    (copy / "machine_measurements.csv").write_text(
        "\n".join(
            line if number == 0 else ",".join([*line.split(",")[:3], *["29999"] * 9])
            for number, line in enumerate((copy / "machine_measurements.csv").read_text().splitlines())
        )
    )
    ledger = Ledger(ID)
    found = index(copy, ledger)
    assert np.isnan(column(found, "QTc")).all()
    assert ledger.notes[0].startswith("no value for training of RR, QRS, QT, QTc, P_wave_axis, QRS_axis, T_wave_axis")


def test_device_codes_are_missing_and_zero_intervals_give_no_qtc(copy: Path) -> None:
    names = (copy / "machine_measurements.csv").read_text().splitlines()[0].split(",")
    path = copy / "machine_measurements.csv"
    edit(path, 1, names.index("rr_interval"), "0")
    edit(path, 2, names.index("qrs_onset"), "65535")
    edit(path, 3, names.index("p_axis"), "-32768")
    edit(path, 4, names.index("t_axis"), "360")
    found = index(copy)
    assert column(found, "RR")[0] == 0
    assert np.isnan(column(found, "QTc")[0])
    assert column(found, "QT")[0] > 0
    assert np.isnan(column(found, "QRS")[1])
    assert np.isnan(column(found, "QT")[1])
    assert np.isnan(column(found, "P_wave_axis")[2])
    assert column(found, "T_wave_axis")[3] == 360


@pytest.mark.parametrize("layout", ["flat", "data", "releases"])
def test_tables_are_found_as_users_have_them(copy: Path, tree: Path, layout: str) -> None:
    places = {
        "flat": lambda path: copy / path.name,
        "data": lambda path: copy / "data" / path.name,
        "releases": lambda path: (
            copy / "physionet.org/files/mimiciv/3.1" / path.relative_to(copy) if path.parent != copy else path
        ),
    }
    for path in [path for path in copy.rglob("*") if path.is_file()]:
        target = places[layout](path)
        target.parent.mkdir(parents=True, exist_ok=True)
        path.rename(target)
    np.testing.assert_array_equal(np.asarray(index(copy, metadata_only=False).targets), np.asarray(index(tree).targets))


def test_unpacked_signals_equal_the_archive(copy: Path, tmp_path: Path) -> None:
    packed = prepare(ID, raw_dir=copy, output_dir=tmp_path / "packed")
    (archive,) = copy.glob("*.zip")
    with zipfile.ZipFile(archive) as content:
        content.extractall(copy / "unpacked")
    archive.unlink()
    unpacked = prepare(ID, raw_dir=copy, output_dir=tmp_path / "unpacked", strict=True)
    assert packed.digests == unpacked.digests


def test_metadata_only_needs_no_signals(copy: Path, tmp_path: Path) -> None:
    (archive,) = copy.glob("*.zip")
    archive.unlink()
    with pytest.raises(DataError, match="no signals in"):
        prepare(ID, raw_dir=copy, output_dir=tmp_path / "no")
    assert prepare(ID, raw_dir=copy, output_dir=tmp_path / "out", metadata_only=True, strict=True).kept == 24


def test_absent_tables_are_an_error_unless_asked(copy: Path) -> None:
    (copy / "icu" / "chartevents.csv.gz").unlink()
    (copy / "mds_ed.csv").unlink()
    with pytest.raises(DataError, match="MDS-ED") as error:
        index(copy)
    assert "tables=available" in str(error.value)
    ledger = Ledger(ID)
    found = index(copy, ledger, tables="available")
    assert len(ledger.notes) == 2
    for name in acute_names():
        assert np.isnan(column(found, name)).all()
    assert np.isfinite(column(found, "heartrate")).any()


@pytest.mark.parametrize(
    "options", [{"icd_min_count": "0"}, {"chart_label_min_count": "0"}, {"icd_min_count": "3", "min_count": "4"}]
)
def test_options_that_make_no_sense(tree: Path, tmp_path: Path, options: dict[str, str]) -> None:
    with pytest.raises(DataError, match="option"):
        prepare(ID, raw_dir=tree, output_dir=tmp_path / "out", options=options)


def test_builder_of_the_library_gives_the_same_rows(tree: Path, tmp_path: Path) -> None:
    builder = get_builder(ID)(cache_dir=str(tmp_path / "cache"), data_dir=str(tree))
    builder.download_and_prepare()
    test = builder.as_dataset(split="test").with_format("numpy")
    _, rows = build(ID, tree, tmp_path / "out")
    for row in test:
        np.testing.assert_array_equal(row["targets"], np.array(rows[row["record_id"]]["targets"], np.float32))
        np.testing.assert_array_equal(row["signal"], rows[row["record_id"]]["signal"])

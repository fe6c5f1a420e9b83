"""The concept table against the label tables, and what follows from it for a record."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict

import numpy as np
import pytest

from hf_ecg_bench.data.registry import get_dataset_spec
from hf_ecg_bench.data.vocabulary import read_label_table
from hf_ecg_bench.errors import DataError
from hf_ecg_bench.robustness.concepts import DATASETS, SUPERCLASSES, Said, concepts, statement_groups
from hf_ecg_bench.robustness.shared_targets import (
    SharedTarget,
    at_home,
    label_column,
    require_shared,
    shared_targets,
    targets_there,
)
from hf_ecg_bench.tasks import get_task

# Chapman's own labels are finer than the Challenge's codes for them (the notes of these rows say how it is known).
FINER_THAN_THEIR_CODE = {"LFBBB", "LBBBB", "MIFW", "MILW"}


def labels_of(dataset):
    columns = get_dataset_spec(dataset).label_columns
    return columns[label_column(list(columns))]


def codes(dataset):
    """label -> SNOMED codes, of the Challenge's sets."""
    if dataset == "chapman":
        return {
            label: {row["snomed"]} for row in read_label_table("chapman_snomed") for label in row["label"].split("/")
        }
    return {row["label"]: set(row["snomed"].split(";")) for row in read_label_table(dataset)}


@pytest.mark.parametrize("dataset", DATASETS)
def test_every_label_exists_and_stands_in_a_cell_once(dataset):
    known = set(labels_of(dataset))
    if dataset == "chapman":  # its table has the rare labels too, which another min_count brings in
        assert known < {row["label"] for row in read_label_table("chapman")}
        known = {row["label"] for row in read_label_table("chapman")}
    for concept in concepts():
        said = concept.labels.get(dataset, Said())
        both = [*said.present, *said.unsure]
        assert set(both) <= known, (concept.id, set(both) - known)
        assert len(both) == len(set(both)), concept.id


@pytest.mark.parametrize("dataset", ["georgia", "cpsc2018", "cpsc_extra", "ningbo", "chapman"])
def test_every_code_is_the_concepts(dataset):
    table = codes(dataset)
    for concept in concepts():
        for label in concept.labels.get(dataset, Said()).present:
            if label not in FINER_THAN_THEIR_CODE:
                assert table[label] & set(concept.snomed), (concept.id, label, table[label])


def test_every_code_of_a_concept_is_used():
    tables = {dataset: codes(dataset) for dataset in ("georgia", "cpsc2018", "cpsc_extra", "ningbo", "chapman")}
    named = {code for row in read_label_table("cpsc_extra_mapping") for code in [row["snomed"]]}
    named |= {code for table in tables.values() for both in table.values() for code in both}
    for concept in concepts():
        # 67198005 is PTB-XL's paroxysmal form in the Challenge's copy of it.
        assert set(concept.snomed) <= named | {"67198005"}, concept.id


def test_superclasses_are_those_of_ptbxl():
    groups = statement_groups("superclass")
    for concept in concepts():
        assert concept.superclass in (None, *SUPERCLASSES)
        assert concept.may_be in (None, *SUPERCLASSES)
        statements = concept.labels.get("ptbxl", Said()).present
        found = {groups.get(statement) for statement in statements}
        if concept.superclass is not None and statements:
            assert found == {concept.superclass}, concept.id
        elif concept.may_be is not None:
            assert found <= {None, concept.may_be}, concept.id
        else:
            assert found <= {None}, f"{concept.id} has a superclass in PTB-XL"


def test_ids_are_unique_and_doubtful_rows_say_why():
    ids = [concept.id for concept in concepts()]
    assert len(ids) == len(set(ids)) > 50
    for concept in concepts():
        only_meaning = concept.superclass and not concept.labels.get("ptbxl", Said()).present
        if only_meaning or concept.id in ("NORM", "SBRAD", "AFIB", "LAFB", "IVCD", "1AVB", "CRBBB", "MI", "STE"):
            assert concept.note, concept.id
    used = [concept.id for concept in concepts() if len([1 for s in concept.labels.values() if s.present]) < 2]
    # They serve a superclass only.
    assert set(used) <= {"HYPX"}, used


def test_a_statement_says_one_concept_apart_from_walls_and_kinds():
    """No label of PTB-XL is a synonym of two rows by accident."""
    rows = defaultdict(set)
    for concept in concepts():
        for label in concept.labels.get("ptbxl", Said()).present:
            rows[label].add(concept.id)
    several = {label: found for label, found in rows.items() if len(found) > 1}
    for label, found in several.items():
        assert found & {"MI", "ISC", "STT"}, (label, found)


def test_ptbxl_superclasses_elsewhere():
    task = get_task("ptbxl_super")
    names = get_dataset_spec("ptbxl").label_columns["labels_super"]
    found = {
        dataset: [target.id for target in shared_targets(task, names, dataset, labels_of(dataset))]
        for dataset in ("georgia", "cpsc2018", "cpsc_extra", "ningbo", "chapman", "sph", "code15")
    }
    assert found["georgia"] == ["NORM", "CD", "HYP", "STTC"] or set(found["georgia"]) == {"NORM", "CD", "HYP", "STTC"}
    assert set(found["cpsc2018"]) == {"NORM", "CD"}
    assert set(found["cpsc_extra"]) == {"CD", "HYP", "MI", "STTC"}
    assert set(found["ningbo"]) == set(found["chapman"]) == {"CD", "HYP", "MI", "STTC"}
    assert set(found["sph"]) == set(SUPERCLASSES)
    assert found["code15"] == ["CD"]


def test_what_is_not_the_same_is_not_shared():
    names = get_dataset_spec("ptbxl").label_columns["labels_all"]
    task = get_task("ptbxl_all")
    ids = {
        dataset: {target.id: target for target in shared_targets(task, names, dataset, labels_of(dataset))}
        for dataset in ("georgia", "cpsc2018", "cpsc_extra", "ningbo", "chapman")
    }
    assert "SR" not in ids["georgia"]
    assert "NORM" not in ids["ningbo"]
    assert {"AFIB", "AFLT", "STE"}.isdisjoint(ids["ningbo"])
    assert ids["chapman"]["AFLT"].there.present == ("AF",)
    assert ids["cpsc_extra"]["SBRAD"].there == Said(("sinus bradycardia",), ("bradycardia",))
    assert "LAD" not in ids["georgia"], "PTB-XL has no such statement"


def test_further_test_sets_and_copies_share_everything():
    names = get_dataset_spec("code15").label_columns["labels"]
    shared = shared_targets(get_task("code15"), names, "code_test", names)
    assert [target.id for target in shared] == list(names)
    assert all(target.there == Said((target.id,)) for target in shared)
    assert len(shared_targets(get_task("georgia"), labels_of("georgia"), "code_test", names)) == 6


def test_records_are_positive_negative_or_left_open():
    labels = ["yes", "also yes", "maybe", "other"]
    present = np.array([[1, 0, 0, 0], [0, 1, 1, 0], [0, 0, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0]], np.float32)
    said = Said(("yes", "also yes"), ("maybe",))
    plain = SharedTarget("a", ("h",), said)
    opposed = SharedTarget("b", ("h",), said, opposed=("other",))
    found = targets_there(present, labels, [plain, opposed])
    np.testing.assert_array_equal(found[:, 0], [1, 1, np.nan, 0, 0])
    np.testing.assert_array_equal(found[:, 1], [1, 1, np.nan, 0, np.nan])


def test_normal_is_opposed_to_findings_only():
    names = get_dataset_spec("ptbxl").label_columns["labels_super"]
    labels = labels_of("georgia")
    (normal,) = (t for t in shared_targets(get_task("ptbxl_super"), names, "georgia", labels) if t.id == "NORM")
    rows = [["sinus rhythm"], ["left bundle branch block"], ["sinus bradycardia"], ["atrial fibrillation"]]
    present = np.array([[label in row for label in labels] for row in rows], np.float32)
    np.testing.assert_array_equal(targets_there(present, labels, [normal])[:, 0], [1, 0, np.nan, np.nan])


def test_home_takes_the_largest_of_several_targets():
    shared = [SharedTarget("RBBB", ("a", "b"), Said()), SharedTarget("c", ("c",), Said())]
    values = np.array([[0.2, 0.7, 0.1], [np.nan, 1.0, 0.3], [np.nan, 0.0, 0.5]])
    np.testing.assert_array_equal(at_home(values, ["a", "b", "c"], shared), [[0.7, 0.1], [1.0, 0.3], [np.nan, 0.5]])


def test_nothing_shared_names_the_tasks_that_do():
    with pytest.raises(DataError, match=r"mimic_age and dataset georgia share no target.*\n.*ptbxl_all"):
        require_shared(get_task("mimic_age"), (), "georgia", labels_of("georgia"))


@pytest.mark.shared
def test_codes_agree_with_the_challenges_copy_of_ptbxl(shared):
    """A statement's records in PTB-XL and its code's records in the Challenge's copy of them are the same."""
    tables = shared / "data" / "challenge2021_tables"
    abbreviation = {}
    for name in ("dx_mapping_scored.csv", "dx_mapping_unscored.csv"):
        for row in csv.DictReader((tables / name).read_text().splitlines()):
            abbreviation[row["SNOMEDCTCode"]] = row["Abbreviation"]
    theirs = {}
    for row in csv.DictReader((tables / "challenge2020_labels_43101.csv").read_text().splitlines()):
        if row["record"].startswith("HR"):
            theirs[int(row["record"][2:])] = set(row["diagnosis"].split(";"))
    ours = shared / "data" / "ptbxl_labels" / "ptbxl_labels_v103_all_21799.csv"
    mine = {
        int(row["ecg_id"]): set(row["scp_labels"].split(";")) for row in csv.DictReader(ours.read_text().splitlines())
    }
    # One statement, one code; what the notes of the others say is tested by what they leave open.
    exact = Counter()
    for concept in concepts():
        statements = set(concept.labels.get("ptbxl", Said()).present)
        names = {abbreviation[code] for code in concept.snomed if code in abbreviation}
        if len(statements) != 1 or not names or concept.id in ("NORM", "SR", "AMI", "VCLVH", "LVH", "STT", "INVT"):
            continue
        yes = {record for record, found in mine.items() if found & statements}
        agreements = []
        for name in names:
            there = {record for record, found in theirs.items() if name in found} & mine.keys()
            agreements.append(len(yes & there) / len(yes | there))
        assert max(agreements) >= 0.99, (concept.id, agreements)
        exact[concept.id] = len(yes)
    assert len(exact) >= 25, exact

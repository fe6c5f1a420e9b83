"""The four Challenge sets at full size, from public tables of all records: label counts and folds without signals.

The tables hold every record of CPSC2018, CPSC-Extra and Georgia with its diagnoses, and those records of Ningbo that
have one of the Challenge's scored diagnoses (names and scored diagnoses only).
"""

from __future__ import annotations

import csv
import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path

import pytest

from hf_ecg_bench.data.load import load_prepared
from hf_ecg_bench.data.prepare import prepare
from hf_ecg_bench.data.sources.challenge import sets
from hf_ecg_bench.data.vocabulary import read_label_table

pytestmark = [pytest.mark.slow, pytest.mark.shared]
TRANCHES = {"cpsc2018": "A", "cpsc_extra": "B", "georgia": "F"}
# What the tables give and the counts published with the release agree on, label for label.
N_RECORDS = {"cpsc2018": 6877, "cpsc_extra": 3453, "georgia": 10344}


def read_csv(path: Path) -> list[dict[str, str]]:
    with open(path, encoding="utf-8-sig", newline="") as handle:
        return list(csv.DictReader(handle))


def code_of_abbreviation(tables: Path) -> dict[str, str]:
    rows = [row for name in ("scored", "unscored") for row in read_csv(tables / f"dx_mapping_{name}.csv")]
    return {row["Abbreviation"].strip(): row["SNOMEDCTCode"] for row in rows}


def write_headers(root: Path, records: Iterable[tuple[str, Iterable[str], str, str]]) -> None:
    """Headers alone: name, codes, age, sex. Lengths are not in the tables; 10 s."""
    root.mkdir(parents=True)
    for name, codes, age, sex in records:
        leads = "".join(f"{name}.mat 16+24 1000/mV 16 0 0 0 0 {lead}\n" for lead in ("I", "II"))
        comments = f"#Age: {age}\n#Sex: {sex}\n#Dx: {','.join(codes)}\n"
        (root / f"{name}.hea").write_text(f"{name} 2 500 5000\n{leads}{comments}")


def check_folds(rows: Iterable[tuple[int, list[int]]], n_labels: int) -> None:
    """Sizes within 4 % of a tenth, each label within max(2, 10 %) of its share. Rows: fold, label indices."""
    rows = list(rows)
    sizes = Counter(fold for fold, _ in rows)
    assert sizes.keys() == set(range(10))
    for fold, size in sizes.items():
        assert abs(size - len(rows) / 10) <= 0.04 * len(rows) / 10, (fold, size)
    counts: dict[int, Counter[int]] = defaultdict(Counter)
    for fold, labels in rows:
        for label in labels:
            counts[label][fold] += 1
    assert len(counts) == n_labels
    for label, by_fold in counts.items():
        share = by_fold.total() / 10
        assert all(abs(by_fold[fold] - share) <= max(2, 0.1 * share) for fold in range(10)), (label, by_fold)


@pytest.mark.parametrize("dataset", TRANCHES)
def test_label_counts_and_folds_of_the_whole_set(shared: Path, tmp_path: Path, dataset: str) -> None:
    tables = shared / "data" / "challenge2021_tables"
    codes = code_of_abbreviation(tables)
    records = [
        row for row in read_csv(tables / "challenge2020_labels_43101.csv") if row["tranche"] == TRANCHES[dataset]
    ]
    write_headers(
        tmp_path / "raw",
        (
            # The table repeats a few diagnoses that stand once in the headers (E07938).
            (
                row["record"],
                [codes[short] for short in dict.fromkeys(row["diagnosis"].split(";"))],
                row["age"] or "NaN",
                row["sex"],
            )
            for row in records
        ),
    )
    ledger = prepare(dataset, raw_dir=tmp_path / "raw", output_dir=tmp_path / "out", metadata_only=True)
    n = N_RECORDS[dataset]
    assert (ledger.found, ledger.kept, ledger.excluded, ledger.defects) == (n, n, {}, {})
    official = {row["label"]: int(row["records"]) for row in read_label_table(dataset)}
    found: Counter[str] = Counter()
    for facts in ledger.splits.values():
        found.update(facts["labels"]["labels"])
    assert found == official
    splits = load_prepared(tmp_path / "out").splits
    rows = [
        row
        for split in splits.values()
        for row in zip(
            split["record_id"], split["strat_fold"], split["labels"], split["age"], split["sex"], strict=True
        )
    ]
    check_folds([(fold, labels) for _, fold, labels, _, _ in rows], len(official))
    table = {row["record"]: row for row in records}
    for record_id, _, _, age, sex in rows:
        stated = table[record_id]["age"]
        assert age == (float(stated) if stated and float(stated) >= 0 else None)
        assert sex == table[record_id]["sex"].lower()
    # Counted here instead of taken from the release: the same classes.
    counted = prepare(
        dataset,
        raw_dir=tmp_path / "raw",
        output_dir=tmp_path / "counted",
        metadata_only=True,
        options={"min_count": "10"},
    )
    assert counted.splits == ledger.splits


def test_scored_diagnoses_of_ningbo(shared: Path, tmp_path: Path) -> None:
    tables = shared / "data" / "challenge2021_tables"
    codes = code_of_abbreviation(tables)
    names = [name for name in json.loads((tables / "record_list.json").read_text())["G"] if name >= "JS10647"]
    assert len(names) == 31_708
    diagnoses: dict[str, list[str]] = {name: [] for name in names}
    complete = set()
    official = {row["SNOMEDCTCode"]: int(row["Ningbo"]) for row in read_csv(tables / "dx_mapping_scored.csv")}
    scored = json.loads((tables / "scored_diagnoses_records_list.json").read_text())
    for short, members in scored.items():
        own = [name for name in members if name in diagnoses]
        for name in own:
            diagnoses[name].append(codes[short])
        if own and len(own) == official[codes[short]]:
            complete.add(codes[short])
    write_headers(tmp_path / "raw", ((name, own, "60", "Male") for name, own in diagnoses.items()))
    ledger = prepare("ningbo", raw_dir=tmp_path / "raw", output_dir=tmp_path / "out", metadata_only=True)
    assert ledger.kept == len(names)
    bare = sum(not own for own in diagnoses.values())
    assert sum(map(len, ledger.defects.values())) == bare
    found: Counter[str] = Counter()
    for facts in ledger.splits.values():
        found.update(facts["labels"]["labels"])
    table = {row["snomed"]: row["label"] for row in read_label_table("ningbo_mapping")}
    published = {row["label"]: int(row["records"]) for row in read_label_table("ningbo")}
    assert all(count <= published[label] for label, count in found.items())
    whole = {label for label in published if {code for code in codes.values() if table.get(code) == label} <= complete}
    assert {label: found[label] for label in whole} == {label: published[label] for label in whole}
    assert len(whole) >= 10
    splits = load_prepared(tmp_path / "out").splits
    rows = [row for split in splits.values() for row in zip(split["strat_fold"], split["labels"], strict=True)]
    check_folds([row for row in rows if row[0] >= 0], sum(count > 0 for count in found.values()))


def test_record_names_of_the_release(shared: Path) -> None:
    lists = json.loads((shared / "data" / "challenge2021_tables" / "record_list.json").read_text())
    for source, letter in ((sets.CPSC2018, "A"), (sets.CPSC_EXTRA, "B"), (sets.GEORGIA, "F"), (sets.NINGBO, "G")):
        names = [name for name in lists[letter] if int(name.removeprefix(source.prefix)) >= source.first_number]
        assert all(
            source.is_name(name) and name == source.name(int(name.removeprefix(source.prefix))) for name in names
        )
        assert min(names) == source.name(source.first_number)

"""The builder: rows like those of every dataset, from the generator's records."""

from __future__ import annotations

import numpy as np
import pytest

from hf_ecg_bench.data.registry import get_builder
from hf_ecg_bench.data.synthetic import LABELS, generate_record
from hf_ecg_bench.errors import DataError


def test_rows_are_the_generators_records(tmp_path):
    builder = get_builder("synthetic")(cache_dir=str(tmp_path), n_records=60, seed=4)
    builder.download_and_prepare()
    splits = builder.as_dataset()
    assert {name: len(rows) for name, rows in splits.items()}.keys() == {"train", "validation", "test"}
    assert sum(len(rows) for rows in splits.values()) == 60
    folds = {"train": set(range(1, 9)), "validation": {9}, "test": {10}}
    for name, rows in splits.items():
        assert set(rows["strat_fold"]) <= folds[name]
    row = splits["test"].with_format("numpy")[0]
    record = generate_record(int(row["record_id"][1:]), seed=4)
    np.testing.assert_array_equal(row["signal"], record.signal)
    np.testing.assert_array_equal(row["targets"], record.plan.targets)
    assert [LABELS[label] for label in row["labels"]] == list(record.plan.labels)
    assert row["patient_id"] == record.plan.patient_id


@pytest.mark.parametrize("option", [{"n_records": 0}, {"seed": -1}, {"records_per_patient": 0}, {"min_count": 3}])
def test_impossible_options_are_refused(tmp_path, option: dict[str, int]):
    with pytest.raises(DataError, match=next(iter(option))):
        get_builder("synthetic")(cache_dir=str(tmp_path), **option)

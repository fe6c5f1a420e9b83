"""The zero-copy view equals what the dataset itself returns, whatever was done to the dataset."""

import pickle
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from datasets import (
    Array2D,
    Dataset,
    DatasetDict,
    Features,
    List,
    Value,
    concatenate_datasets,
    load_dataset,
    load_from_disk,
)

from hf_ecg_bench.data.signal_view import SignalView
from hf_ecg_bench.errors import DataError

FIXED = Array2D((20, 12), "float32")
RAGGED = Array2D((None, 12), "float32")
NESTED = List(List(Value("float32")))
LISTS_OF_FIXED = List(List(Value("float32"), length=12))
FIXED_OF_FIXED = List(List(Value("float32"), length=12), length=20)


def make(feature: object, n: int = 30, seed: int = 0) -> Dataset:
    rng = np.random.default_rng(seed)
    lengths = np.full(n, 20) if feature in (FIXED, FIXED_OF_FIXED) else rng.integers(1, 40, n)
    rows = [rng.standard_normal((length, 12)).astype(np.float32) for length in lengths]
    rows[0][0, 3] = np.nan
    features = Features({"number": Value("int32"), "signal": feature})
    return Dataset.from_dict({"number": list(range(n)), "signal": [row.tolist() for row in rows]}, features=features)


def assert_equal(dataset: Dataset) -> None:
    view = SignalView(dataset)
    expected = [np.asarray(dataset[i]["signal"], dtype=np.float32) for i in range(len(dataset))]
    assert len(view) == len(expected)
    assert view.lengths().tolist() == [len(row) for row in expected]
    for i, row in enumerate(expected):
        got = view[i]
        assert got.dtype == np.float32
        assert not got.flags.writeable
        np.testing.assert_array_equal(got, row)


CHANGES = {
    "as it is": lambda ds: ds,
    "select range": lambda ds: ds.select(range(5, 25)),
    "select list": lambda ds: ds.select([7, 3, 3, 29, 0]),
    "shuffle": lambda ds: ds.shuffle(seed=1),
    "filter": lambda ds: ds.filter(lambda row: row["number"] % 3 == 1),
    "shard": lambda ds: ds.shard(num_shards=3, index=1, contiguous=True),
    "sort": lambda ds: ds.sort("number", reverse=True),
    "train_test_split": lambda ds: ds.train_test_split(test_size=0.5, seed=0)["test"],
    "flatten_indices": lambda ds: ds.shuffle(seed=1).flatten_indices(),
    "slices of slices": lambda ds: ds.select(range(3, 28)).select(range(2, 20)).shuffle(seed=0).select(range(3, 9)),
    "concatenate": lambda ds: concatenate_datasets([ds.select(range(4, 9)), ds.shuffle(seed=2), ds]),
    "concatenate and shuffle": lambda ds: concatenate_datasets([ds, ds.select(range(4))]).shuffle(seed=3),
    "formatted": lambda ds: ds.with_format("arrow").shuffle(seed=4).with_format(None),
    "map": lambda ds: ds.map(lambda row: {"other": row["number"] + 1}),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=list(CHANGES))
@pytest.mark.parametrize("feature", [RAGGED, FIXED], ids=["ragged", "fixed"])
def test_equals_the_datasets_own_rows(feature: object, change) -> None:
    assert_equal(change(make(feature)))


@pytest.mark.parametrize(
    "feature", [NESTED, LISTS_OF_FIXED, FIXED_OF_FIXED], ids=["lists", "inner fixed", "both fixed"]
)
@pytest.mark.parametrize("change", ["as it is", "select range", "select list", "concatenate"])
def test_equals_the_rows_of_nested_lists(feature: object, change: str) -> None:
    assert_equal(CHANGES[change](make(feature)))


def test_equals_after_parquet_and_disk_and_pickles_by_file_name(tmp_path: Path) -> None:
    dataset = make(RAGGED)
    dataset.to_parquet(tmp_path / "train.parquet", batch_size=7)
    reloaded = load_dataset(
        "parquet",
        data_files=str(tmp_path / "train.parquet"),
        split="train",
        cache_dir=str(tmp_path / "cache"),
        features=dataset.features,
    )
    assert_equal(reloaded)
    dataset.save_to_disk(tmp_path / "saved", num_shards=3)
    from_disk = load_from_disk(tmp_path / "saved")
    assert_equal(from_disk)
    for view in (SignalView(reloaded.shuffle(seed=0)), SignalView(from_disk)):
        pickled = pickle.dumps(view)
        assert len(pickled) < 8000
        again = pickle.loads(pickled)  # noqa: S301
        for i in range(len(view)):
            np.testing.assert_array_equal(again[i], view[i])


def test_rows_are_views_and_indices_are_checked() -> None:
    view = SignalView(make(FIXED))
    assert np.shares_memory(view[3], view[3])
    np.testing.assert_array_equal(view[-1], view[29])
    for index in (30, -31):
        with pytest.raises(IndexError):
            view[index]


def test_other_floats_become_float32_and_empty_datasets_are_empty() -> None:
    double = Dataset.from_dict(
        {"signal": np.random.default_rng(0).standard_normal((3, 20, 12))},
        features=Features({"signal": Array2D((None, 12), "float64")}),
    )
    assert_equal(double)
    empty = SignalView(make(RAGGED).select([]))
    assert len(empty) == 0
    assert empty.lengths().shape == (0,)


def test_what_has_no_signal_rows_is_an_error() -> None:
    dataset = make(RAGGED)
    with pytest.raises(DataError, match="unknown column 'signals'; did you mean 'signal'"):
        SignalView(dataset, "signals")
    with pytest.raises(DataError, match="expected rows of"):
        SignalView(dataset, "number")
    with pytest.raises(DataError, match="DatasetDict has no rows"):
        SignalView(DatasetDict(train=dataset))
    with pytest.raises(DataError, match="IterableDataset has no rows"):
        SignalView(dataset.to_iterable_dataset())
    counts = Dataset.from_dict({"signal": [[[1, 2], [3, 4]]]})
    with pytest.raises(DataError, match="holds int64; expected float32"):
        SignalView(counts)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([[[1.0, 2.0]], None], "1 rows have no signal, first row 1"),
        ([[[1.0, 2.0], [3.0, None]]], "null among the samples"),
        ([[[1.0, 2.0], [3.0]]], "different numbers of leads"),
        ([[[1.0, 2.0]], [[3.0, 4.0, 5.0]]], "different numbers of leads"),
    ],
)
def test_incomplete_rows_are_errors(rows: list, message: str) -> None:
    table = pa.table({"signal": pa.array(rows, type=pa.list_(pa.list_(pa.float32())))})
    with pytest.raises(DataError, match=message):
        SignalView(Dataset(table))

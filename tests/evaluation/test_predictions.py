"""Files of predictions: round trips, foreign files, and files that must be refused."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hf_ecg_bench.errors import PredictionsError
from hf_ecg_bench.results.predictions import (
    Predictions,
    align,
    make_predictions,
    read_predictions,
    write_predictions,
)


def example(**changes) -> Predictions:
    rng = np.random.default_rng(0)
    values = {
        "record_id": [f"r{i}" for i in range(6)],
        "patient_id": ["p1", "p1", None, "p2", "", float("nan")],
        "targets": np.array([[0, 1.5], [1, np.nan], [np.nan, 2], [0, -1], [1, 0], [0, 3]], dtype=np.float32),
        "predictions": rng.random((6, 2)).astype(np.float32),
        "names": ["1AVB", "Herzfrequenz (1/min) ü"],
        "kinds": ["binary", "regression"],
    }
    return make_predictions(**{**values, **changes})


def assert_equal(a: Predictions, b: Predictions) -> None:
    assert a.record_id.tolist() == b.record_id.tolist()
    assert a.patient_id.tolist() == b.patient_id.tolist()
    assert (a.names, a.kinds) == (b.names, b.kinds)
    for name in ("targets", "predictions"):
        assert getattr(a, name).dtype == getattr(b, name).dtype
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_parquet_round_trip(tmp_path: Path, dtype) -> None:
    original = example(predictions=np.random.default_rng(1).random((6, 2)).astype(dtype))
    path = write_predictions(tmp_path / "run" / "predictions.parquet", original)
    assert_equal(read_predictions(path), original)
    assert_equal(read_predictions(tmp_path / "run"), original)
    assert [p.name for p in path.parent.iterdir()] == ["predictions.parquet"]


def test_parquet_has_the_published_columns_and_metadata(tmp_path: Path) -> None:
    table = pq.read_table(write_predictions(tmp_path / "p.parquet", example()))
    assert table.column_names == ["record_id", "patient_id", "targets", "predictions"]
    assert table.schema.field("targets").type == pa.list_(pa.float32())
    assert table.schema.field("predictions").metadata[b"target_kinds"] == b'["binary", "regression"]'
    assert table["patient_id"].to_pylist() == ["p1", "p1", None, "p2", None, None]


def test_missing_patients_become_none() -> None:
    assert example().patient_id.tolist() == ["p1", "p1", None, "p2", None, None]


@pytest.mark.parametrize(("values", "names"), [("predictions", "names"), ("probs", "labels")])
def test_npz(tmp_path: Path, values: str, names: str) -> None:
    p = example()
    path = tmp_path / "p.npz"
    np.savez(path, targets=p.targets[:, :1], **{values: p.predictions[:, :1], names: np.array(["1AVB"])})
    read = read_predictions(path)
    assert read.record_id.tolist() == ["0", "1", "2", "3", "4", "5"]
    assert read.patient_id.tolist() == [None] * 6
    assert (read.names, read.kinds) == (("1AVB",), ("binary",))
    np.testing.assert_array_equal(read.predictions, p.predictions[:, :1])


def test_npz_with_ids_and_kinds(tmp_path: Path) -> None:
    p = example(patient_id=list("aabbcc"))
    np.savez(
        tmp_path / "p.npz",
        targets=p.targets,
        predictions=p.predictions,
        names=np.array(p.names),
        kinds=np.array(p.kinds),
        record_id=np.array(p.record_id, dtype=str),
        patient_id=np.array(p.patient_id, dtype=str),
    )
    assert_equal(read_predictions(tmp_path / "p.npz"), p)


def test_npz_probabilities_of_uint8_targets(tmp_path: Path) -> None:
    np.savez(tmp_path / "p.npz", targets=np.eye(3, dtype=np.uint8), probs=np.eye(3), labels=np.array(list("abc")))
    read = read_predictions(tmp_path / "p.npz")
    assert read.targets.dtype == np.float32
    assert read.predictions.dtype == np.float64


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"record_id": ["r1"] * 6}, "record_id 'r1' stands more than once"),
        ({"predictions": np.zeros((6, 3))}, r"predictions: expected shape \(6, 2\)"),
        ({"targets": np.zeros((5, 2))}, r"targets: expected shape \(6, 2\)"),
        ({"names": ["a", "a"]}, "target name 'a' stands more than once"),
        ({"kinds": ["binary", "ordinal"]}, "one of binary, regression"),
        ({"kinds": None}, "record 'r0', target 'Herzfrequenz .*': expected 0, 1 or NaN"),
        ({"patient_id": ["p"]}, "patient_id: expected 6"),
        ({"predictions": np.full((6, 2), "x")}, "expected numbers"),
        (
            {"predictions": np.array([[0.1, np.nan]] + [[0.0, 0.0]] * 5)},
            "record 'r0', target 'Herz.*prediction is nan",
        ),
        ({"predictions": np.array([[0.1, np.inf]] + [[0.0, 0.0]] * 5)}, "prediction is inf"),
        (
            {"targets": np.array([[0.1, np.inf]] + [[0.0, 0.0]] * 5)},
            "expected 0, 1 or NaN .binary., found 0.1",
        ),
    ],
)
def test_contents_that_cannot_be_scored(changes, message) -> None:
    with pytest.raises(PredictionsError, match=message):
        example(**changes)


def test_empty_test_set() -> None:
    with pytest.raises(PredictionsError, match="nothing to score: 0 records"):
        make_predictions([], [], np.zeros((0, 2)), np.zeros((0, 2)), ["a", "b"])


def write_npz(path: Path, **arrays) -> None:
    np.savez(path, **arrays)


def test_npz_with_missing_arrays_lists_what_it_has(tmp_path: Path) -> None:
    write_npz(tmp_path / "a.npz", targets=np.zeros((2, 1)), scores=np.zeros((2, 1)), names=np.array(["a"]))
    with pytest.raises(PredictionsError, match="missing array 'predictions' or 'probs'; found 'targets', 'scores'"):
        read_predictions(tmp_path / "a.npz")
    write_npz(tmp_path / "b.npz", targets=np.zeros((2, 1)), probs=np.zeros((2, 1)))
    with pytest.raises(PredictionsError, match="missing array 'names' or 'labels'"):
        read_predictions(tmp_path / "b.npz")
    write_npz(tmp_path / "c.npz", targets=np.zeros(2), probs=np.zeros(2), names=np.array(["a"]))
    with pytest.raises(PredictionsError, match=r"expected \(records, targets\)"):
        read_predictions(tmp_path / "c.npz")
    write_npz(tmp_path / "d.npz")
    with pytest.raises(PredictionsError, match="found none"):
        read_predictions(tmp_path / "d.npz")


class _Payload:
    """What a malicious file would hold: unpickling it calls a function."""

    def __reduce__(self) -> tuple:
        return (Path.touch, (Path("pickle_ran"),))


def test_npz_that_needs_pickle_is_refused_and_runs_nothing(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    names = np.array([_Payload()], dtype=object)
    np.savez(tmp_path / "p.npz", targets=np.zeros((2, 1)), probs=np.zeros((2, 1)), names=names)
    with pytest.raises(PredictionsError, match="pickled objects are refused"):
        read_predictions(tmp_path / "p.npz")
    assert not (tmp_path / "pickle_ran").exists()


def test_broken_files(tmp_path: Path) -> None:
    with pytest.raises(PredictionsError, match="no predictions at"):
        read_predictions(tmp_path / "absent.npz")
    for name in ("p.npz", "p.parquet"):
        (tmp_path / name).write_bytes(b"not a file of that kind")
        with pytest.raises(PredictionsError, match=rf"{name}: not a readable"):
            read_predictions(tmp_path / name)
        (tmp_path / name).write_bytes(b"")
        with pytest.raises(PredictionsError, match=rf"{name}: not a readable"):
            read_predictions(tmp_path / name)
    (tmp_path / "p.csv").write_text("a,b")
    with pytest.raises(PredictionsError, match=r"expected a .parquet or .npz file, found '.csv'"):
        read_predictions(tmp_path / "p.csv")
    whole = write_predictions(tmp_path / "whole.parquet", example()).read_bytes()
    (tmp_path / "half.parquet").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(PredictionsError, match=r"half\.parquet: not a readable"):
        read_predictions(tmp_path / "half.parquet")


def test_npz_cut_short(tmp_path: Path) -> None:
    np.savez(tmp_path / "p.npz", targets=np.zeros((200, 1)), probs=np.zeros((200, 1)), names=np.array(["a"]))
    whole = (tmp_path / "p.npz").read_bytes()
    (tmp_path / "p.npz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(PredictionsError, match="not a readable"):
        read_predictions(tmp_path / "p.npz")
    # A member that is no array, and one whose array is cut short.
    header = io.BytesIO()
    np.save(header, np.zeros((200, 1)))
    for content in (b"text", header.getvalue()[:-100]):
        with zipfile.ZipFile(tmp_path / "q.npz", "w") as archive:
            archive.writestr("targets.npy", content)
        with pytest.raises(PredictionsError):
            read_predictions(tmp_path / "q.npz")


def parquet(path: Path, drop: str | None = None, metadata: bool = True, **columns) -> Path:
    """A hand-made file, with the mistake a test asks for."""
    values = {
        "record_id": ["a", "b"],
        "patient_id": [None, None],
        "targets": [[0.0], [1.0]],
        "predictions": [[0.2], [0.3]],
        **columns,
    }
    if drop:
        del values[drop]
    table = pa.table(values)
    if metadata and "predictions" in values:
        field = table.schema.field("predictions").with_metadata({"target_names": '["x"]', "target_kinds": '["binary"]'})
        table = table.cast(table.schema.set(table.schema.get_field_index("predictions"), field))
    pq.write_table(table, path)
    return path


def test_hand_made_parquet(tmp_path: Path) -> None:
    read = read_predictions(parquet(tmp_path / "p.parquet", targets=[[None], [1]]))
    np.testing.assert_array_equal(read.targets, [[np.nan], [1]])
    assert read.patient_id.tolist() == [None, None]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"drop": "predictions"}, "missing column predictions; .*found record_id, patient_id, targets"),
        ({"drop": "patient_id"}, "missing column patient_id"),
        ({"metadata": False}, "lacks target_names"),
        ({"predictions": [[0.1], [0.2, 0.3]]}, "column 'predictions', row 1: expected 1 values, found 2"),
        ({"targets": [[0.1], None]}, "column 'targets', row 1: expected 1 values"),
        ({"predictions": [0.1, 0.2]}, "expected a list of numbers per record, found double"),
        ({"predictions": [["x"], ["y"]]}, "expected a list of numbers per record"),
        ({"predictions": [[None], [0.2]]}, "record 'a', target 'x': the prediction is nan"),
        ({"record_id": ["a", "a"]}, "record_id 'a' stands more than once"),
    ],
)
def test_parquet_that_cannot_be_scored(tmp_path: Path, options, message) -> None:
    with pytest.raises(PredictionsError, match=message):
        read_predictions(parquet(tmp_path / "p.parquet", **options))


def test_align_reorders_by_record() -> None:
    p = example()
    assert_equal(align(p, p.take(np.array([5, 3, 1, 0, 2, 4]))), p)


def test_align_refuses_other_test_sets() -> None:
    p = example()
    with pytest.raises(PredictionsError, match="different targets"):
        align(p, example(names=["1AVB", "other"]))
    with pytest.raises(PredictionsError, match=r"different records .6 and 6, for example 'r0'"):
        align(p, example(record_id=[f"s{i}" for i in range(6)]))
    with pytest.raises(PredictionsError, match="different records"):
        align(p.take(np.arange(5)), p)
    targets = p.targets.copy()
    targets[2, 1] = 7
    with pytest.raises(PredictionsError, match=r"record 'r2', target 'Herz.*: different targets in the two files"):
        align(p, example(targets=targets))

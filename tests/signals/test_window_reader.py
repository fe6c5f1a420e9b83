"""Windows read from a dataset are the crops of its rows, converted."""

import numpy as np
import pytest
from datasets import Array2D, Dataset, Features

from hf_ecg_bench.data.signal_view import SignalView
from hf_ecg_bench.data.windows import WindowReader
from hf_ecg_bench.errors import ContractError, DataError
from hf_ecg_bench.signals.contract import ConversionPlan, ModelInput, SignalSource, plan
from hf_ecg_bench.signals.leads import LEADS
from hf_ecg_bench.signals.resampling import resample
from hf_ecg_bench.signals.windows import evaluation_index

LENGTHS = (1000, 1249, 400, 250, 249)  # at 100 Hz, windows of 2.5 s


def make_rows(lengths: tuple[int, ...] = LENGTHS) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.standard_normal((length, 12)).astype(np.float32) for length in lengths]


def make_view(rows: list[np.ndarray]) -> SignalView:
    features = Features({"signal": Array2D((None, 12), "float32")})
    return SignalView(Dataset.from_dict({"signal": rows}, features=features))


def make_plan(rate: float = 100, **changes: object) -> ConversionPlan:
    return plan(SignalSource(100, LEADS, "mV", None, "test data"), ModelInput(rate, 2.5, where="model", **changes))


def test_equal_rates_give_the_crops_in_the_models_layout() -> None:
    rows = make_rows()
    reader = WindowReader(make_view(rows), make_plan())
    records, starts = np.array([2, 0, 0, 3]), np.array([150, 750, 3, 0])
    batch = reader.read(records, starts)
    assert batch.dtype == np.float32
    assert batch.flags.c_contiguous
    assert batch.flags.writeable
    expected = [rows[r][s : s + 250].T for r, s in zip(records, starts, strict=True)]
    np.testing.assert_array_equal(batch, expected)
    batch[:] = 0  # a new array: the dataset must not change
    np.testing.assert_array_equal(reader.read(records, starts), expected)


def test_each_window_is_resampled_for_itself() -> None:
    rows = make_rows()
    reader = WindowReader(make_view(rows), make_plan(rate=250))
    records, starts = evaluation_index(reader.view.lengths(), reader.plan.window)
    assert records.tolist() == [0] * 4 + [1] * 4 + [2, 3]
    batch = reader.read(records, starts)
    assert batch.shape == (10, 12, 625)
    for window, r, s in zip(batch, records, starts, strict=True):
        np.testing.assert_allclose(window.T, resample(rows[r][s : s + 250], 100, 250), rtol=0, atol=1e-6)


def test_short_records_are_left_out_of_evaluation() -> None:
    assert evaluation_index(make_view(make_rows()).lengths(), 250, "shift")[0].tolist() == [0] * 4 + [1] * 5 + [2, 2, 3]


def test_nan_become_zero() -> None:
    rows = make_rows()
    rows[0][5, 7] = np.nan
    batch = WindowReader(make_view(rows), make_plan()).read(np.array([0]), np.array([0]))
    assert batch[0, 7, 5] == 0
    assert np.isfinite(batch).all()


def test_empty_batches_and_empty_datasets() -> None:
    nothing = np.empty(0, dtype=np.int64)
    reader = WindowReader(make_view(make_rows()), make_plan(rate=250))
    assert reader.read(nothing, nothing).shape == (0, 12, 625)
    empty = WindowReader(make_view([]), make_plan())
    assert evaluation_index(empty.view.lengths(), 250)[0].shape == (0,)


@pytest.mark.parametrize(
    ("records", "starts", "message"),
    [
        ([0], [751], r"samples 751..1000 asked of record 0, which has 1000"),
        ([0], [-1], "samples -1..248"),
        ([4], [0], "samples 0..249 asked of record 4, which has 249"),
        ([5], [0], "record 5..5 asked of 5"),
        ([-1], [0], "record -1"),
        ([0, 1], [0], "expected"),
    ],
)
def test_windows_outside_of_records_are_errors(records: list[int], starts: list[int], message: str) -> None:
    reader = WindowReader(make_view(make_rows()), make_plan())
    with pytest.raises(DataError, match=message):
        reader.read(np.array(records), np.array(starts))


def test_records_that_are_all_too_short_are_an_error() -> None:
    with pytest.raises(ContractError, match="longest of 2 records has 249 samples; model needs windows of 250"):
        WindowReader(make_view(make_rows((249, 100))), make_plan())


def test_another_number_of_leads_is_an_error() -> None:
    features = Features({"signal": Array2D((None, 8), "float32")})
    view = SignalView(Dataset.from_dict({"signal": [np.zeros((300, 8))]}, features=features))
    with pytest.raises(ContractError, match="rows with 8 leads; the plan is for 12"):
        WindowReader(view, make_plan())

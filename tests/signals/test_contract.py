"""The plan from a dataset's signals to a model's input: right, recorded, or refused."""

import json

import numpy as np
import pytest

from hf_ecg_bench.errors import ContractError, DataError
from hf_ecg_bench.signals.contract import ModelInput, SignalSource, plan
from hf_ecg_bench.signals.leads import LEADS
from hf_ecg_bench.signals.resampling import resample


def source(**changes: object) -> SignalSource:
    facts = {"rate": 500, "leads": LEADS, "unit": "mV", "seconds": 10.0, "where": "ptbxl"}
    return SignalSource(**{**facts, **changes})


def target(**changes: object) -> ModelInput:
    return ModelInput(**{"rate": 240, "seconds": 2.5, "where": "ecg_cpc", **changes})


def windows(batch: int = 3, n: int = 1250) -> np.ndarray:
    return np.random.default_rng(0).standard_normal((batch, n, 12)).astype(np.float32)


def test_plan_tells_the_user_and_the_result_file() -> None:
    made = plan(source(), target())
    assert (made.window, made.samples) == (1250, 600)
    text = made.describe()
    assert text.splitlines()[0] == "signal: ptbxl -> ecg_cpc"
    for part in (
        "2.5 s = 1250 samples at 500 Hz",
        "500 -> 240 Hz (600 samples)",
        "NaN become 0",
        "unit: mV",
        "leads: 12",
    ):
        assert part in text
    stored = json.loads(json.dumps(made.to_dict()))
    assert stored["steps"] == list(made.steps)
    assert stored["source"]["rate"] == 500
    assert stored["target"]["where"] == "ecg_cpc"


@pytest.mark.parametrize(
    ("rate_in", "seconds", "rate_out", "window", "samples"),
    [
        (500, 2.4, 250, 1200, 600),
        (500, 10, 250, 5000, 2500),
        (400, 2.5, 500, 1000, 1250),
        (1000, 5, 100, 5000, 500),
        (250, 2.5, 240, 625, 600),
        (500, 2.5, 500, 1250, 1250),
    ],
)
def test_lengths(rate_in: float, seconds: float, rate_out: float, window: int, samples: int) -> None:
    made = plan(source(rate=rate_in), target(rate=rate_out, seconds=seconds, fixed_length=samples))
    assert (made.window, made.samples) == (window, samples)
    assert made.apply(windows(2, window)).shape == (2, 12, samples)


def test_apply_resamples_and_transposes() -> None:
    batch = windows()
    result = plan(source(), target()).apply(batch)
    assert result.dtype == np.float32
    assert result.flags.c_contiguous
    for one, converted in zip(batch, result, strict=True):
        np.testing.assert_allclose(converted.T, resample(one, 500, 240), rtol=0, atol=1e-6)


def test_apply_zeroes_nan_before_resampling_and_leaves_its_input_alone() -> None:
    batch = windows()
    batch[1, 600, 4] = np.nan
    before = batch.copy()
    for rate in (240, 500):
        made = plan(source(), target(rate=rate))
        np.testing.assert_array_equal(made.apply(batch), made.apply(np.nan_to_num(batch)))
    np.testing.assert_array_equal(batch, before)
    batch[2, 0, 0] = np.inf
    with pytest.raises(DataError, match="ptbxl: window 2 of the batch has infinite samples"):
        made.apply(batch)


def test_units_are_scaled_or_refused() -> None:
    batch = windows()
    in_mv = plan(source(), target(rate=500)).apply(batch)
    for unit, factor in (("uV", 1e3), ("µV", 1e3), ("V", 1e-3)):
        made = plan(source(unit=unit), target(rate=500))
        np.testing.assert_allclose(made.apply(batch * np.float32(factor)), in_mv, rtol=1e-6)
        assert f"{unit} -> mV" in made.describe()
    with pytest.raises(
        ContractError, match=r"signal in 'z', ecg_cpc needs mV: no conversion\n  fix: .*accept_unit='z'"
    ):
        plan(source(unit="z"), target())
    accepted = plan(source(unit="z"), target(rate=500), accept_unit="z")
    assert "fed as if it were mV" in accepted.describe()
    np.testing.assert_array_equal(accepted.apply(batch), in_mv)
    with pytest.raises(ContractError, match="no conversion"):
        plan(source(unit="counts"), target(), accept_unit="z")


def test_leads_are_picked_by_name() -> None:
    order = (5, 3, 1, 0, 2, 4, 11, 10, 9, 8, 7, 6)
    shuffled = plan(source(leads=tuple(LEADS[k].upper() for k in order)), target())
    batch = windows()
    np.testing.assert_array_equal(shuffled.apply(batch[:, :, order]), plan(source(), target()).apply(batch))
    eight = plan(source(), target(leads=("I", "II", "V1", "V2", "V3", "V4", "V5", "V6"), rate=500))
    np.testing.assert_array_equal(eight.apply(batch), batch[:, :, [0, 1, *range(6, 12)]].transpose(0, 2, 1))


@pytest.mark.parametrize(
    ("source_changes", "target_changes", "message"),
    [
        ({"leads": LEADS[:9]}, {}, "ptbxl: lead V4, V5, V6 missing; ecg_cpc needs"),
        ({"leads": (*LEADS, "i")}, {}, "a lead appears twice"),
        ({"rate": 0}, {}, "ptbxl: sampling rate 0 Hz; expected a positive number"),
        ({"rate": float("nan")}, {}, "expected a positive number"),
        ({}, {"rate": -240}, "ecg_cpc: sampling rate -240 Hz"),
        ({}, {"seconds": 0}, "window of 0 s"),
        ({"seconds": 2.4}, {}, "records of 2.4 s are shorter than the window of ecg_cpc, 2.5 s"),
        ({"rate": 40}, {}, "40 Hz is too coarse for ecg_cpc at 240 Hz"),
        (
            {},
            {"fixed_length": 625},
            "takes exactly 625 samples; 2.5 s of ptbxl at 500 Hz are 600 at 240 Hz",
        ),
        ({}, {"seconds": 0.0001}, "has no samples"),
    ],
)
def test_what_cannot_be_converted_is_an_error(source_changes: dict, target_changes: dict, message: str) -> None:
    with pytest.raises(ContractError, match=message):
        plan(source(**source_changes), target(**target_changes))


def test_apply_refuses_windows_of_another_shape() -> None:
    made = plan(source(), target())
    for shape in ((3, 1200, 12), (3, 12, 1250), (1250, 12)):
        with pytest.raises(DataError, match=r"expected \(batch, 1250, 12\)"):
            made.apply(np.zeros(shape, dtype=np.float32))

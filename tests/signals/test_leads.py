"""Leads: found by name, in one order, and checked against the relations between them."""

import numpy as np
import pytest

from hf_ecg_bench.errors import DataError
from hf_ecg_bench.signals.leads import LEADS, limb_lead_residual, to_canonical


def twelve_leads(n: int = 500) -> np.ndarray:
    rng = np.random.default_rng(0)
    i, ii = rng.standard_normal((2, n))
    limb = [i, ii, ii - i, -(i + ii) / 2, i - ii / 2, ii - i / 2]
    return np.stack([*limb, *rng.standard_normal((6, n))], axis=1).astype(np.float32)


def test_any_stored_order_and_case_gives_the_canonical_order() -> None:
    signal = twelve_leads()
    order = np.random.default_rng(1).permutation(12)
    names = [LEADS[k].upper() if k % 2 else f" {LEADS[k].lower()} " for k in order]
    result = to_canonical(signal[:, order].astype(np.float64), names, where="record 1")
    assert result.dtype == np.float32
    assert result.flags.c_contiguous
    np.testing.assert_array_equal(result, signal)


def test_extra_leads_are_dropped_and_missing_ones_are_zero_or_an_error() -> None:
    signal = np.ones((4, 3), dtype=np.int16)
    result = to_canonical(signal, ["vx", "V2", "i"], where="record 1")
    assert result.sum() == 8
    assert (result[:, [0, 7]] == 1).all()
    with pytest.raises(DataError, match=r"record 1: lead II, III, aVR.* missing; found vx, V2, i"):
        to_canonical(signal, ["vx", "V2", "i"], where="record 1", missing="error")


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["I", "i", "II"], "lead I appears twice"),
        (["x", "y", "z"], "no standard lead among"),
        (["I", "II"], r"shape \(4, 3\) with 2 lead names"),
    ],
)
def test_unusable_names_are_errors(names: list[str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        to_canonical(np.zeros((4, 3)), names, where="record 1")


def test_limb_lead_residual_finds_swapped_scaled_and_missing_leads() -> None:
    signal = twelve_leads()
    assert limb_lead_residual(signal) < 1e-6
    assert limb_lead_residual(np.round(signal, 3)) < 2e-3
    gap = signal.copy()
    gap[10, 3] = np.nan
    assert limb_lead_residual(gap) < 1e-6
    assert np.isnan(limb_lead_residual(np.full((5, 12), np.nan)))
    for swap in ([1, 0, 2, 3, 4, 5], [0, 1, 2, 4, 3, 5], [0, 1, 2, 3, 5, 4]):
        assert limb_lead_residual(signal[:, swap]) > 0.3
    scaled = signal.copy()
    scaled[:, 1] *= 2
    assert limb_lead_residual(scaled) > 0.3
    scaled[:, 1] = 0
    assert limb_lead_residual(scaled) > 0.3

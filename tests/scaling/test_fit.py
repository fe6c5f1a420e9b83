"""The law of a learning curve: fitted exactly, within its bounds, and turned around."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import least_squares

from benchmarks.bench_scaling import RECORDS, coverage, law_of
from hf_ecg_bench.errors import EcgBenchError
from hf_ecg_bench.scaling.fit import ALPHA_MAX, fit_power_law
from hf_ecg_bench.scaling.law import PowerLaw

EQUAL = np.full(len(RECORDS), 1e-6)


@pytest.mark.parametrize(
    "law", [(1.0, 0.3, 0.05), (2.0, 0.5, 0.08), (0.5, 0.1, 0.0), (3.0, 1.5, 0.1), (0.4, 0.05, 0.02)]
)
def test_a_law_without_noise_is_found(law: tuple[float, float, float]) -> None:
    found = fit_power_law(RECORDS, law_of(*law).error(RECORDS), EQUAL)
    assert (found.scale, found.alpha) == (pytest.approx(law[0], rel=1e-5), pytest.approx(law[1], abs=1e-6))
    assert found.offset == pytest.approx(law[2], abs=1e-6)
    assert found.records_for(law_of(*law).error([500.0])[0]) == pytest.approx(500, rel=1e-5)


def test_no_other_optimiser_finds_smaller_squares() -> None:
    rng = np.random.default_rng(0)
    sd = np.linspace(0.006, 0.002, len(RECORDS))
    errors = law_of(1.0, 0.3, 0.05).error(RECORDS) + sd * rng.normal(size=(12, len(RECORDS)))
    found = fit_power_law(RECORDS, errors, sd**2)
    ours = (((found.error(RECORDS) - errors) / sd) ** 2).sum(axis=1)
    for row, own in zip(errors, ours, strict=True):

        def residual(p: np.ndarray, row: np.ndarray = row) -> np.ndarray:
            return (np.exp(p[0]) * RECORDS ** -p[1] + p[2] - row) / sd

        for start in (0.1, 0.4):
            other = least_squares(residual, [0, start, 0.05], bounds=([-9, 0.01, 0], [20, ALPHA_MAX, 1]), xtol=1e-12)
            assert own <= 2 * other.cost * (1 + 1e-8)


def test_weights_decide() -> None:
    errors = law_of(1.0, 0.3, 0.05).error(RECORDS)
    errors[0] += 0.1
    variances = EQUAL.copy()
    variances[0] = 1e6
    assert fit_power_law(RECORDS, errors, variances).alpha == pytest.approx(0.3, abs=1e-4)
    assert abs(fit_power_law(RECORDS, errors, EQUAL).alpha - 0.3) > 0.05


def test_bounds() -> None:
    steep = fit_power_law(RECORDS, 100 * RECORDS**-3.0, EQUAL)
    assert steep.alpha == ALPHA_MAX
    concave = fit_power_law(RECORDS, 0.3 - RECORDS / 1e5, EQUAL)
    assert concave.offset == 0
    assert concave.scale > 0
    rising = fit_power_law(RECORDS, np.linspace(0.1, 0.2, len(RECORDS)), EQUAL)
    assert (rising.scale, rising.offset) == (0, pytest.approx(0.15))
    assert np.isnan(rising.alpha)
    assert rising.error(RECORDS) == pytest.approx(np.full(len(RECORDS), 0.15))
    assert rising.records_for([0.3, 0.1]).tolist() == [0, np.inf]
    assert fit_power_law(RECORDS, 2 * RECORDS**-0.4 + 0.1, EQUAL, offset=False).offset == 0


def test_an_error_below_the_offset_is_never_reached() -> None:
    law = law_of(1.0, 0.5, 0.1)
    assert law.records_for([0.2, 0.1, 0.05]).tolist() == [pytest.approx(100), np.inf, np.inf]
    both = PowerLaw(np.array([1.0, 0.0]), np.array([0.5, np.nan]), np.array([0.1, 0.1]))
    assert both.records_for(0.2).tolist() == [pytest.approx(100), 0]


def test_many_curves_are_fitted_as_one_by_one() -> None:
    errors = law_of(1.0, 0.3, 0.05).error(RECORDS) + np.random.default_rng(0).normal(0, 0.003, (300, len(RECORDS)))
    together = fit_power_law(RECORDS, errors, EQUAL)
    for row in (0, 255, 256, 299):
        alone = fit_power_law(RECORDS, errors[row], EQUAL)
        assert alone.alpha == pytest.approx(together.alpha[row], abs=1e-9)
        assert alone.offset == pytest.approx(together.offset[row], abs=1e-9)


@pytest.mark.parametrize(
    ("records", "offset", "message"),
    [
        ([100, 200, 400], True, "at least 4"),
        ([100, 200, 200], False, "at least 3 .* found 2"),
        ([0, 1, 2, 3], True, "above 0"),
    ],
)
def test_what_is_not_fitted(records: list[float], offset: bool, message: str) -> None:
    with pytest.raises(EcgBenchError, match=message):
        fit_power_law(records, np.linspace(0.3, 0.2, len(records)), np.ones(len(records)), offset=offset)


def test_intervals_hold_the_truth() -> None:
    shares = coverage(law_of(1.0, 0.3, 0.05), law_of(1.6, 0.3, 0.06), 20, resamples=60)
    assert all(share >= 0.7 for share in shares.values()), shares  # 14 of 20: never at 95 %


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [2, 3])
def test_intervals_hold_the_truth_in_95_percent(seeds: int) -> None:
    shares = coverage(law_of(1.0, 0.3, 0.05), law_of(1.6, 0.3, 0.06), 200, seeds=seeds, resamples=300, seed=7)
    assert all(0.89 <= share <= 0.995 for share in shares.values()), shares

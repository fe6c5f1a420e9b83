"""How many labels a model needs: known laws, ends that are not reached, extrapolations."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.bench_scaling import RECORDS, fit_simulated, law_of, simulate
from hf_ecg_bench.scaling.answers import FittedCurve, answer, percentile_ends
from hf_ecg_bench.scaling.law import PowerLaw

ALL = len(RECORDS) - 1


def test_two_known_laws() -> None:
    laws = law_of(1.0, 0.3, 0.05), law_of(1.6, 0.3, 0.06)
    model, other = fit_simulated(simulate(laws, np.random.default_rng(3), resamples=200), 200, 0)
    told = answer(model, other, ALL)
    true = float(laws[0].records_for(laws[1].error(RECORDS[-1:])[0]))
    assert told["records"]["low"] < true < told["records"]["high"]
    assert told["records"]["value"] == pytest.approx(true, rel=0.25)
    assert told["ratio"]["value"] == pytest.approx(told["records"]["value"] / RECORDS[-1])
    assert told["reached"]
    assert told["extrapolated"] is None
    assert told["p_not_reached"] == 0
    # The test set is shared: were the sampling errors independent, the interval would be wider.
    apart = FittedCurve(
        "apart", other.records, other.errors, np.roll(other.resampled, 1, axis=0), other.law, other.laws
    )
    loose = answer(model, apart, ALL)["records"]
    assert loose["high"] - loose["low"] > 1.15 * (told["records"]["high"] - told["records"]["low"])


def exact(label: str, scale: float, alpha: float, offset: float, copies: int = 40) -> FittedCurve:
    law = law_of(scale, alpha, offset)
    laws = PowerLaw(*(np.full(copies, value) for value in (scale, alpha, offset)))
    errors = law.error(RECORDS)
    return FittedCurve(label, RECORDS, errors, np.tile(errors, (copies, 1)), law, laws)


def test_beyond_and_below_what_was_tried() -> None:
    good, bad = exact("good", 1.0, 0.5, 0.05), exact("bad", 2.0, 0.5, 0.05)
    beyond = answer(bad, good, ALL)
    assert beyond["extrapolated"] == "beyond"
    assert beyond["records"]["value"] == pytest.approx(4 * RECORDS[-1])
    below = answer(good, bad, 0)
    assert below["extrapolated"] == "below"
    assert below["ratio"]["value"] == pytest.approx(1 / 4)


def test_not_reached() -> None:
    good, bad = exact("good", 1.0, 0.5, 0.05), exact("bad", 1.0, 0.5, 0.2)
    told = answer(bad, good, ALL)
    assert not told["reached"]
    assert told["p_not_reached"] == 1
    assert np.isnan(told["records"]["value"])
    # A law without offset reaches everything in the end; a hundred times the largest size is where asking ends.
    assert not answer(exact("slow", 0.4, 0.05, 0.0), good, ALL)["reached"]


def test_a_model_without_law_is_only_matched() -> None:
    good = exact("good", 1.0, 0.5, 0.05)
    bare = FittedCurve("bare", RECORDS[-1:], np.array([0.06]), np.full((40, 1), 0.06), None, None)
    assert answer(good, bare, 0)["reached"]
    with pytest.raises(ValueError, match="no fitted law"):
        answer(bare, good, ALL)


def test_ends_of_infinite_values() -> None:
    values = np.r_[np.arange(1.0, 98.0), np.inf, np.inf, np.inf, np.nan]
    assert percentile_ends(values) == (3.0, np.inf)
    assert np.isnan(percentile_ends(np.array([np.nan]))).all()

"""What each perturbation does to a record, and that a view of perturbed records is that and nothing else."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from datasets import Array2D, Dataset, Features

from hf_ecg_bench.data.record_windows import window_reader
from hf_ecg_bench.data.signal_view import SignalView
from hf_ecg_bench.errors import ContractError, UnknownNameError
from hf_ecg_bench.robustness.noise import LEAD_RMS, electrodes_to_leads
from hf_ecg_bench.robustness.perturbations import ALL, PERTURBATIONS, chosen_perturbations
from hf_ecg_bench.robustness.perturbed_view import PerturbedView
from hf_ecg_bench.signals.contract import ModelInput, SignalSource, plan
from hf_ecg_bench.signals.leads import LEADS, limb_lead_residual

RATE, SECONDS = 500, 10
SWAPS = ["swap_ra_la", "swap_la_ll", "swap_ra_ll", "swap_v1_v2"]
NOISES = ["baseline_wander", "mains_50", "mains_60", "muscle_noise"]


def potentials(seed=0, samples=RATE * SECONDS):
    """(time, 9) electrode potentials in mV with slow and fast parts."""
    rng = np.random.default_rng(seed)
    time = np.arange(samples)[:, None] / RATE
    return sum(rng.normal(size=9) * np.sin(2 * np.pi * f * time + rng.uniform(0, 6, 9)) for f in (0.7, 1.3, 5, 11, 17))


def record(seed=0, **kwargs):
    return (potentials(seed, **kwargs) @ electrodes_to_leads()).astype(np.float32)


def test_electrodes_make_the_leads_of_the_textbook():
    ra, la, ll, *chest = potentials().T
    leads = potentials() @ electrodes_to_leads()
    np.testing.assert_allclose(leads[:, 0], la - ra)
    np.testing.assert_allclose(leads[:, 1], ll - ra)
    np.testing.assert_allclose(leads[:, 3], ra - (la + ll) / 2)
    np.testing.assert_allclose(leads[:, 11], chest[5] - (ra + la + ll) / 3)
    assert limb_lead_residual(leads) < 1e-12


@pytest.mark.parametrize("name", SWAPS)
def test_swaps_are_what_exchanged_electrodes_record(name):
    """The exchanged electrodes' potentials through the leads' definitions; and twice is as before."""
    order = {"ra_la": [1, 0, 2], "la_ll": [0, 2, 1], "ra_ll": [2, 1, 0], "v1_v2": [0, 1, 2, 4, 3]}[name[5:]]
    exchanged = potentials()[:, [*order, *range(len(order), 9)]] @ electrodes_to_leads()
    swap = PERTURBATIONS[name]
    once = swap(record(), RATE, "a")
    np.testing.assert_allclose(once, exchanged, atol=1e-5)
    assert np.abs(once - record()).max() > 0.1
    np.testing.assert_array_equal(swap(once, RATE, "b"), record())


def test_leads_that_are_off_are_flat_and_others_untouched():
    for name, off in {
        "v1_off": {"V1"},
        "v4_off": {"V4"},
        "limb_off": set(LEADS[:6]),
        "chest_off": set(LEADS[6:]),
        "only_i": set(LEADS[1:]),
    }.items():
        result = PERTURBATIONS[name](record(), RATE, "a")
        for column, lead in enumerate(LEADS):
            expected = np.zeros(len(result)) if lead in off else record()[:, column]
            np.testing.assert_array_equal(result[:, column], expected)


def test_amplitudes():
    np.testing.assert_array_equal(PERTURBATIONS["amplitude_half"](record(), RATE, "a"), record() * np.float32(0.5))
    np.testing.assert_array_equal(PERTURBATIONS["amplitude_double"](record(), RATE, "a"), record() * np.float32(2))


def added(name, number=1, rate=RATE, samples=RATE * SECONDS):
    """(records, time, 12) what a perturbation adds."""
    signal = record(samples=samples)
    return np.stack([PERTURBATIONS[name](signal, rate, f"r{n}") - signal for n in range(number)])


@pytest.mark.parametrize(
    ("name", "low", "high", "rms"),
    [
        ("baseline_wander", 0.05, 0.5, 0.3),
        ("mains_50", 50, 50, 0.1),
        ("mains_60", 60, 60, 0.1),
        ("muscle_noise", 20, 150, None),
    ],
)
def test_noise_has_the_stated_power_and_band_and_keeps_einthoven(name, low, high, rms):
    # Whole periods of the slowest wave, so that the spectrum is not smeared.
    rate, samples = (50, 3000) if name == "baseline_wander" else (RATE, RATE * 4)
    noise = added(name, 60, rate, samples)
    power = np.abs(np.fft.rfft(noise, axis=1)) ** 2
    frequency = np.fft.rfftfreq(samples, 1 / rate)
    outside = (frequency < low - 1e-6) | (frequency > high + 1e-6)
    assert power[:, outside].sum() < 1e-8 * power.sum()
    if name in ("baseline_wander", "muscle_noise"):
        inside = power[:, ~outside, 0].mean(axis=0)
        assert inside.min() > 0.2 * inside.mean(), "no part of the band is empty"
    measured = np.sqrt((noise**2).mean(axis=(0, 1)))
    if rms is not None:
        expected = rms * LEAD_RMS / LEAD_RMS[0]
        np.testing.assert_allclose(measured, expected, rtol=0.2)
        assert measured[0] == pytest.approx(rms, rel=0.2)
    assert limb_lead_residual(noise.reshape(-1, 12)) < 1e-5


def test_muscle_noise_has_the_stated_signal_to_noise_ratio():
    noise = added("muscle_noise", number=20)
    power = record().var(axis=0).sum()
    ratio = 10 * np.log10(power / (noise**2).mean(axis=1).sum(axis=1))
    assert np.mean(ratio) == pytest.approx(10, abs=0.3)


def test_low_rate_keeps_slow_waves_and_loses_fast_ones():
    time = np.arange(RATE * SECONDS) / RATE
    signal = np.zeros((len(time), 12), np.float32)
    signal[:, 0], signal[:, 1] = np.sin(2 * np.pi * 10 * time), np.sin(2 * np.pi * 80 * time)
    result = PERTURBATIONS["rate_100"](signal, RATE, "a")
    middle = slice(RATE, -RATE)
    np.testing.assert_allclose(result[middle, 0], signal[middle, 0], atol=0.02)
    assert np.abs(result[middle, 1]).max() < 0.05
    assert PERTURBATIONS["rate_100"](signal[:4321], RATE, "a").shape == (4321, 12)


@pytest.mark.parametrize("name", list(PERTURBATIONS))
def test_repeatable_new_and_honest_about_missing_samples(name):
    signal = record()
    signal[100:200, 2] = np.nan
    before = signal.copy()
    once = PERTURBATIONS[name](signal, RATE, "a")
    np.testing.assert_array_equal(signal, before)
    assert once.dtype == np.float32
    assert once.shape == signal.shape
    np.testing.assert_array_equal(once, PERTURBATIONS[name](signal, RATE, "a"))
    if name in NOISES:
        assert not np.allclose(once[:100], PERTURBATIONS[name](signal, RATE, "b")[:100])
        assert np.isnan(once[100:200, 2]).all()
        assert np.isfinite(once[:, 0]).all()
    assert np.nanmax(np.abs(once - signal)) > 1e-3, "does nothing"


def test_noise_of_two_perturbations_differs():
    fifty, sixty = added("mains_50"), added("mains_60")
    # The same random numbers would couple both into the electrodes alike.
    assert not np.allclose(fifty.std(axis=1), sixty.std(axis=1), rtol=0.05)


def test_names():
    assert all(len(item.title) <= 34 for item in PERTURBATIONS.values()), "a longer title is cut in plots"
    assert [item.id for item in chosen_perturbations([ALL])] == list(PERTURBATIONS)
    assert [item.id for item in chosen_perturbations(["mains_50", "v1_off"])] == ["v1_off", "mains_50"]
    with pytest.raises(UnknownNameError, match="did you mean 'mains_50'"):
        chosen_perturbations(["mains50"])


@pytest.fixture(scope="module")
def view():
    rows = [record(seed, samples=samples) for seed, samples in enumerate((5000, 5000, 4000))]
    features = Features({"signal": Array2D((None, 12), "float32")})
    return SignalView(Dataset.from_dict({"signal": rows}, features=features).with_format("numpy"))


def perturbed(view, name, unit="mV", rate=RATE):
    return PerturbedView(view, PERTURBATIONS[name], rate=rate, unit=unit, record_ids=["a", "b", "c"], where="data")


def test_view_is_the_function_applied_to_each_record(view):
    there = perturbed(view, "muscle_noise")
    assert len(there) == 3
    assert there.leads == 12
    np.testing.assert_array_equal(there.lengths(), view.lengths())
    for row, name in enumerate("abc"):
        expected = PERTURBATIONS["muscle_noise"](view[row], RATE, name)
        np.testing.assert_array_equal(there[row], expected)
        np.testing.assert_array_equal(there[row - 3], expected)
    crops = list(there.crops(np.array([2, 0, 0]), np.array([10, 20, 3000]), 900))
    np.testing.assert_array_equal(crops[0], there[2][10:910])
    np.testing.assert_array_equal(crops[2], there[0][3000:3900])
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(there))[1], there[1])  # noqa: S301
    with pytest.raises(IndexError):
        there[3]


def test_readers_read_perturbed_windows(view):
    source = SignalSource(RATE, LEADS, "mV", 8.0, "data")
    conversion = plan(source, ModelInput(rate=100, seconds=2.5))
    there = perturbed(view, "swap_ra_la")
    windows = window_reader(there, conversion).read(np.array([1, 0]), np.array([0, 1250]))
    expected = conversion.apply(np.stack([there[1][:1250], there[0][1250:2500]]))
    np.testing.assert_array_equal(windows, expected)


def test_view_of_microvolts_is_perturbed_in_millivolts(view):
    rows = [view[row] * np.float32(1000) for row in range(3)]
    features = Features({"signal": Array2D((None, 12), "float32")})
    micro = SignalView(Dataset.from_dict({"signal": rows}, features=features).with_format("numpy"))
    np.testing.assert_allclose(
        perturbed(micro, "baseline_wander", unit="uV")[0],
        perturbed(view, "baseline_wander")[0] * 1000,
        rtol=1e-4,
        atol=0.1,
    )


def test_what_cannot_be_perturbed_is_refused(view):
    with pytest.raises(ContractError, match="100 Hz is too low for the perturbation mains_60"):
        perturbed(view, "mains_60", rate=100)
    with pytest.raises(ContractError, match="signals are in 'z'"):
        perturbed(view, "v1_off", unit="z")

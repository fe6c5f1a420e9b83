"""Windows after a model's own preprocessing: the same from the reader as from the feature extractor, lengths right."""

from __future__ import annotations

import numpy as np
import pytest
from datasets import Dataset, Features, Value
from datasets.features import Array2D

from hf_ecg_bench.data.record_windows import RecordWindowReader, window_reader
from hf_ecg_bench.data.signal_view import SignalView
from hf_ecg_bench.data.windows import WindowReader
from hf_ecg_bench.errors import ContractError, DataError
from hf_ecg_bench.models.feature_extraction import EcgFeatureExtractor
from hf_ecg_bench.models.preprocessing import preprocessing_overrides
from hf_ecg_bench.models.registry import get_model_spec, list_models, model_class
from hf_ecg_bench.signals.contract import ModelInput, SignalSource, plan
from hf_ecg_bench.signals.leads import LEADS
from hf_ecg_bench.signals.original import OriginalInput, plan_original
from hf_ecg_bench.signals.steps import FillMissing, FourierResample, HighPass, ZScore
from hf_ecg_bench.signals.windows import evaluation_index, training_start

WITH_ORIGINAL = [model for model in list_models() if get_model_spec(model).original is not None]
LENGTHS = (5000, 6100, 5000, 10250, 40)


@pytest.fixture(scope="module")
def view() -> SignalView:
    random = np.random.default_rng(0)
    rows = [random.standard_normal((n, 12)).cumsum(axis=0).astype(np.float32) * 0.02 for n in LENGTHS]
    rows[1][100:140, 3] = np.nan
    rows[2][:, 7] = 0
    features = Features({"signal": Array2D((None, 12), "float32"), "n": Value("int32")})
    return SignalView(Dataset.from_dict({"signal": rows, "n": list(LENGTHS)}, features=features))


def source(**changes) -> SignalSource:
    return SignalSource(**{"rate": 500, "leads": LEADS, "unit": "mV", "seconds": None, "where": "data", **changes})


@pytest.mark.parametrize("model_id", WITH_ORIGINAL)
def test_reader_gives_the_windows_of_the_feature_extractor(model_id, view):
    spec = get_model_spec(model_id)
    config = model_class(model_id, "Config")(**preprocessing_overrides(spec, "original"))
    made = plan_original(source(), spec.original, model_id, config.fixed_length)
    config.check_length(made.samples)
    reader = window_reader(view, made)
    assert isinstance(reader, RecordWindowReader)
    assert reader.lengths[-1] < made.window  # 80 ms
    records, starts = evaluation_index(reader.lengths, made.window)
    order = np.random.default_rng(1).permutation(len(records))
    windows = reader.read(records[order], starts[order])[np.argsort(order)]
    assert windows.dtype == np.float32
    assert windows.flags.c_contiguous
    assert windows.shape[1:] == (12, made.samples)
    extractor = EcgFeatureExtractor.from_config(config)
    for record in np.unique(records):
        alone = extractor(view[int(record)], sampling_rate=500, return_tensors="np")["input_values"]
        np.testing.assert_allclose(windows[records == record], alone, rtol=0, atol=1e-5)


def test_windows_are_cut_at_the_models_rate_after_the_steps_on_the_record(view):
    original = OriginalInput(
        rate=250, seconds=4, record=(FillMissing(), HighPass(0.5), FourierResample(250)), window=(ZScore("all"),)
    )
    made = plan_original(source(seconds=10.0), original, "a model", None)
    assert (made.cut_rate, made.window, made.samples) == (250, 1000, 1000)
    for words in (
        "original, on whole records at 500 Hz",
        "become 0",
        "high-pass",
        "4 s = 1000 samples at 250 Hz",
        "z-",
    ):
        assert words in made.describe()
    reader = RecordWindowReader(view, made)
    np.testing.assert_array_equal(reader.lengths[:4], [2500, 3050, 2500, 5125])
    starts = training_start(reader.lengths[:4], made.window, 7, 0, np.arange(4))
    windows = reader.read(np.arange(4), starts)
    whole = view[3].astype(np.float64)[None]
    for step, rate in ((FillMissing(), 500), (HighPass(0.5), 500), (FourierResample(250), 500)):
        whole, _ = step(whole, rate)
    cut = whole[0, starts[3] : starts[3] + 1000]
    np.testing.assert_allclose(windows[3], ((cut - cut.mean()) / cut.std()).T, atol=1e-6)
    assert reader.read(np.array([], int), np.array([], int)).shape == (0, 12, 1000)
    with pytest.raises(DataError, match="asked of record 0, which has 2500"):
        reader.read(np.array([0]), np.array([1501]))


def test_leads_and_unit_follow_the_plan(view):
    swapped = (*LEADS[:4], "aVF", "aVL", *LEADS[6:])
    original = OriginalInput(rate=500, seconds=2, leads=swapped)
    made = plan_original(source(unit="uV"), original, "a model", None)
    result = made.finish(made.prepare(view[0][None, :1000] * 1000))
    expected = view[0][:1000].T[[0, 1, 2, 3, 5, 4, *range(6, 12)]]
    np.testing.assert_allclose(result[0], expected, rtol=1e-5, atol=1e-6)


def test_the_papers_way_has_its_own_reader(view):
    made = plan(source(), ModelInput(100, 2.5))
    reader = window_reader(view, made)
    assert isinstance(reader, WindowReader)
    np.testing.assert_array_equal(reader.lengths, LENGTHS)


@pytest.mark.parametrize(
    ("changes", "original", "message"),
    [
        ({"rate": 80}, {"record": (HighPass(45), FourierResample(250))}, "high-pass 45 Hz.*impossible at 80 Hz"),
        ({"rate": 40}, {"record": (FourierResample(250),)}, "too coarse"),
        ({"seconds": 3.0}, {"record": (FourierResample(250),)}, "shorter than the window"),
        ({"unit": "z"}, {"record": (FourierResample(250),)}, "no conversion"),
        ({"leads": LEADS[:8]}, {"record": (FourierResample(250),)}, "V3, V4, V5, V6 missing"),
        ({}, {}, "ends at 500 Hz, declared are 250"),
    ],
)
def test_what_cannot_be_done_is_refused(changes, original, message):
    with pytest.raises(ContractError, match=message):
        plan_original(source(**changes), OriginalInput(rate=250, seconds=4, **original), "a model", None)


def test_infinite_samples_are_refused(view):
    made = plan_original(source(), OriginalInput(rate=500, seconds=2), "a model", None)
    bad = view[0][None].copy()
    bad[0, 5, 5] = np.inf
    with pytest.raises(DataError, match="infinite"):
        made.prepare(bad)
    missing = made.prepare(np.full((1, 1000, 12), np.nan, np.float32))
    with pytest.raises(DataError, match="not finite"):
        made.finish(missing)

"""Windows of different lengths in one span."""

from __future__ import annotations

import numpy as np
import pytest

from hf_ecg_bench.combining.spans import Windows, longest, windows_in_spans
from hf_ecg_bench.errors import ContractError
from hf_ecg_bench.features.windows import store_windows

RATE = 500.0


def stored(lengths, window, crops=0, tail="drop"):
    """What a store of these records holds, in seconds."""
    own = store_windows(np.array(lengths), np.arange(len(lengths)) + 7, window, tail, crops)
    return Windows(own.record, own.starts / RATE, own.is_evaluation, window / RATE)


def starts(lengths, span, window, **options):
    """(spans, fitting) first samples of the model's windows, and those of the spans."""
    spans, model = stored(lengths, span, **options), stored(lengths, window, **options)
    rows = windows_in_spans(spans, model, np.array(lengths) / RATE)
    assert (model.record[rows] == spans.record[:, None]).all()
    return np.round(model.start[rows] * RATE).astype(int), np.round(spans.start * RATE).astype(int), spans


def test_windows_that_divide_the_span_fill_it():
    found, span, _ = starts([5000, 10_000, 14_000], 5000, 1250)
    assert found.tolist() == [[s, s + 1250, s + 2500, s + 3750] for s in span]
    assert span.tolist() == [0, 0, 5000, 0, 5000]


def test_a_window_that_does_not_divide_the_span_is_the_nearest_one():
    found, _, _ = starts([5000], 1250, 1200)
    assert found[:, 0].tolist() == [0, 1200, 2400, 3600]
    found, _, _ = starts([30_000], 5000, 1200)
    assert found.shape == (6, 4)
    assert (np.diff(found, axis=1) == 1200).all()
    assert found[:, 0].tolist() == [0, 4800, 9600, 15_600, 20_400, 25_200]


def test_a_shifted_end_belongs_to_the_last_span():
    found, span, _ = starts([6000], 5000, 1250, tail="shift")
    assert span.tolist() == [0, 1000]
    assert found.tolist() == [[0, 1250, 2500, 3750], [1250, 2500, 3750, 4750]]


@pytest.mark.parametrize("window", [1250, 1200])
def test_crops_are_at_the_same_place_in_every_model(window):
    """Of equal windows the very same; a shorter one lies inside the span."""
    lengths = [5000, 5600, 9100, 30_000]
    found, span, spans = starts(lengths, 1250, window, crops=3)
    crops = ~spans.is_evaluation
    assert crops.sum() == 12
    assert (found[crops, 0] >= span[crops] - 1).all()
    assert (found[crops, 0] + window <= span[crops] + 1250 + 1).all()
    if window == 1250:
        assert (found[:, 0] == span).all()


def test_a_record_without_a_window_is_an_error():
    spans, model = stored([5000, 5000], 2500), stored([5000], 1250)
    with pytest.raises(ContractError, match="record 1 has too few windows"):
        windows_in_spans(spans, model, np.array([10.0, 10.0]))


def test_spans_are_the_first_of_the_longest_windows():
    assert longest([2.5, 10.0, 10.0 + 1e-9]) == 1

"""Every model's features, stored and read again, give its classifier's logits."""

from __future__ import annotations

import numpy as np
import torch

from hf_ecg_bench.data.record_windows import window_reader
from hf_ecg_bench.features.planning import plan_features
from hf_ecg_bench.features.store import open_planned
from hf_ecg_bench.training.build import conversion_plan
from hf_ecg_bench.training.stored import HeadModule
from tests.models.common import both_heads, every_case


@every_case
@both_heads
def test_logits_from_stored_features(case, head, request, cache):
    """With the tiny configuration's window of the embedded records."""
    records, digest = request.getfixturevalue("_synthetic")
    model = case.build(head).eval()
    model.config.window_seconds = case.samples(model) / model.config.sampling_rate
    split = records.splits["validation"].take(np.array([1, 4]))
    plan = conversion_plan(records, model.config, "here")
    kind = {"linear": "pooled", "attention": "tokens"}[head]
    planned = plan_features(
        model, plan, split, kind=kind, data_digest=digest, split_name="validation", feature_precision="fp32"
    )
    (stored,) = open_planned([planned], model, lambda _: None)
    rows = np.arange(0, len(stored), 7)
    windows = window_reader(split.view, plan).read(split.records[stored.record[rows]], stored.starts[rows])
    with torch.inference_mode():
        expected = model(torch.from_numpy(windows)).logits
        found = HeadModule(model)(stored.take(rows)).logits
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-4)

"""What storing features in few bits loses, and memory that is kept from batch to batch."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from hf_ecg_bench.features.extract import as_stored, as_tensor
from hf_ecg_bench.features.floats import FloatBuffer
from hf_ecg_bench.features.rounding import NOTABLE, rounding_share
from hf_ecg_bench.training.caveats import feature_caveats


@pytest.mark.parametrize("stored", ["fp16", "bf16"])
@pytest.mark.parametrize("offset", [0.0, 3.0, 100.0])
def test_share_is_what_rounding_does(stored, offset):
    features = np.random.default_rng(0).normal(offset, 1, (500, 40)).astype(np.float32)
    kept = as_tensor(as_stored(torch.from_numpy(features), stored, np.arange(500), "here"), stored).float().numpy()
    measured = np.sqrt(np.mean((kept - features) ** 2) / features.var(0).mean())
    # Numbers lie anywhere in their binade: the error is between half of what the largest in it has and all of it.
    assert 0.5 < measured / rounding_share(kept, stored) < 1.05


def test_large_offsets_are_said():
    features = np.random.default_rng(0).normal(100, 1, (50, 4)).astype(np.float32)
    assert rounding_share(features, "fp16") > NOTABLE > rounding_share(features, "fp32")
    (said,) = feature_caveats({"precision": "fp16", "rounding": rounding_share(features, "fp16")})
    assert "fp16 rounds away 2.9% of their spread" in said
    assert feature_caveats({"precision": "fp16", "rounding": 1e-4}) == feature_caveats({}) == []
    assert rounding_share(np.ones((3, 2), np.float32), "fp16") == 0.0


def test_a_kept_buffer_is_used_again_and_never_too_early():
    floats = FloatBuffer()
    first, second = torch.randn(4, 3, 2).half(), torch.randn(2, 3, 2).bfloat16()
    weight = torch.ones(2, requires_grad=True)
    loss = (floats(first) * weight).sum()
    loss.backward()
    assert torch.equal(weight.grad, first.float().sum((0, 1)))
    place = floats(first).data_ptr()
    assert torch.equal(floats(second), second.float())
    assert floats(second).data_ptr() == place
    late = (floats(first) * weight).sum()
    floats(second)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        late.backward()
    same = torch.randn(2)
    assert floats(same) is same

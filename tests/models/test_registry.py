"""Declarations are readable without torch; the Auto classes know every model, whatever is imported first."""

from __future__ import annotations

import subprocess
import sys

import pytest

from hf_ecg_bench.errors import UnknownNameError
from hf_ecg_bench.models import get_model_spec, list_models
from hf_ecg_bench.models.card import render_model_card
from hf_ecg_bench.models.spec import TEST_SETS

CHECK = "assert type(AutoConfig.for_model('s4')).__name__ == 'S4Config'; "
MODEL = "assert AutoModel._model_mapping[type(AutoConfig.for_model('net1d'))].__name__ == 'Net1dModel'; "
EXTRACTOR = (
    "from transformers import AutoFeatureExtractor; "
    "from transformers.models.auto.feature_extraction_auto import FEATURE_EXTRACTOR_MAPPING as F; "
    "assert F[type(AutoConfig.for_model('s4'))].__name__ == 'EcgFeatureExtractor'; "
)


@pytest.mark.parametrize(
    "program",
    [
        "import hf_ecg_bench.models, sys; assert not {'torch', 'transformers'} & set(sys.modules)",
        "import hf_ecg_bench.models; from transformers import BertModel, AutoConfig, AutoModel; "
        + CHECK
        + MODEL
        + EXTRACTOR,
        "from transformers import AutoConfig, AutoModel; import hf_ecg_bench.models; " + CHECK + MODEL + EXTRACTOR,
        "from hf_ecg_bench.models.base import EcgModel; from transformers import AutoModel, AutoConfig; " + MODEL,
    ],
    ids=["light", "ours first", "transformers first", "a module of ours first"],
)
def test_registration(program):
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)


@pytest.mark.parametrize("model_id", list_models())
def test_declarations_are_complete(model_id):
    spec = get_model_spec(model_id)
    assert (spec.original is not None) == bool(spec.pretraining) == spec.pretrained
    assert sorted(overlap.dataset for overlap in spec.overlaps) == (sorted(TEST_SETS) if spec.pretrained else [])
    assert all(overlap.reason for overlap in spec.overlaps)
    assert bool(spec.late) == bool(spec.early) == spec.pretrained
    assert spec.lora_targets
    assert spec.tiny


def test_specs_and_cards():
    for model_id in list_models():
        spec = get_model_spec(model_id)
        assert spec.id == model_id
        assert spec.license_code
        assert spec.license_weights
        card = render_model_card(spec)
        assert card.startswith("---\n")
        assert spec.title in card
        assert spec.citation in card
    with pytest.raises(UnknownNameError, match="did you mean 'ecg_founder'"):
        get_model_spec("ecgfounder")

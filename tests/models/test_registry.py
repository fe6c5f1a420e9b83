"""Declarations are readable without torch; the Auto classes know every model, whatever is imported first."""

from __future__ import annotations

import subprocess
import sys

import pytest

from hf_ecg_bench.errors import UnknownNameError
from hf_ecg_bench.models import get_model_spec, list_models
from hf_ecg_bench.models.card import render_model_card
from hf_ecg_bench.models.overlaps import TEST_SETS

# Each order of imports needs a process of its own, forked from one that has imported torch already: that takes
# most of the time and changes nothing, as what is registered, and when, depends on transformers and on our modules.
FORKS = """
import os, sys, traceback
def forked(program):
    if pid := os.fork():
        return pid
    status = 1
    try:
        exec(program, {})
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)
programs = sys.argv[1:]
light = os.waitstatus_to_exitcode(os.waitpid(forked(programs[0]), 0)[1])
import torch
pids = [forked(program) for program in programs[1:]]
print(light, *(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids))
"""
CHECK = "assert type(AutoConfig.for_model('s4')).__name__ == 'S4Config'; "
MODEL = "assert AutoModel._model_mapping[type(AutoConfig.for_model('net1d'))].__name__ == 'Net1dModel'; "
EXTRACTOR = (
    "from transformers import AutoFeatureExtractor; "
    "from transformers.models.auto.feature_extraction_auto import FEATURE_EXTRACTOR_MAPPING as F; "
    "assert F[type(AutoConfig.for_model('s4'))].__name__ == 'EcgFeatureExtractor'; "
)
PROGRAMS = {
    "light": "import hf_ecg_bench.models, sys; assert not {'torch', 'transformers'} & set(sys.modules)",
    "ours first": "import hf_ecg_bench.models, sys; assert 'transformers' not in sys.modules; "
    "from transformers import BertModel, AutoConfig, AutoModel; " + CHECK + MODEL + EXTRACTOR,
    "transformers first": "from transformers import AutoConfig, AutoModel; import hf_ecg_bench.models; "
    + CHECK + MODEL + EXTRACTOR,
    "a module of ours first": "from hf_ecg_bench.models.base import EcgModel; "
    "from transformers import AutoModel, AutoConfig; " + MODEL,
}  # fmt: skip


@pytest.fixture(scope="module")
def statuses():
    """Exit status of each program, and what they said on stderr."""
    done = subprocess.run(
        [sys.executable, "-c", FORKS, *PROGRAMS.values()], capture_output=True, text=True, timeout=120
    )
    return dict(zip(PROGRAMS, map(int, done.stdout.split()), strict=True)), done.stderr


@pytest.mark.parametrize("name", PROGRAMS)
def test_registration(name, statuses):
    found, said = statuses
    assert found[name] == 0, said


@pytest.mark.parametrize("model_id", list_models())
def test_declarations_are_complete(model_id):
    spec = get_model_spec(model_id)
    assert (spec.original is not None) == bool(spec.pretraining) == spec.pretrained
    assert sorted(overlap.dataset for overlap in spec.overlaps) == (sorted(TEST_SETS) if spec.pretrained else [])
    assert all(overlap.reason and overlap.source for overlap in spec.overlaps)
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

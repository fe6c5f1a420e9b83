"""Folders: shards, dtypes, devices, copies; test_save_load.py has the plain round trip."""

from __future__ import annotations

import copy
import json
import pickle

import pytest
import torch
from transformers import AutoConfig, AutoModel, AutoModelForSequenceClassification
from transformers.modeling_layers import GradientCheckpointingLayer

from tests.models.common import enable_checkpointing, every_case, same_tensors, shared_model

DTYPES = (torch.float16, torch.bfloat16, torch.float32)


def state(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    """All parameters and all buffers, persistent or not."""
    return dict(model.named_parameters()) | dict(model.named_buffers())


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Case -> the folder of its shared tiny classifier."""
    root, known = tmp_path_factory.mktemp("models"), {}

    def folder(case):
        if case not in known:
            known[case] = root / f"{case.model_id}_{case.variant}"
            shared_model(case).save_pretrained(known[case])
        return known[case]

    return folder


@every_case
def test_shards(case, tmp_path):
    model = shared_model(case)
    model.save_pretrained(tmp_path, max_shard_size="20KB")
    assert len(list(tmp_path.glob("model-*.safetensors"))) > 1
    index = json.loads((tmp_path / "model.safetensors.index.json").read_text())
    assert index["weight_map"].keys() == model.state_dict().keys()
    loaded = AutoModelForSequenceClassification.from_pretrained(tmp_path)
    same_tensors(state(loaded), state(model), 0, 0)
    same_tensors(state(AutoModel.from_pretrained(tmp_path)), state(model.encoder), 0, 0)


@every_case
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_dtype_on_loading(case, dtype, folders):
    loaded = AutoModelForSequenceClassification.from_pretrained(folders(case), dtype=dtype)
    expected = copy.deepcopy(shared_model(case)).to(dtype)
    same_tensors(state(loaded), state(expected), 0, 0)
    assert loaded.dtype == loaded.encoder.dtype == loaded.config.dtype == dtype
    with torch.no_grad():
        assert torch.equal(loaded(case.windows(loaded)).logits, expected(case.windows(expected)).logits)


@every_case
def test_saved_dtype_is_kept(case, tmp_path):
    model = case.build().to(torch.bfloat16)
    model.save_pretrained(tmp_path)
    assert json.loads((tmp_path / "config.json").read_text())["dtype"] == "bfloat16"
    same_tensors(state(AutoModelForSequenceClassification.from_pretrained(tmp_path)), state(model), 0, 0)


@every_case
@pytest.mark.parametrize(
    "options",
    [{"device_map": "cpu"}, {"device_map": {"": "cpu"}}, {"device_map": "auto"}, {"low_cpu_mem_usage": True}],
    ids=str,
)
def test_device_maps(case, options, folders):
    model = shared_model(case)
    loaded = AutoModelForSequenceClassification.from_pretrained(folders(case), **options)
    same_tensors(state(loaded), state(model), 0, 0)
    with torch.no_grad():
        assert torch.equal(loaded(case.windows(model)).logits, model(case.windows(model)).logits)


@every_case
def test_blocks_that_stay_on_one_device(case):
    """A device map may cut between these, not inside: residuals would meet on two devices."""
    model = shared_model(case)
    blocks = {type(module).__name__ for module in model.modules() if isinstance(module, GradientCheckpointingLayer)}
    assert model._no_split_modules == model.encoder._no_split_modules
    whole = {name for name, module in model.named_modules() if type(module).__name__ in model._no_split_modules}
    assert whole
    for name, module in model.named_modules():
        if type(module).__name__ in blocks:
            assert any(name == outer or name.startswith(f"{outer}.") for outer in whole), name


@every_case
def test_copies_are_equal_and_apart(case):
    model = case.build()
    enable_checkpointing(model)
    for duplicate in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):  # noqa: S301  our own
        same_tensors(state(duplicate), state(model), 0, 0)
        own = {id(module) for module in model.modules()}
        assert not own & {id(module) for module in duplicate.modules()}
        blocks = [module for module in duplicate.modules() if getattr(module, "gradient_checkpointing", False)]
        assert blocks
        for block in blocks:
            assert block._gradient_checkpointing_func.block is block


@every_case
def test_state_dict_fits_a_fresh_model_and_shares_no_memory(case):
    model = shared_model(case)
    tensors = model.state_dict()
    fresh = case.build()
    for value in fresh.state_dict().values():
        value.zero_()
    fresh.load_state_dict(tensors, strict=True)
    same_tensors(state(fresh), state(model), 0, 0)
    stored = [value.untyped_storage().data_ptr() for value in tensors.values() if value.numel()]
    assert len(stored) == len(set(stored))


@every_case
def test_configuration_round_trip(case, tmp_path):
    config = shared_model(case).config
    config.save_pretrained(tmp_path)
    loaded = AutoConfig.from_pretrained(tmp_path)
    assert type(loaded) is type(config)
    volatile = {"dtype": None, "_name_or_path": None}
    assert loaded.to_dict() | volatile == config.to_dict() | volatile
    assert type(config)(**{**config.to_dict()}).to_dict() == config.to_dict()
    assert type(config)().to_diff_dict().keys() <= {"model_type", "transformers_version"} | config.field_names()
    with torch.device("meta"):
        again = AutoModelForSequenceClassification.from_config(loaded)
    assert {n: p.shape for n, p in again.named_parameters()} == {
        n: p.shape for n, p in shared_model(case).named_parameters()
    }

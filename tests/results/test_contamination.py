"""What a cell's model has seen of its test records."""

from __future__ import annotations

import pytest

from hf_ecg_bench.models.overlaps import STATES, TEST_SETS, worst
from hf_ecg_bench.models.registry import get_model_spec, list_models
from hf_ecg_bench.results.contamination import contamination, contamination_elsewhere

PUBLIC = get_model_spec("ecg_fm").source


def state(model: object, dataset: str, mode: str = "linear") -> str:
    return contamination(model, dataset, mode).state  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("model", "seen", "near", "unknown"),
    [
        ("ecg_founder", set(), {"georgia"}, set()),
        ("ecg_cpc", set(), {"georgia"}, set()),
        ("ecg_jepa", {"chapman", "ningbo", "code15"}, {"code_test"}, set()),
        ("st_mem", {"chapman", "ningbo", "code15"}, {"code_test"}, set()),
        ("merl", {"mimic_iv_ecg"}, set(), set()),
        ("ecgfm_ked", {"mimic_iv_ecg"}, set(), set()),
        (
            "ecg_fm",
            {"mimic_iv_ecg", "ptbxl", "ningbo", "cpsc2018", "cpsc_extra", "georgia", "chapman"},
            set(),
            {"ptb"},
        ),
        ("hubert_ecg", set(), set(), set(TEST_SETS)),
    ],
)
def test_public_weights(model: str, seen: set[str], near: set[str], unknown: set[str]) -> None:
    expected = dict.fromkeys(TEST_SETS, "none")
    for name, sets in (("test_records", seen), ("same_corpus", near), ("unknown", unknown)):
        expected |= dict.fromkeys(sets, name)
    assert {dataset: state(model, dataset) for dataset in TEST_SETS} == expected


def test_every_model_with_public_weights_says_why() -> None:
    for model in list_models():
        for overlap in get_model_spec(model).overlaps:
            assert overlap.state in STATES
            assert contamination(model, overlap.dataset, "finetune").reason == overlap.reason


def test_what_was_not_pretrained_has_seen_nothing() -> None:
    assert state("ecg_fm", "ptbxl", "scratch") == "none"
    random = {"id": "ecg_fm", "source": "ecg_fm", "digest": None}
    assert contamination(random, "ptbxl", "linear").state == "none"
    assert "random" in contamination(random, "ptbxl", "linear").reason


def test_only_weights_of_the_public_file_are_certain() -> None:
    assert PUBLIC is not None
    used = {"id": "ecg_fm", "source": "folder", "digest": "ab" * 32, "checkpoint_digest": PUBLIC.sha256}
    assert "if these" not in contamination(used, "ptbxl", "linear").reason
    for other in ("00" * 32, None):
        found = contamination({**used, "checkpoint_digest": other}, "ptbxl", "linear")
        assert found.state == "test_records"
        assert found.reason.endswith("(if these are the public weights)")
    # sha256 of the public file is not known: equal absences are no evidence
    assert get_model_spec("merl").source.sha256 is None  # type: ignore[union-attr]
    assert "if these" in contamination({**used, "id": "merl", "checkpoint_digest": None}, "ptbxl", "linear").reason


def test_what_nobody_declared() -> None:
    assert state("somebody/else", "ptbxl") == "unknown"
    assert state("ecg_fm", "hospital") == "unknown"
    assert state({"id": "s4", "source": "my-pretrained-s4", "digest": "ab" * 32}, "ptbxl") == "unknown"


def test_models_together_are_as_seen_as_the_worst_of_them() -> None:
    founder, merl = ({"id": name, "source": name, "digest": "ab" * 32} for name in ("ecg_founder", "merl"))
    both = {"id": "ecg_founder+merl", "digest": "cd" * 32, "members": [founder, merl]}
    found = contamination(both, "mimic_iv_ecg", "linear")
    assert found.state == "test_records"
    assert found.reason.startswith("merl: ")
    assert "ecg_founder" not in found.reason
    assert state(both, "georgia") == "same_corpus"
    assert state(both, "ptbxl") == "none"
    mean = {"id": "mean of 2", "digest": None, "members": [founder, {"id": "hubert_ecg", "digest": "ab" * 32}]}
    assert state(mean, "ptbxl", "linear") == "unknown"
    scratch = {"id": "mean of 2 s4", "digest": None, "members": [{"id": "s4", "digest": None}] * 2}
    assert state(scratch, "ptbxl", "scratch") == "none"


def test_tested_elsewhere() -> None:
    near = contamination_elsewhere("ecg_founder", "cpsc2018", "cpsc_extra", "linear")
    assert (near.state, "cpsc2018" in near.reason) == ("same_corpus", True)
    assert contamination_elsewhere("s4", "code15", "code_test", "scratch").state == "same_corpus"
    assert contamination_elsewhere("s4", "ptbxl", "code_test", "scratch").state == "none"
    assert contamination_elsewhere("s4", "code15", "code15", "scratch").state == "none"
    # What pretraining has seen outweighs where the training data come from.
    seen = contamination_elsewhere("ecg_jepa", "chapman", "ningbo", "linear")
    assert seen == contamination("ecg_jepa", "ningbo", "linear")
    both = contamination_elsewhere("st_mem", "code15", "code_test", "linear")
    assert both.state == "same_corpus"
    assert "shared patients were not ruled out" in both.reason
    assert "trained on code15" in both.reason
    assert contamination_elsewhere("hubert_ecg", "chapman", "ningbo", "linear").state == "same_corpus"


def test_order_of_states() -> None:
    assert worst([]) == "none"
    assert worst(["none", "unknown"]) == "unknown"
    assert worst(["unknown", "same_corpus", "none"]) == "same_corpus"
    assert worst(["same_corpus", "test_records"]) == "test_records"

"""EchoNext's signals are z-scores: a run refuses them, or feeds them as they are and says so."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hf_ecg_bench.data.prepare import prepare
from hf_ecg_bench.data.registry import get_builder
from hf_ecg_bench.errors import ContractError
from hf_ecg_bench.results.schema import Result
from hf_ecg_bench.results.sections import command_line
from hf_ecg_bench.training.run import run
from tests.training.small import small_spec


@pytest.fixture(scope="module")
def spec(tmp_path_factory):
    """A run on a made-up EchoNext."""
    folder = tmp_path_factory.mktemp("echonext")
    (folder / "raw").mkdir()
    get_builder("echonext").example(folder / "raw", 48)
    prepare("echonext", raw_dir=folder / "raw", output_dir=folder / "echonext")
    return small_spec(folder / "echonext", folder / "run", task="echonext", overrides={"epochs": 1})


def test_refused_with_the_flag_that_accepts(spec):
    with pytest.raises(ContractError, match=r"signal in 'z', s4 needs mV: no conversion\n  fix: .* --accept-unit z "):
        run(spec, lambda line: None)
    assert not (spec.output_dir / "result.json").exists()


def test_accepted_and_recorded(spec):
    said: list[str] = []
    run(replace(spec, accept_unit="z"), said.append)
    assert "'z' fed as if it were mV, accepted by the user" in said[0]
    stored = Result.load(spec.output_dir)
    assert stored.hyperparameters["accept_unit"] == "z"
    assert any("'z' were fed as if they were mV" in warning for warning in stored.warnings)
    stored.environment.pop("command", None)
    assert "--accept-unit z" in command_line(stored)


def test_another_unit_than_the_data_have(spec, synthetic_folder, tmp_path):
    with pytest.raises(ContractError, match=r"--accept-unit uV: the signals of .*echonext are in 'z'\n  fix: leave"):
        run(replace(spec, accept_unit="uV", output_dir=tmp_path / "a"), lambda line: None)
    with pytest.raises(ContractError, match=r"--accept-unit z: the signals of .* are in 'mV'"):
        run(small_spec(synthetic_folder, tmp_path / "b", accept_unit="z"), lambda line: None)


def test_part_of_the_identity_only_when_given(spec):
    assert "accept_unit" not in spec.identity()
    assert replace(spec, accept_unit="z").identity()["accept_unit"] == "z"

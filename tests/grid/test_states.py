"""The one function that says what state a cell is in, case by case."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from hf_ecg_bench.grid.failures import Failure, identity_digest
from hf_ecg_bench.grid.inputs import UNKNOWN
from hf_ecg_bench.grid.states import Known, differences, state_of
from hf_ecg_bench.training.spec import RunSpec

RUN = RunSpec("ecg_fm", "sph", "linear", Path("x"), data="/data/sph")


def identity(run=RUN, dataset="d1", model="m1"):
    import json

    from hf_ecg_bench.files import dumps_json

    return json.loads(dumps_json({**run.identity(), "inputs": {"dataset": dataset, "model": model}}))


HERE = identity()
FAILED = Failure("DataError", "no such column", identity="now")
CASES = [
    ("nothing there", Known(), "missing", ""),
    ("a whole result", Known(result="whole", started=HERE), "done", ""),
    ("begun", Known(started=HERE), "missing", "begun, goes on"),
    ("begun, two epochs", Known(started=HERE, epochs=(2, 5)), "missing", "from epoch 2 of 5"),
    ("a live process", Known(started=HERE, live=True), "running", ""),
    ("a live process after a failure", Known(live=True, failure=FAILED), "running", ""),
    ("waits for SLURM", Known(queued=True), "queued", "SLURM"),
    ("failed", Known(failure=FAILED), "failed", "DataError: no such column"),
    ("failed after some epochs", Known(started=HERE, failure=FAILED, epochs=(1, 5)), "failed", "DataError"),
    ("another specification failed", Known(failure=replace(FAILED, identity="then")), "missing", ""),
    ("done in spite of an old failure", Known(result="whole", started=HERE, failure=FAILED), "done", ""),
    ("other data", Known(result="whole", started=identity(dataset="d0")), "stale", "its dataset is another one"),
    ("data gone", Known(result="whole", started=identity(dataset="d0")), "stale", "its dataset"),
    ("other weights", Known(result="whole", started=identity(model="m0")), "stale", "its model is another one"),
    ("weights not here to compare", Known(result="whole", started=identity(model=UNKNOWN)), "done", ""),
    (
        "other epochs",
        Known(result="whole", started=identity(replace(RUN, overrides={"epochs": 3}))),
        "stale",
        "epochs was 3, is 100",
    ),
    ("other resamples", Known(result="whole", started=identity(replace(RUN, n_resamples=5))), "stale", "n_resamples"),
    ("begun with other epochs", Known(started=identity(replace(RUN, overrides={"epochs": 3}))), "stale", "epochs"),
    ("damaged result", Known(result="damaged", damage="result.json is damaged", started=HERE), "stale", "damaged"),
    ("result of nobody knows what", Known(result="whole"), "stale", "no run.json"),
    ("empty run.json", Known(result="whole", started={}), "stale", "was None, is"),
    ("moved data, finished", Known(result="whole", started=identity(replace(RUN, data="/old"))), "done", ""),
    ("moved data, unfinished", Known(started=identity(replace(RUN, data="/old"))), "stale", "data was '/old'"),
    ("further tests", Known(result="whole", started=HERE, pending=("code_test",)), "missing", "tested: code_test"),
    (
        "further tests failed",
        Known(result="whole", started=HERE, pending=("code_test",), failure=FAILED),
        "failed",
        "DataError",
    ),
    (
        "stale before failed",
        Known(result="whole", started=identity(dataset="d0"), failure=FAILED),
        "stale",
        "its dataset",
    ),
]


@pytest.mark.parametrize(("known", "state", "reason"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_state(known, state, reason):
    found = state_of(HERE, "now", known)
    assert found.state == state
    assert reason in found.reason
    if not reason:
        assert found.reason == ""


def test_data_without_a_digest_are_compared_by_name():
    generated = identity(replace(RUN, data=None), dataset=None)
    assert differences(identity(replace(RUN, data="other"), dataset=None), generated) != []
    assert differences(generated, generated) == []
    assert "not there now" in differences(identity(), identity(dataset=None))[0]


def test_a_setting_that_this_version_added_at_its_default_is_no_difference():
    old = identity()
    del old["subset"]
    del old["hyperparameters"]["crops"]
    assert differences(old, HERE) == []
    new = identity(replace(RUN, overrides={"crops": 5}))
    assert differences(old, new) == ["crops was None, is 5"]


def test_identity_digest_ignores_the_order_of_keys():
    assert identity_digest(HERE) == identity_digest(dict(reversed(HERE.items())))
    assert identity_digest(HERE) != identity_digest(identity(dataset="d2"))

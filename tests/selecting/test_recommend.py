"""Recommendations from made-up rows whose right answer is known, and from the published ones."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from hf_ecg_bench.cli.main import main
from hf_ecg_bench.cli.selecting import _print as show
from hf_ecg_bench.errors import EcgBenchError, UnknownNameError
from hf_ecg_bench.results.row_files import write_rows
from hf_ecg_bench.selecting.backtest import backtest
from hf_ecg_bench.selecting.budget import parse_budget
from hf_ecg_bench.selecting.candidate import Candidate
from hf_ecg_bench.selecting.evidence import gather
from hf_ecg_bench.selecting.recommend import recommend
from hf_ecg_bench.selecting.scale import from_scale, to_scale
from hf_ecg_bench.selecting.scoring import NotScored, Scores
from hf_ecg_bench.selecting.telling import as_json, summary
from hf_ecg_bench.tasks import get_task
from tests.selecting.rows import QUALITY, grid, row

CHAPMAN = get_task("chapman")


@pytest.mark.parametrize("kind", ["auroc", "mae"])
def test_scale_goes_there_and_back_and_larger_is_better(kind):
    values = np.array([0.2, 0.5, 0.7, 0.95])
    np.testing.assert_allclose(from_scale(to_scale(values, kind), kind), values, rtol=1e-12)
    assert (np.diff(to_scale(values, kind)) > 0).all() == (kind == "auroc")


def test_best_on_other_tasks_is_picked_with_reasons():
    found = recommend(grid(), CHAPMAN)
    assert found.pick.candidate == Candidate("ecg_cpc", "finetune")
    assert found.sure.level == "low"  # a new dataset
    assert "6 other results on 6 datasets (6 of this category, 0 of this dataset)" in found.pick.reasons
    assert [item.candidate for item in found.ranked] == [Candidate(*who) for who in QUALITY]
    assert sum(item.chance for item in found.ranked) == pytest.approx(1)
    assert Candidate("merl", "lora") in found.unknown


def test_results_on_the_task_itself_outweigh_those_on_others():
    values = {("ecg_cpc", "finetune"): 0.80, ("merl", "linear"): 0.93, ("s4", "scratch"): 0.79}
    own = [row(*who, "chapman", value) for who, value in values.items()]
    found = recommend([*grid(), *own], CHAPMAN)
    assert found.pick.candidate == Candidate("merl", "linear")
    assert found.sure.level == "high"
    assert found.pick.low < 0.93 < found.pick.high
    assert found.pick.reasons[0] == "ours on this task"


def test_results_on_few_test_patients_make_nothing_sure():
    values = {("ecg_cpc", "finetune"): 0.51, ("merl", "linear"): 0.55, ("s4", "scratch"): 0.49}
    wide, narrow = (
        recommend([row(*who, "chapman", v, low=v - half, high=v + half) for who, v in values.items()], CHAPMAN)
        for half in (0.1, 0.002)
    )
    assert [found.pick.candidate.model for found in (wide, narrow)] == ["merl", "merl"]
    assert wide.sure.level != "high" == narrow.sure.level
    assert wide.pick.high - wide.pick.low > 3 * (narrow.pick.high - narrow.pick.low)


def test_results_after_few_records_count_less_the_further_away_they_are():
    own = [row("merl", "linear", "chapman", 0.9, records_train=64.0, fraction=0.01)]
    near, far = (
        next(cell for cell in gather(own, "chapman", records).cells if cell.asked) for records in (64.0, 8192.0)
    )
    assert near.noise < 0.001 < 0.05 < far.noise


CURVES = {("merl", "linear"): (1.9, 0.02), ("ecg_cpc", "finetune"): (1.5, 0.10), ("s4", "scratch"): (1.2, 0.14)}


@pytest.mark.parametrize(
    ("records", "best", "level", "score"),
    [
        (125, "merl", "high", 0.876),
        (2000, "merl", "high", 0.895),
        (8000, "ecg_cpc", "high", 0.922),
        (math.nan, "ecg_cpc", "high", 0.922),
        (50000, "ecg_cpc", "medium", 0.922),
    ],
)
def test_learning_curves_that_cross(records, best, level, score):
    own = [
        row(*who, "chapman", float(from_scale(start + slope * math.log2(n / 125), "auroc")), records_train=float(n),
            fraction=n / 8000)
        for n in (125, 500, 2000, 8000)
        for who, (start, slope) in CURVES.items()
    ]  # fmt: skip
    found = recommend([*grid(), *own], CHAPMAN, records=records)
    assert (found.pick.candidate.model, found.sure.level) == (best, level)
    assert found.pick.score == pytest.approx(score, abs=0.01)
    assert any("predicted for 8000" in note for note in found.notes) == (records == 50000)


def test_strange_names_do_not_reach_the_terminal(capsys):
    rows = [replace(r, model_source="evil\x1b[2J\nname") if r.model == "merl" else r for r in grid()]
    show(recommend(rows, CHAPMAN, not_scored=[NotScored("a\x1b", "b\x1b")]))
    out = capsys.readouterr().out
    assert "evil" in out
    assert "\x1b" not in out


def test_flagged_and_contaminated_rows_are_left_out_and_counted():
    rows = grid()
    spoiled = [replace(r, contamination="test_records", value=0.99) for r in rows if r.model == "s4"]
    found = recommend([*(r for r in rows if r.model != "s4"), *spoiled], CHAPMAN)
    assert found.left_out == {"pretrained on the test records": 6}
    assert Candidate("s4", "scratch") in found.unknown


def test_published_rows_that_the_audit_refuses_are_no_evidence():
    from hf_ecg_bench.published import published_rows

    found = recommend(published_rows(), get_task("ptbxl_super"))
    assert Candidate("st_mem", "finetune") in found.unknown
    assert found.left_out["published, and the audit says not to use them"] > 50
    assert found.pick.candidate.model in ("ecg_cpc", "ecg_founder")


def test_too_little_to_say():
    for rows in ([], grid(tasks=("ptb",)), [row("merl", "linear", "chapman", 0.9)]):
        found = recommend(rows, CHAPMAN)
        assert found.sure.level == "too little to say"
        assert found.pick is None
        assert as_json(found)["pick"] is None


def test_all_records_cost_what_the_largest_run_has_cost_not_the_median_of_a_curve():
    curve = [
        row("ecg_cpc", "finetune", "chapman", 0.9, fraction=n / 1000, records_train=float(n), train_seconds=float(n))
        for n in (125, 250, 500, 1000)
    ]
    rows = [*grid(), *curve, row("merl", "linear", "chapman", 0.9, train_seconds=1.0)]
    found = recommend(rows, CHAPMAN)
    (cost,) = [item.costs["seconds"].value for item in found.ranked if item.candidate.key == "ecg_cpc/finetune"]
    assert cost == 1000.0


def test_budget_keeps_out_what_is_over_it_or_not_known():
    rows = [replace(r, train_seconds=100.0 if r.mode == "linear" else 5000.0) for r in grid()]
    found = recommend(rows, CHAPMAN, records=2000, limits=parse_budget("0.1h"))
    assert found.pick.candidate == Candidate("merl", "linear")
    assert found.pick.costs["seconds"].value == 200  # twice the records
    outside = {item.candidate.model: item.outside for item in found.ranked if item.outside}
    assert outside["ecg_cpc"] == "over the budget: seconds 1e+04 > 360"
    unknown = recommend(grid(), CHAPMAN, limits={"seconds": 10.0})
    assert unknown.pick is None
    assert {item.outside for item in unknown.ranked} == {"cost not known: seconds"}


@pytest.mark.parametrize("text", ["-1", "0", "1x", "parameters=", "seconds=nan", "inf", "latency_ms=2h"])
def test_wrong_budgets(text):
    with pytest.raises(EcgBenchError, match="expected a number above 0"):
        parse_budget(text)


def test_budget_of_a_wrong_name():
    with pytest.raises(UnknownNameError, match="parameters"):
        parse_budget("paramaters=3")


def test_models_and_modes_to_choose_from():
    found = recommend(grid(), CHAPMAN, models=["merl", "ecg-bench/ecg-jepa"], modes=["linear", "frozen"])
    assert {item.candidate.model for item in found.ranked} == {"merl", "ecg_jepa"}
    assert {who.key for who in found.unknown} == {"merl/frozen", "ecg_jepa/linear"}


def probe_score(model: str, task: str, value: float) -> Scores:
    return Scores(model, task, "auroc", value, value - 0.02, -0.5, 0.1, 1000, 1000, 5, 0)


def test_probes_speak_for_models_without_results_and_are_calibrated_on_other_tasks():
    probes = [probe_score("mine", "chapman", 0.95), probe_score("merl", "chapman", 0.85)]
    found = recommend(grid(), CHAPMAN, scores=probes, not_scored=[NotScored("ecg_fm", "no weights")])
    assert found.worth.tasks == 0
    mine = next(item for item in found.ranked if item.candidate == Candidate("mine", "linear"))
    merl = next(item for item in found.ranked if item.candidate == Candidate("merl", "linear"))
    assert mine.score > merl.score
    assert any("linear probe" in reason for reason in mine.reasons)
    far = recommend(grid(), CHAPMAN, scores=[probe_score("mine", "chapman", 0.99), *probes[1:]])
    assert far.pick.candidate.model == "mine"
    assert far.pick.chance > 0.5
    assert far.pick.regret < 0.004
    assert far.sure.level == "low"  # a probe is no run on this task
    rows = [row(model, "linear", task, 0.9) for task in ("ptb", "sph", "georgia") for model in ("merl", "st_mem")]
    earlier = [
        probe_score(model, task, 0.88) for task in ("ptb", "sph", "georgia", "chapman") for model in ("merl", "st_mem")
    ]
    exact = recommend(rows, CHAPMAN, scores=probes, earlier=earlier)
    assert (exact.worth.tasks, exact.worth.sd) == (3, 0.03)  # the gap is the same for both: the least there is
    assert as_json(exact)["not_scored"] == []


def test_backtest_picks_the_best_where_there_is_one_and_is_calibrated():
    told = summary(backtest(grid()))
    assert told["tasks"]["hit"] == 1
    assert told["tasks"]["regret"] == 0 < told["tasks"]["random_regret"]
    inside = [summary(backtest(grid(noise=0.1, seed=seed)))["tasks"] for seed in range(4)]
    assert 0.65 < np.mean([t["within_80"] for t in inside]) < 0.95
    assert np.mean([t["within_95"] for t in inside]) > 0.85


def test_backtest_sees_nothing_of_the_dataset():
    rows = grid()
    changed = [replace(r, value=1.2 - r.value) if r.dataset == "sph" else r for r in rows]
    before, after = ({h.task: h for h in backtest(some)} for some in (rows, changed))
    assert before["sph"].picked == after["sph"].picked
    assert before["sph"].chance == after["sph"].chance
    assert before["sph"].best != after["sph"].best


def test_backtest_does_not_average_ours_with_published_values():
    ours = grid()
    published = [replace(r, value=1.3 - r.value, origin="published", records_train=math.nan) for r in ours]
    both = [h for h in backtest([*ours, *published]) if h.task == "sph"]
    assert [h.best for h in both] == ["ecg_cpc/finetune", "s4/scratch"]


def test_command_line(capsys, tmp_path):
    file = write_rows(grid(), tmp_path / "rows.csv")
    assert main(["select", "--task", "chapman", "--results", str(file), "--no-published", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["pick"] == {"model": "ecg_cpc", "mode": "finetune"}
    assert main(["select", "--task", "chapman", "--results", str(file), "--no-published"]) == 0
    assert "chapman: ecg_cpc, mode finetune\nhow sure: low" in capsys.readouterr().out
    assert main(["select", "--evaluate", "--results", str(file), "--no-published"]) == 0
    assert "how sure low: 6 tasks, best picked 100%" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "select needs a task"),
        (["--task", "ptbxl_supper"], "ptbxl_super"),
        (["--task", "chapman", "--models", "ecg_founderr"], "ecg_founder"),
        (["--task", "chapman", "--modes", "liner"], "linear"),
        (["--task", "chapman", "--budget", "soon"], "expected a number above 0"),
        (["--task", "chapman", "--records", "0"], "expected a number of training records"),
        (["--task", "chapman", "--results", "nowhere"], "no folder nowhere"),
        (["--evaluate", "--no-published"], "nothing to evaluate"),
    ],
)
def test_mistakes(capsys, arguments, message):
    assert main(["select", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_no_torch_where_no_features_are_needed():
    code = (
        "import sys; from hf_ecg_bench.cli.main import main; main(['select', '--task', 'chapman', '--json']);"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0


def test_nothing_is_said_about_rows_that_cannot_be_compared():
    rows = [row("merl", "linear", "chapman", math.nan), row("s4", "scratch", "chapman", 0.5, metric="composite")]
    assert recommend(rows, CHAPMAN).left_out == {}
    assert gather(rows, "chapman", math.nan).left_out == {"without a comparable value": 2}

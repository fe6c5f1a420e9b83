"""From a grid to its cells: what is shared, what cannot be, which settings each gets."""

from __future__ import annotations

from pathlib import Path

import pytest

from hf_ecg_bench.grid.document import GridFileError
from hf_ecg_bench.grid.folder import read_plan, write_plan
from hf_ecg_bench.grid.payload import from_json, to_json
from hf_ecg_bench.grid.plan import expand
from hf_ecg_bench.grid.spec import GridSpec, ModelEntry, Rule, Where
from hf_ecg_bench.tasks import SUITES
from hf_ecg_bench.tasks.catalogue import BENCHMARK

S4 = ModelEntry("s4", "s4", "s4", {"hidden_size": 8})
FM = ModelEntry("ecg_fm", "ecg_fm", "ecg_fm")


def plan_of(tasks, modes=("scratch",), models=(S4,), **changes):
    return expand(GridSpec(tuple(models), tuple(tasks), tuple(modes), **changes), Path("/grid"))


def test_cells_have_a_folder_each_and_every_combination_once():
    plan = plan_of(["ptbxl_sub", "sph"], ["linear", "finetune"], [FM], fractions=(1.0, 0.5), seeds=(0, 1))
    assert len(plan.cells) == plan.asked == 16
    assert len({cell.id for cell in plan.cells}) == 16
    assert plan.cells[1].id == "ecg_fm/ptbxl_sub/linear/fraction-1/seed-1"
    assert plan.cells[1].run.output_dir == Path("/grid/runs") / plan.cells[1].id
    assert plan.left_out == {}


def test_parts_share_the_run_of_the_whole_task_and_say_so():
    plan = plan_of(["ptbxl_form", "ptbxl_rhythm", "ptbxl_sub"])
    assert [(cell.run.task, cell.answers) for cell in plan.cells] == [
        ("ptbxl_all", ("ptbxl_form", "ptbxl_rhythm")),
        ("ptbxl_sub", ("ptbxl_sub",)),
    ]
    assert plan.asked == 3
    assert plan.notes == ("ptbxl_form, ptbxl_rhythm: parts of the outputs of the run on ptbxl_all, as in the paper",)
    alone = plan_of(["ptbxl_form", "ptbxl_rhythm"], share_training=False)
    assert [cell.run.task for cell in alone.cells] == ["ptbxl_form", "ptbxl_rhythm"]


def test_the_published_suite_takes_one_run_for_all_of_mimic():
    plan = plan_of(SUITES["published"].tasks)
    trained = [cell.run.task for cell in plan.cells]
    assert len(trained) == len({task.trained_as or task.id for task in BENCHMARK} - {"zzu_pecg_icd10"})
    (mimic,) = (cell for cell in plan.cells if cell.run.task == "mimic")
    assert len(mimic.answers) == 11
    assert plan.asked == 28


def test_code_test_is_further_test_data_of_the_run_on_code15():
    plan = plan_of(["code15", "code_test"], data={"code_test": "/data/code_test"})
    (cell,) = plan.cells
    assert (cell.run.task, cell.answers) == ("code15", ("code15", "code_test"))
    assert cell.run.evaluate_on == ("/data/code_test",)
    assert any("further test data" in note for note in plan.notes)
    (alone,) = plan_of(["code15"]).cells
    assert alone.run.evaluate_on == ()


def test_what_cannot_be_is_left_out_and_counted():
    folder = ModelEntry("mine", "/models/mine")
    pair = ModelEntry("pair", "ecg_fm,merl")
    plan = plan_of(["sph"], ["scratch", "linear", "finetune"], [S4, FM, folder, pair], seeds=(0, 1))
    assert {(cell.model, cell.run.mode) for cell in plan.cells} == {
        ("s4", "scratch"), ("ecg_fm", "scratch"), ("ecg_fm", "linear"), ("ecg_fm", "finetune"),
        ("mine", "linear"), ("mine", "finetune"), ("pair", "linear"),
    }  # fmt: skip
    assert plan.left_out == {
        "s4 has no pretrained weights: mode scratch alone": 4,
        "mine: mode scratch needs `architecture`, a model id": 2,
        "pair: mode scratch needs `architecture`, a model id": 2,
        "pair: several models go together in modes frozen and linear alone": 2,
    }
    scratch = {cell.model: cell.run for cell in plan.cells if cell.run.mode == "scratch"}
    assert scratch["s4"].model_options == {"hidden_size": 8}
    with pytest.raises(GridFileError, match="nothing is left to run"):
        plan_of(["sph"], ["linear"], [S4])


def test_exclusions_are_about_what_was_asked_for():
    exclude = (Where(task=("ptbxl_form",)), Where(model=("s*",), seed=(1,)))
    plan = plan_of(["ptbxl_form", "ptbxl_all"], models=[S4, FM], seeds=(0, 1), exclude=exclude)
    assert [(cell.model, cell.run.seed, cell.answers) for cell in plan.cells] == [
        ("s4", 0, ("ptbxl_all",)),
        ("ecg_fm", 0, ("ptbxl_all",)),
        ("ecg_fm", 1, ("ptbxl_all",)),
    ]
    assert plan.left_out == {"excluded by the file": 5}


def test_rules_change_some_cells_and_later_ones_win():
    rules = (
        Rule(Where(mode=("linear",)), {"overrides": {"crops": 4, "epochs": 7}}),
        Rule(Where(task=("ptbxl_*",), mode=("linear",)), {"overrides": {"epochs": 9}, "limit": 100}),
    )
    settings = {"overrides": {"batch_size": 16}, "n_resamples": 50}
    plan = plan_of(["sph", "ptbxl_sub"], ["linear", "finetune"], [FM], rules=rules, settings=settings)
    found = {(cell.run.task, cell.run.mode): cell.run for cell in plan.cells}
    assert found["sph", "finetune"].overrides == {"batch_size": 16}
    assert found["sph", "linear"].overrides == {"batch_size": 16, "crops": 4, "epochs": 7}
    assert found["ptbxl_sub", "linear"].overrides == {"batch_size": 16, "crops": 4, "epochs": 9}
    assert (found["ptbxl_sub", "linear"].limit, found["sph", "linear"].limit) == (100, 0)
    assert {run.n_resamples for run in found.values()} == {50}


def test_rules_and_exclusions_that_meet_nothing_are_said():
    rules = (
        Rule(Where(model=("s5",)), {"limit": 3}, "grid.yaml, line 5: rules[0]"),
        Rule(Where(seed=(0,)), {"limit": 3}),
    )
    exclude = (Where(task=("mimic_*",)), Where(task=("sph",), seed=(1,)))
    plan = plan_of(["sph"], seeds=(0, 1), rules=rules, exclude=exclude)
    assert plan.notes == (
        "grid.yaml, line 5: rules[0]: meets no run of this grid",
        "exclude[0]: meets nothing that this grid asks for",
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"overrides": {"crops": 3}}, "makes no use of --crops"),
        ({"overrides": {"epoch": 3}}, "did you mean 'epochs'"),
        ({"overrides": {"epochs": "3"}}, "epochs = '3': expected a whole number"),
        ({"protocol": "papper"}, "did you mean 'paper'"),
        ({"n_resamples": 0}, "expected at least 1"),
    ],
)
def test_settings_that_cannot_be_name_the_cell(settings, message):
    with pytest.raises(GridFileError, match="s4/sph/scratch/fraction-1/seed-0") as caught:
        plan_of(["sph"], settings=settings)
    assert message in str(caught.value)


def test_runs_that_read_the_same_features_are_one_group():
    plan = plan_of(
        ["ptbxl_sub", "ptbxl_super", "sph"], ["linear", "frozen", "finetune"], [FM], fractions=(1.0, 0.5, 0.25),
        seeds=(0, 1),
    )  # fmt: skip
    groups: dict[str, set[tuple[str, str, float]]] = {}
    for cell in plan.cells:
        assert (cell.store is None) == (cell.run.mode == "finetune")
        if cell.store is not None:
            key = (cell.run.task, cell.run.mode, cell.run.fraction)
            groups.setdefault(cell.store, set()).add(key)
    shared = [group for group in groups.values() if len(group) > 1]
    # Of a quarter of the records the features are each run's own; from half of them on they are the data set's.
    assert len(shared) == 4
    assert {(task, mode) for task, mode, fraction in max(shared, key=len)} in (
        {("ptbxl_sub", "linear"), ("ptbxl_super", "linear")},
        {("ptbxl_sub", "frozen"), ("ptbxl_super", "frozen")},
    )
    reencoded = plan_of(["sph"], ["linear"], [FM], settings={"protocol": "published"})
    assert reencoded.cells[0].store is None


def test_a_plan_is_read_back_as_it_was_also_from_a_moved_folder(tmp_path):
    settings = {"overrides": {"layer_factors": (1.0, 0.5, 0.1)}}
    grid = GridSpec((S4, FM), ("ptbxl_form", "sph"), ("finetune", "scratch"), settings=settings)
    plan = expand(grid, tmp_path / "a")
    inputs = {cell.id: {"dataset": "d", "model": None} for cell in plan.cells}
    write_plan(tmp_path / "a", plan, inputs, "hf-ecg-bench grid x.yaml")
    assert read_plan(tmp_path / "a") == (plan, inputs)
    (tmp_path / "a").rename(tmp_path / "b")
    assert read_plan(tmp_path / "b")[0] == expand(grid, tmp_path / "b")


def test_specifications_survive_json():
    plan = plan_of(["code15", "code_test"], settings={"overrides": {"layer_factors": (1.0, 0.5, 0.1)}})
    run = plan.cells[0].run
    assert from_json(to_json(run)) == run

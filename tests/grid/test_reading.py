"""Grid files: what is expanded, and every mistake with its line and close matches."""

from __future__ import annotations

import pytest

from hf_ecg_bench.cli.main import main
from hf_ecg_bench.errors import EcgBenchError
from hf_ecg_bench.grid.document import GridFileError
from hf_ecg_bench.grid.reading import read_grid
from hf_ecg_bench.grid.spec import Executor, ModelEntry, Slurm, Where
from hf_ecg_bench.models.registry import list_models
from hf_ecg_bench.tasks import SUITES, list_tasks
from tests.grid.small import write_grid

MINIMAL = "models: [s4]\ntasks: [synthetic]\nmodes: [scratch]\n"


def read(tmp_path, text):
    file = tmp_path / "grid.yaml"
    file.write_text(text, encoding="utf-8")
    return read_grid(file)


def test_names_with_stars_and_suites_are_expanded_in_order_each_once(tmp_path):
    grid = read(
        tmp_path,
        "models: [ecg_*, s4, ecg_fm]\ntasks: [synthetic, 'ptbxl_s*', headline, suite:published]\n"
        "modes: ['f*', linear]\n"
        "fractions: [1, 1/2, 0.25]\nseeds: [0, 3]\n",
    )
    assert [model.name for model in grid.models] == [*(n for n in list_models() if n.startswith("ecg_")), "s4"]
    assert grid.tasks[:3] == ("synthetic", "ptbxl_sub", "ptbxl_super")
    assert set(grid.tasks) == {"synthetic", *SUITES["headline"].tasks, *SUITES["published"].tasks}
    assert len(set(grid.tasks)) == len(grid.tasks)
    assert grid.modes == ("finetune", "finetune_attention", "frozen", "linear")
    assert grid.fractions == (1.0, 0.5, 0.25)
    assert grid.seeds == (0, 3)
    assert read(tmp_path, MINIMAL.replace("synthetic", "'*'")).tasks == tuple(list_tasks())


def test_models_are_ids_folders_hub_ids_and_combinations(tmp_path):
    (tmp_path / "mine" / "founder-v2").mkdir(parents=True)
    grid = read(
        tmp_path,
        "models:\n  - s4\n  - mine/founder-v2\n  - somebody/their-model\n  - {name: pair, weights: 'ecg_fm,merl'}\n"
        "  - {name: wide, architecture: s4, model_options: {hidden_size: 32}}\n"
        "tasks: synthetic\nmodes: scratch\ndata: {ptbxl: mine, synthetic: not-here}\n",
    )
    assert grid.models == (
        ModelEntry("s4", "s4", "s4"),
        ModelEntry("founder-v2", str(tmp_path / "mine" / "founder-v2")),
        ModelEntry("their-model", "somebody/their-model"),
        ModelEntry("pair", "ecg_fm,merl"),
        ModelEntry("wide", "s4", "s4", {"hidden_size": 32}),
    )
    assert grid.data == {"ptbxl": str(tmp_path / "mine"), "synthetic": "not-here"}


def test_settings_rules_exclusions_and_executor(tmp_path):
    grid = read(
        tmp_path,
        MINIMAL + "protocol: auto\nhyperparameters: {epochs: 3, layer_factors: [1, 0.5, 0.1]}\nlimit: 64\n"
        "evaluate_on: code_test\nrules:\n  - {where: {mode: linear, task: headline}, hyperparameters: {crops: 4}}\n"
        "exclude:\n  - {model: 's*', fraction: 1/2}\n"
        "executor: {kind: slurm, partition: gpu, minutes: 90, gpus: 1, setup: [module load cuda], extra: {nice: 5}}\n",
    )
    assert grid.settings == {
        "protocol": "auto",
        "overrides": {"epochs": 3, "layer_factors": (1, 0.5, 0.1)},
        "limit": 64,
        "evaluate_on": ("code_test",),
    }
    (rule,) = grid.rules
    assert rule.where == Where(mode=("linear",), task=("headline",))
    assert rule.settings == {"overrides": {"crops": 4}}
    assert "line 9" in rule.place
    assert grid.exclude == (Where(model=("s*",), fraction=(0.5,)),)
    slurm = Slurm(partition="gpu", minutes=90, gpus=1, setup=("module load cuda",), extra={"nice": 5})
    assert grid.executor == Executor("slurm", 0, slurm)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (MINIMAL + "mode: x\n", "line 4: mode: unknown key 'mode'; did you mean 'modes'"),
        (MINIMAL + "hyperparameter: {}\n", "did you mean 'hyperparameters'"),
        (MINIMAL.replace("[s4]", "[s4, s5]"), "line 1: models[1]: unknown model 's5'"),
        (MINIMAL.replace("[s4]", "\n  - s4\n  - {wieghts: s4}"), "line 3: models[1].wieghts: unknown key"),
        (MINIMAL.replace("[s4]", "[{name: a/b, weights: s4}]"), "cannot be a folder"),
        (MINIMAL.replace("[s4]", "[{name: .., weights: s4}]"), "cannot be a folder"),
        (MINIMAL.replace("[s4]", "[{name: x, weights: a/b}, {name: x, weights: a/c}]"), "is called 'x'"),
        (MINIMAL.replace("[s4]", "[{weights: a/b, model_options: {x: 1}}]"), "needs `architecture`"),
        (MINIMAL.replace("synthetic", "ptbxl_supper"), "line 2: tasks[0]: unknown task or suite 'ptbxl_supper'; did"),
        (MINIMAL.replace("synthetic", "suite:headlin"), "did you mean 'headline'"),
        (MINIMAL.replace("scratch", "scrath"), "did you mean 'scratch'"),
        (MINIMAL.replace("[scratch]", "[]"), "modes: nothing is named"),
        (MINIMAL + "fractions: [0.5, 2]\n", "line 4: fractions[1]: 2: expected a number above 0"),
        (MINIMAL + "fractions: [0.5, 1/2]\n", "stands there twice"),
        (MINIMAL + "fractions: true\n", "expected a number above 0"),
        (MINIMAL + "seeds: [0, -1]\n", "expected a whole number"),
        (MINIMAL + "seeds: []\n", "no value"),
        (MINIMAL + "n_resamples: many\n", "expected a whole number, found 'many'"),
        (MINIMAL + "limit: yes\n", "expected a whole number"),
        (MINIMAL + "data: {ptb_xl: x}\n", "did you mean 'ptbxl'"),
        (MINIMAL + "exclude: [{}]\n", "is empty"),
        (MINIMAL + "exclude: [{modes: x}]\n", "did you mean 'mode'"),
        (MINIMAL + "rules:\n  - where: {mode: linea}\n    limit: 3\n", "line 5: rules[0].where.mode: unknown mode"),
        (MINIMAL + "rules: [{limit: 3}]\n", "needs `where`"),
        (MINIMAL + "executor: slrm\n", "did you mean 'slurm'"),
        (MINIMAL + "executor: {kind: local, gpus: 1}\n", "options of kind: slurm"),
        (MINIMAL + "executor: {kind: slurm, minutes: 0}\n", "expected 1 or more"),
        (MINIMAL + "executor: {workers: -1}\n", "workers: -1"),
        (MINIMAL + "seeds: 0\nseeds: 1\n", "line 5: the key 'seeds' stands there twice"),
        (MINIMAL + "x: !!python/object/apply:os.system [echo]\n", "not YAML"),
        (MINIMAL + "x: [\n", "not YAML"),
        ("- s4\n", "expected `key: value` entries"),
        ("", "found nothing"),
        (MINIMAL + "data: {synthetic: ./nowhere}\n", "line 4: data.synthetic: no folder ./nowhere"),
        (MINIMAL + "perturb: [mains_5]\n", "line 4: perturb: unknown perturbation 'mains_5'; did you mean 'mains_50'"),
    ],
)
def test_mistakes_name_the_line_and_the_remedy(tmp_path, text, message):
    with pytest.raises(GridFileError) as caught:
        read(tmp_path, text)
    assert message in str(caught.value)
    assert "grid.yaml" in str(caught.value)


def test_absent_file(tmp_path):
    with pytest.raises(EcgBenchError, match="cannot read"):
        read_grid(tmp_path / "absent.yaml")


def test_numbers_with_an_exponent_are_numbers(tmp_path):
    # PyYAML alone reads them as text.
    grid = read(
        tmp_path, MINIMAL + "hyperparameters: {learning_rate: 1e-3, weight_decay: 2E+1, learning_rates: [.5e1]}\n"
    )
    assert grid.settings["overrides"] == {"learning_rate": 1e-3, "weight_decay": 20.0, "learning_rates": (5.0,)}


@pytest.mark.parametrize(
    ("options", "said"),
    [(["--no-wait"], "--no-wait"), (["--executor", "slurm", "--workers", "2"], "--workers")],
)
def test_options_of_the_other_executor_are_refused(tmp_path, capsys, options, said):
    file = write_grid(tmp_path / "g.yaml")
    assert main(["grid", str(file), "--output-dir", str(tmp_path / "grid"), *options]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "grid").exists()

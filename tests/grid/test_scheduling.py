"""Order of work, workers of a machine, and what cells will cost."""

from __future__ import annotations

from pathlib import Path

import pytest

from hf_ecg_bench.grid import local
from hf_ecg_bench.grid.effort import Effort
from hf_ecg_bench.grid.estimates import Counted, Spent, counting_key, estimate, total
from hf_ecg_bench.grid.launching import Ended, LauncherGoneError
from hf_ecg_bench.grid.live import progress_of
from hf_ecg_bench.grid.machine import Worker, accelerators, make_workers, shared_environment
from hf_ecg_bench.grid.plan import expand
from hf_ecg_bench.grid.scheduling import in_order, next_cell
from hf_ecg_bench.grid.spec import GridSpec, ModelEntry

FM = ModelEntry("ecg_fm", "ecg_fm", "ecg_fm")
SETTINGS = {"overrides": {"epochs": 10}}


def cells_of(*modes, tasks=("sph",), seeds=(0, 1)):
    return expand(GridSpec((FM,), tuple(tasks), modes, seeds=seeds, settings=SETTINGS), Path("/grid")).cells


def test_longest_first_and_groups_in_one_piece():
    cells = cells_of("linear", "finetune", "frozen")
    seconds = {cell.id: {"linear": 4.0, "finetune": 7.0, "frozen": 2.0}[cell.run.mode] for cell in cells}
    ordered = [(cell.run.mode, cell.run.seed) for cell in in_order(cells, seconds)]
    # Two linear runs share features and count 8 s together, more than a fine-tuning of 7.
    assert ordered == [
        ("linear", 0), ("linear", 1), ("finetune", 0), ("finetune", 1), ("frozen", 0), ("frozen", 1)
    ]  # fmt: skip
    unknown = {**seconds, cells[-1].id: None}
    assert in_order(cells, unknown)[0] is cells[-1]  # it counts 7, as long as the longest that is known: 9 together


def test_a_store_is_filled_by_one_where_there_is_other_work():
    linear, other, finetune, _ = cells_of("linear", "finetune")
    assert next_cell([linear, other, finetune], [], set()) is linear
    assert next_cell([other, finetune], [linear], set()) is finetune
    assert next_cell([other], [linear], set()) is other  # better together than idle
    assert next_cell([other, finetune], [linear], {linear.store}) is other
    assert next_cell([], [linear], set()) is None


def test_workers_get_one_accelerator_and_a_share_of_the_cores(monkeypatch):
    assert [(w.device, w.threads) for w in make_workers(0, 16, ["0", "1"])] == [("0", 8), ("1", 8)]
    assert [w.device for w in make_workers(3, 16, ["GPU-a", "GPU-b"])] == ["GPU-a", "GPU-b", "GPU-a"]
    assert [(w.device, w.threads) for w in make_workers(0, 9, [])] == [(None, 2)] * 4
    assert make_workers(0, 1, [])[0].threads == 1
    assert make_workers(2, 16, [], threads=3)[1].threads == 3
    assert make_workers(1, 4, ["2"])[0].environment() == {"CUDA_VISIBLE_DEVICES": "2"}
    assert make_workers(1, 4, [])[0].environment() == {}
    assert shared_environment(make_workers(2, 4, []))["OMP_NUM_THREADS"] == "2"
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3, 5")
    assert accelerators() == ["3", "5"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert accelerators() == []


def spent(cell, *, train, extracted=False, features=0.0, flops=None):
    effort = Effort(100, 10, 10, 100, 10, 10.0)
    return Spent(cell, effort, train, features, extracted, 3.0, flops, 1000, 500)


@pytest.fixture
def sized(monkeypatch):
    """Every cell's data have 200 training records."""
    effort = Effort(200, 20, 20, 200, 10, 10.0)
    monkeypatch.setattr("hf_ecg_bench.grid.estimates.effort_of", lambda cell: effort)


def test_estimates_scale_finished_runs_of_the_same_kind(sized):
    done, left = cells_of("finetune")
    found = estimate([left], [spent(done, train=50.0)], set(), {}, None)[left.id]
    # Training for twice the records, testing for twice the test records, and the start.
    assert found.seconds == pytest.approx(1 + 2 * 50 + 2 * 3)
    assert "1 finished runs of this model and mode" in found.basis
    assert found.bytes == 1000


def test_only_the_first_pays_for_features(sized):
    done, first, second = cells_of("linear", seeds=(0, 1, 2))
    paid = spent(done, train=1.0, extracted=True, features=40.0)
    found = estimate([first, second], [paid], set(), {}, None)
    assert found[first.id].seconds == pytest.approx(1 + 2 + 6 + 80)
    assert found[second.id].seconds == pytest.approx(1 + 2 + 6)
    assert (found[first.id].store_bytes, found[second.id].store_bytes) == (1000, 0)
    assert estimate([first], [paid], {first.store}, {}, None)[first.id].seconds == pytest.approx(9)


def test_data_of_unknown_size_have_no_estimate(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)  # nothing is prepared here, and a generated dataset has no official size
    grid = GridSpec(models=(ModelEntry("s4", "s4", "s4"),), tasks=("synthetic",), modes=("scratch",))
    (cell,) = expand(grid, tmp_path).cells
    found = estimate([cell], [], set(), {counting_key(cell): Counted(1e6, 2.5, 1000, 8, 5)}, (1e6, "a guess"))
    assert found[cell.id].seconds is None
    assert "size of the data" in found[cell.id].basis


def test_without_a_finished_run_operations_are_counted(sized):
    (cell,) = cells_of("finetune", seeds=(0,))
    (frozen,) = cells_of("frozen", seeds=(0,))
    counted = {counting_key(cell): Counted(1e6, 2.5, 1000, 8, 5)}
    nothing = estimate([cell], [], set(), {}, (1e6, "a guess"))[cell.id]
    assert nothing.seconds is None
    found = estimate([cell, frozen], [], set(), counted, (1e6, "a guess"))
    windows = 4
    assert found[cell.id].seconds == pytest.approx(5 + (3 * 200 + 20 * windows) * 10 + (20 + 200) * windows)
    stored = 200 * (windows + 2) + 40 * windows
    assert found[frozen.id].seconds == pytest.approx(5 + stored)
    assert found[frozen.id].store_bytes == stored * 8 * 5 * 2
    (other,) = cells_of("scratch", seeds=(0,))
    own = estimate([cell], [spent(other, train=10.0, flops=2e7)], set(), counted, (1e6, "a guess"))[cell.id]
    assert own.seconds == pytest.approx(5 + ((3 * 200 + 20 * windows) * 10 + 220 * windows) / 2)
    assert "at the rate of finished runs" in own.basis
    summed = total(found.values())
    assert summed.low < summed.seconds < summed.high
    assert total([nothing]).unknown == 1


def test_progress_is_read_from_the_log_since_the_last_start():
    log = "--- then\nepoch 1/9: loss\nepoch 2/9: loss\n--- now\nepoch 3/9: loss\nepoch 4/9: loss\n"
    found = progress_of(log, 20.0, 999.0)
    assert (found.epoch, found.epochs, found.left) == (4, 9, 50.0)
    early = progress_of("--- then\nepoch 2/9: loss\n--- now\n", 20.0, 60.0)
    assert (early.epoch, early.left) == (None, 40.0)
    assert progress_of("--- now\n", 5.0, None).left is None
    assert progress_of("--- now\nepoch 9/9: x\n", 5.0, 50.0).left == 0.0


def test_a_cell_whose_launcher_dies_while_it_is_started_is_not_lost(monkeypatch, tmp_path):
    cells, done, launchers = cells_of("finetune"), [], []

    class Launcher:
        def __init__(self, environment, *, warm):
            launchers.append(self)
            self.started = []

        def __enter__(self):
            return self

        def __exit__(self, *error):
            pass

        def start(self, order, environment):
            if len(launchers) == 1:
                raise LauncherGoneError("gone")
            self.started.append(1000 + len(done))
            return self.started[-1]

        def wait(self, seconds):
            return [Ended(self.started.pop(), 0)]

    monkeypatch.setattr(local, "Launcher", Launcher)
    workers = [Worker(0, None, 1)]
    local.compute_locally(
        cells, workers, lambda cell: {"identity": ""}, lambda cell, seconds: done.append(cell.id), grid=tmp_path
    )
    assert sorted(done) == sorted(cell.id for cell in cells)

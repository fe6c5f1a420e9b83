"""From tasks to one order."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from hf_ecg_bench.errors import EcgBenchError
from hf_ecg_bench.standings.across import over_tasks
from hf_ecg_bench.standings.entry import Entry
from hf_ecg_bench.standings.friedman import critical_difference, friedman
from hf_ecg_bench.standings.ranks import draw_tasks, interval, over_datasets, value_ranks, win_rate
from hf_ecg_bench.standings.scores import TaskScores
from hf_ecg_bench.standings.signed_rank import signed_rank_p, smallest_p
from hf_ecg_bench.standings.skill import log_ratios, skill
from hf_ecg_bench.standings.task_ranking import stand

MODELS = ("a", "b", "c", "d")


def standing_of(task, values, *, samples=None, higher=True, seen=(), modes=None):
    """A task's standing; NaN values are entries without a result."""
    there = [i for i, value in enumerate(values) if not math.isnan(value)]
    entries = tuple(Entry(MODELS[i] if modes is None else "s4", (modes or ["frozen"] * 9)[i]) for i in there)
    value = np.array([values[i] for i in there], dtype=float)
    nothing = np.full(len(there), np.nan)
    drawn = np.full((len(there), 0), np.nan) if samples is None else samples
    return stand(
        TaskScores(
            task,
            "macro_auroc",
            higher,
            entries,
            ((),) * len(there),
            value,
            nothing,
            nothing,
            nothing,
            np.ones(len(there), dtype=np.int64),
            drawn,
            tuple("test_records" if MODELS[i] in seen else "none" for i in there),
        )
    )


def order(table, *, seen=None, samples=None, **options):
    """Over the columns of `table` (models, tasks)."""
    standings = {
        f"t{j}": standing_of(
            f"t{j}", column, seen=(seen or {}).get(j, ()), samples=None if samples is None else samples[j]
        )
        for j, column in enumerate(np.asarray(table, dtype=float).T)
    }
    return over_tasks(standings, **{"datasets": {}, "categories": {}, **options})


def test_friedman_is_scipys_with_and_without_ties():
    random = np.random.default_rng(0)
    for scores in (random.normal(size=(9, 5)), random.integers(0, 3, (9, 5)).astype(float)):
        expected = stats.friedmanchisquare(*scores.T)
        assert friedman(scores) == pytest.approx((expected.statistic, expected.pvalue))
    assert math.isnan(friedman(np.ones((4, 3)))[0])


def test_nemenyi_divides_by_the_root_of_two():
    # Demsar 2006, table 5a.
    for k, q in ((2, 1.960), (3, 2.343), (10, 3.164)):
        assert critical_difference(k, 6) == pytest.approx(q * math.sqrt(k * (k + 1) / 36), abs=2e-3 * k)


@pytest.mark.parametrize("n", [5, 12, 25, 28, 40])
def test_signed_ranks_are_scipys(n):
    differences = np.random.default_rng(n).normal(0.2, 1, (20, n))
    for row, p in zip(differences, signed_rank_p(differences), strict=True):
        method = "exact" if n <= 25 else "approx"
        assert p == pytest.approx(stats.wilcoxon(row, method=method, correction=False).pvalue)


def test_signed_ranks_with_ties_zeros_and_missing_blocks():
    random = np.random.default_rng(0)
    differences = random.integers(-3, 5, (30, 16)).astype(float)
    differences[:, 3] = np.nan
    for row, p in zip(differences, signed_rank_p(differences), strict=True):
        known = row[~np.isnan(row)]
        # scipy warns where it is asked for the approximation with few differences
        expected = stats.wilcoxon(known, zero_method="wilcox", correction=False, method="approx").pvalue
        assert p == pytest.approx(expected)
    p = signed_rank_p(np.array([[np.nan, np.nan], [0.0, np.nan]]))
    assert math.isnan(p[0])
    assert p[1] == 1
    assert signed_rank_p(np.ones((1, 5)) * [1, 2, 3, 4, 5])[0] == smallest_p(5) == 2 / 32


def test_mean_ranks_wins_and_direction():
    table = [[0.9, 0.8, 0.3], [0.8, 0.8, 0.4], [0.7, 0.7, 0.5]]
    standings = {f"t{j}": standing_of(f"t{j}", column, higher=j < 2) for j, column in enumerate(np.array(table).T)}
    overall = over_tasks(standings, datasets={}, categories={"t0": "x", "t1": "x", "t2": "y"})
    assert [entry.model for entry in overall.entries] == ["a", "b", "c"]
    np.testing.assert_allclose(overall.ranks, [[1, 1.5, 1], [2, 1.5, 2], [3, 3, 3]])
    np.testing.assert_allclose(overall.mean_rank, [3.5 / 3, 5.5 / 3, 3])
    np.testing.assert_allclose(overall.median_rank, [1, 2, 3])
    np.testing.assert_allclose(overall.win_rate, [5.5 / 6, 3.5 / 6, 0])
    np.testing.assert_allclose(overall.category_rank["x"], [1.25, 1.75, 3])
    np.testing.assert_allclose(overall.category_rank["y"], [1, 2, 3])


def test_missing_cells_stay_missing_and_few_tasks_are_not_ranked():
    nan = math.nan
    overall = order([[0.8, 0.8, 0.8, 0.8], [0.7, nan, 0.7, 0.7], [0.99, nan, nan, nan]])
    assert [entry.model for entry in overall.entries] == ["a", "b", "c"]
    assert overall.missing.tolist() == [0, 1, 3]
    assert overall.enough.tolist() == [True, True, False]
    assert overall.group.tolist()[2] == 0, "one easy task and rank 1 do not lead a leaderboard"
    assert overall.mean_rank[2] == 1
    assert np.isnan(overall.values[1, 1])
    assert np.isnan(overall.pairs[2]).all()
    assert any("less than half" in note for note in overall.notes)
    assert any("without some of the tasks" in note for note in overall.notes)


@pytest.mark.parametrize(("n_tasks", "enough"), [(5, False), (6, False), (7, True), (8, True)])
def test_too_few_tasks_for_a_second_group_are_said(n_tasks, enough):
    # The clearest order there is: three pairs, each with p = 2 / 2^n, times 3 by Holm.
    table = np.add.outer([0.9, 0.8, 0.7], np.linspace(0, 0.02, n_tasks)) + 1e-4 * np.arange(3)[:, None] ** 2
    table += np.outer([0.0, 1.0, 3.0], np.linspace(0, 0.01, n_tasks))  # differences without ties
    overall = order(table)
    assert (overall.group.max() > 1) == enough
    assert any("too few" in note for note in overall.notes) == (not enough)


def test_contaminated_cells_are_kept_hidden_or_replaced():
    table = [[0.9, 0.9, 0.9, 0.9], [0.8, 0.8, 0.8, 0.8], [0.7, 0.7, 0.7, 0.7]]
    seen = {0: ("a",), 1: ("a", "b", "c")}
    kept, hidden, imputed = (order(table, seen=seen, policy=policy) for policy in ("keep", "hide", "impute"))
    assert kept.hidden.sum() == kept.imputed.sum() == 0
    assert hidden.hidden.tolist() == [2, 1, 1]
    assert np.isnan(hidden.values[:, 1]).all()
    np.testing.assert_allclose(hidden.ranks[:, 0], [np.nan, 1, 2])
    assert imputed.values[0, 0] == pytest.approx(0.75)
    assert imputed.imputed.tolist() == [1, 0, 0]
    assert imputed.hidden.tolist() == [1, 1, 1], "where all have seen the records there is nothing to take instead"
    assert hidden.missing.sum() == imputed.missing.sum() == 0


def test_groups_do_not_chain_and_need_enough_tasks():
    random = np.random.default_rng(4)
    table = np.array([0.900, 0.893, 0.886])[:, None] + random.normal(0, 0.012, (3, 30))
    overall = order(table)
    first, both, second = (
        stats.wilcoxon(table[i] - table[j], method="approx").pvalue for i, j in ((0, 1), (0, 2), (1, 2))
    )
    assert both < 0.05 / 3
    assert min(first, second) > 0.05 / 2
    assert overall.pairs[0, 2] == pytest.approx(3 * both)
    assert overall.group.tolist() == [1, 1, 2], "the middle one is tied with both, the outer ones are not"
    assert order(table[:, :4]).group.tolist() == [1, 1, 1]


def test_intervals_resample_tasks_within_their_datasets():
    drawn = draw_tasks(["x", "y", "x", "z", "y"], 400, np.random.default_rng(0))
    assert set(drawn[:, 0]) == set(drawn[:, 2]) == {0, 2}
    assert set(drawn[:, 1]) == {1, 4}
    assert set(drawn[:, 3]) == {3}
    table = [[0.9, 0.7, 0.9, 0.7], [0.8, 0.8, 0.8, 0.8]]
    alone = order(table)
    together = order(table, datasets=dict.fromkeys(("t0", "t1", "t2", "t3"), "x"))
    assert alone.rank_low.tolist() == alone.rank_high.tolist() == [1.5, 1.5], "each task is its own dataset"
    assert together.rank_low[0] < 1.5 < together.rank_high[0]


def test_whole_datasets_are_drawn_for_the_second_interval():
    ranks = np.array([[1.0, 1.0, 2.0, 1.0], [2.0, 2.0, 1.0, math.nan], [3.0, 3.0, math.nan, math.nan]])
    names = ["x", "x", "y", "z"]
    low, high = over_datasets(ranks, names, 200, np.random.default_rng(0))
    times = np.random.default_rng(0).multinomial(3, [1 / 3] * 3, 200)
    expected = np.full((3, 200), math.nan)
    for n, (x, y, z) in enumerate(times.tolist()):
        expected[0, n] = (2 * x + 2 * y + z) / (2 * x + y + z)
        if x or y:
            expected[1, n] = (4 * x + y) / (2 * x + y)
    assert np.allclose([low, high], interval(expected), equal_nan=True)
    assert math.isnan(low[2]), "its tasks are of one dataset"
    assert np.isnan(over_datasets(ranks, ["x"] * 4, 200, np.random.default_rng(0))).all(), "one dataset: no choice"


def test_intervals_resample_patients_where_there_are_predictions():
    random = np.random.default_rng(0)
    table = np.array([[0.80, 0.80], [0.79, 0.79]])
    samples = [column[:, None] + random.normal(0, 0.02, (2, 500)) for column in table.T]
    overall = order(table, samples=samples)
    assert overall.rank_low[0] == 1
    assert overall.rank_high[0] == 2
    assert overall.skill_low[0] < overall.skill[0] < overall.skill_high[0]
    assert order(table, samples=samples, seed=0).rank_low.tolist() == overall.rank_low.tolist()


def test_skill_is_one_minus_the_geometric_mean_of_relative_errors():
    standings = {
        "auroc": standing_of("auroc", [0.95, 0.90, 0.80], modes=["lora", "scratch", "linear"]),
        "mae": standing_of("mae", [0.2, 0.4, 0.8], modes=["lora", "scratch", "linear"], higher=False),
    }
    overall = over_tasks(standings, datasets={}, categories={})
    assert overall.baseline == "s4/scratch"
    by_mode = {entry.mode: value for entry, value in zip(overall.entries, overall.skill, strict=True)}
    assert by_mode == pytest.approx({"lora": 0.5, "scratch": 0.0, "linear": -1.0})
    assert order([[0.9], [0.8], [0.7]]).baseline == "the median entry of each task"


def test_skill_clips_and_leaves_out_what_the_baseline_lacks():
    error = np.array([[0.0, 0.1, 0.5], [0.1, 0.1, np.nan], [0.0, 0.0, 0.2]])
    ratios = log_ratios(error, 2)
    np.testing.assert_allclose(np.exp(ratios[0]), [1, 100, 2.5])
    np.testing.assert_allclose(np.exp(ratios[1, :2]), [100, 100])
    assert np.isnan(ratios[1, 2])
    np.testing.assert_allclose(skill(ratios)[0], 1 - 250 ** (1 / 3))
    assert np.isnan(skill(np.full((1, 2), np.nan))).all()


def test_the_papers_rule_shares_ranks_unless_the_interval_excludes_zero():
    random = np.random.default_rng(0)
    value = np.array([0.900, 0.893, 0.886])
    shared = random.normal(0, 0.02, 800)
    samples = value[:, None] + random.normal(0, 0.0045, (3, 800)) + shared
    anchor = order(value[:, None], samples=[samples])
    paper = order(value[:, None], samples=[samples], rule="paper")
    assert anchor.ranks[:, 0].tolist() == [1, 2, 3]
    d = samples[0] - samples[2]
    assert np.percentile(d, 2.5) > 0
    assert paper.ranks[:, 0].tolist() == [1, 1, 2]
    assert order(value[:, None], rule="paper").ranks[:, 0].tolist() == [1, 2, 3], "untested: by value"


def test_some_entries_and_nothing_at_all():
    table = [[0.9, 0.8], [0.8, 0.7], [0.7, 0.6]]
    overall = order(table, entries=[Entry("a", "frozen"), Entry("c", "frozen")])
    assert [entry.model for entry in overall.entries] == ["a", "c"]
    np.testing.assert_allclose(overall.ranks, [[1, 1], [2, 2]])
    with pytest.raises(EcgBenchError, match="nothing to rank"):
        order(table, entries=[])


def test_one_entry_alone():
    overall = order([[0.9, 0.8]])
    assert overall.mean_rank.tolist() == [1]
    assert np.isnan(overall.win_rate).all()
    assert overall.friedman == {}
    assert overall.group.tolist() == [1]


def test_friedman_takes_the_tasks_that_all_have_and_datasets_as_blocks():
    random = np.random.default_rng(1)
    table = np.array([0.9, 0.85, 0.8])[:, None] + random.normal(0, 0.03, (3, 6))
    table[0, 5] = np.nan
    datasets = {"t0": "x", "t1": "x", "t2": "y", "t3": "z", "t4": "z"}
    test = order(table, datasets=datasets).friedman
    ranks = value_ranks(table[:, :5])
    assert (test["n_tasks"], test["n_entries"]) == (5, 3)
    assert test["chi2"] == pytest.approx(stats.friedmanchisquare(*table[:, :5]).statistic)
    np.testing.assert_allclose(sorted(test["mean_rank"]), sorted(ranks.mean(axis=1)))
    blocks = np.stack([ranks[:, :2].mean(axis=1), ranks[:, 2], ranks[:, 3:].mean(axis=1)])
    assert test["datasets"]["n_datasets"] == 3
    assert test["datasets"]["chi2"] == pytest.approx(stats.friedmanchisquare(*blocks.T).statistic)


def test_win_rate_counts_missing_opponents_for_nothing():
    ranks = value_ranks(np.array([[0.9, 0.9], [0.8, np.nan], [0.7, 0.95]]))
    np.testing.assert_allclose(win_rate(ranks), [2 / 3, 1 / 2, 1 / 3])


@pytest.mark.shared
def test_published_ranks_are_those_of_the_specification(shared):
    """evaluation.md 6.1 and oracles/metrics/statistics.npz, from the rows that come with this package."""
    from hf_ecg_bench.published import published_rows
    from hf_ecg_bench.standings.scoring import score_tasks

    rows = [row for row in published_rows() if row.mode in ("finetune", "scratch")]
    scores = score_tasks(rows, shared)
    standings = {task: stand(item) for task, item in scores.items()}
    overall = over_tasks(
        standings,
        datasets={row.task: row.dataset for row in rows},
        categories={row.task: row.category for row in rows},
    )
    oracle = np.load(shared / "oracles" / "metrics" / "statistics.npz", allow_pickle=False)
    ours = dict(zip((entry.model for entry in overall.entries), overall.mean_rank, strict=True))
    said = {
        "ecg_cpc": 2.1,
        "ecg_founder": 3.6,
        "s4": 3.6,
        "ecg_jepa": 4.0,
        "ecg_fm": 4.3,
        "merl": 5.3,
        "st_mem": 7.5,
        "net1d": 7.6,
        "hubert_ecg": 8.3,
        "ecgfm_ked": 8.6,
    }
    assert {name: round(value, 1) for name, value in ours.items()} == said
    assert sorted(ours.values()) == pytest.approx(sorted(oracle["mean_ranks"]))
    test = overall.friedman
    assert test["chi2"] == pytest.approx(float(oracle["friedman_chi2"]))
    assert test["p"] == pytest.approx(float(oracle["friedman_p"]))
    assert test["critical_difference"] == pytest.approx(float(oracle["nemenyi_cd05"]))
    assert test["datasets"]["n_datasets"] == 12
    assert test["datasets"]["critical_difference"] == pytest.approx(3.9, abs=0.05)
    position = {name: i for i, name in enumerate(oracle["table_models"].tolist())}
    names = {
        "ecg_cpc": "ECG-CPC",
        "ecg_founder": "ECGFounder",
        "s4": "S4",
        "ecg_jepa": "ECG-JEPA",
        "ecg_fm": "ECG-FM",
        "merl": "MERL",
        "st_mem": "ST-MEM",
        "net1d": "Net1D",
        "hubert_ecg": "HuBERT-ECG",
        "ecgfm_ked": "ECGFM-KED",
    }
    at = [position[names[entry.model]] for entry in overall.entries]
    expected = np.full((10, 10), np.nan)
    for (i, j), p in zip(oracle["pair_index"], oracle["wilcoxon_p_holm"], strict=True):
        expected[i, j] = expected[j, i] = p
    np.testing.assert_allclose(overall.pairs, expected[np.ix_(at, at)], atol=1e-12)
    best = {category: overall.entries[int(np.argmin(ranks))].model for category, ranks in overall.category_rank.items()}
    assert best == {
        "adult_ecg_interpretation": "ecg_cpc",
        "pediatric_ecg_interpretation": "ecg_jepa",
        "cardiac_structure_function": "ecg_cpc",
        "cardiac_outcomes": "ecg_cpc",
        "noncardiac_outcomes": "ecg_fm",
        "acute_care": "ecg_fm",
        "patient_characteristics": "ecg_cpc",
    }


@pytest.mark.shared
def test_the_anchor_rule_and_rank_intervals_are_the_oracles(shared):
    from hf_ecg_bench.evaluation.ranking import rank

    oracle = np.load(shared / "oracles" / "metrics" / "statistics.npz", allow_pickle=False)
    for scores, better, expected, low, high in zip(
        *(oracle[f"rule_{name}"] for name in ("scores", "sig", "anchor", "interval_low", "interval_high")), strict=True
    ):
        found = rank(scores, better)
        assert (found.rank.tolist(), found.low.tolist(), found.high.tolist()) == (
            expected.tolist(),
            low.tolist(),
            high.tolist(),
        )


def test_a_standing_is_not_changed_by_ranking_it():
    standing = standing_of("t0", [0.9, 0.8, 0.7], seen=("a",))
    before = standing.scores.value.copy()
    over_tasks({"t0": standing}, datasets={}, categories={}, policy="impute")
    np.testing.assert_array_equal(standing.scores.value, before)

"""What the leaderboard says about itself: paragraphs of plain text."""

from __future__ import annotations

ABOUT = {
    "protocol": (
        "A result is one training run of one model on one task: the data set's fixed test records are scored "
        "once, by the epoch that was best on validation records. Records that are longer than a model's window "
        "are cut into windows, whose outputs are averaged. An entry is a model adapted in one mode; its seeds are "
        "averaged, and their standard deviation stands beside the interval, not in it. Where runs of a model started "
        "from several weights, each of these makes entries of its own, named by the first digits of its digest. Of "
        "runs that differ in settings (epochs, learning rate), those with the best mean validation value count; the "
        "others are left out and listed."
    ),
    "metrics": (
        "Macro AUROC is the mean of the labels' areas under the ROC curve; labels without positives or negatives "
        "among the test records are left out and counted. Numbers (age, laboratory values) are judged by the mean "
        "absolute error in standard deviations of the training records; lower is better.\n\n"
        "The skill score is 1 minus the geometric mean, over tasks, of an entry's error relative to the "
        "baseline's (1 - AUROC, or the mean absolute error; each ratio between 0.01 and 100). 0 is as good as the "
        "baseline, 0.5 half its error. The win rate is the share of other entries that an entry is ahead of, ties "
        "counting half."
    ),
    "intervals": (
        "Intervals are 95 % percentile intervals of bootstrap resamples of test patients with all their "
        "records. All entries of a task share their resamples, so that differences of two entries are paired. Do "
        "not judge two entries by whether their own intervals overlap: the paired difference is much sharper. "
        "Published intervals count a label that a resample lacks as 0.5, and are shifted down where labels are "
        "rare: do not compare them with ours."
    ),
    "ranking": (
        "On a task, p values of all pairs are Holm-adjusted. Walking down from the best entry, an entry shares "
        "its rank unless it is significantly worse; the first that is worse opens the next rank (so ties do not "
        "chain). The interval of a rank counts who is significantly better and worse.\n\n"
        "Over tasks, entries are ordered by the mean rank of their values. Groups are found in the same way, with "
        "Wilcoxon's signed-rank test over tasks, Holm-adjusted. The interval of the mean rank comes from "
        "resampling tasks within their data sets and patients within tasks. Tasks of one data set are not "
        "independent: Friedman's test and the critical difference are given over data sets as well. Missing "
        "results stay missing; entries with less than half of the tasks stand last, in no group."
    ),
    "contamination": (
        "A pretrained model may have seen the records it is tested on. Each result is marked: none, other records "
        "of the same corpus, the test records themselves, or unknown. Results on seen test records are kept, "
        "hidden (then they count as missing), or replaced by the mean of the entries that have not seen them."
    ),
    "published": (
        "Published rows are those of the paper: a value and an interval without predictions, so that nothing "
        "about them can be tested; their ranks are by value alone. What is known against a row is marked with the "
        "audit's ids."
    ),
}

"""How to put a result on the board."""

from __future__ import annotations

from ..address import Address
from ..board import Board
from ..markup import Safe, join, tag
from ..page import Page, section

_STEPS = (
    ("Install", "pip install hf-ecg-bench"),
    ("Run a model on a task", "hf-ecg-bench run --model MODEL --task TASK --mode finetune --output-dir runs/mine"),
    ("See what would be sent", "hf-ecg-bench submit runs/mine --check-only"),
    ("Submit", "hf-ecg-bench submit runs/mine"),
)
_CHECKS = (
    "The rows are of a known version and complete; tasks and models carry the versions that they name.",
    "Files are the ones that the result was written with: their digests agree.",
    "The scores are computed again from the stored predictions, and must be the ones that were sent.",
    "The model is loaded and predicts a few of its stored records again, where its weights are: on your machine.",
)


def submit(board: Board, address: Address) -> Page:
    """Commands, and what is validated before a pull request is opened."""
    steps = [tag("li", tag("p", title), tag("pre", command, tabindex="0")) for title, command in _STEPS]
    told = tag("p", "A submission is a pull request to the dataset of results. It needs a Hub token in HF_TOKEN.")
    return Page(
        "Submit a result",
        join(
            told,
            tag("ol", steps, class_="steps"),
            section("What is validated", tag("ul", [tag("li", check) for check in _CHECKS]), _after()),
            section(
                "What you need to state",
                tag(
                    "p",
                    "Which datasets the weights were pretrained on, and whether test records were among them, in the "
                    "model's ModelSpec (a pull request to the code): without it, contamination is unknown. Seeds: "
                    "three or more where you can afford it; one seed is accepted and shown without a spread.",
                ),
            ),
        ),
    )


def _after() -> Safe:
    return tag(
        "p",
        "The same checks run again at the maintainers' end, but for the weights, which are not sent. A submission that "
        "fails tells you what was expected, what was found and the command that mends it; nothing is uploaded before "
        "all checks pass.",
    )

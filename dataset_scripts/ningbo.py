"""Ningbo First Hospital, from the PhysioNet/CinC Challenge 2021: 34,905 10 s records with 68 diagnoses."""

from __future__ import annotations

from hf_ecg_bench.data.sources.challenge.builder import ChallengeBuilder
from hf_ecg_bench.data.sources.challenge.example import write_example
from hf_ecg_bench.data.sources.challenge.sets import (
    CITATION,
    FOLDS,
    HOMEPAGE,
    KNOWN_ISSUES,
    NINGBO,
    RATE,
    published_labels,
)
from hf_ecg_bench.data.spec import DatasetSpec


class Ningbo(ChallengeBuilder):
    """Built from the folder `training/ningbo` of the Challenge 2021 release, or from one flat folder."""

    SOURCE = NINGBO
    SPEC = DatasetSpec(
        id="ningbo",
        title="Ningbo First Hospital (PhysioNet/CinC Challenge 2021)",
        homepage=HOMEPAGE,
        license="cc-by-4.0",
        access="open",
        citation="""@article{zheng2020optimal,
  title = {Optimal Multi-Stage Arrhythmia Classification Approach},
  author = {Zheng, Jianwei and Chu, Huimin and Struppa, Daniele and Zhang, Jianming and Yacoub, Sir Magdi and
            El-Askary, Hesham and Chang, Anthony and Ehwerhemuepha, Louis and Abudayyeh, Islam and
            Barrett, Alexander and Fu, Guohua and Yao, Hai and Li, Dongbo and Guo, Hangyuan and Rakovski, Cyril},
  journal = {Scientific Reports},
  volume = {10},
  pages = {2898},
  year = {2020},
  doi = {10.1038/s41598-020-59821-7}
}

"""
        + CITATION,
        sampling_rate=RATE,
        seconds=None,
        label_columns={"labels": published_labels(NINGBO)},
        description="10 s 12-lead ECGs of Ningbo First Hospital with 68 rhythm and morphology diagnoses.",
        records=34_905,
        folds=FOLDS,
        validation_fold=8,
        test_fold=9,
        nan_samples="drop",
        origins=(NINGBO.origin,),
        known_issues=(
            *KNOWN_ISSUES,
            "low QRS voltage: one code stands for LQRSV, LVQRSCL and LVQRSLL, so every such record is LQRSV",
            "the Challenge's Chapman-Shaoxing set has names of the same kind (JS00001 to JS10646): never mix them",
        ),
    )

    @staticmethod
    def example(root: str, n: int) -> None:
        write_example(NINGBO, root, n)

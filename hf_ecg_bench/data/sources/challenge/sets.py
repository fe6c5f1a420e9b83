"""What is particular to each Challenge set: its folder, record names, sheet of label names, and rules for labels."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from hf_ecg_bench.data.origins import PhysioNet
from hf_ecg_bench.data.vocabulary import read_label_table

RATE = 500
N_FOLDS = 10
PROJECT, VERSION = "challenge-2021", "1.0.3"
HOMEPAGE = f"https://physionet.org/content/{PROJECT}/{VERSION}/"
FOLDS = "iterative stratification of records (no patient is known): train 0-7, validation 8, test 9"
KNOWN_ISSUES = (
    "the release has no patient ids: recordings of one patient may lie in two splits",
    "the published benchmark drew folds in the order of a file system, which cannot be repeated; here by record name",
)
SHORT_RECORDS = "records shorter than 10 s are in the rows, but the benchmark's task leaves them out"
CITATION = """@article{perezalday2020classification,
  title = {Classification of 12-lead {ECGs}: the {PhysioNet}/{Computing} in {Cardiology} {Challenge} 2020},
  author = {Perez Alday, Erick A. and Gu, Annie and Shah, Amit J. and Robichaux, Chad and Wong, An-Kwok Ian and
            Liu, Chengyu and Liu, Feifei and Rad, Ali Bahrami and Elola, Andoni and Seyedi, Salman and Li, Qiao and
            Sharma, Ashish and Clifford, Gari D. and Reyna, Matthew A.},
  journal = {Physiological Measurement},
  volume = {41},
  number = {12},
  pages = {124003},
  year = {2020},
  doi = {10.1088/1361-6579/abc960}
}

@inproceedings{reyna2021will,
  title = {Will two do? {Varying} dimensions in electrocardiography: the {PhysioNet}/{Computing} in {Cardiology}
           {Challenge} 2021},
  author = {Reyna, Matthew A. and Sadr, Nadi and Perez Alday, Erick A. and Gu, Annie and Shah, Amit J. and
            Robichaux, Chad and Rad, Ali Bahrami and Elola, Andoni and Seyedi, Salman and Ansari, Sardar and
            Ghanbari, Hamid and Li, Qiao and Sharma, Ashish and Clifford, Gari D.},
  booktitle = {2021 Computing in Cardiology},
  year = {2021},
  doi = {10.23919/CinC53138.2021.9662687}
}"""


CPSC_CITATION = (
    """@article{liu2018open,
  title = {An open access database for evaluating the algorithms of electrocardiogram rhythm and morphology
           abnormality detection},
  author = {Liu, Feifei and Liu, Chengyu and Zhao, Lina and Zhang, Xiangyu and Wu, Xiaoling and Xu, Xiaoyan and
            Liu, Yulin and Ma, Caiyun and Wei, Shoushui and He, Zhiqiang and Li, Jianqing and Ng, Eddie Yin Kwee},
  journal = {Journal of Medical Imaging and Health Informatics},
  volume = {8},
  number = {7},
  pages = {1368--1373},
  year = {2018},
  doi = {10.1166/jmihi.2018.2442}
}

"""
    + CITATION
)


@dataclass(frozen=True)
class ChallengeSet:
    """One of the four sets.

    Attributes:
        id: dataset id; its label tables are `<id>.csv` (published classes) and `<id>_mapping.csv` (all codes).
        folder: its name below `training/` in the release.
        prefix, digits: record names are the prefix and a number, of so many digits in the release.
        sheet: its sheet in the organisers' `Label mappings 2021.xlsx`.
        about: bytes of the set, roughly (12 leads of 16 bits at 500 Hz).
        extra_codes: codes that the published benchmark adds to the sheet.
        first_number: smallest number in the release (other numbers belong to another set of the same prefix).
        example_samples: shortest and longest recording of a made-up example.
    """

    id: str
    folder: str
    prefix: str
    digits: int
    sheet: str
    about: int
    extra_codes: tuple[tuple[str, str], ...] = ()
    first_number: int = 1
    example_samples: tuple[int, int] = (5000, 5000)

    @property
    def fix(self) -> str:
        """What to tell a user whose folder cannot be used."""
        return (
            f"download training/{self.folder}/ of the PhysioNet/CinC Challenge 2021 from {HOMEPAGE} "
            "and pass that folder"
        )

    @property
    def origin(self) -> PhysioNet:
        """Where the set is published; downloaded, the raw folder holds `g1`, `g2`, ..."""
        base = f"training/{self.folder}/"
        headers = (f"{base}*.hea", f"{base}*RECORDS")
        return PhysioNet(
            PROJECT,
            VERSION,
            include=(*headers, f"{base}*.mat"),
            strip=base,
            metadata=headers,
            about=self.about,
            suffixes=(".hea", ".mat"),
        )

    def is_name(self, name: str) -> bool:
        """Whether a record may be called so."""
        return re.fullmatch(rf"{self.prefix}\d+", name) is not None

    def name(self, number: int) -> str:
        """A record's name as the release writes it (`E00001`)."""
        return f"{self.prefix}{number:0{self.digits}d}"


_ARH = (("106068003", "ARH"),)
NINGBO = ChallengeSet("ningbo", "ningbo", "JS", 5, "Ningbo", 4_200_000_000, _ARH, first_number=10_647)
CPSC2018 = ChallengeSet("cpsc2018", "cpsc_2018", "A", 4, "CPSC", 1_300_000_000, _ARH, example_samples=(5000, 8000))
CPSC_EXTRA = ChallengeSet(
    "cpsc_extra", "cpsc_2018_extra", "Q", 4, "CPSC-Extra", 660_000_000, example_samples=(5000, 8000)
)
GEORGIA = ChallengeSet("georgia", "georgia", "E", 5, "G12EC", 1_250_000_000)


@lru_cache(maxsize=4)
def published_labels(source: ChallengeSet) -> tuple[str, ...]:
    """The class names of the complete release, in published order."""
    return tuple(row["label"] for row in read_label_table(source.id))

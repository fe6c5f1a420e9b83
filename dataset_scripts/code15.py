"""CODE-15%: 345,779 exams of 233,770 patients with six labels."""

from __future__ import annotations

from typing import Any

import numpy as np

from hf_ecg_bench.data.builder import EcgBuilder
from hf_ecg_bench.data.ledger import Ledger
from hf_ecg_bench.data.origins import Unpack, Zenodo
from hf_ecg_bench.data.records import RecordIndex
from hf_ecg_bench.data.sources.code.example import write_code15
from hf_ecg_bench.data.sources.code.index import Code15Config, index_code15
from hf_ecg_bench.data.sources.code.labels import label_names
from hf_ecg_bench.data.sources.code.tracings import RATE, read_tracing
from hf_ecg_bench.data.spec import DatasetSpec


class Code15(EcgBuilder):
    """Built from `exams.csv` and `exams_part0.hdf5` to `exams_part17.hdf5`."""

    BUILDER_CONFIG_CLASS = Code15Config
    SPEC = DatasetSpec(
        id="code15",
        title="CODE-15%",
        homepage="https://zenodo.org/records/4916206",
        license="cc-by-4.0",
        access="open",
        citation="""@misc{ribeiro2021code15,
  title = {{CODE-15\\%}: a large scale annotated dataset of 12-lead {ECGs}},
  author = {Ribeiro, Ant{\\^o}nio H. and Paix{\\~a}o, Gabriela M. M. and Lima, Emilly M. and
            Horta Ribeiro, Manoel and Pinto Filho, Marcelo M. and Gomes, Paulo R. and
            Oliveira, Derick M. and Meira Jr, Wagner and Sch{\\"o}n, Thomas B. and Ribeiro, Antonio Luiz P.},
  publisher = {Zenodo},
  year = {2021},
  doi = {10.5281/zenodo.4916206}
}""",
        sampling_rate=RATE,
        seconds=None,
        label_columns={"labels": label_names()},
        description="12-lead ECGs of 7 to 10 s from primary care in Brazil, with six abnormalities from the reports.",
        records=345_779,
        patients=233_770,
        folds="100 folds by patient, stratified on labels, sex and age: train 0-97, validation 98, test 99; "
        "-1 without labels",
        validation_fold=98,
        test_fold=99,
        min_seconds=10.0,
        needs_fold=True,
        origins=(
            Zenodo("4916206", include=("exams.csv", "exams_part*.zip"), metadata=("exams.csv",)),
            Unpack("exams_part*.zip", members=("exams_part*.hdf5",)),
        ),
        known_issues=(
            "each part ends with an all-zero row with exam_id 0; it is no record",
            "amplitudes are about twice those of other adult sets; the cause is not known, values are as published",
            "more than half of the exams are shorter than 10 s, which the benchmark's task leaves out",
        ),
    )

    def index(self, raw_dir: str | None, config: Code15Config, ledger: Ledger) -> RecordIndex:
        assert raw_dir is not None  # the base class has checked it
        return index_code15(raw_dir, config, ledger)

    def read(self, reference: Any, ledger: Ledger) -> np.ndarray:
        return read_tracing(reference, self.config.protocol, ledger)

    @staticmethod
    def example(root: str, n: int) -> None:
        write_code15(root, n)

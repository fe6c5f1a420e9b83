"""CODE-test: 827 exams with a gold standard and the labels of six annotators; a test set for CODE-15%."""

from __future__ import annotations

from typing import Any

import numpy as np

from hf_ecg_bench.data.builder import EcgBuilder, EcgBuilderConfig
from hf_ecg_bench.data.ledger import Ledger
from hf_ecg_bench.data.origins import Unpack, Zenodo
from hf_ecg_bench.data.records import RecordIndex
from hf_ecg_bench.data.sources.code.example import write_code_test
from hf_ecg_bench.data.sources.code.labels import label_names
from hf_ecg_bench.data.sources.code.test_set import ANNOTATORS, annotation_column, index_code_test
from hf_ecg_bench.data.sources.code.tracings import RATE, read_tracing
from hf_ecg_bench.data.spec import DatasetSpec, ExtraColumn


class CodeTest(EcgBuilder):
    """Built from `ecg_tracings.hdf5`, `attributes.csv` and `annotations/`."""

    SPEC = DatasetSpec(
        id="code_test",
        title="CODE-test",
        homepage="https://zenodo.org/records/3765780",
        license="cc-by-4.0",
        access="open",
        citation="""@article{ribeiro2020automatic,
  title = {Automatic diagnosis of the 12-lead {ECG} using a deep neural network},
  author = {Ribeiro, Ant{\\^o}nio H. and Horta Ribeiro, Manoel and Paix{\\~a}o, Gabriela M. M. and
            Oliveira, Derick M. and Gomes, Paulo R. and Canazart, J{\\'e}ssica A. and Ferreira, Milton P. S. and
            Andersson, Carl R. and Macfarlane, Peter W. and Meira Jr, Wagner and Sch{\\"o}n, Thomas B. and
            Ribeiro, Antonio Luiz P.},
  journal = {Nature Communications},
  volume = {11},
  pages = {1760},
  year = {2020},
  doi = {10.1038/s41467-020-15432-4}
}""",
        sampling_rate=RATE,
        seconds=None,
        label_columns={"labels": label_names()},
        description="12-lead ECGs of 7 to 10 s with a gold standard of six abnormalities and six annotators' labels.",
        records=827,
        folds="no folds: all records are in split test",
        splits=("test",),
        min_seconds=10.0,
        extra_columns=tuple(
            ExtraColumn(annotation_column(name), "strings", f"labels given by `{name}`; null without that table")
            for name in ANNOTATORS
        ),
        origins=(
            Zenodo("3765780", include=("data.zip",)),
            Unpack("data.zip", strip="data", members=("ecg_tracings.hdf5", "attributes.csv", "annotations/*.csv")),
        ),
        known_issues=(
            "the providers' texts disagree about the order of the limb leads; it is found from the signals",
            "tables have no ids: row k of each belongs to tracing k",
        ),
    )

    def index(self, raw_dir: str | None, config: EcgBuilderConfig, ledger: Ledger) -> RecordIndex:
        assert raw_dir is not None  # the base class has checked it
        return index_code_test(raw_dir, config, ledger)

    def read(self, reference: Any, ledger: Ledger) -> np.ndarray:
        return read_tracing(reference, self.config.protocol, ledger)

    @staticmethod
    def example(root: str, n: int) -> None:
        write_code_test(root, n)

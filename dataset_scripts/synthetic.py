"""The embedded dataset: generated 12-lead ECGs with known truth. See synthetic.md for how they are made."""

from __future__ import annotations

from dataclasses import dataclass

import datasets
import numpy as np

from hf_ecg_bench.data import synthetic
from hf_ecg_bench.data.builder import EcgBuilder, EcgBuilderConfig
from hf_ecg_bench.data.ledger import Ledger
from hf_ecg_bench.data.records import RecordIndex
from hf_ecg_bench.data.spec import DatasetSpec, TargetSpec
from hf_ecg_bench.errors import DataError

_UNITS = {"heart_rate": "bpm", "pr_interval": "ms", "qrs_duration": "ms", "qrs_axis": "degrees"}


@dataclass
class SyntheticConfig(EcgBuilderConfig):
    """Options of the generator; a record does not depend on `n_records`.

    Attributes:
        n_records: how many records.
        seed: another seed, other patients.
        records_per_patient: the mean number of records of a patient.
    """

    n_records: int = 2000
    seed: int = 0
    records_per_patient: int = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, least in (("n_records", 1), ("seed", 0), ("records_per_patient", 1)):
            value = getattr(self, name)
            if not isinstance(value, int) or value < least:
                raise DataError(f"option {name}={value!r}: expected a whole number, {least} or more")
        if self.min_count is not None:
            raise DataError(f"option min_count={self.min_count}: the synthetic dataset's labels are fixed")


class Synthetic(EcgBuilder):
    """Records come from `hf_ecg_bench.data.synthetic`; a reference is what that package makes one from."""

    SPEC = DatasetSpec(
        id="synthetic",
        title="Synthetic ECG (embedded)",
        homepage="https://huggingface.co/datasets/ecg-bench/synthetic",
        license="cc0-1.0",
        access="open",
        citation="""@article{mcsharry2003dynamical,
  title = {A dynamical model for generating synthetic electrocardiogram signals},
  author = {McSharry, Patrick E. and Clifford, Gari D. and Tarassenko, Lionel and Smith, Leonard A.},
  journal = {IEEE Transactions on Biomedical Engineering},
  volume = {50},
  number = {3},
  pages = {289--294},
  year = {2003},
  doi = {10.1109/TBME.2003.808805}
}""",
        sampling_rate=synthetic.SAMPLING_RATE,
        seconds=float(synthetic.SECONDS),
        label_columns={"labels": synthetic.LABELS},
        targets=tuple(TargetSpec(name, "regression", _UNITS[name]) for name in synthetic.TARGETS),
        needs_raw_dir=False,
        folds="train 1-8, validation 9, test 10 (a patient is in one fold)",
        known_issues=("records with neither a finding nor a normal rate and axis have an empty list of labels",),
        description=(
            "Generated 10 s 12-lead ECGs of a moving cardiac dipole with known labels and measurements, for "
            "trying out and testing the benchmark without a download. Scores on it mean nothing clinical."
        ),
    )
    BUILDER_CONFIG_CLASS = SyntheticConfig
    VERSION = datasets.Version(synthetic.GENERATOR_VERSION)

    def index(self, raw_dir: str | None, config: SyntheticConfig, ledger: Ledger) -> RecordIndex:
        """Plan all records. `raw_dir` is not used."""
        plans = [
            synthetic.plan_record(record, config.seed, records_per_patient=config.records_per_patient)
            for record in range(config.n_records)
        ]
        ledger.found = config.n_records
        return RecordIndex(
            record_id=[plan.record_id for plan in plans],
            patient_id=[plan.patient_id for plan in plans],
            age=[plan.age for plan in plans],
            sex=[plan.sex for plan in plans],
            strat_fold=[plan.fold for plan in plans],
            labels={"labels": [list(plan.labels) for plan in plans]},
            label_names=dict(self.SPEC.label_columns),
            references=[(record, config.seed, config.records_per_patient) for record in range(config.n_records)],
            targets=np.stack([plan.targets for plan in plans]),
        )

    def read(self, reference: tuple[int, int, int], ledger: Ledger) -> np.ndarray:
        """The signal of the record with that index, seed and number of records per patient."""
        record, seed, records_per_patient = reference
        return synthetic.generate_record(record, seed, records_per_patient=records_per_patient).signal

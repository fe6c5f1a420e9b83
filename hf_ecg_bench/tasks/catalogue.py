"""The tasks. Adding one is adding one entry; whatever lists, runs or tests tasks reads this table."""

from __future__ import annotations

from hf_ecg_bench.tasks.task import Task

_ADULT = "adult_ecg_interpretation"

CATALOGUE: dict[str, Task] = {
    task.id: task
    for task in (
        Task("ptbxl_all", "PTB-XL (all)", _ADULT, "ptbxl", labels="labels_all"),
        Task("ptbxl_diag", "PTB-XL (diag)", _ADULT, "ptbxl", labels="labels_diag"),
        Task("ptbxl_form", "PTB-XL (form)", _ADULT, "ptbxl", labels="labels_form"),
        Task("ptbxl_rhythm", "PTB-XL (rhythm)", _ADULT, "ptbxl", labels="labels_rhythm"),
        Task("ptbxl_sub", "PTB-XL (sub)", _ADULT, "ptbxl", labels="labels_sub"),
        Task("ptbxl_super", "PTB-XL (super)", _ADULT, "ptbxl", labels="labels_super"),
        Task(
            "synthetic",
            "Synthetic ECG",
            "embedded",
            "synthetic",
            labels="labels",
            targets=("heart_rate", "pr_interval", "qrs_duration", "qrs_axis"),
            selection="composite",
        ),
    )
}

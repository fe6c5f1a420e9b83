"""Who may have a dataset's files: what is refused, and how to get what cannot be downloaded."""

from __future__ import annotations

from hf_ecg_bench.data.spec import DatasetSpec
from hf_ecg_bench.errors import DataError

# The end of a fix where tables are there and signals are not.
WITHOUT_SIGNALS = "for labels and folds without signals: --metadata-only"


def how_to_get(spec: DatasetSpec) -> str:
    """The steps to a dataset's original files and to a build from them."""
    build = f"hf-ecg-bench prepare {spec.id} --raw-dir FOLDER --output-dir ..."
    if spec.access != "open":
        steps = spec.access_steps.strip().rstrip(".") or "ask for access"
        return f"{steps} ({spec.homepage}), then: {build}"
    if spec.origins:
        return (
            f"hf-ecg-bench prepare {spec.id} --download --output-dir ..., "
            f"or get the original files from {spec.homepage}, then: {build}"
        )
    return f"get the original files from {spec.homepage}, then: {build}"


def refuse_download(spec: DatasetSpec) -> None:
    """Refuse to download what is not open, or has no origin.

    Raises:
        DataError: with the steps to get it.
    """
    if not spec.needs_raw_dir:
        raise DataError(
            f"{spec.id} is generated: there is nothing to download",
            fix=f"hf-ecg-bench prepare {spec.id} --output-dir ...",
        )
    if spec.access != "open":
        raise DataError(
            f"{spec.id} is {spec.access} data: it cannot be downloaded without your own access to it",
            fix=how_to_get(spec),
        )
    if not spec.origins:
        raise DataError(f"{spec.id} has no declared place to download it from", fix=how_to_get(spec))


def refuse_sharing(dataset_id: str, access: str) -> None:
    """Refuse to push what may not be passed on, wherever to.

    Raises:
        DataError: the data are credentialed or restricted.
    """
    if access != "open":
        raise DataError(
            f"{dataset_id} is {access} data: its licence forbids passing it on, also to a private repository",
            fix=f"each user builds it from their own copy: hf-ecg-bench prepare {dataset_id} --raw-dir ... "
            "(equal digests show that two builds agree)",
        )

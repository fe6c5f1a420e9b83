"""The one place that pushes to the Hugging Face Hub."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from glob import escape
from pathlib import Path

from hf_ecg_bench import __version__
from hf_ecg_bench.errors import EcgBenchError, unknown_name
from hf_ecg_bench.hub_folders import CheckedFolder, Kind, check_dataset_folder, check_model_folder
from hf_ecg_bench.models.adapters.folders import ADAPTER_CONFIG

logger = logging.getLogger(__name__)

_CHECKS = {"dataset": check_dataset_folder, "model": check_model_folder}
# Left over from an earlier push, these would be loaded together with the new files.
_REPLACED = {"dataset": ["*.parquet"], "model": ["*.safetensors", "*.safetensors.index.json", ADAPTER_CONFIG]}
_LOGIN = "hf auth login, or set HF_TOKEN (with write permission: https://huggingface.co/settings/tokens)"
_NAMING = "give --repo NAMESPACE/NAME, of letters, digits, and single - _ . between them"


def push_folder(
    kind: Kind,
    folder: str | os.PathLike[str],
    repo_id: str | None = None,
    *,
    private: bool = False,
    create_pr: bool = False,
    commit_message: str | None = None,
) -> str:
    """Upload a prepared dataset or a saved model to the Hub at HF_ENDPOINT, after checking that it is one.

    A missing repository is created. Data or weights of an earlier push are replaced in the same commit.

    Args:
        kind: `dataset` (output of `prepare`) or `model` (output of `convert` or `save_pretrained`).
        folder: what to upload. Files that do not belong to a dataset or model are logged and left out.
        repo_id: `namespace/name`; the default `ecg-bench/<id>` is for complete default builds and backbones.
        private: create the repository as a private one; refused where a public one exists already.
        create_pr: open a pull request instead of committing to `main` (needs no write permission).
        commit_message: the commit's title.

    Returns:
        The address of the repository, or of the pull request.

    Raises:
        DataError, CheckpointError: the folder is not what it should be, or its data may not be passed on.
        EcgBenchError: no token, no permission, no connection; the message never holds the token.
    """
    if kind not in _CHECKS:
        raise unknown_name("kind", kind, _CHECKS)
    folder = Path(folder)
    checked = _CHECKS[kind](folder)
    repo_id = _choose_repo(kind, folder, repo_id, checked)
    if checked.left_out:
        logger.warning("not uploaded, as they do not belong to a %s: %s", kind, ", ".join(checked.left_out))
    message = commit_message or f"Upload {checked.title} with hf-ecg-bench {__version__}"

    from huggingface_hub import HfApi, get_token

    token = get_token()
    if token is None:
        raise EcgBenchError(f"cannot push to {repo_id}: no Hugging Face token found", fix=_LOGIN)
    api = HfApi(token=token)
    with _explain_errors(kind, repo_id, token, api.endpoint):
        if not (create_pr and api.repo_exists(repo_id, repo_type=kind)):
            api.create_repo(repo_id, repo_type=kind, private=private, exist_ok=True)
        if private and not api.repo_info(repo_id, repo_type=kind).private:
            raise EcgBenchError(
                f"{kind} {repo_id} exists and is public; a private upload was asked for",
                fix="choose another --repo, or make it private in its settings",
            )
        commit = api.upload_folder(
            repo_id=repo_id,
            repo_type=kind,
            folder_path=folder,
            commit_message=message,
            create_pr=create_pr,
            allow_patterns=[escape(name) for name in checked.files],
            delete_patterns=_REPLACED[kind],
        )
    page = f"{api.endpoint}/{'datasets/' if kind == 'dataset' else ''}{repo_id}"
    return str(commit.pr_url or page) if create_pr else page


def _choose_repo(kind: Kind, folder: Path, repo_id: str | None, checked: CheckedFolder) -> str:
    chosen = repo_id or checked.default_repo
    if chosen is None:
        message = f"{folder} has no default repository: {checked.why_no_default}"
        raise EcgBenchError(message, fix=f"hf-ecg-bench push {kind} {folder} --repo YOUR_NAME/NAME")
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", chosen, re.ASCII):
        raise EcgBenchError(f"{chosen!r} is no repository id", fix=_NAMING)
    return chosen


@contextmanager
def _explain_errors(kind: Kind, repo_id: str, token: str, endpoint: str) -> Iterator[None]:
    """Turn the client's errors into ones a user can act on, without the token."""
    from huggingface_hub import errors as hub_errors

    where = f"cannot push {kind} {repo_id}"
    try:
        yield
    except hub_errors.OfflineModeIsEnabled as error:
        raise EcgBenchError(f"{where}: offline mode is on", fix="unset HF_HUB_OFFLINE") from error
    except hub_errors.HFValidationError as error:
        raise EcgBenchError(f"{repo_id!r} is no repository id: {error}", fix=_NAMING) from error
    except hub_errors.HfHubHTTPError as error:
        status = error.response.status_code
        if status == 401:
            raise EcgBenchError(f"{where}: the Hub does not accept your token", fix=_LOGIN) from None
        if status == 403:
            own = f"--repo YOUR_NAME/{repo_id.split('/')[1]}"
            fix = f"push to your own name ({own}), offer it with --create-pr, or {_LOGIN}"
            raise EcgBenchError(f"{where}: your token may not write there", fix=fix) from None
        detail = error.server_message or str(error).split("\n", 1)[0]
        raise EcgBenchError(
            f"{where}: {endpoint} answered {status}: {detail.replace(token, '***')}",
            fix="try again later; nothing is lost, and files that arrived are not sent again",
        ) from None
    # The base class of the errors of the transport library, whichever that is; what large files go by raises Python's.
    except (hub_errors.HTTPError, ConnectionError) as error:  # type: ignore[attr-defined]
        raise EcgBenchError(
            f"{where}: cannot reach {endpoint} ({type(error).__name__})",
            fix="check the network and HF_ENDPOINT, then push again",
        ) from None
    except ValueError as error:
        raise EcgBenchError(
            f"{where}: {str(error).replace(token, '***')}", fix="mend the card (README.md), then push again"
        ) from None

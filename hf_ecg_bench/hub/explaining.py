"""The Hub client's errors as ones a user can act on, without the token."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from hf_ecg_bench.errors import EcgBenchError, first_line
from hf_ecg_bench.hub.remote import LOGIN, NAMING, Remote
from hf_ecg_bench.hub.retrying import TEMPORARY, wait_before


@contextmanager
def explained(remote: Remote, doing: str = "push") -> Iterator[None]:
    """Turn whatever the client raises about `remote` into an EcgBenchError that begins with `cannot <doing>`.

    The original error is not chained: its text, request or arguments may hold what nobody should read.
    """
    from huggingface_hub import errors as hub

    where = f"cannot {doing} {remote.kind} {remote.repo_id}"
    try:
        yield
    except EcgBenchError:
        raise
    except hub.OfflineModeIsEnabled:
        raise EcgBenchError(f"{where}: offline mode is on", fix="unset HF_HUB_OFFLINE") from None
    except hub.HFValidationError as error:
        text = remote.without_token(str(error))
        raise EcgBenchError(f"{remote.repo_id!r} is no repository id: {text}", fix=NAMING) from None
    except (hub.HTTPError, OSError, RuntimeError) as error:  # type: ignore[attr-defined]
        # An upload of a large file and a download wrap what happened.
        wrapped = error.__cause__ if isinstance(error, hub.LocalEntryNotFoundError | RuntimeError) else None
        raise _said(remote, where, wrapped or error, doing) from None
    except ValueError as error:
        text = remote.without_token(str(error))
        raise EcgBenchError(f"{where}: {text}", fix=f"mend the card (README.md), then {doing} again") from None


def _said(remote: Remote, where: str, error: BaseException, doing: str) -> EcgBenchError:
    from huggingface_hub import errors as hub

    endpoint = remote.api.endpoint
    if isinstance(error, hub.HfHubHTTPError):
        return _answered(remote, where, error)
    # The base class of the errors of the transport library, whichever that is; large files raise Python's.
    if isinstance(error, hub.HTTPError | ConnectionError | TimeoutError):  # type: ignore[attr-defined]
        return EcgBenchError(
            f"{where}: cannot reach {endpoint} ({type(error).__name__})",
            fix=f"check the network and HF_ENDPOINT, then {doing} again",
        )
    text = remote.without_token(first_line(error))
    return EcgBenchError(f"{where}: {text}", fix="check the folder and the space on the disk, then do it again")


def _answered(remote: Remote, where: str, error: BaseException) -> EcgBenchError:
    status = error.response.status_code  # type: ignore[attr-defined]
    if status == 401:
        return EcgBenchError(f"{where}: the Hub does not accept your token", fix=LOGIN)
    if status == 403:
        own = f"--repo YOUR_NAME/{remote.repo_id.split('/')[1]}"
        fix = f"push to your own name ({own}), offer it with --create-pr, or {LOGIN}"
        return EcgBenchError(f"{where}: your token may not write there", fix=fix)
    message = getattr(error, "server_message", None) or first_line(error)
    fix = "see what it says, and the repository's page: trying again will not help"
    if status == 404:
        fix = "check the name and the revision; what is private or gated needs a token that may read it"
    if status == 412:
        fix = "others keep writing there: do the same again, or --create-pr"
    if status == 409:
        fix = "choose another name, or delete what is there"
    if status in TEMPORARY:
        fix = "try again later; nothing is lost, and files that arrived are not sent again"
        wait = wait_before(error, 1, remote.retry)
        fix = fix if wait is not None else f"it asks to wait longer than {remote.retry.longest:.0f} s: {fix}"
    return EcgBenchError(
        f"{where}: {remote.api.endpoint} answered {status}: {remote.without_token(str(message))}", fix=fix
    )

"""Files of a repository on the Hub, in the Hub's own cache."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from hf_ecg_bench.downloads import offline
from hf_ecg_bench.downloads.retries import Retry
from hf_ecg_bench.errors import DownloadError, first_line

_SOON = Retry(unreachable=1)  # without a network the cache is what one wants, at once


def hub_snapshot(
    repository: str,
    patterns: Sequence[str],
    revision: str | None = None,
    *,
    repo_type: Literal["model", "dataset"] = "model",
) -> Path:
    """The folder of a commit (its name) with the files that match `patterns`.

    Offline, or where the Hub cannot be reached, it is what the cache holds.

    Raises:
        DownloadError: it cannot be had; the message begins with the repository.
    """
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub import errors as hub

    from hf_ecg_bench.hub.retrying import retried

    reason = "offline mode is on (HF_HUB_OFFLINE)" if offline() else ""
    try:
        if not reason:
            try:  # the download itself would ask an unreachable Hub for half a minute
                retried(
                    lambda: HfApi().repo_info(repository, revision=revision, repo_type=repo_type, timeout=10), _SOON
                )
            except hub.HfHubHTTPError:
                raise
            except (hub.HTTPError, OSError):  # type: ignore[attr-defined]
                reason = "the Hub cannot be reached"
        return Path(
            retried(
                lambda: snapshot_download(
                    repository,
                    revision=revision,
                    repo_type=repo_type,
                    allow_patterns=list(patterns),
                    local_files_only=bool(reason),
                )
            )
        )
    except hub.GatedRepoError as error:
        page = f"https://huggingface.co/{repository}"
        raise DownloadError(
            f"{repository} on the Hub wants its terms accepted", fix=f"{page}, then: hf auth login"
        ) from error
    except hub.RepositoryNotFoundError as error:
        raise DownloadError(
            f"{repository} is not on the Hub, or not for you",
            fix="check the name; what is private needs: hf auth login",
        ) from error
    except hub.RevisionNotFoundError as error:
        raise DownloadError(f"{repository} on the Hub has no revision {revision}") from error
    except (hub.LocalEntryNotFoundError, hub.OfflineModeIsEnabled) as error:
        reason = reason or "the connection broke"
        fix = "unset HF_HUB_OFFLINE" if offline() else "check the network and HF_ENDPOINT"
        raise DownloadError(f"{repository}: {reason}, and the Hub's cache has no copy", fix=fix) from error
    except (hub.HTTPError, hub.HFValidationError, OSError) as error:  # type: ignore[attr-defined]
        raise DownloadError(f"{repository}: {first_line(error)}", fix="try again later") from error

"""One request: redirects by our own rules, the token only to whom it was meant for, failures sorted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from urllib.parse import urljoin, urlsplit

import requests
import urllib3

from hf_ecg_bench import __version__
from hf_ecg_bench.downloads.addresses import check_address, is_loopback, same_origin, shown
from hf_ecg_bench.downloads.retries import Temporary, offline, retry_after
from hf_ecg_bench.errors import DownloadError

_REDIRECTS = (301, 302, 303, 307, 308)
_MAX_REDIRECTS = 10
# 202 is what figshare answers while it makes up its mind whether we are a robot.
_TEMPORARY = (202, 408, 425, 429, 500, 502, 503, 504)
_TIMEOUT = (10.0, 60.0)  # seconds to connect, and between two pieces of the answer
_HEADERS = {"Accept-Encoding": "identity", "User-Agent": f"hf-ecg-bench/{__version__}"}


class NotFound(DownloadError):
    """The host answers, and has no such file."""


@contextmanager
def open_url(
    url: str,
    headers: Mapping[str, str],
    token: str | None,
    *,
    accepted: tuple[int, ...] = (200,),
    session: requests.Session | None = None,
) -> Iterator[requests.Response]:
    """The answer to a GET, its body not read yet.

    Args:
        token: sent as a bearer token to the host of `url`, never to one that it redirects to.
        accepted: status codes to hand on.
        session: connections to use again, of one thread; its cookies are forgotten.

    Raises:
        Temporary: no connection, or an answer that may be another one next time.
        NotFound: no such file.
        DownloadError: an address that is refused, or an answer that will not change.
    """
    if offline() and not is_loopback(url):
        raise DownloadError(f"{shown(url)} is not fetched: offline mode is on", fix="unset HF_HUB_OFFLINE")
    with nullcontext(session) if session is not None else requests.Session() as session:
        session.auth = _send_no_passwords
        session.cookies.clear()
        response = _follow(session, url, {**_HEADERS, **headers}, token)
        with response:
            if response.status_code not in accepted:
                raise _problem(response)
            if response.headers.get("Content-Encoding", "identity") != "identity":
                raise DownloadError(f"{shown(url)} comes compressed, though the file itself was asked for")
            yield response


@contextmanager
def broken_connections() -> Iterator[None]:
    """Sort out what the client raises: a broken connection is worth another attempt, a wrong certificate is not."""
    try:
        yield
    except requests.exceptions.SSLError as error:
        raise DownloadError(
            f"no secure connection: {error}", fix="check the clock and the proxy's certificate"
        ) from None
    except (requests.exceptions.ConnectTimeout, requests.exceptions.ReadTimeout) as error:
        answered = isinstance(error, requests.exceptions.ReadTimeout)
        raise Temporary("no answer in time", answered=answered) from error
    except requests.exceptions.ChunkedEncodingError as error:
        raise Temporary("the connection broke") from error
    except requests.exceptions.ConnectionError as error:
        unresolved = isinstance(getattr(error.args[0], "reason", None), urllib3.exceptions.NameResolutionError)
        what = "the host's name is not known here" if unresolved else "no connection"
        raise Temporary(what, answered=False) from error
    except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema) as error:
        raise DownloadError(f"not an address: {error}") from error
    except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError) as error:
        raise Temporary(f"the connection broke ({type(error).__name__})") from error


def _follow(session: requests.Session, url: str, headers: Mapping[str, str], token: str | None) -> requests.Response:
    address, previous = url, None
    for _ in range(_MAX_REDIRECTS + 1):
        check_address(address, redirected_from=previous)
        session.trust_env = not is_loopback(address)  # proxies of the environment are for the outside
        own = {"Authorization": f"Bearer {token}"} if token and same_origin(address, url) else {}
        with broken_connections():
            response = session.get(
                address, headers={**headers, **own}, stream=True, allow_redirects=False, timeout=_TIMEOUT
            )
        if response.status_code not in _REDIRECTS:
            return response
        location = response.headers.get("Location")
        response.close()
        if not location:
            raise DownloadError(f"{shown(address)} redirects to nowhere")
        previous, address = address, urljoin(address, location)
    raise DownloadError(f"{shown(url)}: more than {_MAX_REDIRECTS} redirects")


def _problem(response: requests.Response) -> Exception:
    status, where = response.status_code, shown(response.url)
    host = urlsplit(response.url).hostname
    if status in _TEMPORARY:
        return Temporary(f"{host} answered {status}", wait=retry_after(response.headers.get("Retry-After")))
    if status in (401, 403):
        return DownloadError(
            f"{where}: {host} refuses it ({status})",
            fix="open its page in a browser: it may want you to sign in or to accept terms",
        )
    if status in (404, 410):
        return NotFound(f"{where}: {host} has no such file ({status})", fix="open its page in a browser")
    return DownloadError(f"{where}: {host} answered {status}", fix="open its page in a browser")


def _send_no_passwords(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """In place of the client's own habit to look for passwords in ~/.netrc."""
    return request

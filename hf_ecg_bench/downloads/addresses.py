"""Which addresses may be asked, and how they appear in messages."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from hf_ecg_bench.errors import DownloadError


def check_address(url: str, *, redirected_from: str | None = None) -> None:
    """Refuse what would not be private on its way: anything but https, except http on this machine.

    Raises:
        DownloadError: another scheme, a password in the address, or a redirect from https to http.
    """
    parts = urlsplit(url)
    where = f"{shown(redirected_from)} redirects to {shown(url)}" if redirected_from else shown(url)
    if parts.username is not None or parts.password is not None:
        raise DownloadError(f"{where}: an address with a user name or password in it is refused")
    downgraded = redirected_from is not None and urlsplit(redirected_from).scheme == "https"
    if parts.scheme == "https" or (parts.scheme == "http" and is_loopback(url) and not downgraded):
        return
    raise DownloadError(
        f"{where}: refused, only https keeps a download what its server sent", fix="use an https:// address"
    )


def is_loopback(url: str) -> bool:
    """Whether the address is on this machine."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def same_origin(one: str, other: str) -> bool:
    """Whether both addresses are of one scheme, host and port."""
    a, b = urlsplit(one), urlsplit(other)
    return (a.scheme, a.hostname, a.port) == (b.scheme, b.hostname, b.port)


def shown(url: str | None) -> str:
    """The address without user names, passwords and its query (signed addresses carry secrets there)."""
    parts = urlsplit(url or "")
    host = f"[{parts.hostname}]" if parts.hostname and ":" in parts.hostname else parts.hostname or ""
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{host}{port}{parts.path}"

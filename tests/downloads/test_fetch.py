"""One file, fetched from a server that misbehaves: whole and verified in the end, or a clear error."""

from __future__ import annotations

import email.utils
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from hf_ecg_bench.downloads import Retry, fetch, get_json
from hf_ecg_bench.downloads import fetch as fetch_function
from hf_ecg_bench.errors import DownloadError

CONTENT = np.random.default_rng(0).bytes(400_000)
OTHER = np.random.default_rng(1).bytes(400_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
FAST = Retry(wait=0.01, longest=0.5)
fetch_module = sys.modules[fetch_function.__module__]


def only(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_comes_whole_with_nothing_beside_it(server, tmp_path):
    url = server.add("/f.bin", CONTENT)
    target = fetch(url, tmp_path / "new" / "f.bin", sha256=SHA256, size=len(CONTENT))
    assert target.read_bytes() == CONTENT
    assert only(target.parent) == ["f.bin"]
    assert server.asked[0].headers["accept-encoding"] == "identity"
    fetch(url, target, sha256=SHA256)
    assert len(server.asked) == 1  # it was there
    target.write_bytes(b"something else")
    assert fetch(url, target, sha256=SHA256).read_bytes() == CONTENT


@pytest.mark.parametrize(
    "validator", [{"etag": '"v1"'}, {"etag": None, "last_modified": "Wed, 01 Oct 2025 00:00:00 GMT"}]
)
def test_a_dropped_connection_is_continued(server, tmp_path, validator):
    url = server.add("/f.bin", CONTENT, drops=[150_000, 100_000], **validator)
    assert fetch(url, tmp_path / "f.bin", retry=FAST).read_bytes() == CONTENT
    first, *later = server.ranges("/f.bin")
    assert first is None
    assert len(later) == 2
    starts = [int(value.removeprefix("bytes=").removesuffix("-")) for value in later]
    assert 0 < starts[0] < starts[1] < len(CONTENT)
    assert [asked.status for asked in server.asked] == [200, 206, 206]


@pytest.mark.parametrize(
    ("options", "statuses"),
    [
        ({"ranges": False}, [200, 200]),
        ({"etag": 'W/"weak"'}, [200, 200]),
        ({"etag": None}, [200, 200]),
        ({"announce_length": False}, [200, 200]),
    ],
)
def test_what_cannot_be_continued_starts_anew(server, tmp_path, options, statuses):
    url = server.add("/f.bin", CONTENT, drops=[200_000], **options)
    assert fetch(url, tmp_path / "f.bin", retry=FAST).read_bytes() == CONTENT
    assert [asked.status for asked in server.asked] == statuses


def replace(file):
    file.content, file.etag = OTHER, '"v2"'


def test_content_that_changed_is_never_mixed(server, tmp_path):
    url = server.add("/f.bin", CONTENT, drops=[200_000], changes=replace)
    assert fetch(url, tmp_path / "f.bin", retry=FAST).read_bytes() == OTHER
    assert [asked.status for asked in server.asked] == [200, 200]


def test_a_server_that_continues_other_content_is_found_out(server, tmp_path):
    def careless(file):  # new content and ETag, but If-Range is taken for satisfied
        file.content = OTHER

    url = server.add("/f.bin", CONTENT, drops=[200_000], changes=careless)
    sha256 = hashlib.sha256(OTHER).hexdigest()
    assert fetch(url, tmp_path / "f.bin", sha256=sha256, retry=FAST).read_bytes() == OTHER
    assert [asked.status for asked in server.asked] == [200, 206, 200]


@pytest.mark.parametrize("status", [202, 429, 500, 503])
def test_temporary_answers_are_tried_again(server, tmp_path, status):
    url = server.add("/f.bin", CONTENT, statuses=[status] * 3)
    assert fetch(url, tmp_path / "f.bin", retry=FAST).read_bytes() == CONTENT
    server.add("/g.bin", CONTENT, statuses=[status] * 5)
    with pytest.raises(DownloadError, match=rf"answered {status} \(attempt 5 of 5\)"):
        fetch(server.url + "/g.bin", tmp_path / "g.bin", retry=FAST)
    assert "g.bin" not in only(tmp_path)


def test_retry_after_is_honoured_up_to_a_limit(server, tmp_path):
    url = server.add("/f.bin", CONTENT, statuses=[429], headers={"Retry-After": "0.3"})
    started = time.perf_counter()
    fetch(url, tmp_path / "f.bin", retry=FAST)
    assert time.perf_counter() - started > 0.3
    for value in ("3600", email.utils.formatdate(time.time() + 3600, usegmt=True)):
        server.add("/g.bin", CONTENT, statuses=[429], headers={"Retry-After": value})
        with pytest.raises(DownloadError, match=r"asks to wait 3[56]\d\d s"):
            fetch(server.url + "/g.bin", tmp_path / "g.bin", retry=FAST)


@pytest.mark.parametrize(
    ("status", "message"), [(401, "refuses"), (403, "refuses"), (404, "no such file"), (400, "400")]
)
def test_final_answers_are_said_at_once(server, tmp_path, status, message):
    url = server.add("/f.bin", CONTENT, statuses=[status])
    with pytest.raises(DownloadError, match=message):
        fetch(url, tmp_path / "f.bin", retry=FAST)
    assert len(server.asked) == 1
    assert only(tmp_path) == []


@pytest.mark.parametrize(
    "options",
    [{"content_type": "text/html; charset=utf-8"}, {}],
    ids=["declared", "found"],
)
def test_a_web_page_is_no_file(server, tmp_path, options):
    url = server.add("/f.pt", b"\n<!DOCTYPE html><html>Please sign in</html>" * 10, **options)
    with pytest.raises(DownloadError, match="web page instead of the file"):
        fetch(url, tmp_path / "f.pt", retry=FAST)
    assert "f.pt" not in only(tmp_path)
    assert fetch(url, tmp_path / "page.html", retry=FAST).is_file()


def test_wrong_size_and_wrong_digest(server, tmp_path):
    url = server.add("/f.bin", CONTENT)
    with pytest.raises(DownloadError, match="400,000 bytes announced, expected 3"):
        fetch(url, tmp_path / "f.bin", size=3, retry=FAST)
    with pytest.raises(DownloadError, match=f"sha256 {SHA256}, expected 00"):
        fetch(url, tmp_path / "f.bin", sha256="00" * 32, retry=FAST)
    with pytest.raises(DownloadError, match="md5 "):
        fetch(url, tmp_path / "f.bin", md5="00" * 16, retry=FAST)
    server.add("/chunked", CONTENT, announce_length=False)
    with pytest.raises(DownloadError, match="400,000 bytes, expected 3"):
        fetch(server.url + "/chunked", tmp_path / "f.bin", size=3, retry=FAST)
    assert not any(name.startswith("f.bin") or name.endswith(".part") for name in only(tmp_path))


def test_nobody_answers(tmp_path):
    started = time.perf_counter()
    with pytest.raises(DownloadError, match=r"no connection \(attempt 2 of 2\)"):
        fetch("http://127.0.0.1:9/f.bin", tmp_path / "f.bin", retry=FAST)
    assert time.perf_counter() - started < 5


def test_offline_mode_asks_nobody(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(DownloadError, match="offline mode"):
        fetch("https://zenodo.org/f.bin", tmp_path / "f.bin")


@pytest.mark.parametrize(
    "url",
    ["http://zenodo.org/f.bin", "ftp://zenodo.org/f", "file:///etc/hosts", "https://me:secret@zenodo.org/f", "f.bin"],
)
def test_refused_addresses(url, tmp_path):
    with pytest.raises(DownloadError, match="refused") as error:
        fetch(url, tmp_path / "f.bin")
    assert "secret" not in str(error.value)


def test_redirects_and_tokens(server, tmp_path):
    from tests.support.file_server import FileServer

    other = FileServer()
    try:
        final = other.add("/blob", CONTENT)
        server.add("/here", redirect="/there")
        server.add("/there", redirect=final + "?signature=private")
        fetch(server.url + "/here", tmp_path / "f.bin", token="hf_private", retry=FAST)
        assert [asked.headers.get("authorization") for asked in server.asked] == ["Bearer hf_private"] * 2
        assert "authorization" not in other.asked[0].headers
        other.add("/blob", CONTENT, statuses=[403])
        with pytest.raises(DownloadError, match="refuses") as error:
            fetch(server.url + "/here", tmp_path / "g.bin", token="hf_private", retry=FAST)
        assert "private" not in str(error.value)
    finally:
        other.close()
    server.add("/loop", redirect="/loop")
    with pytest.raises(DownloadError, match="more than 10 redirects"):
        fetch(server.url + "/loop", tmp_path / "h.bin", retry=FAST)
    server.add("/out", redirect="http://zenodo.org/f.bin")
    with pytest.raises(DownloadError, match=r"redirects to http://zenodo.org/f.bin: refused"):
        fetch(server.url + "/out", tmp_path / "h.bin", retry=FAST)


def test_redirects_from_https_to_http_are_refused_even_to_this_machine():
    from hf_ecg_bench.downloads.addresses import check_address

    with pytest.raises(DownloadError, match="refused"):
        check_address("http://127.0.0.1/f", redirected_from="https://zenodo.org/f")


def test_passwords_in_netrc_are_not_sent(server, tmp_path, monkeypatch):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    fetch(server.add("/f.bin", CONTENT), tmp_path / "f.bin", retry=FAST)
    assert "authorization" not in server.asked[0].headers


def test_a_full_disk_and_a_closed_folder(server, tmp_path, monkeypatch):
    url = server.add("/f.bin", CONTENT)
    with monkeypatch.context() as patch:
        patch.setattr(fetch_module.shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**9, 10**9, 1000))
        with pytest.raises(DownloadError, match="are free on the disk"):
            fetch(url, tmp_path / "f.bin", retry=FAST)
    if os.path.exists("/dev/full"):
        (tmp_path / ".g.bin.part").symlink_to("/dev/full")
        with monkeypatch.context() as patch:
            patch.setattr(fetch_module.Partial, "start", lambda *a: None)
            with pytest.raises(DownloadError, match="no space left on the device"):
                fetch(url, tmp_path / "g.bin", retry=FAST)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DownloadError, match="cannot write"):
        fetch(url, tmp_path / "file" / "f.bin", retry=FAST)
    if os.geteuid():
        (tmp_path / "closed").mkdir(mode=0o500)
        with pytest.raises(DownloadError, match="permission denied"):
            fetch(url, tmp_path / "closed" / "f.bin", retry=FAST)


def test_two_threads_fetch_once(server, tmp_path):
    url = server.add("/f.bin", CONTENT, piece=100_000, pause=0.05)
    threads = [
        threading.Thread(target=fetch, args=(url, tmp_path / "f.bin"), kwargs={"sha256": SHA256}) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / "f.bin").read_bytes() == CONTENT
    assert len(server.asked) == 1


def test_a_killed_download_goes_on(server, tmp_path):
    url = server.add("/f.bin", CONTENT, piece=20_000, pause=0.02)
    program = "import sys; from hf_ecg_bench.downloads import fetch; fetch(sys.argv[1], sys.argv[2])"
    process = subprocess.Popen([sys.executable, "-c", program, url, str(tmp_path / "f.bin")])
    part = tmp_path / ".f.bin.part"
    deadline = time.monotonic() + 30
    while not (part.exists() and part.stat().st_size) and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    there = part.stat().st_size
    assert 0 < there < len(CONTENT)
    note = json.loads((tmp_path / ".f.bin.part.json").read_text())
    assert (note["url"], note["validator"]) == (url, '"v1"')
    server.files["/f.bin"].pause = 0
    assert fetch(url, tmp_path / "f.bin", sha256=SHA256).read_bytes() == CONTENT
    assert server.ranges("/f.bin")[-1] == f"bytes={there}-"
    assert only(tmp_path) == ["f.bin"]


def test_a_part_of_another_address_is_not_continued(server, tmp_path):
    first = server.add("/a.bin", CONTENT, drops=[200_000] * 9)
    with pytest.raises(DownloadError):
        fetch(first, tmp_path / "f.bin", retry=Retry(attempts=1, unreachable=1, total=1))
    second = server.add("/b.bin", OTHER)
    assert fetch(second, tmp_path / "f.bin", retry=FAST).read_bytes() == OTHER
    assert server.ranges("/b.bin") == [None]


def test_get_json(server):
    assert get_json(server.add_json("/a", {"b": [1]})) == {"b": [1]}
    with pytest.raises(DownloadError, match="expected JSON"):
        get_json(server.add("/page", b"<html>"))

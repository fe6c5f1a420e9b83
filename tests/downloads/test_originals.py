"""Many files from hosts that misbehave: all that can be had is there and right, the rest is named."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from hf_ecg_bench.data.origins import PhysioNet, WebFile
from hf_ecg_bench.downloads.originals import transfer
from hf_ecg_bench.errors import DataError, DownloadError
from tests.conftest import ROOT
from tests.downloads.made_up import FAST, FILES, RANDOM, ZENODO, get, tree


def served(hosts, name: str):
    """The file behind a name of FILES at Zenodo."""
    return hosts.server.files[f"/zenodo/records/12/files/{name}/content"]


def test_all_files_arrive_and_nothing_is_asked_for_again(zenodo, tmp_path):
    raw = tmp_path / "raw"
    done = get(raw, ZENODO)
    assert (done.files, done.fetched, done.unpacked) == (13, 13, 0)
    assert tree(raw) == FILES
    asked = zenodo.server.number()
    assert asked == 14
    again = get(raw, ZENODO)
    assert again.fetched == 0
    assert again.describe() == f"{raw} was already complete; nothing was downloaded"
    assert zenodo.server.number() == asked  # not even the list


def test_checksums_are_not_computed_twice(zenodo, tmp_path, monkeypatch):
    get(tmp_path, ZENODO)
    monkeypatch.setattr(transfer.hashlib, "file_digest", None)
    assert get(tmp_path, ZENODO).fetched == 0


def test_a_file_that_was_touched_is_looked_at_again(zenodo, tmp_path):
    get(tmp_path, ZENODO)
    os.utime(tmp_path / "t.csv", (1, 1))
    assert get(tmp_path, ZENODO).fetched == 0
    (tmp_path / "records/03.dat").unlink()
    assert get(tmp_path, ZENODO).fetched == 1
    assert tree(tmp_path) == FILES


def test_a_file_that_differs_is_not_replaced_without_being_asked(zenodo, tmp_path):
    (tmp_path / "records").mkdir()
    (tmp_path / "records/03.dat").write_bytes(FILES["records/03.dat"])  # as published
    (tmp_path / "t.csv").write_bytes(b"a\n2\n")
    (tmp_path / "records/05.dat").write_bytes(b"short")
    with pytest.raises(DownloadError) as caught:
        get(tmp_path, ZENODO)
    assert "2 of 13 files could not be had, all others are there" in str(caught.value)
    assert "t.csv: here with another md5 than published" in str(caught.value)
    assert "records/05.dat: here with 5 bytes, published 8,000" in str(caught.value)
    assert "--verify-download" in str(caught.value)
    assert (tmp_path / "t.csv").read_bytes() == b"a\n2\n"
    done = get(tmp_path, ZENODO, verify=True)
    assert done.fetched == 2
    assert tree(tmp_path) == FILES


def test_verify_finds_what_changed_without_a_trace(zenodo, tmp_path):
    get(tmp_path, ZENODO)
    file = tmp_path / "records/01.dat"
    before = file.stat()
    content = bytearray(file.read_bytes())
    content[100] ^= 1
    file.write_bytes(content)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert get(tmp_path, ZENODO).fetched == 0
    assert get(tmp_path, ZENODO, verify=True).fetched == 1
    assert tree(tmp_path) == FILES


@pytest.mark.parametrize(
    "fault",
    [
        {"drops": [1000, 500]},
        {"drops": [1000], "ranges": False},
        {"drops": [2000], "announce_length": False},
        {"statuses": [500, 503]},
        {"statuses": [429], "headers": {"Retry-After": "0.05"}},
        {"piece": 512, "pause": 0.002},
    ],
)
def test_faults_that_pass(zenodo, tmp_path, fault):
    for name in ("records/02.dat", "records/07.dat"):
        for key, value in fault.items():
            setattr(served(zenodo, name), key, list(value) if isinstance(value, list) else value)
    get(tmp_path, ZENODO)
    assert tree(tmp_path) == FILES


def test_a_file_that_is_spoilt_once_is_fetched_again(zenodo, tmp_path):
    file, right = served(zenodo, "records/04.dat"), FILES["records/04.dat"]
    file.content = b"\0" * len(right)

    def mend(file):
        file.content, file.etag = right, '"v2"'

    file.changes = mend
    get(tmp_path, ZENODO)
    assert tree(tmp_path) == FILES


def test_content_that_changes_between_two_pieces(zenodo, tmp_path):
    file, right = served(zenodo, "records/04.dat"), FILES["records/04.dat"]
    file.content, file.drops = b"\0" * len(right), [3000]

    def mend(file):
        file.content, file.etag = right, '"v2"'

    file.changes = mend
    get(tmp_path, ZENODO)
    assert tree(tmp_path) == FILES


def test_redirects_to_another_host(zenodo, server, tmp_path):
    url = server.add("/elsewhere", FILES["records/04.dat"])
    served(zenodo, "records/04.dat").redirect = url
    get(tmp_path, ZENODO)
    assert tree(tmp_path) == FILES
    served(zenodo, "records/05.dat").redirect = "http://example.org/x"
    (tmp_path / "records/05.dat").unlink()
    with pytest.raises(DownloadError, match="only https keeps"):
        get(tmp_path, ZENODO)


def test_one_that_fails_does_not_lose_the_others(zenodo, tmp_path):
    served(zenodo, "records/00.dat").content = b"\0" * 3000  # always wrong
    served(zenodo, "records/05.dat").statuses = [404] * 9
    served(zenodo, "records/06.dat").statuses = [500] * 9
    served(zenodo, "records/08.dat").content += b"more"
    with pytest.raises(DownloadError) as caught:
        get(tmp_path, ZENODO, command="hf-ecg-bench prepare made_up --download --output-dir out")
    text = str(caught.value)
    assert "made_up: 4 of 13 files could not be had, all others are there" in text
    assert "and 1 more" in text
    assert text.endswith("it fetches only what is missing: hf-ecg-bench prepare made_up --download --output-dir out")
    assert len(text.splitlines()) == 2
    there = tree(tmp_path)
    assert {name: content for name, content in FILES.items() if name in there} == there
    assert len(there) == 9
    zenodo.zenodo("12", FILES)  # mended
    asked = zenodo.server.number()
    assert get(tmp_path, ZENODO).fetched == 4
    assert zenodo.server.number() - asked == 5  # the list, as something may have changed there, and the four files
    assert tree(tmp_path) == FILES


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({"content": b"\0" * 3000}, "md5 .*, expected"),
        ({"statuses": [404] * 9}, "has no such file"),
        ({"content": b"more"}, "4 bytes announced, expected 3,000"),
        ({"statuses": [429] * 9, "headers": {"Retry-After": "3600"}}, "asks to wait 3600 s"),
        ({"content": b"<!DOCTYPE html>" + b" " * 2985}, "gave a web page"),
        ({"statuses": [403] * 9}, "refuses it"),
    ],
)
def test_what_is_said_of_a_failure(zenodo, tmp_path, fault, message):
    for key, value in fault.items():
        setattr(served(zenodo, "records/00.dat"), key, value)
    with pytest.raises(DownloadError, match=f"records/00.dat: .*{message}"):
        get(tmp_path, ZENODO)
    assert not (tmp_path / "records/00.dat").exists()
    assert len(tree(tmp_path)) == 12


def test_a_host_that_is_gone_is_not_asked_for_every_file(hosts, tmp_path):
    files = {f"{number}.dat": b"x" for number in range(200)}
    hosts.zenodo("12", files)
    for path, file in hosts.server.files.items():
        if path.endswith("/content"):
            file.statuses = [403]
    with pytest.raises(DownloadError, match="files could not be had, the rest was not tried"):
        get(tmp_path, ZENODO)
    assert hosts.server.number("/zenodo/records/12/files") < 2 * transfer.GIVE_UP


def test_several_connections_at_a_time(hosts, tmp_path, monkeypatch):
    hosts.zenodo("12", {f"{number}.dat": b"x" * 100 for number in range(12)})
    threads = set()
    original = transfer.fetch

    def fetch(*arguments, **options):
        threads.add(threading.current_thread().name)
        time.sleep(0.005)
        return original(*arguments, **options)

    monkeypatch.setattr(transfer, "fetch", fetch)
    get(tmp_path, ZENODO, connections=3)
    assert len(threads) == 3
    with pytest.raises(DataError, match="connections=0: expected 1 or more"):
        get(tmp_path, ZENODO, connections=0)


def test_files_without_sizes_and_checksums(hosts, tmp_path):
    hosts.physionet(
        "p", "1.0", {"RECORDS": b"a\nb\n", "a.hea": b"1", "a.dat": b"2", "b.hea": b"3", "b.dat": b""}, sums=False
    )
    assert get(tmp_path, PhysioNet("p", "1.0", ("*.hea", "*.dat"))).fetched == 4
    assert tree(tmp_path) == {"a.hea": b"1", "a.dat": b"2", "b.hea": b"3", "b.dat": b""}
    assert get(tmp_path, PhysioNet("p", "1.0", ("*.hea", "*.dat"))).fetched == 0


def test_only_what_metadata_needs(hosts, tmp_path):
    hosts.physionet("p", "1.0", {"a/1.hea": b"h", "a/1.dat": b"d", "other": b"o"})
    origin = PhysioNet("p", "1.0", ("a/*",), "a/", ("*.hea",))
    assert get(tmp_path, origin, metadata_only=True).files == 1
    assert tree(tmp_path) == {"1.hea": b"h"}
    assert get(tmp_path, origin).fetched == 1
    assert tree(tmp_path) == {"1.hea": b"h", "1.dat": b"d"}


def test_other_origins_are_listed_anew(hosts, tmp_path):
    hosts.physionet("p", "1.0", {"a": b"1", "b": b"2"})
    get(tmp_path, PhysioNet("p", "1.0", ("a",)))
    get(tmp_path, PhysioNet("p", "1.0", ("a", "b")))
    assert tree(tmp_path) == {"a": b"1", "b": b"2"}


def test_a_web_file_with_a_checksum(hosts, tmp_path, monkeypatch):
    hosts.web("https://example.org/tables/a.csv", b"1")
    monkeypatch.setenv("HF_ECG_BENCH_MIRRORS", hosts.mirrors)
    assert get(tmp_path, WebFile("https://example.org/tables/a.csv", "t/a.csv", size=1)).fetched == 1
    with pytest.raises(DownloadError, match="published 2"):
        get(tmp_path, WebFile("https://example.org/tables/a.csv", "t/a.csv", size=2))


_KILLED = """
import sys
from tests.downloads.made_up import get
from hf_ecg_bench.data.origins import Zenodo
get(sys.argv[1], Zenodo("12"), connections=2)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, pytest.param(signal.SIGINT, marks=pytest.mark.slow)])
def test_a_killed_download_goes_on(zenodo, tmp_path, number):
    big = RANDOM.bytes(400_000)
    zenodo.zenodo("12", FILES | {"big.dat": big})
    slow = served(zenodo, "big.dat")
    slow.piece, slow.pause = 1 << 16, 0.3
    raw: Path = tmp_path / "raw"
    process = subprocess.Popen([sys.executable, "-c", _KILLED, str(raw)], cwd=ROOT, stderr=subprocess.PIPE)
    part = raw / ".big.dat.part"
    until = time.monotonic() + 30
    while not (part.is_file() and part.stat().st_size >= 1 << 16):
        assert time.monotonic() < until
        time.sleep(0.01)
    start = time.monotonic()
    process.send_signal(number)
    process.communicate(timeout=10)
    assert time.monotonic() - start < 3
    assert process.returncode != 0
    slow.pause = 0.0
    get(raw, ZENODO, retry=FAST)
    assert tree(raw) == FILES | {"big.dat": big}
    resumed = [value for value in zenodo.server.ranges("/zenodo/records/12/files/big.dat/content") if value]
    assert len(resumed) == 1

"""Where a download ends: full disks, folders that are no good, other processes, no network, data that are not open."""

from __future__ import annotations

import errno
import os
import shutil

import pytest

from hf_ecg_bench.data.origins import PhysioNet
from hf_ecg_bench.downloads.originals import download, transfer
from hf_ecg_bench.errors import DataError, DownloadError, EcgBenchError
from tests.downloads.made_up import FILES, ZENODO, get, spec, tree


def test_a_disk_that_is_too_small_is_known_before(zenodo, tmp_path, monkeypatch):
    free = shutil.disk_usage(tmp_path)._replace(free=50_000)
    monkeypatch.setattr(transfer.shutil, "disk_usage", lambda _: free)
    total = sum(map(len, FILES.values()))
    with pytest.raises(DownloadError, match=r"0\.0 GB are to come, .* has room for 0\.0 GB\n  fix: free some space"):
        get(tmp_path, ZENODO)
    assert total > 50_000
    assert tree(tmp_path) == {}
    hosts_asked = zenodo.server.number("/zenodo/records/12/files")
    assert hosts_asked == 0
    # PhysioNet says no sizes; what the declaration says is taken instead.
    monkeypatch.setattr(transfer.shutil, "disk_usage", lambda _: free._replace(free=1_000_000_000))
    zenodo.physionet("p", "1.0", {"a": b"1", "b": b"2"})
    with pytest.raises(DownloadError, match=r"about 3\.0 GB are to come"):
        get(tmp_path, PhysioNet("p", "1.0", about=3_000_000_000))


def test_a_disk_that_fills_up_stops_everything(zenodo, tmp_path, monkeypatch):
    original = transfer.State.add_finished
    count = iter(range(100))

    def full(self, file, **options):
        if next(count) == 3:
            raise transfer.CannotWrite("cannot write x: no space left on the device", fix="free some space")
        original(self, file, **options)

    monkeypatch.setattr(transfer.State, "add_finished", full)
    with pytest.raises(DownloadError, match="no space left on the device"):
        get(tmp_path, ZENODO, connections=1)
    monkeypatch.setattr(transfer.State, "add_finished", original)
    assert zenodo.server.number("/zenodo/records/12/files") == 4
    assert get(tmp_path, ZENODO).fetched == 9


def test_enospc_in_the_middle_of_a_file(zenodo, tmp_path, monkeypatch):
    def fsync(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(DownloadError, match=r"no space left on the device; what has arrived is kept\n  fix: free"):
        get(tmp_path, ZENODO, connections=2)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written(zenodo, tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(EcgBenchError, match="permission denied"):
        get(tmp_path / "raw", ZENODO)


def test_a_file_in_place_of_the_folder(zenodo, tmp_path):
    (tmp_path / "raw").write_text("")
    with pytest.raises(EcgBenchError, match="a file stands where a folder is needed"):
        get(tmp_path / "raw", ZENODO)


def test_a_link_out_of_the_folder_is_not_followed(zenodo, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw/records").symlink_to(outside)
    with pytest.raises(DownloadError, match="points outside of"):
        get(tmp_path / "raw", ZENODO)
    assert not list(outside.iterdir())


def test_two_processes_do_not_mix(zenodo, tmp_path):
    state = transfer.State(tmp_path)
    with state.claim(), pytest.raises(DownloadError, match="another process is downloading into"):
        get(tmp_path, ZENODO)
    assert get(tmp_path, ZENODO).fetched == 13


def test_what_a_crash_leaves_is_no_obstacle(zenodo, tmp_path):
    get(tmp_path, ZENODO)
    folder = tmp_path / ".ecg_bench_download"
    journal = (folder / "files.jsonl").read_text()
    (folder / "files.jsonl").write_text(journal[:-7] + '\n["x"]\n{"y": 1}\n12\n')
    (folder / "list.json").write_text('{"origins": ')
    (folder / "unpacking_abc").mkdir()
    assert get(tmp_path, ZENODO).fetched == 0
    assert not list(folder.glob("unpacking_*"))


def test_offline(zenodo, tmp_path, monkeypatch):
    get(tmp_path, ZENODO)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_ECG_BENCH_MIRRORS", "")
    assert get(tmp_path, ZENODO).fetched == 0  # complete: no network needed
    (tmp_path / "t.csv").unlink()
    with pytest.raises(
        DownloadError, match=r"not all files are in .* \(missing: t.csv\), and offline mode is on\n  fix: unset"
    ):
        get(tmp_path, ZENODO)
    with pytest.raises(DownloadError, match="offline mode is on"):
        get(tmp_path / "new", ZENODO)


def test_what_may_not_be_downloaded(tmp_path):
    closed = spec(ZENODO, access="credentialed", access_steps="Sign the agreement", homepage="https://example.org/x")
    with pytest.raises(DataError, match=r"is credentialed data.*\n  fix: Sign the agreement \(https://example.org/x\)"):
        download(closed, tmp_path / "raw")
    with pytest.raises(DataError, match="made_up is generated"):
        download(spec(needs_raw_dir=False), tmp_path / "raw")
    with pytest.raises(DataError, match="no declared place to download it from"):
        download(spec(), tmp_path / "raw")
    assert not (tmp_path / "raw").exists()


def test_nothing_secret_is_sent_or_kept(zenodo, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password hidden\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    get(tmp_path / "raw", ZENODO)
    assert all("authorization" not in asked.headers for asked in zenodo.server.asked)
    kept = b"".join(path.read_bytes() for path in (tmp_path / "raw").rglob("*") if path.is_file())
    assert b"hf_secret" not in kept
    assert b"hidden" not in kept

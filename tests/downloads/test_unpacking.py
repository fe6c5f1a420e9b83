"""Archives from strangers: unpacked whole and to their place, or refused with nothing written outside."""

from __future__ import annotations

import io
import stat
import tarfile
import zipfile

import numpy as np
import pytest

from hf_ecg_bench.data.origins import Unpack, Zenodo
from hf_ecg_bench.downloads.originals import archives, unpacking
from hf_ecg_bench.downloads.originals.archives import members
from hf_ecg_bench.downloads.originals.split_zip import open_zip
from hf_ecg_bench.errors import DownloadError, EcgBenchError
from tests.downloads.made_up import get, tree
from tests.support.open_hosts import pack, split

RANDOM = np.random.default_rng(1)
SIGNALS = {f"data/{number}.dat": RANDOM.bytes(4000) for number in range(5)}
TABLE = {"table.csv": b"a\n"}
UNPACKED = TABLE | {f"signals/{name.removeprefix('data/')}": content for name, content in SIGNALS.items()}


def origins(archive: str = "s.zip", **rule):
    return Zenodo("12"), Unpack(archive, **{"into": "signals", "strip": "data", **rule})


@pytest.mark.parametrize("name", ["s.zip", "s.tar", "s.tar.gz"])
def test_an_archive_goes_to_its_place_and_then_away(hosts, tmp_path, name):
    hosts.zenodo("12", TABLE | {name: pack(name, SIGNALS)})
    done = get(tmp_path, *origins(name))
    assert (done.fetched, done.unpacked) == (2, 5)
    assert done.describe().endswith(", 5 files unpacked")
    assert tree(tmp_path) == UNPACKED
    asked = hosts.server.number()
    again = get(tmp_path, *origins(name))
    assert (again.fetched, again.unpacked) == (0, 0)
    assert hosts.server.number() == asked


def test_archives_are_kept_on_demand_and_where_they_were_before(hosts, tmp_path):
    archive = pack("s.zip", SIGNALS)
    hosts.zenodo("12", TABLE | {"s.zip": archive})
    get(tmp_path / "kept", *origins(), keep_archives=True)
    assert tree(tmp_path / "kept") == UNPACKED | {"s.zip": archive}
    (tmp_path / "own").mkdir()
    (tmp_path / "own/s.zip").write_bytes(archive)
    assert get(tmp_path / "own", *origins()).fetched == 1
    assert tree(tmp_path / "own") == UNPACKED | {"s.zip": archive}  # it was not ours to remove


def test_what_is_gone_is_unpacked_again(hosts, tmp_path):
    hosts.zenodo("12", TABLE | {"s.zip": pack("s.zip", SIGNALS)})
    get(tmp_path, *origins())
    (tmp_path / "signals/3.dat").unlink()
    done = get(tmp_path, *origins())
    assert (done.fetched, done.unpacked) == (1, 5)
    assert tree(tmp_path) == UNPACKED


def test_members_by_pattern_beside_the_archive_and_a_folder_that_may_be_there(hosts, tmp_path):
    hosts.zenodo("12", {"s.zip": pack("s.zip", SIGNALS)})
    get(tmp_path / "a", *origins(into="", strip="", members=("data/1.*",)))
    assert tree(tmp_path / "a") == {"data/1.dat": SIGNALS["data/1.dat"]}
    get(tmp_path / "b", *origins(strip="other"))
    assert sorted(tree(tmp_path / "b"))[0] == "signals/data/0.dat"
    with pytest.raises(DownloadError, match=r"holds no records/\*; it holds data/0.dat, data/1.dat"):
        get(tmp_path / "c", *origins(strip="", members=("records/*",)))
    with pytest.raises(DownloadError, match=r"no archive 'other.zip' is among the 1 published files"):
        get(tmp_path / "d", *origins("other.zip"))


def test_a_file_that_differs_is_not_replaced_without_being_asked(hosts, tmp_path):
    hosts.zenodo("12", TABLE | {"s.zip": pack("s.zip", SIGNALS)})
    (tmp_path / "signals").mkdir()
    (tmp_path / "signals/2.dat").write_bytes(b"mine")
    (tmp_path / "signals/4.dat").write_bytes(SIGNALS["data/4.dat"])
    with pytest.raises(DownloadError, match=r"2.dat is there and differs from the file in s.zip\n.*--verify-download"):
        get(tmp_path, *origins())
    assert (tmp_path / "signals/2.dat").read_bytes() == b"mine"
    assert (tmp_path / "s.zip").is_file()
    assert get(tmp_path, *origins(), verify=True).unpacked == 5
    assert tree(tmp_path) == UNPACKED


def test_an_unpacking_that_was_cut_off_is_done_again(hosts, tmp_path, monkeypatch):
    hosts.zenodo("12", TABLE | {"s.zip": pack("s.zip", SIGNALS)})
    original, count = unpacking.os.replace, iter(range(100))

    def replace(source, target):
        if "signals" in str(target) and next(count) == 2:
            raise KeyboardInterrupt
        original(source, target)

    monkeypatch.setattr(unpacking.os, "replace", replace)
    with pytest.raises(KeyboardInterrupt):
        get(tmp_path, *origins())
    monkeypatch.setattr(unpacking.os, "replace", original)
    done = get(tmp_path, *origins())
    assert (done.fetched, done.unpacked) == (0, 5)
    assert tree(tmp_path) == UNPACKED


def test_only_metadata_needs_no_archive(hosts, tmp_path):
    hosts.zenodo("12", TABLE | {"s.zip": pack("s.zip", SIGNALS)})
    origin = Zenodo("12", metadata=("table.csv",))
    assert get(tmp_path, origin, origins()[1], metadata_only=True).files == 1
    assert tree(tmp_path) == TABLE
    assert get(tmp_path, origin, origins()[1]).unpacked == 5
    assert tree(tmp_path) == UNPACKED


def test_a_zip_in_parts(hosts, tmp_path):
    first, last = split(pack("s.zip", SIGNALS), 12_000)
    hosts.zenodo("12", TABLE | {"s.z01": first, "s.zip": last})
    done = get(tmp_path, *origins())
    assert (done.fetched, done.unpacked) == (3, 5)
    assert tree(tmp_path) == UNPACKED
    assert get(tmp_path, *origins()).fetched == 0


def test_a_zip_in_many_parts_and_one_missing(tmp_path):
    archive = pack("s.zip", SIGNALS)
    parts = split(archive, 5_000)
    for number, part in enumerate(parts, 1):
        (tmp_path / ("s.zip" if number == len(parts) else f"s.z{number:02d}")).write_bytes(part)
    found = {member.path: member.content.read() for member in members(tmp_path / "s.zip")}
    assert found == SIGNALS
    (tmp_path / "s.z02").unlink()
    with (
        pytest.raises(DownloadError, match=f"is the last of {len(parts)} parts; s.z02 is not beside it"),
        open_zip(tmp_path / "s.zip"),
    ):
        pass


def linked(kind: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        info = tarfile.TarInfo("link")
        info.type, info.linkname = kind, "/etc/passwd"
        archive.addfile(info)
    return buffer.getvalue()


def zip_link() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        info = zipfile.ZipInfo("link")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    return buffer.getvalue()


def repeated() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for _ in range(2):
            archive.addfile(tarfile.TarInfo("same"))
    return buffer.getvalue()


def encrypted() -> bytes:
    content = bytearray(pack("s.zip", {"a": b"1"}))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.find(signature) + offset] |= 1
    return bytes(content)


def flipped() -> bytes:
    content = bytearray(pack("s.zip", SIGNALS))
    content[2000] ^= 1
    return bytes(content)


BAD = {
    "up.zip": (pack("s.zip", {"../up": b"x"}), "does not stay below its folder"),
    "absolute.tar": (pack("s.tar", {"/ecg_bench_absolute": b"x"}), "does not stay below its folder"),
    "deep.tar.gz": (pack("s.tar.gz", {"a/../../up": b"x"}), "does not stay below its folder"),
    "windows.zip": (pack("s.zip", {"..\\up": b"x"}), "does not stay below its folder"),
    "state.zip": (pack("s.zip", {".ecg_bench_download/files.jsonl": b"x"}), "does not stay below its folder"),
    "symlink.tar": (linked(tarfile.SYMTYPE), "which is a link or a device"),
    "hardlink.tar": (linked(tarfile.LNKTYPE), "which is a link or a device"),
    "device.tar": (linked(tarfile.CHRTYPE), "which is a link or a device"),
    "symlink.zip": (zip_link(), "which is a link or a device"),
    "twice.tar": (repeated(), "holds 'same' twice"),
    "flipped.zip": (flipped(), "is damaged: .*(CRC-32|invalid)"),
    "locked.zip": (encrypted(), "cannot be unpacked: .*password"),
    "cut.zip": (pack("s.zip", SIGNALS)[:9000], "is damaged"),
    "cut.tar.gz": (pack("s.tar.gz", SIGNALS)[:9000], "is damaged"),
    "text.tar": (b"hello" * 500, "is damaged"),
}


@pytest.mark.parametrize("name", sorted(BAD))
def test_archives_that_are_not_to_be_trusted(hosts, tmp_path, name):
    content, message = BAD[name]
    hosts.zenodo("12", {name: content})
    raw = tmp_path / "raw"
    with pytest.raises(DownloadError, match=message):
        get(raw, *origins(name, strip=""))
    assert tree(tmp_path) == {f"raw/{name}": content} | {
        path: content for path, content in tree(tmp_path).items() if ".ecg_bench_download/" in path
    }
    assert not list((raw / ".ecg_bench_download").glob("unpacking_*"))


def test_content_that_grows_and_grows(tmp_path, monkeypatch):
    for name in ("zeros.zip", "zeros.tar.gz"):
        (tmp_path / name).write_bytes(pack(name, {"zeros": bytes(2**21), "more": bytes(2**22)}))
        assert len(list(members(tmp_path / name))) == 2  # small as it is, no reason to worry
        monkeypatch.setattr(archives, "_MOST_PLUS", 1000)
        with pytest.raises(DownloadError, match=r"would unpack to more than .* a hundred times its size: refused"):
            list(members(tmp_path / name))
        monkeypatch.undo()


def test_a_disk_without_room_for_the_content(hosts, tmp_path, monkeypatch):
    hosts.zenodo("12", {"s.zip": pack("s.zip", SIGNALS), "t.tar": pack("t.tar", SIGNALS)})
    free = unpacking.shutil.disk_usage(tmp_path)
    get(tmp_path, Zenodo("12"))
    monkeypatch.setattr(unpacking.shutil, "disk_usage", lambda _: free._replace(free=3000))
    for archive in ("s.zip", "t.tar"):
        with pytest.raises(EcgBenchError, match=r"unpacking needs 0.0 GB, the disk has room for 0.0 GB\n  fix: free"):
            get(tmp_path, *origins(archive))
    assert sorted(tree(tmp_path)) == ["s.zip", "t.tar"]

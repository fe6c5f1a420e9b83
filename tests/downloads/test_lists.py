"""What hosts list becomes what there is to fetch: PhysioNet's checksums and records, Zenodo's and figshare's APIs."""

from __future__ import annotations

import json

import pytest

from hf_ecg_bench.data.origins import Figshare, PhysioNet, Unpack, WebFile, Zenodo, describe
from hf_ecg_bench.downloads.originals import hosts as hosts_module
from hf_ecg_bench.downloads.originals.files import safe_path
from hf_ecg_bench.downloads.originals.listing import list_files
from hf_ecg_bench.downloads.originals.physionet import files_of_records, files_of_sums, split_records
from hf_ecg_bench.downloads.originals.repositories import figshare_files, zenodo_files
from hf_ecg_bench.errors import DownloadError

SHA, MD5 = "ab" * 32, "cd" * 16
SUMS = "".join(
    f"{SHA} {path}\n"
    for path in [
        "RECORDS",
        "training/georgia/g1/E00001.hea",
        "training/georgia/g1/E00001.mat",
        "training/ptb/g1/S0001.hea",
    ]
)


def by_path(files):
    return {file.path: file for file in files}


def test_physionet_checksums_become_files_below_the_raw_folder():
    origin = PhysioNet("challenge-2021", "1.0.3", ("training/georgia/*",), "training/georgia/", ("*.hea",), about=2000)
    files = by_path(files_of_sums(origin, SUMS))
    assert sorted(files) == ["g1/E00001.hea", "g1/E00001.mat"]
    header = files["g1/E00001.hea"]
    assert header.url == "https://physionet.org/files/challenge-2021/1.0.3/training/georgia/g1/E00001.hea"
    assert header.checksum == f"sha256:{SHA}"
    assert (header.size, header.guess) == (None, 1000)
    assert header.metadata
    assert not files["g1/E00001.mat"].metadata


def test_names_with_spaces_and_marks_of_binary_mode():
    files = files_of_sums(PhysioNet("p", "1"), f"{SHA} *a b.txt\n{SHA.upper()}  c#d.txt\n\n")
    assert [file.path for file in files] == ["a b.txt", "c#d.txt"]
    assert files[0].url.endswith("/p/1/a%20b.txt")
    assert files[1].url.endswith("/p/1/c%23d.txt")
    assert files[1].checksum == f"sha256:{SHA}"


def test_the_record_list_of_ptb_xl_lacks_a_line_break():
    lines = [
        "records100/00000/00001_lr",
        "records100/21000/21837_lrrecords500/00000/00001_hr",
        "records500/00000/00002_hr",
    ]
    assert split_records("\n".join(lines) + "\n") == [
        "records100/00000/00001_lr",
        "records100/21000/21837_lr",
        "records500/00000/00001_hr",
        "records500/00000/00002_hr",
    ]


@pytest.mark.shared
def test_the_real_record_list_of_ptb_xl(shared):
    text = (shared / "data" / "ptbxl_labels" / "RECORDS").read_text()
    records = split_records(text)
    assert (len(text.splitlines()), len(records), len(set(records))) == (43_597, 43_598, 43_598)
    origin = PhysioNet("ptb-xl", "1.0.3", ("ptbxl_database.csv", "records500/*"))
    files = files_of_records(origin, records)
    assert len(files) == 1 + 2 * 21_799
    assert files[0].path == "ptbxl_database.csv"


@pytest.mark.parametrize("entry", ["patient001/s0010_re", "g1/"])
def test_plain_record_lists_stay_as_they_are(entry):
    assert split_records(f"{entry}\nb/x\n\n") == [entry, "b/x"]
    assert split_records("A0001\nA0002\n") == ["A0001", "A0002"]


def test_without_checksums_the_records_are_followed_into_folders(hosts):
    files = {
        "RECORDS": b"training/a/\ntraining/b/\n",
        "training/a/RECORDS": b"A1\nA2\n",
        "training/b/RECORDS": b"B1\n",
        "table.csv": b"",
    }
    hosts.physionet("p", "1", files, sums=False)
    origin = PhysioNet("p", "1", ("table.csv", "*.hea", "*.mat"), suffixes=(".hea", ".mat"))
    found = by_path(list_files([origin]))
    assert sorted(found) == sorted(
        ["table.csv", *(f"training/{name}{end}" for name in ("a/A1", "a/A2", "b/B1") for end in (".hea", ".mat"))]
    )
    assert {file.checksum for file in found.values()} == {""}


def test_zenodo_lists_sizes_and_md5():
    entry = {"key": "exams.csv", "size": 3, "checksum": f"md5:{MD5}", "links": {"self": "https://zenodo.org/x"}}
    other = {"key": "b.zip", "size": 5, "checksum": "other:1", "links": {"self": "https://zenodo.org/y"}}
    first, second = zenodo_files(Zenodo("1", metadata=("*.csv",)), {"files": [entry, other]})
    assert (first.path, first.size, first.checksum, first.url) == ("exams.csv", 3, f"md5:{MD5}", "https://zenodo.org/x")
    assert first.metadata
    assert not second.metadata
    assert second.checksum == ""  # a kind that is not known here; the size is still checked


def test_figshare_lists_sizes_and_md5_and_links_are_left_out():
    entry = {"name": "a.csv", "size": 3, "computed_md5": "", "supplied_md5": MD5, "download_url": "https://x/1"}
    link = {"name": "elsewhere", "size": 0, "is_link_only": True, "download_url": "https://elsewhere/"}
    (file,) = figshare_files(Figshare(article="1"), [entry, link])
    assert (file.path, file.size, file.checksum, file.url) == ("a.csv", 3, f"md5:{MD5}", "https://x/1")


def test_all_pages_of_a_collection_are_asked_for(hosts):
    articles = {str(1000 + number): {f"{number}.csv": b"x"} for number in range(205)}
    hosts.figshare(articles, collection="77")
    files = list_files([Figshare(collection="77")])
    assert sorted(file.path for file in files) == sorted(f"{number}.csv" for number in range(205))
    assert hosts.server.number("/figshare/collections/77/articles") == 3


def test_a_host_that_knows_no_pages_is_not_asked_for_ever(hosts):
    entries = [{"id": number} for number in range(100)]
    hosts.server.add_json("/figshare/collections/77/articles", entries)
    for number in range(100):
        entry = {"name": f"{number}", "size": 0, "download_url": "https://x/"}
        hosts.server.add_json(f"/figshare/articles/{number}/files", [entry])
    assert len(list_files([Figshare(collection="77")])) == 100
    assert hosts.server.number("/figshare/collections") == 2


def test_a_file_at_an_address_of_its_own():
    (file,) = list_files([WebFile("https://example.org/a", "sub/a.xlsx", sha256=SHA, size=7)])
    assert (file.path, file.size, file.checksum, file.metadata) == ("sub/a.xlsx", 7, f"sha256:{SHA}", True)


HOSTILE = [
    "../../x",
    "/etc/passwd",
    "a/../../x",
    "..\\x",
    "C:/x",
    "\\\\host\\x",
    "a\nb",
    ".ecg_bench_download/list.json",
    "",
    ".",
]


@pytest.mark.parametrize("path", HOSTILE)
def test_paths_that_leave_their_folder_are_refused(path):
    with pytest.raises(DownloadError, match="does not stay below its folder"):
        safe_path(path, "a list")


@pytest.mark.parametrize("path", ["../../x", "/etc/passwd", "..\\x", "C:/x"])
def test_hostile_lists_are_refused_whoever_sends_them(path):
    zenodo = {"key": path, "size": 1, "checksum": f"md5:{MD5}", "links": {"self": "https://x/"}}
    figshare = {"name": path, "size": 1, "computed_md5": MD5, "download_url": "https://x/"}
    for listed in (
        lambda: files_of_sums(PhysioNet("p", "1"), f"{SHA} {path}\n"),
        lambda: files_of_records(PhysioNet("p", "1"), [path]),
        lambda: zenodo_files(Zenodo("1"), {"files": [zenodo]}),
        lambda: figshare_files(Figshare(article="1"), [figshare]),
    ):
        with pytest.raises(DownloadError, match="does not stay below its folder"):
            listed()


ENTRY = {"key": "a", "size": 1, "checksum": f"md5:{MD5}", "links": {"self": "https://x/"}}


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ([], "no list of files"),
        ({"message": "PID is not registered"}, "no list of files"),
        ({"files": [3]}, "no list of files"),
        ({"files": [{**ENTRY, "key": None}]}, "a file without 'key'"),
        ({"files": [{**ENTRY, "links": []}]}, "a file without 'self'"),
        ({"files": [{**ENTRY, "size": -1}]}, "the size -1"),
        ({"files": [{**ENTRY, "size": "1"}]}, "the size '1'"),
        ({"files": [{**ENTRY, "checksum": "md5:xyz"}]}, "'xyz' is no md5 checksum"),
    ],
)
def test_answers_of_another_form_are_named(answer, message):
    with pytest.raises(DownloadError, match=message):
        zenodo_files(Zenodo("1"), answer)


def test_a_list_of_another_form_is_named(hosts):
    with pytest.raises(DownloadError, match="line 2: 'Not Found', expected a SHA-256 checksum"):
        files_of_sums(PhysioNet("p", "1"), f"{SHA} a\nNot Found\n")
    hosts.server.add_json("/figshare/articles/5/files", {"message": "no"})
    with pytest.raises(DownloadError, match=r"a file without 'download_url'|no list of files"):
        list_files([Figshare(article="5")])


def test_what_the_publisher_no_longer_has_is_named():
    with pytest.raises(DownloadError, match=r"lists 4 files, none of which is 'records500/\*'"):
        files_of_sums(PhysioNet("p", "1", ("training/*", "records500/*")), SUMS)
    with pytest.raises(DownloadError, match="none of which is 'tables/"):
        files_of_sums(PhysioNet("p", "1", metadata=("tables/*",)), SUMS)


def test_two_files_for_one_place_are_a_mistake():
    one, other = WebFile("https://a.org/x", "x"), WebFile("https://b.org/x", "x")
    assert len(list_files([one, one])) == 1
    with pytest.raises(DownloadError, match="would both become x"):
        list_files([one, other])


def test_mirrors(monkeypatch):
    url = "https://physionet.org/files/ptb-xl/1.0.3/a.csv"
    monkeypatch.delenv("HF_ECG_BENCH_MIRRORS", raising=False)
    assert hosts_module.mirrored(url) == url
    pairs = "https://physionet.org=https://m.org/all/ https://physionet.org/files=https://m.org/files"
    monkeypatch.setenv("HF_ECG_BENCH_MIRRORS", pairs)
    assert hosts_module.mirrored(url) == "https://m.org/files/ptb-xl/1.0.3/a.csv"
    assert hosts_module.mirrored("https://physionet.org/static/x") == "https://m.org/all/static/x"
    assert hosts_module.mirrored("https://physionet.organised.org/x") == "https://physionet.organised.org/x"
    monkeypatch.setenv("HF_ECG_BENCH_MIRRORS", "physionet.org=m.org")
    with pytest.raises(DownloadError, match="expected PREFIX=REPLACEMENT"):
        hosts_module.mirrored(url)


def test_origins_in_words():
    origins = [
        PhysioNet("ptbdb", "1.0.0", ("*.hea",), about=1_700_000_000),
        Zenodo("12"),
        Figshare(collection="3"),
        Figshare(article="4", include=("a.csv", "b.zip")),
        WebFile("https://example.org/a", "a.csv", size=2_000_000),
        Unpack("b.zip", into="signals"),
    ]
    assert [describe(origin) for origin in origins] == [
        "PhysioNet ptbdb 1.0.0: *.hea (about 1.7 GB)",
        "Zenodo 12: all files",
        "figshare collection 3: all files",
        "figshare article 4: a.csv, b.zip",
        "https://example.org/a: a.csv (about 0.002 GB)",
        "unpacked: b.zip into signals",
    ]
    assert json.dumps([repr(origin) for origin in origins])

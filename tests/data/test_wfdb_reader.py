from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import wfdb

from hf_ecg_bench.data.formats.wfdb_header import parse_header
from hf_ecg_bench.data.formats.wfdb_reader import _checksums, read_record
from hf_ecg_bench.data.ledger import RecordProblem
from tests.data.ptbxl_tree import digital_ecg, write_record

REAL = [
    "ptbxl",
    "ptb",
    "cpsc2018",
    "cpsc_extra",
    "georgia",
    "ningbo",
    "ptbxl_challenge2021",
    "ptb_challenge2021",
    "code15_wfdb",
    "zzu_pecg",
]


@pytest.mark.shared
@pytest.mark.parametrize("folder", REAL)
def test_equals_wfdb_on_real_records(shared: Path, folder: str) -> None:
    headers = sorted((shared / "data" / folder).rglob("*.hea"))
    step = max(1, len(headers) // 15)
    for header in headers[::step]:
        path = str(header.with_suffix(""))
        expected = wfdb.rdrecord(path)
        found = read_record(path)
        np.testing.assert_array_equal(found.signal, expected.p_signal.astype(np.float32))
        assert list(found.names) == expected.sig_name
        assert list(found.units) == expected.units
        assert list(found.comments) == expected.comments
        assert found.rate == expected.fs


def test_header_flavours() -> None:
    old = parse_header(
        "A1 2 500 10 05-May-2020 14:50:55\r\nA1.mat 16+24 1000/mV 16 0 136 -28477 0 I\r\n"
        "A1.mat 16+24 1000/mV\r\n#Age: 74\r\n"
    )
    assert (old.rate, old.samples, old.comments) == (500, 10, ("Age: 74",))
    assert (old.signals[0].offset, old.signals[0].gain, old.signals[0].checksum, old.signals[0].name) == (
        24,
        1000,
        -28477,
        "I",
    )
    assert old.signals[1].checksum is None
    new = parse_header("HR1 1 500/500(0)\nHR1.mat 16x1+24 2000.5(-7)/mv 16 0 0 65535 0 aVR augmented\n# Age: 56")
    line = new.signals[0]
    assert (new.samples, line.gain, line.baseline, line.units, line.name) == (
        None,
        2000.5,
        -7,
        "mv",
        "aVR augmented",
    )
    # The default gain of the format, and the ADC zero where no baseline is given.
    bare = parse_header("x 1\nx.dat 16 0 12 5").signals[0]
    assert (bare.gain, bare.baseline, bare.units) == (200.0, 5, "mV")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x\n",
        "x two 500",
        "x/3 1 500",
        "x 2 500 10\nx.dat 16",
        "x 1\nx.dat sixteen",
        "x 1\nx.dat 16 1e(/mV",
    ],
)
def test_broken_headers_are_refused(text: str) -> None:
    with pytest.raises(RecordProblem, match="unreadable header"):
        parse_header(text)


def test_baseline_gain_and_missing_samples_equal_wfdb(tmp_path: Path) -> None:
    digital = digital_ecg(1, 333).copy()
    digital[5, 3] = -32768
    write_record(tmp_path / "r", digital)
    header = (
        (tmp_path / "r.hea").read_text().replace("1000.0(0)/mV", "0.37(-12)/mV", 3).replace("1000.0(0)", "4880(11)", 1)
    )
    (tmp_path / "r.hea").write_text(header)
    found = read_record(str(tmp_path / "r")).signal
    expected = wfdb.rdrecord(str(tmp_path / "r")).p_signal.astype(np.float32)
    assert np.isnan(found[5, 3])
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(("samples", "leads"), [(0, 12), (1, 1), (49, 12), (50, 3), (5001, 12)])
def test_checksums(samples: int, leads: int) -> None:
    digital = np.random.default_rng(0).integers(-32768, 32768, (samples, leads)).astype("<i2")
    np.testing.assert_array_equal(_checksums(digital), digital.astype(np.int64).sum(axis=0) % 65536)


def test_other_formats_and_paths_are_refused(tmp_path: Path) -> None:
    write_record(tmp_path / "r", digital_ecg(1, 10))
    text = (tmp_path / "r.hea").read_text()
    (tmp_path / "r.hea").write_text(text.replace(" 16 1000", " 212 1000"))
    with pytest.raises(RecordProblem, match=r"unsupported storage format: r.dat: format 212, expected 16"):
        read_record(str(tmp_path / "r"))
    (tmp_path / "r.hea").write_text(text.replace("r.dat", "../r.dat"))
    with pytest.raises(RecordProblem, match=r"signal file '../r.dat': expected a name in the record's folder"):
        read_record(str(tmp_path / "r"))

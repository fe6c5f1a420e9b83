"""Reading a user's own recording: leads by name, units and rate from the header, a wrong order refused."""

from __future__ import annotations

import numpy as np
import pytest
import wfdb

import hf_ecg_bench
from hf_ecg_bench.data.ecg_record import check_lead_order
from hf_ecg_bench.errors import DataError
from hf_ecg_bench.signals.leads import LEADS
from tests.embedding.wfdb_files import ecg, write


def test_a_record_by_any_of_its_names(tmp_path):
    signal = ecg(2)
    base = write(tmp_path / "100", signal)
    for path in (base, str(base), f"{base}.hea", tmp_path / "100.dat"):
        record = hf_ecg_bench.read_record(path)
        assert record.sampling_rate == 500
        np.testing.assert_allclose(record.signal, signal, atol=6e-4)


@pytest.mark.parametrize("unit", ["uV", "mV", "V"])
def test_units_and_lead_order_come_from_the_header(tmp_path, unit):
    signal, order = ecg(2), np.random.default_rng(0).permutation(12)
    names = tuple(LEADS[column].upper() for column in order)
    write(tmp_path / "r", signal[:, order], 250, names=names, unit=unit)
    found, rate = hf_ecg_bench.read_record(tmp_path / "r")
    assert rate == 250
    np.testing.assert_allclose(found, signal, atol=6e-4)


def test_other_formats_are_read_by_the_wfdb_package(tmp_path):
    signal = ecg(2).astype(np.float64)
    wfdb.wrsamp(
        "f", fs=500, units=["mV"] * 12, sig_name=list(LEADS), p_signal=signal, fmt=["212"] * 12, write_dir=str(tmp_path)
    )
    found, _ = hf_ecg_bench.read_record(tmp_path / "f")
    np.testing.assert_allclose(found, signal, atol=5e-3)


SWAPS = {"aVL and aVF": [0, 1, 2, 3, 5, 4], "I and II": [1, 0, 2, 3, 4, 5], "II and III": [0, 2, 1, 3, 4, 5]}


@pytest.mark.parametrize("swap", SWAPS)
def test_a_wrong_lead_order_is_refused(tmp_path, swap):
    columns = [*SWAPS[swap], *range(6, 12)]
    write(tmp_path / "r", ecg(2)[:, columns])
    with pytest.raises(DataError, match="limb leads contradict each other") as error:
        hf_ecg_bench.read_record(tmp_path / "r")
    assert str(tmp_path / "r") in str(error.value)


def test_exchanged_leads_that_resemble_each_other_are_refused(tmp_path):
    """A small lead I makes II, III and aVF nearly equal: the exchange is off by little, and yet it is one."""
    signal = ecg(2).copy()
    signal[:, 0] *= 0.1
    i, ii = signal[:, 0], signal[:, 1]
    signal[:, 2], signal[:, 3], signal[:, 4], signal[:, 5] = ii - i, -(i + ii) / 2, i - ii / 2, ii - i / 2
    write(tmp_path / "right", signal)
    assert hf_ecg_bench.read_record(tmp_path / "right").sampling_rate == 500
    write(tmp_path / "wrong", signal[:, [0, 1, 5, 3, 4, 2, *range(6, 12)]])
    with pytest.raises(DataError, match="as I II aVF aVR aVL III they fit"):
        hf_ecg_bench.read_record(tmp_path / "wrong")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"names": (*LEADS[:11], "MLII")}, "lead V6 missing"),
        ({"names": (*LEADS[:11], "V5")}, "lead V5 appears twice"),
        ({"unit": "mmHg"}, "expected mV, uV or V"),
    ],
)
def test_unusable_headers(tmp_path, change, message):
    write(tmp_path / "r", ecg(2), **change)
    with pytest.raises(DataError, match=message):
        hf_ecg_bench.read_record(tmp_path / "r")


def test_damaged_files(tmp_path):
    with pytest.raises(DataError, match=r"no r\.hea"):
        hf_ecg_bench.read_record(tmp_path / "r")
    write(tmp_path / "r", ecg(2))
    content = (tmp_path / "r.dat").read_bytes()
    (tmp_path / "r.dat").write_bytes(content[:-10])
    with pytest.raises(DataError, match="truncated file"):
        hf_ecg_bench.read_record(tmp_path / "r")
    (tmp_path / "r.dat").write_bytes(content[:-2] + b"\0\1")
    with pytest.raises(DataError, match="wrong checksum"):
        hf_ecg_bench.read_record(tmp_path / "r")


@pytest.mark.shared
def test_real_records_in_order_pass_and_the_order_of_mimic_is_refused(shared):
    """PTB-XL records at both rates: none is refused as it is, almost all are with aVL and aVF exchanged."""
    headers = sorted((shared / "data").glob("ptbxl/**/*.hea"))[:200]
    if not headers:
        pytest.skip("no PTB-XL records")
    refused = 0
    for header in headers:
        signal, rate = hf_ecg_bench.read_record(header)
        assert signal.shape[1] == 12
        assert rate in (100, 500)
        try:
            check_lead_order(signal[:, [0, 1, 2, 3, 5, 4, *range(6, 12)]], where="r")
        except DataError:
            refused += 1
    assert refused >= 0.99 * len(headers)

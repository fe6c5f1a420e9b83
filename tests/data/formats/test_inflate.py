"""Inflating: equal to zlib, bounded, damaged data refused, with and without the fast library."""

from __future__ import annotations

import zlib

import pytest

from hf_ecg_bench.data.formats import inflate as module
from hf_ecg_bench.data.formats.inflate import InflateError, inflate

CONTENT = bytes(range(256)) * 100


@pytest.fixture(params=["fastest", "zlib"], autouse=True)
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "zlib":
        monkeypatch.setattr(module, "_fastest", zlib)


def test_equals_what_was_packed() -> None:
    assert inflate(zlib.compress(CONTENT), len(CONTENT)) == CONTENT
    packed = zlib.compressobj(wbits=-15)
    assert inflate(packed.compress(CONTENT) + packed.flush(), len(CONTENT) + 1, raw=True) == CONTENT


def test_never_gives_more_than_asked_for() -> None:
    assert inflate(zlib.compress(bytes(10_000_000)), 100) == bytes(100)


def test_damaged_data_are_refused_or_short() -> None:
    packed = bytearray(zlib.compress(CONTENT))
    with pytest.raises(InflateError):
        inflate(b"not deflated at all", 100)
    packed[0] ^= 0xFF
    with pytest.raises(InflateError):
        inflate(bytes(packed), len(CONTENT))
    assert len(inflate(zlib.compress(CONTENT)[:-40], len(CONTENT))) < len(CONTENT)

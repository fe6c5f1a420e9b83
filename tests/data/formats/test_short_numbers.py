"""Numbers looked up by their text: the same as Python's own, or left to the general parser."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from hf_ecg_bench.data.formats.short_numbers import parse_grid

HEAD = b"a,b,c,d,e\n"


def grid(text: bytes, columns: int = 3) -> np.ndarray | None:
    return parse_grid(HEAD + text, len(HEAD), columns)


def random_words(seed: int, n: int) -> list[str]:
    """More different words than the table has places."""
    rng = np.random.default_rng(seed)
    words = [f"{value:.{rng.integers(0, 6)}f}" for value in rng.normal(0, 200, 2 * n)]
    return [word for word in words if len(word) <= 8][:n]


def test_as_python_reads_them() -> None:
    words = random_words(0, 60_000)
    lines = [",".join(words[at : at + 12]) for at in range(0, len(words), 12)]
    for _ in range(2):
        values = grid("\n".join(lines).encode(), 12)
        assert values is not None
        assert values.reshape(-1).tolist() == [float(word) for word in words]


def test_threads_have_tables_of_their_own() -> None:
    failed = []

    def read(seed: int) -> None:
        words = random_words(seed, 12_000)
        lines = [",".join(words[at : at + 12]) for at in range(0, len(words), 12)]
        for _ in range(10):
            values = grid("\n".join(lines).encode(), 12)
            if values is None or values.reshape(-1).tolist() != [float(word) for word in words]:
                failed.append(seed)

    threads = [threading.Thread(target=read, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed


@pytest.mark.parametrize("text", [b"1,2,3\n4,5,6\n", b"1,2,3\n4,5,6", b"-1.5,0.25,7.\n12345678,-0,1234.567\n"])
def test_plain_numbers(text: bytes) -> None:
    values = grid(text)
    assert values is not None
    assert values.tolist() == [[float(word) for word in line.split(b",")] for line in text.split(b"\n") if line]


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"1,2\n",
        b"1,2,3\n4,5",
        b"1,2\n3,4,5,6\n",
        b"1,,3\n",
        b"1,2,3\n\n",
        b"1,2,3\r\n",
        b"1, 2,3\n",
        b"1,+2,3\n",
        b"1,2e+3,3\n",
        b"1,2e3,3\n",
        b"1,nan,3\n",
        b"1,inf,3\n",
        b"1,x,3\n",
        b"1,1_0,3\n",
        b"1,.5,3\n",
        b"1,-,3\n",
        b"1,\x00,3\n",
        b"1,\xd9\xa1,3\n",
        b'1,"2",3\n',
        b"1,123456.78,3\n",
    ],
)
def test_anything_else_is_left_to_the_general_parser(text: bytes) -> None:
    assert grid(text) is None

"""SIGTERM and Ctrl-C: at once, or at the end of a block that looks for itself."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from hf_ecg_bench.stopping import Stopped, at_a_step, stop_requested, stops_cleanly


def test_at_once():
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(Stopped) as caught, stops_cleanly():
        os.kill(os.getpid(), signal.SIGTERM)
    assert caught.value.code == 143
    assert signal.getsignal(signal.SIGTERM) == before
    assert not stop_requested()
    with pytest.raises(KeyboardInterrupt), stops_cleanly():
        os.kill(os.getpid(), signal.SIGINT)


def test_a_block_that_looks_for_itself(capfd):
    seen = []

    def work() -> None:
        with stops_cleanly(), at_a_step():
            os.kill(os.getpid(), signal.SIGTERM)
            seen.append(stop_requested())

    with pytest.raises(Stopped):
        work()
    assert seen == [True]
    assert capfd.readouterr().err == "stopping after this step, with a checkpoint (once more: at once)\n"


def test_the_second_signal_does_not_wait():
    seen = []

    def work() -> None:
        with stops_cleanly(), at_a_step():
            for number in (signal.SIGTERM, signal.SIGINT):
                os.kill(os.getpid(), number)
                seen.append(1)

    with pytest.raises(KeyboardInterrupt):
        work()
    assert seen == [1]


def test_an_ignored_signal_stays_ignored():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with stops_cleanly():
            os.kill(os.getpid(), signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)


def test_other_threads_are_left_alone():
    def work() -> None:
        with stops_cleanly():
            pass

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert not stop_requested()


def test_forked_workers_end_as_if_nothing_was_set_up():
    with stops_cleanly():
        pid = os.fork()
        if not pid:
            os.kill(os.getpid(), signal.SIGTERM)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGTERM

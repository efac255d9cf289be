"""Flags that handlers of signals set while the main thread may be in the middle of them."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time

from actors.files.signals import Flag, handling

STORM = """
import signal
from actors.files.signals import Flag, handling

flag, seen = Flag(), 0
with handling({signal.SIGALRM: lambda number, frame: flag.set()}):
    signal.setitimer(signal.ITIMER_REAL, 0.00005, 0.00005)
    while seen < 20000:
        if flag.wait(0.001):
            flag.clear()
            seen += 1
    signal.setitimer(signal.ITIMER_REAL, 0)
print(seen)
"""


def test_no_signal_stops_the_thread_that_it_interrupts() -> None:
    done = subprocess.run([sys.executable, "-c", STORM], capture_output=True, text=True, timeout=60, check=True)

    assert done.stdout.strip() == "20000"


def test_a_flag_wakes_who_waits_and_is_set_until_it_is_cleared() -> None:
    flag = Flag()
    threading.Thread(target=flag.set).start()

    assert any(flag.wait(60.0) for _ in range(2))
    assert flag.is_set()
    flag.clear()
    assert not flag.is_set()


def test_a_wait_ends_with_its_time() -> None:
    began_s = time.monotonic()

    assert not Flag().wait(0.01)
    assert time.monotonic() - began_s >= 0.01


def test_the_former_handlers_are_back_afterwards() -> None:
    before = signal.getsignal(signal.SIGUSR1)
    with handling({signal.SIGUSR1: lambda _number, _frame: None}):
        assert signal.getsignal(signal.SIGUSR1) is not before

    assert signal.getsignal(signal.SIGUSR1) is before

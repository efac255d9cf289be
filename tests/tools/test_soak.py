"""The soak: a short life of a real site that is killed, and what its verdict says of a process that grows."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.servers.required import require_server
from tools.soak.process import SETTLES_S, Sample, look, verdict
from tools.soak.site import soak

FLAT = [Sample(7, SETTLES_S + n, 60_000, 14, 7, 11) for n in range(16)]


def test_a_process_that_holds_what_it_held_is_flat() -> None:
    assert verdict(FLAT) == []


@pytest.mark.parametrize(("name", "step"), [("memory_kib", 1000), ("threads", 1), ("files", 1), ("sockets", 1)])
def test_a_process_that_holds_more_and_more_is_named_with_its_numbers(name: str, step: int) -> None:
    growing = [replace(each, **{name: getattr(each, name) + n * step}) for n, each in enumerate(FLAT)]

    (line,) = verdict(growing)

    assert line.startswith(f"{name} grew from ")


def test_a_process_that_just_started_is_not_judged() -> None:
    starting = [Sample(7, n / 4, 10_000 * n, n, n, n) for n in range(16)]

    assert verdict(starting) == []


def test_this_process_can_be_looked_at() -> None:
    seen = look(os.getpid(), 1.0)

    assert seen.memory_kib > 1000
    assert seen.threads >= 1
    assert seen.files >= 1


@pytest.mark.long
def test_a_real_site_that_is_killed_keeps_its_limits_and_its_ledger(tmp_path: Path) -> None:
    require_server("mosquitto")

    soaked = soak(tmp_path, 90.0, kills=8)

    assert soaked.broken == []
    assert soaked.kills > 0
    assert verdict(soaked.samples) == []

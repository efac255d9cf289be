"""The ways of a rehearsal in processes of their own: the same as one after the other, and none outlives the command."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from actors.commands.rehearsals import RehearsalLost, rehearse_side_by_side
from orchestrator.config.sections import SiteConfig
from orchestrator.simulation.rehearsal.day import WAYS, Way, rehearse
from tests.support.plants.example_site import EXAMPLE
from tests.support.plants.virtual_site import site_config

MIDNIGHT = datetime(2026, 6, 1, tzinfo=UTC)
HOURS = 0.25
LIMITED: SiteConfig = SiteConfig.model_validate(
    site_config(EXAMPLE).model_dump() | {"setpoints": {"fixed": {"export_limit_watts": 0.0}}}
)


@pytest.mark.long
def test_side_by_side_they_come_to_the_same_as_one_after_the_other() -> None:
    passed_s: Counter[str] = Counter()

    def passed(way: Way, seconds: float) -> None:
        passed_s[way.name] += round(seconds)

    results = rehearse_side_by_side(LIMITED, hours=HOURS, begin=MIDNIGHT, passed=passed)

    assert [each.way.name for each in results] == [way.name for way in WAYS]
    for way, each in zip(WAYS, results, strict=True):
        alone = rehearse(LIMITED, way, hours=HOURS, begin=MIDNIGHT, progress=lambda _: None)
        assert each.trace.at_s == alone.trace.at_s
        assert (each.balance, each.excesses, each.command_changes) == (
            alone.balance,
            alone.excesses,
            alone.command_changes,
        )
        assert passed_s[way.name] == HOURS * 3600


def test_a_process_that_is_killed_is_named_and_the_others_end() -> None:
    def kill_one(way: Way, _seconds: float) -> None:
        if way.name == "no_control":
            victim = multiprocessing.active_children()[0]
            assert victim.pid is not None
            os.kill(victim.pid, signal.SIGKILL)

    with pytest.raises(RehearsalLost, match="ended before it was done"):
        rehearse_side_by_side(LIMITED, hours=24.0, begin=MIDNIGHT, passed=kill_one)

    assert multiprocessing.active_children() == []


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Ctrl-C is heard, also where these tests run in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_works_again_while_they_run_and_ends_them_all() -> None:
    def interrupt(_way: Way, _seconds: float) -> None:
        os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        rehearse_side_by_side(LIMITED, hours=24.0, begin=MIDNIGHT, passed=interrupt)

    assert multiprocessing.active_children() == []

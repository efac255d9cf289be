"""What a client still knows after a restart: the same limits at the same times, and nothing that was over."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.setpoints.csip.book import Book
from orchestrator.setpoints.csip.memory import Memory, from_message, to_message
from orchestrator.setpoints.csip.plan import Moment, Planner
from orchestrator.setpoints.csip.resources import Control, Default
from orchestrator.setpoints.csip.walk import Answer
from orchestrator.setpoints.fields import SetpointFields
from tests.orchestrator.setpoints.csip.test_book import EVENTS, EXPORT
from tests.orchestrator.setpoints.csip.test_client import EVENT, World

BEGIN = SetpointFields(export_limit_watts=0.0)


BOOTED_S = 5000.0
"""What the monotonic clock of the later process shows when its wall clock shows 0."""


def restarted(world: World) -> World:
    """Another process with another monotonic clock that knows what was kept; its server is away."""
    kept = world.client.to_keep(world.now_s)
    assert kept is not None
    later = World()
    later.now_s = BOOTED_S + world.now_s
    later.client.recall(from_message(to_message(kept)), heard_wall_s=0.0, wall_s=world.now_s)
    later.fails["/"] = Answer(500)
    return later


def energizes(later: World, wall_s: float, real_s: float | None = None) -> bool | None:
    """What is asked for when the wall clock shows `wall_s`, and should show `real_s`."""
    later.now_s = BOOTED_S + (wall_s if real_s is None else real_s)
    setpoint = later.client.setpoint(wall_s)
    assert setpoint is not None
    return setpoint.fields.energize


def begun() -> World:
    """The event of 1010 to 1060 (server time, 1000 s ahead) is known, and everything of it was kept."""
    world = World()
    world.round(0.0)
    assert world.energize(0.0) is None
    return world


@settings(max_examples=20)
@given(EVENTS, st.integers(-10, 100), st.integers(-5, 60))
def test_whoever_was_killed_asks_for_the_same_as_whoever_lived(events: list[Control], at_s: int, later_s: int) -> None:
    default = Default("/derp/1", 1, {EXPORT: 100.0}, 0.02)

    def begun() -> tuple[Book, Planner]:
        return Book("site"), Planner("utility", 10_000.0, BEGIN)

    book, planner = begun()
    owed = (*book.take(events, [default], at_s - 5), *book.advance(at_s))
    planner.setpoint(book, Moment(at_s, at_s, at_s), 1e9)
    memory = Memory(0.0, True, 30.0, book.entries, book.defaults, owed, planner.way)
    other, other_planner = begun()
    known = from_message(to_message(memory))
    assert known == memory
    assert known.way is not None
    other.recall(known.entries, known.defaults)
    other_planner.recall(known.way)
    moment = Moment(at_s + later_s, at_s + later_s, at_s + later_s)

    assert other_planner.setpoint(other, moment, 1e9) == planner.setpoint(book, moment, 1e9)
    assert other.take(events, [default], at_s + later_s) == book.take(events, [default], at_s + later_s)


def test_after_a_restart_the_last_word_holds_to_its_end_while_the_server_is_away() -> None:
    for at_s, expected in ((0.0, None), (20.0, False), (59.0, False), (61.0, None)):
        assert energizes(restarted(begun()), at_s) is expected
    later = restarted(begun())
    assert "HTTP 500" in str(later.round(BOOTED_S))
    assert later.client.heard_s == BOOTED_S


def test_a_wall_clock_that_is_behind_after_a_power_cut_ends_nothing_and_is_followed_once_it_is_right() -> None:
    later = restarted(begun())

    assert energizes(later, -90_000.0, real_s=30.0) is None
    assert energizes(later, 30.0) is False
    assert energizes(later, 70.0) is None


def test_the_time_that_the_site_was_off_counts_as_silence_of_the_server() -> None:
    world = World()
    endless = EVENT.replace("<duration>50<", "<duration>86400<")
    world.table.lists["/derp/1/derc"] = ("DERControlList", [endless])
    world.round(0.0)
    world.energize(20.0)

    later = restarted(world)
    assert energizes(later, 800.0) is False
    later.now_s = BOOTED_S + 1000.0
    assert later.client.setpoint(1000.0) is None
    assert later.client.is_silent


def test_what_was_cancelled_or_superseded_does_not_come_back_and_responses_are_posted_once() -> None:
    world = begun()
    world.energize(20.0)
    event = world.table.lists["/derp/1/derc"]
    world.table.lists["/derp/1/derc"] = ("DERControlList", [])
    world.fails["/rsp"] = Answer(500)
    world.round(30.0)
    world.energize(30.0)
    later = restarted(world)
    later.table.lists["/derp/1/derc"] = event
    later.fails.clear()
    later.round(BOOTED_S + 31.0)

    assert energizes(later, 31.0) is None
    later.round(BOOTED_S + 62.0)
    assert [b"<status>6<" in each for each in later.posted] == [False, True], "started and cancelled are still owed"


@pytest.mark.parametrize("link", ['<TimeLink href="/tm"/>', ""])
def test_a_server_that_is_back_is_heard_again_with_and_without_a_clock(link: str) -> None:
    later = restarted(begun())
    later.fails.clear()
    later.table.documents["/dcap"] = later.table.documents["/dcap"].replace('<TimeLink href="/tm"/>', link)
    later.table.documents["/tm"] = later.table.documents["/tm"].replace("1000", "1040")
    later.round(BOOTED_S + 40.0)

    assert energizes(later, 45.0) is False
    assert later.client.heard_s == BOOTED_S + 40.0


def test_nothing_is_kept_before_the_server_was_heard_or_without_news() -> None:
    assert World().client.to_keep(0.0) is None
    world = begun()
    assert world.client.to_keep(0.0) is not None
    assert world.client.to_keep(0.0) is None


@pytest.mark.parametrize(
    "text",
    [
        "nothing",
        "[]",
        '{"ahead_of_wall_s": 1.0}',
        '{"ahead_of_wall_s": 1, "is_assigned": true, "defaults": [{"program": "", "primacy": 1, "asks": {"a": 1.0}}]}',
    ],
)
def test_what_is_no_memory_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        from_message(text)

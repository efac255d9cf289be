from __future__ import annotations

from msgspec.structs import replace

from orchestrator.decide.memory import MeterFault
from orchestrator.decide.records import CycleResult
from orchestrator.loop.news import News
from orchestrator.reason import because
from orchestrator.samples import SiteSnapshot
from orchestrator.setpoints.merge import OperatingEnvelope


def result(fault: MeterFault | None = None, *not_following: str) -> CycleResult:
    snapshot = SiteSnapshot(0.0, None)
    return CycleResult(snapshot, OperatingEnvelope(), None, (), meter_fault=fault, not_following=not_following)


def test_a_battery_that_does_not_follow_is_news_each_time_it_begins() -> None:
    news = News()
    steps = ((), ("east",), ("east",), ("west", "east"), ("west",), ("east",))

    said = [[event.subject for event in news.of(result(None, *names))] for names in steps]

    assert said == [[], ["east"], [], ["west"], [], ["east"]]


def test_a_fault_of_the_meter_is_news_when_it_begins_and_when_it_becomes_another() -> None:
    news, steps = News(), (None, "silent", "silent", "reversed", None, "silent")

    said = [[event.name for event in news.of(result(fault))] for fault in steps]  # type: ignore[arg-type]

    assert said == [[], ["meter_silent"], [], ["meter_reversed"], [], ["meter_silent"]]


def test_an_inverter_that_makes_more_than_its_limit_is_news_each_time_it_begins() -> None:
    why = because("above_its_limit", watts=5000.0, limit_watts=0.0)
    news, steps = News(), ({}, {"east": why}, {"east": why}, {}, {"east": why})

    said = [news.of(replace(result(), above_limit=names)) for names in steps]

    assert [[(event.name, event.subject) for event in events] for events in said] == [
        [],
        [("inverter_not_following", "east")],
        [],
        [],
        [("inverter_not_following", "east")],
    ]

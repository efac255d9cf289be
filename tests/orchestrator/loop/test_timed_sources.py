"""Plants in virtual time whose limits come by the clock: they hold to the second, and the reasons name their source."""

from __future__ import annotations

import json
import sys
from collections import Counter
from datetime import UTC, datetime
from types import FrameType
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from orchestrator.explain.words import say_all
from orchestrator.ledger.excess import Excess, LedgerState, observe
from orchestrator.loop.in_force import InForce
from orchestrator.setpoints.intake import Arrival, Intake
from orchestrator.setpoints.merge import utc_text
from orchestrator.simulation.virtual_time import Moment, VirtualTime
from orchestrator.telemetry.payloads import limits_payload
from tests.support.plants.virtual_site import site_config

pytestmark = pytest.mark.no_cover  # whole plants over time: tracing them takes several times as long

BERLIN = ZoneInfo("Europe/Berlin")
TWO_WAY = {"name": "tariff", "rows": [{"hours": "10:00-16:00", "fields": {"export_limit_watts": 0.0}}]}
SUN = {"east": 4000.0, "west": 3000.0, "roof": 6000.0}


def plant(began: str, *, interval_s: float = 1.0, **setpoints: Any) -> VirtualTime:
    """A site in Berlin under a steady sun whose clock shows `began` at its first second."""
    plain = site_config(meter={"period_s": 0.05}).model_dump()
    sections = plain | {
        "site": {"name": "test", "timezone": "Europe/Berlin"},
        "control": {"battery_power_flow": True, "interval_s": interval_s},
        "setpoints": setpoints,
    }
    ahead_s = datetime.fromisoformat(began).replace(tzinfo=BERLIN).timestamp()
    time = VirtualTime(type(site_config()).model_validate(sections), wall_ahead_s=ahead_s)
    for name, watts in SUN.items():
        time.site.set_pv_available(name, watts)
    return time


def clock(time: VirtualTime, moment: Moment) -> str:
    return datetime.fromtimestamp(moment.at_s + time.wall_ahead_s, BERLIN).strftime("%H:%M:%S")


def limited(time: VirtualTime, moments: list[Moment]) -> list[str]:
    """The first and the last moment of each time in which nothing may be exported."""
    zero = [m.wanted.export_limit_watts == 0.0 for m in moments]
    edges = [i for i in range(len(zero)) if zero[i] and not (0 < i < len(zero) - 1 and zero[i - 1] and zero[i + 1])]
    return [clock(time, moments[i]) for i in edges]


def test_a_two_way_tariff_is_in_force_at_the_second_and_named() -> None:
    time = plant("2026-06-01T09:59:30", schedules=[TWO_WAY])
    before, after = time.run(29), time.run(91)

    assert {moment.wanted.export_limit_watts for moment in before} == {None}
    assert clock(time, after[0]) == "10:00:00"
    assert {moment.wanted.export_limit_watts for moment in after} == {0.0}
    assert before[-1].site_watts < -1000.0
    assert all(moment.site_watts > -50.0 for moment in after[5:])
    result = after[-1].result
    assert result is not None
    entry = limits_payload(result.envelope, "")["export_limit_watts"]
    assert (entry["source"], entry["valid_until"]) == ("tariff", "2026-06-01T14:00:00Z")
    assert "(tariff)" in reasons_of(after[-1])


def test_the_limit_ends_at_the_second_too() -> None:
    time = plant("2026-06-01T15:59:30", schedules=[TWO_WAY])

    assert limited(time, time.run(60)) == ["15:59:31", "15:59:59"]


def in_ledger(time: VirtualTime, moments: list[Moment]) -> set[tuple[str, str]]:
    """Which limits the ledger has as exceeded in these moments, and whose they were."""
    state, told = LedgerState(), list[Excess]()
    for moment in moments:
        assert moment.result is not None
        wall = datetime.fromtimestamp(moment.at_s + time.wall_ahead_s, UTC)
        state, news = observe(state, moment.result, wall)
        told += news
    return {(each.limit, each.source) for each in told}


def reasons_of(moment: Moment) -> str:
    """What decided, of the site and of each inverter, in words."""
    result = moment.result
    assert result is not None
    return "; ".join(say_all((*result.reasons, *(each for command in result.commands for each in command.reasons))))


def test_the_ledger_says_whose_limit_was_exceeded_when_it_began() -> None:
    time = plant("2026-06-01T09:59:50", schedules=[TWO_WAY])

    assert in_ledger(time, time.run(40)) == {("export", "tariff")}


def test_the_loop_is_woken_when_a_row_begins_and_follows_a_clock_that_is_put_forward() -> None:
    config = plant("2026-06-01T00:00:00", schedules=[TWO_WAY]).config
    wall_s = datetime(2026, 6, 1, 9, 59, tzinfo=BERLIN).timestamp()
    asked = InForce(config, {}, set())

    assert asked.envelope(5.0, wall_s).fields.export_limit_watts is None
    assert asked.next_end_s(5.0, wall_s) == 65.0
    assert asked.envelope(6.0, wall_s + 3600.0).fields.export_limit_watts == 0.0


PRICES = {
    "name": "market",
    "host": "127.0.0.1",
    "topic": "prices",
    "prices": [
        {"below": 0.0, "fields": {"export_limit_watts": 0.0}},
        {"below": 0.1, "fields": {"battery_grid_charging_enabled": True, "battery_grid_charging_max_watts": 3000.0}},
    ],
    "default": {"export_limit_watts": 2000.0},
}


def says(time: VirtualTime, intake: Intake, payload: bytes) -> None:
    """A message comes now."""
    wall = datetime.fromtimestamp(time.now_s + time.wall_ahead_s, UTC)
    outcome = intake.take([Arrival(payload, redelivered=False, at_s=time.now_s, wall=wall)])
    assert outcome.setpoint is not None, outcome.reasons
    time.receive(outcome.setpoint)


def intake_of(time: VirtualTime) -> Intake:
    (source,) = time.config.setpoints.mqtt
    return Intake(source.name, source.validity_s, "", source.language)


def prices_from(noon: str, *prices: float) -> bytes:
    """A price for each minute from `noon` on."""
    begin_s = datetime.fromisoformat(noon).replace(tzinfo=BERLIN).timestamp()
    entries = [
        {"start": utc_text(begin_s + 60 * index), "end": utc_text(begin_s + 60 * (index + 1)), "price": price}
        for index, price in enumerate(prices)
    ]
    return json.dumps({"prices": entries}).encode()


def test_prices_below_zero_stop_the_export_at_their_second_and_cheap_ones_charge() -> None:
    time = plant("2026-06-01T12:00:00", mqtt=[PRICES])
    says(time, intake_of(time), prices_from("2026-06-01T12:00:00", 0.3, -0.01, 0.05))
    moments = time.run(240)

    assert limited(time, moments) == ["12:01:00", "12:01:59"]
    at = {clock(time, moment): moment for moment in moments}
    charging = [name for name, moment in at.items() if moment.wanted.battery_grid_charging_enabled]
    assert (charging[0], charging[-1]) == ("12:01:00", "12:02:59")
    assert at["12:00:30"].wanted.export_limit_watts is None
    assert at["12:03:00"].wanted.export_limit_watts == 2000.0  # no price is known any more
    result = at["12:01:30"].result
    assert result is not None
    entry = limits_payload(result.envelope, "")["export_limit_watts"]
    assert (entry["source"], entry["valid_until"]) == ("market", "2026-06-01T10:02:00Z")
    assert "(market)" in reasons_of(at["12:01:30"])
    assert in_ledger(time, moments) == {("export", "market")}


STEPS = {
    "name": "ripple",
    "host": "127.0.0.1",
    "topic": "ripple",
    "validity_s": 30.0,
    "default": {"generation_limit_watts": 1000.0},
    "contact": {
        "rated_watts": 10000.0,
        "rows": [{"says": str(n), "percent": p} for n, p in ((1, 100.0), (2, 60.0), (3, 30.0), (4, 0.0))],
    },
}


def made_watts(moment: Moment) -> float:
    """What all inverters make together."""
    return sum(power.ac_watts for power in moment.powers)


def test_a_contact_goes_through_its_four_steps_and_is_lost() -> None:
    time = plant("2026-06-01T12:00:00", mqtt=[STEPS])
    intake = intake_of(time)
    seen: list[Moment] = []
    for word, watts in ((b"1", 10000.0), (b"2", 6000.0), (b"3", 3000.0), (b"4", 0.0), (b"2", 6000.0)):
        says(time, intake, word)
        moments = time.run(20)
        assert {moment.wanted.generation_limit_watts for moment in moments} == {watts}
        assert all(made_watts(moment) <= watts + 100.0 for moment in moments[5:])
        assert "(ripple)" in reasons_of(moments[-1])
        seen += moments

    lost = time.run(20)
    assert in_ledger(time, seen) == {("generation", "ripple")}
    assert "(default of ripple)" in reasons_of(lost[-1])

    assert [moment.wanted.generation_limit_watts for moment in lost[8:11]] == [6000.0, 1000.0, 1000.0]
    result = lost[-1].result
    assert result is not None
    assert limits_payload(result.envelope, "")["generation_limit_watts"]["is_default"] is True
    assert result.envelope.whose("generation_limit_watts") == "default of ripple"


OF_SOURCES = ("timetable", "prices", "contacts", "voltage_guard", "csip")
"""What `orchestrator/setpoints` has of sources that a site may have or not."""
LOOKS_INTO_A_LIST = "Timetables."
"""That is all that is left of schedules where there are none: a list that is empty."""


def calls_in(time: VirtualTime, seconds: float) -> Counter[str]:
    """Which functions of these modules are called while `time` runs, and how often."""
    found: Counter[str] = Counter()

    def seen(frame: FrameType, event: str, _: object) -> None:
        module = frame.f_globals.get("__name__", "").removeprefix("orchestrator.setpoints.").partition(".")[0]
        if event == "call" and module in OF_SOURCES and not frame.f_code.co_qualname.startswith(LOOKS_INTO_A_LIST):
            found[f"{module}.{frame.f_code.co_qualname}"] += 1

    before = sys.getprofile()
    sys.setprofile(seen)
    try:
        time.run(seconds)
    finally:
        sys.setprofile(before)
    return found


def test_sources_that_are_not_configured_do_nothing_in_a_cycle() -> None:
    without = plant("2026-06-01T09:00:00", fixed={"export_limit_watts": 1000.0})
    asked = plant("2026-06-01T09:00:00", schedules=[TWO_WAY])
    for time in (without, asked):
        time.run(5)

    assert calls_in(without, 10) == Counter()
    assert calls_in(asked, 10), "and those that are would be seen"


@pytest.mark.long
@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25"])
def test_a_whole_day_of_a_two_way_tariff_also_when_the_clock_is_changed(day: str) -> None:
    time = plant(f"{day}T00:00:00", interval_s=30.0, schedules=[TWO_WAY])
    moments = list(time.play(86400 - 3600))

    assert limited(time, moments) == ["10:00:00", "15:59:30"]
    inside = [moment for moment in moments if moment.wanted.export_limit_watts == 0.0]
    assert all(moment.site_watts > -300.0 for moment in inside[2:])  # of 12 kW; the load is not steady

"""`orchestrator explain`: every reason of a cycle in plain words, from what is published of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from orchestrator.decide.records import CycleResult
from orchestrator.documents.json_values import rfc3339
from orchestrator.explain.words import say_all
from orchestrator.samples import OperatingState
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.telemetry.explanation import WITHOUT_CODES, View, explain, inverter_names
from orchestrator.telemetry.payloads import state_payloads
from tests.support.plants.example_site import DARK, SUNNY, plant
from tests.support.plants.explained import settled
from tests.support.records.cycles import cycle_result, inverter_sample

TIME = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


def told(result: CycleResult, **view: Any) -> str:
    payloads = state_payloads(result, rfc3339(TIME))
    return explain(View("home", payloads, inverter_names(payloads), **view))


def test_a_cycle_is_told_in_plain_words() -> None:
    sample = inverter_sample(state=OperatingState.THROTTLED)
    text = told(cycle_result(inverters=(sample,), away=("roof",)), online=True, now=TIME + timedelta(seconds=3))

    assert text.splitlines() == [
        "home, 2026-06-01 12:00:00, 3 s ago: running",
        "The meter shows export 500 W, the load takes 1500 W, PV makes 3000 W, batteries: charging 1000 W.",
        "What decided for the site",
        "  - charge 1000 W: surplus, batteries first",
        "      what the load leaves goes where priority says",
        "",
        "Limits in force",
        "  export limit 5000 W (fixed)",
        "",
        "east",
        "  now      AC 2000 W, PV 3000 W, battery charging 1000 W at 50 %",
        "  asked    AC limit 4000 W, charge 1000 W",
        "  because",
        "    - charge 1000 W: share by capacity",
        "        all states of charge move by the same percent",
        "",
        "roof: does not answer; the others take its share, and it is tried again",
    ]


@pytest.mark.parametrize(
    ("pv", "asked", "expected"),
    [
        (
            SUNNY,
            {"export_limit_watts": 0.0, "battery_charge_max_watts": 0.0},
            [
                "AC limit 983 W: export limit 0 W (fixed) leaves 983 W for AC",
                "all inverters share this room",
                "throttled",
            ],
        ),
        (SUNNY, {}, ["charge 5000 W: at its power limit of 5000 W", "It could give", "no AC limit"]),
        (DARK, {"battery_soc_min_percent": 60.0}, ["minimum 60 % (fixed)", "it gives no more", "battery idle"]),
        (SUNNY, {"connect": False}, ["disconnected: connect false (fixed)", "disconnect, ", "battery to itself"]),
    ],
)
def test_limits_their_source_and_why_not_more_are_told(
    pv: dict[str, float], asked: dict[str, Any], expected: list[str]
) -> None:
    text = told(settled(pv=pv, **asked).history[-1].result)

    assert [words for words in expected if words not in text] == []


def test_every_reason_of_the_site_and_of_each_inverter_is_told() -> None:
    loop = settled(export_limit_watts=0.0)
    loop.site.set_load(4000.0)
    for moment in loop.run(10):
        text = told(moment.result)
        reasons = say_all([*moment.result.reasons, *(r for c in moment.result.commands for r in c.reasons)])
        assert reasons
        assert [reason for reason in reasons if f"- {reason}\n" not in f"{text}\n"] == []


def test_the_response_time_is_told() -> None:
    loop = plant(pv_watts=DARK)
    loop.run(10)
    loop.site.set_load(6000.0)
    loop.run(20)

    assert "it follows a command within 0.9 s or so" in told(loop.history[-1].result)


def test_an_inverter_that_nothing_holds_back_says_so() -> None:
    assert "- no AC limit: nothing limits AC" in told(settled().history[-1].result)
    without_words = replace(cycle_result(), commands=(replace(cycle_result().commands[0], reasons=()),))
    assert "- nothing holds it back" in told(without_words)


def test_an_inverter_that_is_only_read_says_so() -> None:
    assert "nothing is asked of it: it is only read" in told(replace(cycle_result(), commands=()))


def test_a_silent_meter_is_told() -> None:
    loop = settled(export_limit_watts=0.0)
    loop.meter_silent = True
    loop.run(10)
    text = told(loop.history[-1].result)

    assert "FAILSAFE" in text.splitlines()[0]
    assert "charge at most" in text
    assert "no discharge, and no more charging than before" in text


def test_nonsense_of_a_device_is_told() -> None:
    assert "nonsense in W" in told(cycle_result(inverters=(inverter_sample(faults=("W",)),)))


def test_the_time_is_that_of_the_site() -> None:
    text = told(cycle_result(), zone=ZoneInfo("Australia/Brisbane"), now=TIME)

    assert text.splitlines()[0] == "home, 2026-06-01 22:00:00 AEST, 0 s ago: running"


def test_an_orchestrator_that_is_gone_and_an_old_state_are_told() -> None:
    text = told(cycle_result(), online=False, now=TIME + timedelta(seconds=90))

    assert text.splitlines()[0] == "home, 2026-06-01 12:00:00, 90 s ago (OLD): was running"
    assert text.splitlines()[1] == "The orchestrator is offline. This is what it said last."


def test_limits_tell_who_asks_and_until_when() -> None:
    payloads = state_payloads(cycle_result(), rfc3339(TIME))
    payloads["limits"]["export_limit_watts"]["valid_until"] = "2026-06-01T13:00:00Z"

    assert "  export limit 5000 W (fixed, until 2026-06-01T13:00:00Z)" in explain(View("home", payloads, ()))
    nobody = told(cycle_result(limits=SetpointFields()))
    assert "  none: nobody asks for anything" in nobody


def test_what_nobody_published_is_left_out_and_not_guessed() -> None:
    text = explain(View("home", {"site": {"site_watts": "much", "reasons": 7}}, ["east"]))

    assert text.splitlines()[0] == "home, at an unknown time: unknown"
    assert "The meter shows -," in text
    assert text.splitlines()[-1] == "east: nothing is known of it"


def test_a_recording_of_before_there_were_codes_is_explained_without_what_reasons_mean() -> None:
    payloads = state_payloads(settled(export_limit_watts=0.0).history[-1].result, rfc3339(TIME))
    del payloads["site"]["reason_codes"], payloads["inverters/roof"]["command"]["reason_codes"]
    text = explain(View("home", payloads, ["roof"]))

    assert "  - charge 9000 W: surplus, batteries first, all that the batteries take\n  - AC held down" in text
    assert "    - throttled" in text
    assert "it makes what its limit allows" not in text
    assert text.splitlines()[-1] == WITHOUT_CODES


def test_a_cycle_with_codes_has_nothing_to_excuse() -> None:
    assert WITHOUT_CODES not in told(settled(export_limit_watts=0.0).history[-1].result)


def test_codes_that_are_not_known_or_not_there_cost_only_what_they_mean() -> None:
    site = {"reasons": ["of a later version", "throttled"], "reason_codes": ["of_later/unknown"]}
    lines = explain(View("home", {"site": site}, ())).splitlines()

    assert lines[3:5] == ["  - of a later version", "  - throttled"]

"""One cycle as MQTT messages."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from orchestrator.decide.plant.headroom import InverterNumbers, LiveNumbers
from orchestrator.decide.records import CycleResult
from orchestrator.documents.json_values import rfc3339, rounded, without_time
from orchestrator.samples import BatterySample, OperatingState
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.setpoints.merge import Setpoint, merge
from orchestrator.setpoints.values import PriorityMode
from orchestrator.telemetry.payloads import event_payload, limits_payload, rejected_payload, state_payloads
from tests.support.records.cycles import cycle_result, inverter_sample
from tests.support.records.setpoint_fields import any_fields

TIME = "2026-06-01T12:00:00.000Z"


def test_every_retained_topic_is_there_and_carries_the_time() -> None:
    payloads = state_payloads(cycle_result(away=("roof",)), TIME)

    assert list(payloads) == ["limits", "site", "inverters/east", "inverters/roof"]
    assert {payload["time"] for payload in payloads.values()} == {TIME}


def test_the_site_says_what_flows_and_why() -> None:
    site = state_payloads(cycle_result(site_watts=-500.4), TIME)["site"]

    assert site["site_watts"] == -500
    assert site["load_watts"] == 1500
    assert site["pv_watts"] == 3000
    assert site["battery_watts"] == 1000
    assert site["target_battery_power_watts"] == 1000
    assert site["target_solar_watts"] is None
    assert site["battery_mode"] == "charge"
    assert site["mode"] == "normal"
    assert site["reasons"] == ["charge 1000 W: surplus, batteries first"]
    assert site["reason_codes"] == ["charge/surplus"]


def test_site_and_inverter_say_what_they_could_do() -> None:
    live = LiveNumbers(3000.4, 4000.0, 7500.0, None, {"east": InverterNumbers(1000.0, 2000.0, 0.93)})
    payloads = state_payloads(replace(cycle_result(), live=live), TIME)
    site, inverter = payloads["site"], payloads["inverters/east"]

    assert (site["headroom_up_watts"], site["headroom_down_watts"]) == (3000, 4000)
    assert (site["balanced_charge_watts"], site["balanced_discharge_watts"]) == (7500, None)
    assert (inverter["headroom_up_watts"], inverter["headroom_down_watts"], inverter["response_s"]) == (1000, 2000, 0.9)


def test_a_silent_meter_leaves_null_and_not_zero() -> None:
    site = state_payloads(cycle_result(site_watts=None), TIME)["site"]

    assert (site["site_watts"], site["load_watts"], site["import_wh"]) == (None, None, None)


def test_an_inverter_says_what_it_does_and_what_is_asked_of_it() -> None:
    sample = inverter_sample(state=OperatingState.THROTTLED, ac_limit_watts=3999.6)
    inverter = state_payloads(cycle_result(inverters=(sample,)), TIME)["inverters/east"]

    assert inverter["online"] is True
    assert inverter["state"] == "throttled"
    assert (inverter["ac_watts"], inverter["ac_limit_watts"]) == (2000, 4000)
    assert (inverter["battery_watts"], inverter["battery_soc_percent"]) == (1000, 50.0)
    assert inverter["command"]["battery_mode"] == "charge"
    assert inverter["command"]["battery_target_watts"] == 1000
    assert inverter["command"]["reasons"] == ["charge 1000 W: share by capacity"]
    assert inverter["command"]["reason_codes"] == ["charge/share_by_capacity"]


def test_an_inverter_that_is_away_shows_no_last_values() -> None:
    payloads = state_payloads(cycle_result(away=("roof",)), TIME)

    assert payloads["inverters/roof"] == {"time": TIME, "online": False, "trouble": None, "trouble_why": None}


def test_an_inverter_without_a_battery_has_nulls_for_it() -> None:
    inverter = state_payloads(cycle_result(inverters=(inverter_sample(battery=None),)), TIME)["inverters/east"]

    assert inverter["battery_watts"] is None
    assert inverter["battery_soc_percent"] is None


def test_a_limit_that_is_the_default_of_its_source_says_so() -> None:
    default = Setpoint("mqtt", SetpointFields(export_limit_watts=0.0), is_default=True)

    assert limits_payload(merge([default]), "now")["export_limit_watts"] == {
        "value": 0.0,
        "source": "mqtt",
        "valid_until": None,
        "is_default": True,
    }


def test_limits_name_their_source_and_their_end() -> None:
    envelope = merge(
        (
            Setpoint("fixed", SetpointFields(battery_priority_mode=PriorityMode.EXPORT_FIRST)),
            Setpoint("utility", SetpointFields(export_limit_watts=0.0), 0.0, 60.0, "2026-06-01T12:01:00Z"),
        )
    )

    assert limits_payload(envelope, TIME) == {
        "time": TIME,
        "battery_priority_mode": {"value": "export_first", "source": "fixed", "valid_until": None},
        "export_limit_watts": {"value": 0.0, "source": "utility", "valid_until": "2026-06-01T12:01:00Z"},
    }


def test_events_and_refusals_say_whom_they_are_about() -> None:
    assert event_payload("inverter_away", "east", "no answer", TIME) == {
        "time": TIME,
        "event": "inverter_away",
        "subject": "east",
        "detail": "no answer",
    }
    assert rejected_payload("mqtt", "not JSON", TIME) == {"time": TIME, "source": "mqtt", "reason": "not JSON"}


def test_a_change_under_half_a_watt_is_no_news() -> None:
    before = state_payloads(cycle_result(site_watts=-500.0), "earlier")["site"]
    after = state_payloads(cycle_result(site_watts=-500.3), TIME)["site"]

    assert without_time(after) == without_time(before)


def test_time_is_written_in_utc() -> None:
    brisbane = timezone(timedelta(hours=10))

    assert rfc3339(datetime(2026, 6, 1, 22, 0, 0, 250_000, tzinfo=brisbane)) == "2026-06-01T12:00:00.250Z"


def test_rounding_to_watts_gives_integers() -> None:
    assert json.dumps([rounded(1.6), rounded(-0.2), rounded(None), rounded(float("nan"))]) == "[2, 0, null, null]"


number = st.none() | st.floats()


@st.composite
def any_cycle(draw: st.DrawFn) -> CycleResult:
    """A cycle with any numbers in it, also those that are none."""
    battery = BatterySample(watts=draw(number), soc_percent=draw(number))
    sample = inverter_sample(
        ac_watts=draw(number),
        pv_watts=draw(number),
        ac_limit_watts=draw(number),
        battery=draw(st.none() | st.just(battery)),
    )
    return cycle_result(site_watts=draw(number), inverters=(sample,), limits=draw(any_fields))


@given(any_cycle())
def test_every_message_is_json_as_the_standard_has_it(result: CycleResult) -> None:
    for payload in state_payloads(result, TIME).values():
        assert json.loads(json.dumps(payload, allow_nan=False)) == payload

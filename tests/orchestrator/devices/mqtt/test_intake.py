"""The newest good state holds until it is too old; what is refused changes nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from orchestrator.devices.mqtt.intake import DeviceIntake, held_until_too_old, with_change
from orchestrator.devices.mqtt.messages import read_meter
from orchestrator.samples import MeterSample
from orchestrator.setpoints.intake import Arrival

WALL = datetime(2030, 1, 31, 12, tzinfo=UTC)


def intake(max_age_s: float = 5.0) -> DeviceIntake[MeterSample]:
    return DeviceIntake(read_meter, max_age_s, with_change)


def arrival(site_watts: object, at_s: float, age_s: float = 0.0) -> Arrival:
    wall = WALL + timedelta(seconds=at_s)
    time = (wall - timedelta(seconds=age_s)).isoformat()
    return Arrival(json.dumps({"site_watts": site_watts, "time": time}).encode(), False, at_s, wall)


def watts(memory: DeviceIntake[MeterSample], now_s: float) -> float | None:
    sample = memory.sample(now_s)
    return None if sample is None else sample.site_watts


def test_the_newest_state_holds_until_it_is_too_old() -> None:
    memory = intake()

    assert watts(memory, 0.0) is None
    assert memory.take((arrival(1, 10.0), arrival(2, 11.0))) == (True, ())
    assert watts(memory, 16.0) == 2
    assert watts(memory, 16.1) is None


def test_a_refused_message_is_told_and_the_last_good_one_ages() -> None:
    memory = intake()
    memory.take((arrival(1, 10.0),))

    is_new, reasons = memory.take((arrival("many", 14.0), arrival(None, 14.5)))

    assert not is_new
    assert [each.why and each.why.code for each in reasons] == ["several_wrong", "several_wrong"]
    assert watts(memory, 15.0) == 1
    assert watts(memory, 15.1) is None


def test_a_message_that_was_measured_earlier_is_no_news() -> None:
    memory = intake()
    memory.take((arrival(1, 10.0),))

    assert memory.take((arrival(2, 11.0, age_s=4.0),)) == (False, ())
    assert watts(memory, 11.0) == 1


def test_the_same_value_again_is_younger_and_no_change() -> None:
    memory = intake()
    for site_watts, at_s in ((1, 10.0), (1, 11.0), (2, 12.0)):
        memory.take((arrival(site_watts, at_s),))
        sample = memory.sample(at_s)
        assert sample is not None
        assert (sample.at_s, sample.changed_at_s) == (at_s, 10.0 if site_watts == 1 else 12.0)


@given(st.floats(0.5, 60), st.floats(0.3, 5), st.floats(0, 400))
def test_the_site_takes_a_meter_for_silent_just_when_its_state_is_too_old(
    max_age_s: float, silent_after_s: float, age_s: float
) -> None:
    sample = MeterSample(1000.0, 5.0, 990.0)

    reported_at_s = 1000.0 + min(age_s, max_age_s)  # the actor tells it no longer than that
    held = held_until_too_old(sample, reported_at_s, max_age_s=max_age_s, silent_after_s=silent_after_s)

    assert replace(held, at_s=sample.at_s) == sample
    assert held.at_s <= reported_at_s
    silent_at_s = held.at_s + silent_after_s
    assert silent_at_s <= 1000.0 + max_age_s + 1e-6
    if age_s >= max_age_s:
        assert abs(silent_at_s - (1000.0 + max_age_s)) < 1e-6 or max_age_s > age_s

from __future__ import annotations

from dataclasses import replace

from hypothesis import given

from orchestrator.loop.in_force import in_force, is_stricter
from orchestrator.setpoints.fields import LAST_WINS, SetpointFields
from orchestrator.setpoints.merge import Setpoint, merge
from tests.support.records.cycles import site_config
from tests.support.records.setpoint_fields import any_fields


@given(any_fields)
def test_nothing_is_stricter_than_itself(fields: SetpointFields) -> None:
    assert not is_stricter(fields, fields)


@given(any_fields)
def test_asking_for_nothing_is_never_stricter(fields: SetpointFields) -> None:
    assert not is_stricter(fields, SetpointFields())


@given(any_fields, any_fields)
def test_what_another_source_adds_is_stricter_exactly_when_it_changes_a_limit(
    fields: SetpointFields, other: SetpointFields
) -> None:
    merged = merge((Setpoint("a", fields), Setpoint("b", other))).fields
    wishes = dict.fromkeys(LAST_WINS)

    assert is_stricter(fields, merged) == (replace(fields, **wishes) != replace(merged, **wishes))


def test_a_limit_that_falls_is_stricter_and_one_that_rises_is_not() -> None:
    low, high = SetpointFields(export_limit_watts=0.0), SetpointFields(export_limit_watts=1.0)

    assert is_stricter(high, low)
    assert not is_stricter(low, high)


def test_a_minimum_that_rises_is_stricter() -> None:
    low, high = SetpointFields(battery_soc_min_percent=5.0), SetpointFields(battery_soc_min_percent=6.0)

    assert is_stricter(low, high)
    assert not is_stricter(high, low)


def test_what_is_entered_in_home_assistant_holds_where_it_is_served_and_before_page_and_hand() -> None:
    asked = {name: Setpoint(name, SetpointFields(export_limit_watts=1.0)) for name in ("manual", "home_assistant")}
    mqtt = {"host": "127.0.0.1", "topic": "site/home"}
    served = site_config(publish={"mqtt": {**mqtt, "home_assistant": {}}})

    assert [each.source for each in in_force(served, asked, 0.0)] == ["fixed", "home_assistant", "manual"]
    assert [each.source for each in in_force(site_config(publish={"mqtt": mqtt}), asked, 0.0)] == ["fixed", "manual"]

"""Merging what the sources ask for: a further source only narrows."""

from __future__ import annotations

import random
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.loop.in_force import in_force
from orchestrator.setpoints.fields import HIGHEST_WINS, LAST_WINS, LOWEST_WINS, SetpointFields
from orchestrator.setpoints.merge import OperatingEnvelope, Setpoint, merge
from orchestrator.setpoints.values import PriorityMode
from tests.support.records.cycles import site_config
from tests.support.records.setpoint_fields import any_fields

NARROWING = LOWEST_WINS | HIGHEST_WINS


def setpoint(source: str, **values: Any) -> Setpoint:
    return Setpoint(source, SetpointFields(**values))


setpoints = st.lists(st.builds(Setpoint, st.sampled_from(["fixed", "mqtt", "utility", "page"]), any_fields), max_size=5)


def is_as_narrow(name: str, value: Any, than: Any) -> bool:
    """Whether `value` allows nothing that `than` does not allow; None allows everything."""
    if than is None:
        return True
    if value is None:
        return False
    return bool(value >= than) if name in HIGHEST_WINS else bool(value <= than)


def test_every_field_has_exactly_one_rule() -> None:
    rules = sorted((*LOWEST_WINS, *HIGHEST_WINS, *LAST_WINS))

    assert rules == sorted(field.name for field in fields(SetpointFields))


@pytest.mark.parametrize("name", ["connect", "energize", "battery_grid_charging_enabled"])
@pytest.mark.parametrize("order", [(True, False), (False, True)])
def test_false_wins_in_any_order(name: str, order: tuple[bool, bool]) -> None:
    envelope = merge([setpoint("fixed", **{name: order[0]}), setpoint("mqtt", **{name: order[1]})])

    assert getattr(envelope.fields, name) is False
    assert envelope.source(name) == ("mqtt" if order[0] else "fixed")


@pytest.mark.parametrize("name", sorted(LOWEST_WINS - {"connect", "energize", "battery_grid_charging_enabled"}))
def test_the_lower_limit_wins_and_keeps_its_source(name: str) -> None:
    envelope = merge(
        [setpoint("fixed", **{name: 40.0}), setpoint("mqtt", **{name: 30.0}), setpoint("page", **{name: 90.0})]
    )

    assert getattr(envelope.fields, name) == 30.0
    assert envelope.source(name) == "mqtt"


def test_the_higher_minimum_soc_wins() -> None:
    envelope = merge([setpoint("fixed", battery_soc_min_percent=20.0), setpoint("mqtt", battery_soc_min_percent=10.0)])

    assert envelope.fields.battery_soc_min_percent == 20.0
    assert envelope.source("battery_soc_min_percent") == "fixed"


@pytest.mark.parametrize(
    ("name", "former", "latter"),
    [
        ("battery_priority_mode", PriorityMode.BATTERY_FIRST, PriorityMode.EXPORT_FIRST),
        ("battery_target_soc_percent", 30.0, 80.0),
        ("battery_import_target_watts", 100.0, 900.0),
        ("battery_export_target_watts", 100.0, 900.0),
        ("battery_storage_mode", 1, 3),
    ],
)
def test_the_last_source_wins_for_wishes(name: str, former: object, latter: object) -> None:
    envelope = merge([setpoint("fixed", **{name: former}), setpoint("mqtt", **{name: latter}), setpoint("page")])

    assert getattr(envelope.fields, name) == latter
    assert envelope.source(name) == "mqtt"


def test_zero_is_a_limit_and_not_an_absence() -> None:
    envelope = merge([setpoint("fixed", export_limit_watts=5000.0), setpoint("mqtt", export_limit_watts=0.0)])

    assert envelope.fields.export_limit_watts == 0.0


def test_nothing_merged_asks_for_nothing() -> None:
    assert merge([]) == OperatingEnvelope()


@given(any_fields)
def test_merging_one_is_itself(asked: SetpointFields) -> None:
    envelope = merge([Setpoint("mqtt", asked)])

    assert envelope.fields == asked
    assert set(envelope.origins) == set(asked.asked())


@given(setpoints)
def test_merging_is_idempotent(several: list[Setpoint]) -> None:
    once = merge(several)

    assert merge([*several, *several]).fields == once.fields
    assert merge([Setpoint("merged", once.fields)]).fields == once.fields


@given(setpoints, any_fields)
def test_a_further_source_never_loosens_a_limit(several: list[Setpoint], further: SetpointFields) -> None:
    before = merge(several).fields
    after = merge([*several, Setpoint("manual", further)]).fields

    for name in NARROWING:
        assert is_as_narrow(name, getattr(after, name), than=getattr(before, name)), name
        assert is_as_narrow(name, getattr(after, name), than=getattr(further, name)), name


@given(setpoints, st.randoms(use_true_random=False))
def test_the_order_does_not_matter_for_what_narrows(several: list[Setpoint], shuffler: random.Random) -> None:
    shuffled = several.copy()
    shuffler.shuffle(shuffled)

    for name in NARROWING:
        assert getattr(merge(shuffled).fields, name) == getattr(merge(several).fields, name), name


@given(setpoints)
def test_every_merged_value_is_that_of_its_origin(several: list[Setpoint]) -> None:
    envelope = merge(several)

    for name, value in envelope.fields.asked().items():
        assert getattr(envelope.origins[name].fields, name) == value


def two_sources() -> Any:
    common = {"host": "127.0.0.1"}
    return site_config(
        setpoints={
            "fixed": {"export_limit_watts": 5000.0},
            "mqtt": (
                {**common, "topic": "a", "name": "utility", "default": {"export_limit_watts": 0.0, "connect": True}},
                {**common, "topic": "b", "name": "home"},
            ),
        }
    )


def test_sources_come_in_their_order_whatever_the_order_of_arrival() -> None:
    received = {name: setpoint(name) for name in ("manual", "home", "page", "utility", "stranger")}

    assert [each.source for each in in_force(two_sources(), received, 0.0)] == [
        "fixed",
        "utility",
        "home",
        "page",
        "manual",
    ]


def test_fixed_always_holds() -> None:
    first = in_force(two_sources(), {}, 0.0)[0]

    assert first.fields == SetpointFields(export_limit_watts=5000.0)


def test_a_default_stands_in_under_the_name_of_its_source() -> None:
    holding = in_force(two_sources(), {}, 0.0)

    assert [each.source for each in holding] == ["fixed", "utility"]
    assert holding[1].fields == SetpointFields(export_limit_watts=0.0, connect=True)


def test_a_valid_setpoint_replaces_the_default_as_a_whole() -> None:
    holding = in_force(two_sources(), {"utility": setpoint("utility", import_limit_watts=7.0)}, 0.0)

    assert holding[1].fields == SetpointFields(import_limit_watts=7.0)


@pytest.mark.parametrize(("now_s", "export_limit_watts"), [(9.9, 3000.0), (10.0, 0.0), (11.0, 0.0)])
def test_an_expired_setpoint_gives_way_to_the_default(now_s: float, export_limit_watts: float) -> None:
    asked = Setpoint("utility", SetpointFields(export_limit_watts=3000.0), expires_at_s=10.0)

    envelope = merge(in_force(two_sources(), {"utility": asked}, now_s))

    assert envelope.fields.export_limit_watts == export_limit_watts
    assert envelope.source("export_limit_watts") == "utility"


def test_an_expired_setpoint_without_default_is_gone() -> None:
    asked = Setpoint("page", SetpointFields(export_limit_watts=3000.0), expires_at_s=10.0)

    assert "page" not in [each.source for each in in_force(two_sources(), {"page": asked}, 10.0)]

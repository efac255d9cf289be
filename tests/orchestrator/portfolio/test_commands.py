"""Commands of a portfolio at a site: the newest number counts, nothing comes back, and no limit of the site rises."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from orchestrator.commands import BatteryCommand, BatteryMode, InverterCommand
from orchestrator.config.audience import PORTFOLIO, PortfolioConfig
from orchestrator.decide.power_flow import BatteryPowerFlow
from orchestrator.devices.mqtt.messages import write_command
from orchestrator.documents.json_values import rfc3339
from orchestrator.loop.in_force import in_force
from orchestrator.portfolio.answers import Answer
from orchestrator.portfolio.intake import CommandIntake
from orchestrator.setpoints.fields import HIGHEST_WINS, LAST_WINS, ROWS, Row, SetpointFields
from orchestrator.setpoints.intake import Arrival
from orchestrator.setpoints.merge import Setpoint, merge
from tests.support.records.cycles import cycle_result, site_config
from tests.support.records.setpoint_fields import values

pytestmark = pytest.mark.no_cover  # whole plants over time: tracing them takes several times as long

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
TIME = rfc3339(NOON)
NOTHING = SetpointFields()


def message(sequence: int, sent_s: float = 0.0, valid_for_s: float = 60.0, **asked: Any) -> bytes:
    """A command that is sent `sent_s` after noon."""
    sent = NOON + timedelta(seconds=sent_s)
    until = sent + timedelta(seconds=valid_for_s)
    times = {"time": rfc3339(sent), "valid_for_s": valid_for_s, "valid_until": rfc3339(until)}
    return json.dumps({"sequence": sequence, **times, **asked}).encode()


def arrival(payload: bytes, at_s: float = 0.0, *, redelivered: bool = False) -> Arrival:
    """It comes `at_s` after noon, which is the beginning of monotonic time."""
    return Arrival(payload, redelivered, at_s, NOON + timedelta(seconds=at_s))


def intake(*, grid_charging: bool = False) -> CommandIntake:
    return CommandIntake(PortfolioConfig(grid_charging=grid_charging), "here")


def asked(taken: CommandIntake) -> SetpointFields:
    assert taken.setpoint is not None
    return taken.setpoint.fields


def test_what_an_inverter_would_be_told_is_a_setpoint_of_the_site() -> None:
    window = BatteryCommand(BatteryMode.CHARGE, 1500.0, 1500.0, 1500.0, grid_charging=True)
    command = InverterCommand("north", 60.0, ac_limit_watts=2500.0, connect=True, battery=window)
    payload = {"sequence": 7, **write_command(command, NOON, {"reasons": ["so"], "reason_codes": ["so"]})}
    site = intake(grid_charging=True)

    site.take([arrival(json.dumps(payload).encode())])

    assert asked(site) == SetpointFields(
        connect=True, generation_limit_watts=2500.0, battery_target_watts=1500.0, battery_grid_charging_enabled=True
    )


@pytest.mark.parametrize(
    ("window", "fields"),
    [
        ((-800, -800), {"battery_target_watts": -800}),
        ((0, 0), {"battery_target_watts": 0}),
        ((0, 700), {"battery_charge_max_watts": 700, "battery_discharge_max_watts": 0}),
        ((-300, None), {"battery_discharge_max_watts": 300}),
        ((None, -200), {"battery_charge_max_watts": 0}),
        ((None, None), {}),
    ],
)
def test_a_window_is_a_power_or_two_bounds(window: tuple[Any, Any], fields: dict[str, Any]) -> None:
    site = intake()

    site.take([arrival(message(1, battery_low_watts=window[0], battery_high_watts=window[1]))])

    assert asked(site) == SetpointFields(**fields)


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        (message(4), "old: sequence 4 is not above 5"),
        (message(5, ac_limit_watts=9000), "old: sequence 5 is not above 5"),
        (message(6, sent_s=-100), "too late: valid_until"),
        (message(6, sent_s=30), "time is 30 s in the future"),
        (b"{}", "sequence: missing"),
        (b"nonsense", "not JSON"),
        (message(6, ac_limit=3), "ac_limit: unknown field"),
        (message(6, ac_limit_watts=-3), "ac_limit_watts: "),
        (message(-6), "sequence: "),
    ],
)
def test_what_does_not_count_is_answered_with_why_and_changes_nothing(payload: bytes, why: str) -> None:
    site = intake()
    site.take([arrival(message(5, ac_limit_watts=1000))])

    taken = site.take([arrival(payload)])

    (answer,) = taken.answers
    assert (answer.answer, answer.newest) == ("refused", 5)
    assert why in (answer.reason or "")
    assert taken.setpoint is None
    assert asked(site).generation_limit_watts == 1000


def test_what_a_broker_kept_never_counts() -> None:
    taken = intake().take([arrival(message(1), redelivered=True)])

    assert taken.setpoint is None
    assert "a broker kept it" in taken.refusals[0]


def test_a_command_ends_by_either_clock() -> None:
    site = intake()
    site.take([arrival(message(1, sent_s=-20), at_s=0.0)])
    setpoint = site.setpoint

    assert setpoint is not None
    assert setpoint.is_valid(39.0, NOON.timestamp() + 39)
    assert not setpoint.is_valid(39.0, NOON.timestamp() + 41)
    assert not setpoint.is_valid(61.0, NOON.timestamp() + 30)


def decided(site: CommandIntake, own: SetpointFields = NOTHING, **changed: Any) -> Answer | None:
    """The answer after a decision with the command in it, beside the site's own setpoint."""
    envelope = merge((*([] if site.setpoint is None else [site.setpoint]), Setpoint("fixed", own)))
    flow = BatteryPowerFlow(changed.pop("battery", 1000.0), 500.0, None, "charge")
    return site.answer(replace(cycle_result(), envelope=envelope, flow=flow, **changed), TIME)


def test_it_is_accepted_once_a_decision_has_it_in_it() -> None:
    site = intake()
    site.take([arrival(message(3, ac_limit_watts=4000, battery_low_watts=1000, battery_high_watts=1000))])

    assert site.answer(cycle_result(), TIME) is None  # a decision without it
    assert decided(site) == Answer(TIME, "accepted", 3, 3)
    assert decided(site) is None  # once


def test_it_is_clipped_by_a_bound_that_is_named() -> None:
    site = intake()
    site.take([arrival(message(3, ac_limit_watts=4000, battery_low_watts=3000, battery_high_watts=3000))])

    answer = decided(site, SetpointFields(generation_limit_watts=2500.0))

    assert answer is not None
    assert answer.answer == "clipped"
    assert [(clip.field, clip.asked, clip.taken) for clip in answer.clipped] == [
        ("generation_limit_watts", 4000, 2500),
        ("battery_target_watts", 3000, 1000),
    ]
    assert answer.clipped[0].bound == "fixed"
    assert answer.clipped[1].bound


def test_leave_to_charge_from_the_grid_is_given_by_the_site_alone() -> None:
    site = intake()
    site.take([arrival(message(3, battery_grid_charging=True))])
    answer = decided(site)

    assert asked(site).battery_grid_charging_enabled is None
    assert answer is not None
    assert answer.clipped[0].bound == "publish.mqtt.portfolio.grid_charging"


def test_the_same_command_again_is_answered_again_and_renews_nothing() -> None:
    site = intake()
    site.take([arrival(message(3))])
    answer = decided(site)

    again = site.take([arrival(message(3), at_s=30.0)])

    assert again.answers == (answer,)
    assert again.setpoint is None
    assert site.setpoint is not None
    assert site.setpoint.received_at_s == 0.0


def test_after_a_restart_the_command_holds_on_and_older_ones_stay_old() -> None:
    site = intake()
    site.take([arrival(message(5, ac_limit_watts=1000))])

    again = CommandIntake.restored(
        PortfolioConfig(), "here", site.kept(), now_s=1000.0, wall=NOON + timedelta(seconds=20)
    )

    assert asked(again) == asked(site)
    assert again.setpoint is not None
    assert again.setpoint.expires_at_s == 1040.0
    assert "old" in again.take([arrival(message(4), at_s=30.0)]).refusals[0]


@given(st.lists(st.tuples(st.integers(0, 12), st.booleans(), st.integers(-90, 8)), max_size=30))
def test_what_holds_is_the_highest_number_that_came_in_time(sent: list[tuple[int, bool, int]]) -> None:
    """Whatever is repeated, reordered, kept by a broker or late."""
    site, newest = intake(), -1
    for sequence, kept, sent_s in sent:
        site.take([arrival(message(sequence, sent_s=sent_s, ac_limit_watts=sequence), redelivered=kept)])
        if not kept and -60 < sent_s <= 5:
            newest = max(newest, sequence)
        assert (site.newest, site.setpoint and site.setpoint.fields.generation_limit_watts) == (
            (None, None) if newest < 0 else (newest, newest)
        )


SITE = site_config(publish={"mqtt": {"host": "127.0.0.1", "topic": "sites/home", "portfolio": {"grid_charging": True}}})
"""The leave to charge from the grid is given here: what `fixed` says holds all the same."""
windows = st.none() | st.floats(-1e6, 1e6)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
@given(st.data())
def test_no_command_raises_a_limit_that_the_site_sets_itself(row: Row, data: st.DataObject) -> None:
    """Of each field: what holds is never wider than what `fixed` says, and where the order decides it is just that."""
    own = data.draw(values(row.value), label="own")
    low, high = sorted((data.draw(st.floats(-1e6, 1e6)), data.draw(st.floats(-1e6, 1e6))))
    command = {
        "connect": data.draw(st.none() | st.booleans()),
        "ac_limit_watts": data.draw(st.none() | st.floats(0, 1e6)),
        "battery_low_watts": data.draw(st.sampled_from((None, low, high))),
        "battery_high_watts": data.draw(st.sampled_from((None, high))),
        "battery_grid_charging": data.draw(st.none() | st.booleans()),
    }
    site = CommandIntake(PortfolioConfig(grid_charging=True), "here")
    taken = site.take([arrival(message(1, **command))])
    config = SITE.model_copy(
        update={"setpoints": SITE.setpoints.model_copy(update={"fixed": SetpointFields(**{row.name: own})})}
    )

    assert taken.setpoint is not None
    holds = getattr(merge(in_force(config, {PORTFOLIO: taken.setpoint}, 1.0, NOON.timestamp())).fields, row.name)
    if row.name in LAST_WINS:
        assert holds == own
    else:
        assert holds >= own if row.name in HIGHEST_WINS else holds <= own


def test_without_a_command_the_default_of_the_site_holds() -> None:
    portfolio = {"default": {"generation_limit_watts": 3000}}
    config = site_config(publish={"mqtt": {"host": "127.0.0.1", "topic": "sites/home", "portfolio": portfolio}})
    site = intake()
    site.take([arrival(message(1, ac_limit_watts=500))])
    received = {} if site.setpoint is None else {PORTFOLIO: site.setpoint}

    held, ended = (merge(in_force(config, received, at_s, NOON.timestamp() + at_s)) for at_s in (59.0, 61.0))

    assert held.fields.generation_limit_watts == 500
    assert ended.fields.generation_limit_watts == 3000
    assert ended.whose("generation_limit_watts") == "default of portfolio"

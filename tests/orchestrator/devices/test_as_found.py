from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from orchestrator.commands import BatteryCommand, BatteryMode, InverterCommand
from orchestrator.devices.as_found import (
    Found,
    after_command,
    after_release,
    before_command,
    from_json,
    put_back,
    reconnected,
    to_json,
    within_derating,
    without_grid_charging,
)
from orchestrator.samples import BatterySample, InverterSample, Nameplate

RECORDS = st.builds(
    Found,
    serial=st.text(max_size=32),
    grid_charging=st.sampled_from([None, True, False]),
    limited=st.booleans(),
    disconnected=st.booleans(),
    derated_watts=st.none() | st.floats(0, 1e6),
    settings=st.lists(st.tuples(st.text(max_size=20), st.integers(0, 2**32)), max_size=3).map(tuple),
)


def sample(grid_charging: bool | None, ac_limit_watts: float | None = None) -> InverterSample:
    battery = BatterySample(grid_charging_allowed=grid_charging)
    nameplate = Nameplate(serial="AB1", ac_max_watts=5000.0)
    return InverterSample("east", 0.0, battery=battery, nameplate=nameplate, ac_limit_watts=ac_limit_watts)


def command(
    grid_charging: bool | None = None, ac_limit_watts: float | None = None, connect: bool | None = None
) -> InverterCommand:
    battery = BatteryCommand(BatteryMode.IDLE, 0.0, 0.0, 0.0, grid_charging)
    return InverterCommand("east", 60, ac_limit_watts=ac_limit_watts, connect=connect, battery=battery)


def grid_charging(asked: InverterCommand) -> bool | None:
    assert asked.battery is not None
    return asked.battery.grid_charging


def test_a_setting_is_kept_as_it_was_found_until_somebody_else_sets_it() -> None:
    mode_2, ours, mode_1 = (replace(sample(None), settings=each) for each in ((("mode", 2),), (), (("mode", 1),)))
    first = before_command(Found(), mode_2, command())
    later = before_command(first, ours, command())
    newer = before_command(later, mode_1, command())

    assert put_back(command(), later).settings == (("mode", 2),)
    assert put_back(command(), newer).settings == (("mode", 1),)
    assert not later.is_empty
    assert after_release(later, command()).settings == ()


def test_without_a_command_for_the_battery_no_setting_is_kept() -> None:
    found = before_command(Found(), replace(sample(None), settings=(("mode", 2),)), InverterCommand("east", 60))

    assert found.settings == ()


@given(RECORDS)
def test_a_record_survives_json(found: Found) -> None:
    assert from_json(to_json(found)) == found


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "Expecting value"),
        ("[]", "not a JSON object"),
        ('{"settings": 3}', "no list of pairs"),
        ('{"settings": [["mode"]]}', "no list of pairs"),
        ('{"settings": [["mode", true]]}', "wrong type"),
        ("3", "not a JSON object"),
        ('{"serial": 3}', "wrong type"),
        ('{"limited": null}', "wrong type"),
        ('{"derated_watts": "many"}', "wrong type"),
        ('{"colour": "red"}', "other fields"),
    ],
)
def test_anything_else_is_no_record(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        from_json(text)


@pytest.mark.parametrize(("found", "asked"), [(False, True), (True, False)])
def test_the_permission_is_recorded_when_a_command_changes_it(found: bool, asked: bool) -> None:
    record = before_command(Found(), sample(found), command(asked))

    assert record == Found("AB1", grid_charging=found)


@pytest.mark.parametrize(("found", "asked"), [(True, True), (False, None), (None, True)])
def test_a_permission_that_no_command_changes_or_nobody_knows_is_not_recorded(
    found: bool | None, asked: bool | None
) -> None:
    assert before_command(Found(), sample(found), command(asked)).is_empty


def test_the_first_record_holds_whatever_is_seen_later() -> None:
    record = before_command(Found(), sample(False), command(True))

    assert before_command(record, sample(True), command(False)).grid_charging is False


def test_a_limit_and_a_disconnection_are_recorded_before_they_are_written() -> None:
    record = before_command(Found(), sample(None), command(ac_limit_watts=0.0, connect=False))

    assert (record.limited, record.disconnected) == (True, True)


def test_a_disconnection_is_on_record_until_the_connection_is_made_again() -> None:
    record = Found(disconnected=True)

    assert after_command(record, command()).disconnected
    assert after_command(record, command(connect=False)).disconnected
    assert not after_command(record, command(connect=True)).disconnected


def test_after_the_release_only_what_it_left_in_force_is_on_record() -> None:
    record = Found("AB1", grid_charging=True, limited=True, disconnected=True)

    assert after_release(record, command()) == Found("AB1", disconnected=True)
    assert after_release(record, command(ac_limit_watts=0.0, connect=True)) == Found("AB1", limited=True)


@given(RECORDS, st.sampled_from([None, True, False]))
def test_a_permission_that_is_left_open_becomes_the_one_found(found: Found, asked: bool | None) -> None:
    assert grid_charging(put_back(command(asked), found)) is (found.grid_charging if asked is None else asked)


def test_a_disconnection_of_ours_is_undone_where_nobody_asks_for_it() -> None:
    assert reconnected(command(), Found(disconnected=True)).connect is True
    assert reconnected(command(connect=False), Found(disconnected=True)).connect is False
    assert reconnected(command(), Found()).connect is None


def test_a_command_without_a_battery_has_no_permission_to_change() -> None:
    bare = InverterCommand("east", 60)

    assert put_back(bare, Found(grid_charging=True)) == without_grid_charging(bare) == bare
    assert grid_charging(without_grid_charging(command(True))) is None


def test_an_ac_limit_that_was_there_before_any_of_ours_is_the_installers() -> None:
    found = before_command(Found(), sample(None, ac_limit_watts=3500.0), command(ac_limit_watts=1000.0))

    assert found.derated_watts == 3500.0
    assert before_command(found, sample(None, ac_limit_watts=1000.0), command()).derated_watts == 3500.0


def test_an_ac_limit_that_may_be_ours_is_nobody_elses() -> None:
    ours = Found("AB1", limited=True)

    assert before_command(ours, sample(None, ac_limit_watts=3500.0), command()).derated_watts is None


@given(st.none() | st.floats(0, 1e5), st.floats(0, 1e5))
def test_no_command_lifts_the_installers_limit(asked_watts: float | None, derated_watts: float) -> None:
    made = put_back(command(ac_limit_watts=asked_watts), Found("AB1", derated_watts=derated_watts))

    assert made.ac_limit_watts is not None
    assert made.ac_limit_watts <= derated_watts
    assert asked_watts is None or made.ac_limit_watts == min(asked_watts, derated_watts)
    assert made.ac_limit_watts < derated_watts or not made.ac_limit_reverts


def test_a_derated_inverter_counts_as_no_larger_than_its_limit() -> None:
    derated = within_derating(Found("AB1", derated_watts=3500.0), sample(None))

    assert derated.nameplate.ac_max_watts == 3500.0
    assert within_derating(Found("AB1"), sample(None)) == sample(None)
    assert within_derating(Found("AB1", derated_watts=9000.0), sample(None)) == sample(None)


def test_after_a_release_the_installers_limit_is_in_the_device_and_no_longer_on_record() -> None:
    assert after_release(Found("AB1", limited=True, derated_watts=3500.0), command()).is_empty
    safe = after_release(Found("AB1", limited=True, derated_watts=3500.0), command(ac_limit_watts=0.0))
    assert safe.derated_watts == 3500.0

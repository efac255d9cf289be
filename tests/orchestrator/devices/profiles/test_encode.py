"""Commands as writes: what may never be written, whatever is asked of whichever make."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from orchestrator.commands import BatteryCommand, BatteryMode, InverterCommand
from orchestrator.devices.base import WriteGroup
from orchestrator.devices.makes.command_schema import AFTER, BY_AC, REVERT, Write
from orchestrator.devices.makes.registers import Register, raw_range, read_value
from orchestrator.devices.makes.schema import Profile, writes_of
from orchestrator.devices.profiles.device import ProfileDevice
from orchestrator.devices.profiles.power_at_ac import SPARE_WATTS
from orchestrator.devices.sunspec.encoding.verify import register_name
from orchestrator.devices.sunspec.encoding.writes import WRITABLE
from orchestrator.samples import Nameplate
from tests.orchestrator.devices.profiles.makes import DRIVERS, NAMES, cycle_of_make, device_of_make

Words = dict[int, int]

NOISE = 1e-6
"""So much of a raw number is rounding of a division."""
WATTS = st.floats(-30_000, 30_000) | st.integers(-30_000, 30_000).map(float) | st.just(0.0)
SECONDS = st.floats(1e-6, 10.0) | st.integers(10, 3600).map(float) | st.just(1e9)
LIMITS = st.none() | st.floats(0, 20_000) | st.just(float("inf"))
SAME_SIGN = ("watts", "minus_watts", "charge_watts", "discharge_watts")


@st.composite
def battery_commands(draw: st.DrawFn) -> BatteryCommand:
    ends = sorted((draw(WATTS), draw(WATTS)))
    low, high = (end if draw(st.booleans()) else None for end in ends)
    if draw(st.booleans()):
        high = low
    grid = draw(st.sampled_from([None, True, False]))
    return BatteryCommand(draw(st.sampled_from(BatteryMode)), draw(WATTS), low, high, grid_charging=grid)


COMMANDS = st.builds(
    InverterCommand,
    inverter=st.just("x"),
    valid_for_s=SECONDS,
    ac_limit_watts=LIMITS,
    ac_limit_reverts=st.booleans(),
    connect=st.sampled_from([None, True, False]),
    battery=st.none() | battery_commands(),
)
DEVICES = st.sampled_from(NAMES)
COMMANDED = {name: DRIVERS[name].profile.commands for name in NAMES}
OWN_LIMIT = st.sampled_from([name for name, own in COMMANDED.items() if own.ac_limit])
OWN_BATTERY = st.sampled_from([name for name, own in COMMANDED.items() if own.battery])
TIMED = st.sampled_from([name for name, own in COMMANDED.items() if own.battery and own.battery.revert.register_])


def device_with(name: str, data: st.DataObject) -> ProfileDevice:
    """The make's device, sometimes one that does not say what it is able to do."""
    device = device_of_make(name)
    silent = data.draw(st.sampled_from([None, None, "nameplate", "all"]))
    if silent == "nameplate":
        plate = structs.replace(device.nameplate, charge_max_watts=None, discharge_max_watts=None, capacity_wh=None)
        return replace(device, nameplate=plate)
    return replace(device, nameplate=Nameplate(), fixed={}) if silent == "all" else device


def registers_with(name: str, data: st.DataObject) -> Words:
    words = dict(cycle_of_make(name))
    places = st.sampled_from(sorted(words))
    words |= data.draw(st.dictionaries(places, st.integers(0, 0xFFFF), max_size=8))
    for place in data.draw(st.sets(places, max_size=5)):
        del words[place]
    return words


def written_words(groups: tuple[WriteGroup, ...]) -> Words:
    return {at: word for g in groups for w in g.writes for at, word in enumerate(w.values, w.address)}


def places_of(register: Register) -> range:
    return range(register.place, register.end)


def written_values(profile: Profile, steps: tuple[Write, ...], words: Words) -> Iterator[tuple[Write, Register, float]]:
    """What each step wrote, in its unit."""
    for step in steps:
        register = profile.registers[step.register_]
        plain = register.model_copy(update={"missing": ()})
        value = read_value(plain, words, profile.word_order)
        if value is not None:
            yield step, register, value


def group_called(groups: tuple[WriteGroup, ...], name: str) -> Words:
    return written_words(tuple(group for group in groups if group.name == name))


def target_of(asked: BatteryCommand) -> float:
    low = -1e99 if asked.low_watts is None else asked.low_watts
    high = 1e99 if asked.high_watts is None else asked.high_watts
    return min(max(asked.watts, low), high)


@settings(max_examples=100)
@given(DEVICES, COMMANDS, st.data())
def test_only_words_of_registers_that_are_named_for_writing_are_written(
    name: str, command: InverterCommand, data: st.DataObject
) -> None:
    device, driver = device_with(name, data), DRIVERS[name]
    registers = registers_with(name, data)
    groups = driver.encode(device, command, registers)
    own = {at for write in writes_of(driver.profile) for at in places_of(driver.profile.registers[write.register_])}

    for group in groups:
        assert group.writes
        assert group.refresh_s is None or group.refresh_s > 0
        for write in group.writes:
            assert 0 < len(write.values) <= 123
            assert all(0 <= word <= 0xFFFF for word in write.values)
    for at in written_words(groups):
        assert at in own or (device.base and register_name(device.base, at) in WRITABLE)
    assert driver.encode(device, command, dict(reversed(registers.items()))) == groups
    driver.verify(device, groups, registers)


@settings(max_examples=100)
@given(OWN_BATTERY, battery_commands(), SECONDS, st.data())
def test_no_power_of_a_battery_is_more_than_was_asked(
    name: str, asked: BatteryCommand, seconds: float, data: st.DataObject
) -> None:
    device, driver = device_with(name, data), DRIVERS[name]
    own = driver.profile.commands.battery
    groups = driver.encode(device, InverterCommand("x", seconds, battery=asked), registers_with(name, data))
    target = target_of(asked)
    for mode in BatteryMode if own is not None else ():
        words = group_called(groups, f"battery {mode}")
        for step, register, value in written_values(driver.profile, getattr(own, mode), words):
            if step.to in SAME_SIGN:
                assert abs(value) <= abs(target) + NOISE * register.scale
                assert value == 0 or (value > 0) == (target > 0) or step.to in ("minus_watts", "discharge_watts")
            if step.to == "most_charge_watts" and asked.high_watts is not None:
                assert value <= max(asked.high_watts, 0.0) + NOISE


@settings(max_examples=100)
@given(OWN_LIMIT, st.floats(0, 20_000), st.booleans(), SECONDS, st.data())
def test_an_ac_limit_is_never_above_what_was_asked(
    name: str, watts: float, reverts: bool, seconds: float, data: st.DataObject
) -> None:
    device, driver = device_with(name, data), DRIVERS[name]
    command = InverterCommand("x", seconds, ac_limit_watts=watts, ac_limit_reverts=reverts)
    own, rating = driver.profile.commands.ac_limit, device.rated_watts
    words = group_called(driver.encode(device, command, registers_with(name, data)), "ac_limit")
    if own is None:
        return
    assert rating is not None or not words
    for step, register, value in written_values(driver.profile, own.set, words):
        assert rating is not None
        limit = value if step.to == "limit_watts" else value * rating / 100.0
        if step.to in ("limit_watts", "limit_percent") or (step.to == AFTER and not reverts):
            assert 0 <= limit <= min(watts, rating) + 1e-5 * rating
        ends = reverts or any(each.to == AFTER for each in own.set)
        if step.to == REVERT and not ends:
            assert value == 0
        if step.to == REVERT and ends:
            most = raw_range(register)[1] * register.scale
            assert min(seconds, most) - NOISE * register.scale <= value <= max(seconds + register.scale, register.scale)


@settings(max_examples=60)
@given(TIMED, battery_commands(), SECONDS, st.data())
def test_a_time_is_never_shortened_and_never_for_ever(
    name: str, asked: BatteryCommand, seconds: float, data: st.DataObject
) -> None:
    device, driver = device_with(name, data), DRIVERS[name]
    own = driver.profile.commands.battery
    groups = driver.encode(device, InverterCommand("x", seconds, battery=asked), registers_with(name, data))
    for mode in BatteryMode if own is not None else ():
        words = group_called(groups, f"battery {mode}")
        for step, register, value in written_values(driver.profile, getattr(own, mode), words):
            if step.to == REVERT:
                most = raw_range(register)[1] * register.scale
                assert min(seconds, most) - NOISE * register.scale <= value <= seconds + register.scale
                assert value >= register.scale


@pytest.mark.parametrize("name", NAMES)
def test_a_command_is_refreshed_before_half_of_its_time(name: str) -> None:
    device, driver = device_of_make(name), DRIVERS[name]
    asked = BatteryCommand(BatteryMode.CHARGE, 1000.0, 1000.0, 1000.0)
    groups = driver.encode(device, InverterCommand("x", 60.0, battery=asked), cycle_of_make(name))
    own = driver.profile.commands.battery
    if own is None:
        return
    refresh_s = next(group.refresh_s for group in groups if group.name == "battery charge")
    lapses_s = own.revert.after_s if own.revert.after_s is not None else 60.0 if own.revert.register_ else None

    assert (refresh_s is None) == (lapses_s is None)
    assert refresh_s is None or lapses_s is None or refresh_s < lapses_s / 2


def charge(device: ProfileDevice, name: str, watts: float, **options: Any) -> Words:
    command = BatteryCommand(BatteryMode.CHARGE, watts, watts, watts)
    return written_words(
        DRIVERS[name].encode(device, InverterCommand("x", 60.0, battery=command), options.get("registers", {}))
    )


def value_of(name: str, register: str, words: Words) -> float | None:
    profile = DRIVERS[name].profile
    return read_value(profile.registers[register], words, profile.word_order)


def test_a_battery_that_does_not_say_what_it_can_do_is_not_held_back_by_the_ac_rating() -> None:
    name = "kostal-plenticore"
    device = device_of_make(name)
    device = replace(device, nameplate=structs.replace(device.nameplate, charge_max_watts=None))
    assert device.rated_watts == 6000.0

    assert value_of(name, "most_charge", charge(device, name, 1000.0)) == 6000.0
    assert value_of(name, "most_charge", charge(device, name, 9000.0)) == 9000.0
    assert value_of(name, "battery_set_point", charge(device, name, 9000.0)) == -9000.0


def test_without_any_rating_the_battery_is_commanded_and_no_limit_is_set() -> None:
    name = "kostal-plenticore"
    device = replace(device_of_make(name), nameplate=Nameplate(), base=None)
    words = charge(device, name, 1500.0)

    assert device.rated_watts is None
    assert value_of(name, "battery_set_point", words) == -1500.0
    assert value_of(name, "most_charge", words) == 1500.0
    assert value_of(name, "most_discharge", words) == 0.0


def cycle_without(name: str, pv_watts: int, *missing: str, **shown: int) -> Words:
    """A cycle of a GX with a large battery, so much PV, raw words `shown` and without what is `missing`."""
    registers = DRIVERS[name].profile.registers
    raw = {"dc_pv_power": pv_watts, "most_charge_amperes": 9999, "most_discharge_amperes": 9999, **shown}
    words = dict(cycle_of_make(name)) | {registers[key].place: word & 0xFFFF for key, word in raw.items()}
    for key in missing:
        del words[registers[key].place]
    return words


LOADS = {"ac_out_l1": 50, "ac_out_l2": 100, "ac_out_l3": 30}


def test_what_hangs_on_the_ac_output_is_drawn_on_its_phase_on_top_of_what_the_battery_gets() -> None:
    name = "victron-gx"
    words = charge(device_of_make(name), name, 1900.0, registers=cycle_without(name, pv_watts=0, **LOADS))
    each = 1900.0 / 0.95 / 3

    assert [value_of(name, f"set_point_l{phase}", words) for phase in (1, 2, 3)] == [
        pytest.approx(each + load, abs=1.0) for load in (500, 1000, 300)
    ]


@pytest.mark.parametrize("missing", ["ac_out_l2", "dc_pv_power"])
def test_while_the_ac_output_or_pv_is_unknown_the_battery_is_held(missing: str) -> None:
    name = "victron-gx"
    words = charge(device_of_make(name), name, -1900.0, registers=cycle_without(name, 0, missing, **LOADS))

    assert value_of(name, "feeding_in_disabled", words) == 1
    assert value_of(name, "set_point_l1", words) == 0


def test_a_battery_at_the_reserve_of_its_device_is_idle_in_place_of_discharged() -> None:
    name = "victron-gx"
    at_reserve = cycle_without(name, 0, state_of_charge=30, least_charge=300)
    above = cycle_without(name, 0, state_of_charge=31, least_charge=300)

    assert value_of(name, "set_point_l1", charge(device_of_make(name), name, -1900.0, registers=at_reserve)) == 0
    assert value_of(name, "set_point_l1", charge(device_of_make(name), name, -1900.0, registers=above)) == -601


@pytest.mark.parametrize(("watts", "limit"), [(-1900.0, "most_discharge_amperes"), (1900.0, "most_charge_amperes")])
def test_no_more_is_asked_than_the_battery_takes_or_gives_now(watts: float, limit: str) -> None:
    name = "victron-gx"
    volts = value_of(name, "battery_voltage", dict(cycle_of_make(name))) or 0.0
    words = charge(device_of_make(name), name, watts, registers=cycle_without(name, 0, **{limit: 100}))
    drawn = sum(value_of(name, f"set_point_l{phase}", words) or 0.0 for phase in (1, 2, 3))

    taken = (10 * volts - SPARE_WATTS) / 0.95  # so much less that AC has some over, from which hidden PV rises
    assert drawn == pytest.approx(taken if watts > 0 else -10 * volts * 0.95, abs=3.1)


def test_what_is_of_phases_that_are_not_there_is_not_written() -> None:
    name = "victron-gx"
    device, registers = device_of_make(name), DRIVERS[name].profile.registers
    single = replace(device, fixed={**device.fixed, registers["phases"].place: 1})
    words = charge(single, name, 1900.0, registers=cycle_without(name, 0))

    assert registers["set_point_l1"].place in words
    assert not {registers["set_point_l2"].place, registers["set_point_l3"].place} & words.keys()


@pytest.mark.parametrize(
    ("recorded", "shown", "written"), [({}, 3, 1), ({"ess_mode": 2}, 3, 2), ({}, 2, 2), ({"ess_mode": 1}, 3, 1)]
)
def test_release_puts_back_what_was_found_and_leaves_what_was_never_changed(
    recorded: dict[str, int], shown: int, written: int
) -> None:
    name = "victron-gx"
    settings = tuple(recorded.items())
    command = InverterCommand("x", 60.0, battery=BatteryCommand.release(), settings=settings)
    registers = cycle_without(name, 0, ess_mode=shown)
    words = registers | written_words(DRIVERS[name].encode(device_of_make(name), command, registers))

    assert value_of(name, "ess_mode", words) == written


@pytest.mark.parametrize(("phases", "share"), [(1, 1.0), (3, 1 / 3), (0, 1 / 3), (None, 1 / 3)])
def test_power_at_ac_is_shared_by_the_phases_and_by_three_where_they_are_unknown(
    phases: int | None, share: float
) -> None:
    name = "victron-gx"
    device = device_of_make(name)
    place = DRIVERS[name].profile.registers["phases"].place
    fixed = {**device.fixed, place: phases} if phases is not None else {}
    words = charge(replace(device, fixed=fixed), name, 1900.0, registers=cycle_without(name, pv_watts=0))

    assert value_of(name, "set_point_l1", words) == int(1900.0 / 0.95 * share + NOISE)


@given(st.floats(0, 20_000), st.floats(-5000, 5000))
def test_what_is_drawn_from_ac_is_what_the_pv_leaves_to_draw(pv_watts: float, watts: float) -> None:
    name = "victron-gx"
    profile = DRIVERS[name].profile
    words = charge(device_of_make(name), name, watts, registers=cycle_without(name, pv_watts=int(pv_watts)))
    drawn = sum(value_of(name, f"set_point_l{phase}", words) or 0.0 for phase in (1, 2, 3))
    own = profile.commands.battery
    assert own is not None
    assert any(step.to in BY_AC for step in own.charge)

    phases = 1 if value_of(name, "phases", dict(device_of_make(name).fixed)) == 1 else 3
    drawn = drawn if phases == 3 else drawn / 3
    missing = watts - int(pv_watts)
    assert abs(drawn) <= abs(missing) / 0.95 + NOISE
    assert drawn == pytest.approx(missing / 0.95 if missing > 0 else missing * 0.95, abs=3.1)


def test_a_limit_in_flash_goes_in_coarse_steps_downwards() -> None:
    name = "huawei-luna"
    device = device_of_make(name)
    for asked, written in ((6000.0, 6000.0), (5999.0, 5700.0), (3000.0, 3000.0), (299.0, 0.0), (9000.0, 6000.0)):
        groups = DRIVERS[name].encode(device, InverterCommand("x", 60.0, ac_limit_watts=asked), {})

        assert value_of(name, "fixed_derating", written_words(groups)) == written


@pytest.mark.parametrize("name", NAMES)
def test_a_setting_is_written_only_where_the_device_shows_another(name: str) -> None:
    device, driver = device_of_make(name), DRIVERS[name]
    asked = BatteryCommand(BatteryMode.CHARGE, 1000.0, 1000.0, 1000.0, grid_charging=True)
    command = InverterCommand("x", 60.0, ac_limit_watts=3000.0, battery=asked)
    prepared = {group.name for group in driver.encode(device, command, {}) if _is_setting(group)}
    shown = written_words(driver.encode(device, command, {}))

    own = driver.profile.commands
    steps = sum(len(part.prepare) for part in (own.ac_limit, own.battery) if part is not None)
    assert len(prepared) == steps
    assert not [group for group in driver.encode(device, command, shown) if _is_setting(group)]


def _is_setting(group: WriteGroup) -> bool:
    return group.name.startswith(("ac_limit ", "battery ")) and group.name.partition(" ")[2] not in set(BatteryMode)


def test_what_is_in_flash_already_is_not_written_again() -> None:
    name = "sungrow-sh"
    device, driver = device_of_make(name), DRIVERS[name]
    half = InverterCommand("x", 60.0, ac_limit_watts=3000.0)
    first = driver.encode(device, half, {})
    words = written_words(first)
    second = driver.encode(device, InverterCommand("x", 60.0, ac_limit_watts=1800.0), words)
    nothing = driver.encode(device, half, words)

    assert [write.register for group in first for write in group.writes] == [
        "limit_percent_of_nominal",
        "limit_enabled",
    ]
    assert [write.register for group in second for write in group.writes] == ["limit_percent_of_nominal"]
    assert nothing == ()


@pytest.mark.parametrize("name", NAMES)
def test_a_release_is_written_whatever_the_device_shows(name: str) -> None:
    device, driver = device_of_make(name), DRIVERS[name]
    command = InverterCommand("x", 60.0, battery=BatteryCommand.release())
    first = driver.encode(device, command, {})
    second = driver.encode(device, command, written_words(first))
    released = [[group for group in groups if group.name == "battery release"] for groups in (first, second)]

    assert released[0] == released[1]
    assert bool(released[0]) == (driver.profile.commands.battery is not None)


@pytest.mark.parametrize("name", NAMES)
def test_what_a_battery_is_told_is_told_as_a_whole_whatever_the_device_shows(name: str) -> None:
    device, driver = device_of_make(name), DRIVERS[name]
    own = driver.profile.commands.battery
    asked = BatteryCommand(BatteryMode.CHARGE, 1500.0, 1500.0, 1500.0, grid_charging=True)
    command = InverterCommand("x", 60.0, battery=asked)
    shown = dict(cycle_of_make(name)) | written_words(driver.encode(device, command, cycle_of_make(name)))
    told = group_called(driver.encode(device, command, shown), "battery charge")

    if own is not None:
        assert {own_register(name, step) for step in own.charge if step.only_while is None} <= told.keys()


def own_register(name: str, step: Write) -> int:
    return DRIVERS[name].profile.registers[step.register_].place


def test_steps_on_neighbouring_registers_go_in_one_request() -> None:
    device = device_of_make("goodwe-et")
    asked = BatteryCommand(BatteryMode.CHARGE, 1000.0, 1000.0, 1000.0)
    groups = DRIVERS["goodwe-et"].encode(device, InverterCommand("x", 60.0, battery=asked), {})

    assert [(write.address, write.values) for group in groups for write in group.writes] == [(47511, (11, 1000))]

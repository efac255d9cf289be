"""Commands for a battery as writes to model 124: every intent, in the order and the numbers that devices need."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from orchestrator.commands import BatteryCommand, BatteryMode, InverterCommand
from orchestrator.devices.base import WriteGroup
from orchestrator.devices.sunspec.encoding.verify import register_name
from orchestrator.devices.sunspec.encoding.writes import WRITABLE
from orchestrator.devices.sunspec.enums import GridCharging, StorageControl
from tests.orchestrator.devices.sunspec.images import DRIVER, Image, cycle, discovery_of, dump, hybrid, registers_of

WCHAMAX = 10240.0
OUT_RATE, IN_RATE, WIN, REVERT, RAMP, GRID, MODE = 12, 13, 14, 15, 16, 17, 5


def window(low: float | None, high: float | None, grid: bool | None = False) -> BatteryCommand:
    return BatteryCommand(BatteryMode.IDLE, low_watts=low, high_watts=high, grid_charging=grid)


def group_of(image: Image, battery: BatteryCommand | None, valid_for_s: float = 60) -> WriteGroup | None:
    device = discovery_of(image)
    order = InverterCommand("east", valid_for_s, battery=battery)
    groups = DRIVER.encode(device, order, registers_of(image, DRIVER.plan_readback(device)))
    return next((group for group in groups if group.name == "battery"), None)


def written(image: Image, battery: BatteryCommand, **more: Any) -> dict[int, int]:
    """Words by offset in model 124."""
    group, storage = group_of(image, battery, **more), discovery_of(image).storage
    assert group is not None
    assert storage is not None
    return {at - storage.address: word for w in group.writes for at, word in enumerate(w.values, start=w.address)}


def signed(word: int) -> int:
    return word - 0x10000 if word > 0x7FFF else word


PERCENT = WCHAMAX / 100

INTENTS = [
    ("release", None, None, False, 0, 100, 100, None),
    ("hold: no discharge, PV may charge", 0, None, False, 2, 0, 100, None),
    ("no charge, discharge allowed", None, 0, False, 1, 100, 0, None),
    ("idle", 0, 0, False, 3, 0, 0, None),
    ("limit discharge to 40 %", -40 * PERCENT, None, False, 2, 40, 100, None),
    ("limit charge to 30 %", None, 30 * PERCENT, False, 1, 100, 30, None),
    ("limit discharge to 40 % and charge to 30 %", -40 * PERCENT, 30 * PERCENT, False, 3, 40, 30, None),
    ("force charge, at least 25 %, from the grid", 25 * PERCENT, None, True, 2, -25, 100, 1),
    ("force charge at exactly 25 %, from the grid", 25 * PERCENT, 25 * PERCENT, True, 3, -25, 25, 1),
    ("force discharge, at least 20 %", None, -20 * PERCENT, False, 1, 100, -20, None),
    ("force discharge at exactly 20 %", -20 * PERCENT, -20 * PERCENT, False, 3, 20, -20, None),
]


@pytest.mark.parametrize(
    ("low", "high", "grid", "mode", "out_percent", "in_percent", "chagriset"),
    [intent[1:] for intent in INTENTS],
    ids=[intent[0] for intent in INTENTS],
)
def test_every_intent_is_written_as_the_reference_says(
    *,
    low: float | None,
    high: float | None,
    grid: bool,
    mode: int,
    out_percent: int,
    in_percent: int,
    chagriset: int | None,
) -> None:
    words = written(hybrid(), window(low, high, grid))

    assert words[MODE] == mode
    assert (signed(words[OUT_RATE]), signed(words[IN_RATE])) == (100 * out_percent, 100 * in_percent)
    assert words.get(GRID) == chagriset
    assert (words[WIN], words[RAMP]) == (0, 0)


def test_the_worked_example_has_its_words() -> None:
    words = written(hybrid(), window(3000, 3000))

    assert (words[OUT_RATE], words[IN_RATE], words[MODE]) == (0xF48E, 0x0B72, 3)


@pytest.mark.parametrize(("scale", "raw"), [(-2, 2930), (-1, 293), (0, 29), (1, 3)])
def test_the_scale_factor_is_used(scale: int, raw: int) -> None:
    words = written(hybrid(InOutWRte_SF=scale), window(3000, 3000))

    assert (signed(words[OUT_RATE]), signed(words[IN_RATE])) == (-raw, raw)


def test_rates_and_timers_go_in_one_write_before_the_mode() -> None:
    group = group_of(hybrid(), window(3000, 3000))
    storage = discovery_of(hybrid()).storage
    assert group is not None
    assert storage is not None

    assert [(w.address - storage.address, len(w.values), w.register) for w in group.writes] == [
        (12, 5, "124.OutWRte"),
        (5, 1, "124.StorCtl_Mod"),
    ]


def test_the_grid_permission_is_written_only_where_it_changes() -> None:
    assert written(hybrid(ChaGriSet=0), window(0, 0, grid=True))[GRID] == GridCharging.GRID
    assert written(hybrid(ChaGriSet=1), window(0, 0, grid=False))[GRID] == GridCharging.PV
    assert GRID not in written(hybrid(ChaGriSet=1), window(0, 0, grid=True))
    assert GRID not in written(hybrid(ChaGriSet=0), window(0, 0, grid=False))


def test_a_grid_permission_that_the_device_does_not_have_is_not_written() -> None:
    words = written(hybrid(ChaGriSet=None), window(0, 0, grid=True))

    assert GRID not in words


@pytest.mark.parametrize("found", [0, 1])
def test_an_open_grid_permission_puts_back_what_was_found(found: int) -> None:
    image = hybrid(ChaGriSet=found)
    device = discovery_of(image)
    assert device.storage is not None
    image.words[device.storage.address + GRID] = 1 - found

    order = InverterCommand("east", 60, battery=BatteryCommand.release())
    groups = DRIVER.encode(device, order, cycle(image, device))
    battery = next(group for group in groups if group.name == "battery")

    assert battery.writes[0].values[-1] == found


def test_the_revert_time_is_written_and_refreshed_before_its_half() -> None:
    group = group_of(hybrid(), window(0, 0), valid_for_s=60)

    assert group is not None
    assert written(hybrid(), window(0, 0))[REVERT] == 60
    assert group.refresh_s == 24


def test_a_release_needs_no_timer_and_no_refresh() -> None:
    group = group_of(hybrid(), BatteryCommand.release())

    assert group is not None
    assert written(hybrid(), BatteryCommand.release())[REVERT] == 0
    assert group.refresh_s is None


def test_a_battery_without_revert_time_is_written_around_it_and_not_refreshed() -> None:
    timers = dict.fromkeys(("InOutWRte_WinTms", "InOutWRte_RvrtTms", "InOutWRte_RmpTms"))
    group = group_of(hybrid(**timers), window(3000, 3000, grid=True))
    storage = discovery_of(hybrid()).storage
    assert group is not None
    assert storage is not None

    assert [(w.address - storage.address, w.values) for w in group.writes] == [
        (17, (1,)),
        (12, (0xF48E, 0x0B72)),
        (5, (3,)),
    ]
    assert group.refresh_s is None


def test_an_inverter_without_usable_battery_gets_no_write_and_no_error() -> None:
    assert group_of(dump("sma_sb36_day"), window(3000, 3000)) is None
    assert group_of(hybrid(InOutWRte_SF=None), window(3000, 3000)) is None


def test_a_battery_that_is_not_ours_is_left_alone() -> None:
    assert group_of(hybrid(), None) is None


def test_percent_is_of_the_wchamax_of_this_moment() -> None:
    image = hybrid()
    device = discovery_of(image)
    assert device.storage is not None
    order = InverterCommand("east", 60, battery=window(1000, 1000))

    for wchamax, raw in ((5000, 2000), (0xFFFF, 977), (0, 977)):
        image.words[device.storage.address + 2] = wchamax
        (battery,) = (g for g in DRIVER.encode(device, order, cycle(image, device)) if g.name == "battery")
        assert battery.writes[0].values[1] == raw


WATTS = st.floats(-2e4, 2e4)
SIDE = st.none() | WATTS


@given(low=SIDE, high=SIDE, scale=st.sampled_from([-2, -1, 0, 1, 2]), wchamax=st.integers(1, 65534))
def test_the_window_never_contradicts_itself_whatever_the_mode(
    low: float | None, high: float | None, scale: int, wchamax: int
) -> None:
    assume(low is None or high is None or low <= high)

    words = written(hybrid(InOutWRte_SF=scale, WChaMax=wchamax), window(low, high))
    out_rate, in_rate = signed(words[OUT_RATE]), signed(words[IN_RATE])

    assert -in_rate <= out_rate
    assert abs(out_rate) * 10.0**scale <= 100
    assert abs(in_rate) * 10.0**scale <= 100
    assert bool(words[MODE] & StorageControl.CHARGE) == (high is not None)
    assert bool(words[MODE] & StorageControl.DISCHARGE) == (low is not None)


@given(watts=WATTS, scale=st.sampled_from([-2, -1, 0, 1, 2]))
def test_a_pinned_battery_gets_one_number_within_half_a_step(watts: float, scale: int) -> None:
    words = written(hybrid(InOutWRte_SF=scale), window(watts, watts))
    in_rate = signed(words[IN_RATE])
    in_watts = in_rate * 10.0**scale * PERCENT

    assert signed(words[OUT_RATE]) == -in_rate
    assert abs(in_watts - min(max(watts, -WCHAMAX), WCHAMAX)) <= 0.5 * 10.0**scale * PERCENT + 1e-6


@given(
    limit=st.none() | st.floats(0, 1e5),
    connect=st.none() | st.booleans(),
    low=SIDE,
    grid=st.none() | st.booleans(),
    missing=st.sets(st.sampled_from(sorted(WRITABLE))),
    reverts=st.booleans(),
)
def test_nothing_but_the_list_of_writable_registers_is_ever_written(
    *,
    limit: float | None,
    connect: bool | None,
    low: float | None,
    grid: bool | None,
    missing: set[str],
    reverts: bool,
) -> None:
    image = hybrid(**{name[4:]: None for name in missing}, ChaState=5000)
    device = discovery_of(image)
    battery = window(low, None, grid)
    order = InverterCommand("x", 60, limit, reverts, connect, battery)

    groups = DRIVER.encode(device, order, cycle(image, device))

    for write in (write for group in groups for write in group.writes):
        names = {register_name(device, write.address + index) for index in range(len(write.values))}
        assert write.register in names
        assert names <= WRITABLE
        assert not names & missing
        assert all(0 <= word <= 0xFFFF for word in write.values)
    assert "124.WChaGra" not in {write.register for group in groups for write in group.writes}

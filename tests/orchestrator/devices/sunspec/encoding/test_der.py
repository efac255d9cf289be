"""Commands as writes to model 704: order, units, signs, revert values, and what is left alone."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.commands import BatteryCommand, BatteryMode, InverterCommand
from orchestrator.devices.base import WriteGroup
from orchestrator.devices.sunspec.encoding.writes import WRITABLE
from tests.orchestrator.devices.sunspec.images import (
    BATTERY_PORT,
    DRIVER,
    PV_PORTS,
    Image,
    cycle,
    der,
    discovery_of,
    registers_of,
)


def groups(image: Image, **command: Any) -> dict[str, WriteGroup]:
    device = discovery_of(image)
    registers = cycle(image, device) | registers_of(image, DRIVER.plan_readback(device))
    order = InverterCommand("east", **{"valid_for_s": 60, **command})
    return {group.name: group for group in DRIVER.encode(device, order, registers)}


def points(image: Image, group: WriteGroup) -> list[dict[str, int]]:
    """The numbers of each write by the points of model 704, in two's complement."""
    device = discovery_of(image)
    assert device.der_controls is not None
    wide = {18: "WMaxLimPctRvrtTms", 24: "WSet", 26: "WSetRvrt", 31: "WSetRvrtTms"}
    narrow = {14: "WMaxLimPctEna", 15: "WMaxLimPct", 16: "WMaxLimPctRvrt", 17: "WMaxLimPctEnaRvrt"} | {
        22: "WSetEna",
        23: "WSetMod",
        30: "WSetEnaRvrt",
    }
    found = []
    for write in group.writes:
        words = {write.address - device.der_controls.address + at: word for at, word in enumerate(write.values)}
        values = {narrow[at]: word for at, word in words.items() if at in narrow}
        values |= {wide[at]: word << 16 | words[at + 1] for at, word in words.items() if at in wide}
        found.append(values)
    return found


def window(low: float | None, high: float | None, watts: float = 0.0, grid: bool | None = True) -> BatteryCommand:
    return BatteryCommand(BatteryMode.CHARGE, watts, low, high, grid)


def set_point(image: Image, battery: BatteryCommand, **command: Any) -> int:
    """WSet in watts, signed."""
    (settings, *_), _ = points(image, groups(image, battery=battery, **command)["battery"])[:2], None
    raw = settings["WSet"]
    return raw - (1 << 32) if raw >> 31 else raw


def test_a_limit_is_written_settings_first_and_then_enabled() -> None:
    image = der()
    group = groups(image, ac_limit_watts=1500)["ac_limit"]

    assert points(image, group) == [
        {"WMaxLimPct": 300, "WMaxLimPctRvrt": 1000, "WMaxLimPctEnaRvrt": 0, "WMaxLimPctRvrtTms": 60},
        {"WMaxLimPctEna": 1},
    ]
    assert [write.register for write in group.writes] == ["704.WMaxLimPct", "704.WMaxLimPctEna"]
    assert group.refresh_s == 24


def test_a_limit_that_is_to_stay_reverts_to_what_is_safe() -> None:
    image = der()
    group = groups(image, ac_limit_watts=1500, ac_limit_reverts=False, ac_limit_after_watts=250)["ac_limit"]

    assert points(image, group)[0] == {
        **{"WMaxLimPct": 300, "WMaxLimPctRvrt": 50, "WMaxLimPctEnaRvrt": 1, "WMaxLimPctRvrtTms": 60},
    }
    assert group.refresh_s == 24


def test_also_without_a_limit_there_is_one_to_revert_to() -> None:
    image = der()
    group = groups(image, ac_limit_watts=None, ac_limit_after_watts=250)["ac_limit"]

    assert [write["WMaxLimPct"] for write in points(image, group) if "WMaxLimPct" in write] == [1000]
    assert points(image, group)[-1] == {"WMaxLimPctEna": 1}


@pytest.mark.parametrize("missing", ["WMaxLimPctRvrt", "WMaxLimPctEnaRvrt", "WMaxLimPctRvrtTms"])
def test_without_a_revert_value_a_limit_that_is_to_stay_has_no_time(missing: str) -> None:
    image = der(**{missing: None})
    group = groups(image, ac_limit_watts=1500, ac_limit_reverts=False, ac_limit_after_watts=250)["ac_limit"]

    assert all(write.get("WMaxLimPctRvrtTms", 0) == 0 for write in points(image, group))
    assert group.refresh_s == 48
    assert "ac_limit" not in groups(image, ac_limit_after_watts=250)


def test_what_is_left_on_a_stop_has_no_time() -> None:
    image = der()
    group = groups(image, ac_limit_watts=250, ac_limit_reverts=False)["ac_limit"]

    assert points(image, group)[0]["WMaxLimPctRvrtTms"] == 0
    assert group.refresh_s == 48


def test_no_limit_is_written_only_where_there_is_one() -> None:
    limited = der(WMaxLimPctEna=1, WMaxLimPct=300)

    assert "ac_limit" not in groups(der())
    assert points(limited, groups(limited)["ac_limit"])[-1] == {"WMaxLimPctEna": 0}


@given(st.floats(0, 20000))
def test_a_limit_is_never_exceeded_by_rounding(watts: float) -> None:
    image = der()

    percent = points(image, groups(image, ac_limit_watts=watts)["ac_limit"])[0]["WMaxLimPct"] / 10

    assert percent * 50 <= min(watts, 5000) + 1e-6
    assert percent * 50 > min(watts, 5000) - 5.01


def test_a_battery_gets_its_set_point_in_watts_with_a_time_and_no_set_point_to_revert_to() -> None:
    image = der(W=0, ports=({**BATTERY_PORT, "DCW": 0},))
    group = groups(image, battery=window(-1500, -1500, -1500))["battery"]

    assert points(image, group) == [
        {"WSetMod": 1, "WSet": 1500, "WSetRvrt": 0},
        {"WSetEnaRvrt": 0, "WSetRvrtTms": 60},
        {"WSetEna": 1},
    ]
    assert group.refresh_s == 24


def resting(**changes: Any) -> Image:
    return der(**{"W": 0, "ports": ({**BATTERY_PORT, "DCW": 0},), **changes})


@pytest.mark.parametrize("watts", [3000, 0, -1500])
def test_charging_is_negative_at_ac(watts: float) -> None:
    assert set_point(resting(), window(watts, watts, watts)) == -watts


def test_a_set_point_stays_within_the_ratings() -> None:
    assert set_point(resting(), window(9000, 9000, 9000)) == -4000
    assert set_point(resting(), window(-9000, -9000, -9000)) == 4600


def test_a_scale_factor_is_applied() -> None:
    assert set_point(resting(WSet_SF=1), window(3000, 3000, 3000)) == -300
    assert set_point(resting(WSet_SF=-3), window(3000, 3000, 3000)) == -3_000_000


def test_the_losses_that_are_seen_are_in_the_set_point() -> None:
    charging = der(W=-2080, ports=({**BATTERY_PORT, "DCW": -2000},))

    assert set_point(charging, window(2500, 2500, 2500)) == -2600
    assert set_point(charging, window(-1000, -1000, -1000)) == 1000, "discharging was not seen yet"


def test_losses_that_cannot_be_true_are_not() -> None:
    assert set_point(der(W=-900, ports=({**BATTERY_PORT, "DCW": -2000},)), window(2500, 2500, 2500)) == -2500


def test_a_set_point_that_is_as_good_as_the_new_one_is_kept() -> None:
    shown = resting(WSetEna=1, WSet=-2990)

    assert set_point(shown, window(3000, 3000, 3000)) == -2990
    assert set_point(shown, window(3030, 3030, 3030)) == -3030
    assert set_point(resting(WSetEna=1, WSet=-20), window(0, 0)) == 0, "zero is zero"


def test_without_permission_to_charge_from_ac_nothing_is_charged() -> None:
    assert set_point(resting(), window(2000, 2000, 2000, grid=False)) == 0
    assert set_point(resting(), window(-2000, -2000, -2000, grid=False)) == 2000


def test_a_window_becomes_the_target_within_it() -> None:
    assert set_point(resting(), window(0, 1200, 5000)) == -1200
    assert set_point(resting(), window(None, 1200, 700)) == -700
    assert set_point(resting(), window(-800, None, -2000)) == 800


def test_a_released_battery_is_written_only_where_it_is_held() -> None:
    held = resting(WSetEna=1, WSet=-1000)

    assert "battery" not in groups(resting(), battery=BatteryCommand.release())
    assert points(held, groups(held, battery=BatteryCommand.release())["battery"])[-1] == {"WSetEna": 0}


def test_the_battery_of_a_hybrid_is_not_written() -> None:
    hybrid = der(ports=(BATTERY_PORT, *PV_PORTS))

    assert "battery" not in groups(hybrid, battery=window(2000, 2000, 2000))
    assert "ac_limit" in groups(hybrid, ac_limit_watts=1000)


def test_a_connection_is_not_written_where_only_a_setting_of_the_grid_code_would_do() -> None:
    assert groups(der(), connect=False) == {}


@given(st.floats(-1e9, 1e9), st.sampled_from([-3, 0, 1]), st.booleans())
def test_every_write_is_on_the_list_and_fits(watts: float, scale: int, grid: bool) -> None:
    ratings = dict.fromkeys(("WChaRteMaxRtg", "WChaRteMax", "WDisChaRteMaxRtg", "WDisChaRteMax"))
    image = resting(WSet_SF=scale, **ratings)
    device = discovery_of(image)

    for group in groups(image, ac_limit_watts=abs(watts), battery=window(watts, watts, watts, grid)).values():
        for write in group.writes:
            assert write.register in WRITABLE
            assert all(0 <= word <= 0xFFFF for word in write.values)
            assert DRIVER.verify(device, (group,), dict(enumerate(write.values, write.address))) == ()


def test_a_point_of_two_words_that_a_device_ignores_is_named() -> None:
    image = resting()
    device = discovery_of(image)
    written = tuple(groups(image, battery=window(-1500, -1500, -1500)).values())

    shown = DRIVER.verify(device, written, registers_of(image, DRIVER.plan_readback(device)))

    assert shown == ("704.WSet", "704.WSetRvrtTms", "704.WSetEna")
    image.write(written)
    assert DRIVER.verify(device, written, registers_of(image, DRIVER.plan_readback(device))) == ()

"""Commands for connection and AC power as writes to model 123."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.commands import InverterCommand
from orchestrator.devices.base import RegisterWrite, WriteGroup
from orchestrator.devices.sunspec.device import SunSpecDevice
from orchestrator.devices.sunspec.enums import Connection, LimitEnabled
from tests.orchestrator.devices.sunspec.images import (
    COMMON,
    CONTROLS,
    DRIVER,
    INVERTER,
    SETTINGS,
    Image,
    changed,
    discovery_of,
    dump,
    image_of,
    model_words,
    registers_of,
)

LIMITED = {"WMaxLim_Ena": 1, "WMaxLimPct": 5000}


def inverter(wmax: int = 5000, **controls: Any) -> Image:
    return image_of(
        model_words(1, COMMON),
        model_words(103, INVERTER),
        model_words(121, changed(SETTINGS, WMax=wmax)),
        model_words(123, changed(CONTROLS, **controls)),
    )


def command(**fields: Any) -> InverterCommand:
    return InverterCommand("east", **{"valid_for_s": 60, **fields})


def groups_of(image: Image, order: InverterCommand) -> tuple[WriteGroup, ...]:
    device = discovery_of(image)
    return DRIVER.encode(device, order, registers_of(image, DRIVER.plan_readback(device)))


def at(device: SunSpecDevice, offset: int) -> int:
    assert device.controls is not None
    return device.controls.address + offset


def test_a_limit_is_one_write_of_the_whole_block() -> None:
    image = inverter()
    address = at(discovery_of(image), 5)

    assert groups_of(image, command(ac_limit_watts=3000)) == (
        WriteGroup(
            "ac_limit",
            (RegisterWrite(address, (6000, 0, 60, 0, LimitEnabled.ENABLED), "123.WMaxLimPct"),),
            refresh_s=24.0,
        ),
    )


def test_a_limit_that_is_to_stay_has_no_revert_time_and_is_renewed_in_each_all_the_same() -> None:
    (group,) = groups_of(inverter(), command(ac_limit_watts=3000, ac_limit_reverts=False))

    assert group.writes[0].values == (6000, 0, 0, 0, 1)
    assert group.refresh_s == 48.0


@pytest.mark.parametrize(("valid_for_s", "timer"), [(0.2, 1), (1, 1), (59.1, 60), (1e9, 0xFFFE)])
def test_the_revert_time_is_the_commands_validity_in_whole_seconds(valid_for_s: float, timer: int) -> None:
    (group,) = groups_of(inverter(), command(ac_limit_watts=0, valid_for_s=valid_for_s))

    assert group.writes[0].values[2] == timer
    assert group.refresh_s is not None
    assert group.refresh_s < timer / 2


def test_no_limit_takes_an_enabled_limit_away() -> None:
    (group,) = groups_of(inverter(**LIMITED), command())

    assert group.writes[0].values == (10000, 0, 0, 0, LimitEnabled.DISABLED)
    assert group.refresh_s is None


def test_no_limit_writes_nothing_where_none_is_enabled() -> None:
    assert groups_of(inverter(), command()) == ()


def test_no_limit_is_written_where_it_was_not_read_whether_one_is_enabled() -> None:
    device = discovery_of(inverter())

    (group,) = DRIVER.encode(device, command(), {})

    assert group.writes[0].values[-1] == LimitEnabled.DISABLED


def test_a_limit_above_the_rating_is_100_percent() -> None:
    for watts in (5000.0, 5001.0, 1e12, float("inf")):
        (group,) = groups_of(inverter(), command(ac_limit_watts=watts))
        assert group.writes[0].values[0] == 10000


@given(
    watts=st.floats(0, 1e6),
    wmax=st.integers(1, 65534),
    scale=st.sampled_from([-2, -1, 0, 1, 2]),
)
def test_rounding_never_lets_an_inverter_exceed_its_limit(watts: float, wmax: int, scale: int) -> None:
    image = inverter(wmax, WMaxLimPct_SF=scale)

    (group,) = groups_of(image, command(ac_limit_watts=watts))
    allowed_watts = group.writes[0].values[0] * 10.0**scale / 100 * wmax

    assert allowed_watts <= watts * (1 + 1e-9) + 1e-6
    assert allowed_watts > min(watts, wmax) - wmax * 10.0**scale / 100 - 1e-6, "not lower than it must be"


def test_whole_percents_are_not_lost_to_floating_point() -> None:
    for percent in range(101):
        (group,) = groups_of(inverter(10000), command(ac_limit_watts=10000 * percent / 100))
        assert group.writes[0].values[0] == 100 * percent


@pytest.mark.parametrize(
    ("missing", "runs"),
    [
        (("WMaxLimPct_WinTms", "WMaxLimPct_RvrtTms", "WMaxLimPct_RmpTms"), [(5, (6000,)), (9, (1,))]),
        (("WMaxLimPct_WinTms",), [(5, (6000,)), (7, (60, 0, 1))]),
        (("WMaxLimPct_RvrtTms",), [(5, (6000, 0)), (8, (0, 1))]),
        (("WMaxLimPct_RmpTms",), [(5, (6000, 0, 60)), (9, (1,))]),
    ],
)
def test_points_that_are_not_implemented_are_left_out_and_ena_stays_last(
    missing: tuple[str, ...], runs: list[tuple[int, tuple[int, ...]]]
) -> None:
    image = inverter(**dict.fromkeys(missing))
    device = discovery_of(image)

    (group,) = groups_of(image, command(ac_limit_watts=3000))

    assert [(write.address, write.values) for write in group.writes] == [(at(device, o), v) for o, v in runs]
    assert group.refresh_s == (48.0 if "WMaxLimPct_RvrtTms" in missing else 24.0)


def test_the_newest_scale_factor_is_used() -> None:
    image = inverter()
    device = discovery_of(image)
    image.words[at(device, 23)] = 0xFFFF  # -1 instead of -2

    (group,) = DRIVER.encode(device, command(ac_limit_watts=3000), registers_of(image, DRIVER.plan_readback(device)))

    assert group.writes[0].values[0] == 600


def test_an_unusable_newest_scale_factor_is_not_used() -> None:
    image = inverter()
    device = discovery_of(image)
    image.words[at(device, 23)] = 0x8000

    (group,) = DRIVER.encode(device, command(ac_limit_watts=3000), registers_of(image, DRIVER.plan_readback(device)))

    assert group.writes[0].values[0] == 6000


def test_disconnecting_is_repeated_before_its_timer_ends() -> None:
    image = inverter()
    address = at(discovery_of(image), 2)

    assert groups_of(image, command(connect=False))[0] == WriteGroup(
        "connect", (RegisterWrite(address, (0, 60, Connection.DISCONNECT), "123.Conn_WinTms"),), refresh_s=24.0
    )
    assert groups_of(inverter(Conn=0), command(connect=False))[0].name == "connect"


def test_disconnecting_stays_where_limits_are_to_stay_and_is_renewed() -> None:
    (group,) = groups_of(inverter(), command(connect=False, ac_limit_reverts=False))

    assert group.writes[0].values == (0, 0, Connection.DISCONNECT)
    assert group.refresh_s == 48.0


def test_connecting_is_written_only_to_a_disconnected_inverter() -> None:
    assert groups_of(inverter(), command(connect=True)) == ()
    (group,) = groups_of(inverter(Conn=0), command(connect=True))
    assert (group.writes[0].values, group.refresh_s) == ((0, 0, Connection.CONNECT), None)


def test_connection_is_left_alone_unless_asked() -> None:
    assert groups_of(inverter(Conn=0), command()) == ()


def test_an_inverter_without_usable_controls_gets_no_write_and_no_error() -> None:
    order = command(ac_limit_watts=0, connect=False)

    assert groups_of(inverter(WMaxLimPct=None, Conn=None), order) == ()
    assert groups_of(image_of(model_words(1, COMMON), model_words(103, INVERTER)), order) == ()


def test_the_sma_takes_a_limit_in_its_two_registers() -> None:
    image = dump("sma_sb36_day")

    (group,) = groups_of(image, command(ac_limit_watts=1840))

    assert [(write.address, write.values) for write in group.writes] == [(40348, (5000,)), (40352, (1,))]

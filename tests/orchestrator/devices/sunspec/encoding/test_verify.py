"""What a device ignored or altered is named, so that people hear of it."""

from __future__ import annotations

from orchestrator.commands import BatteryCommand, BatteryMode, InverterCommand
from orchestrator.devices.base import WriteGroup
from orchestrator.devices.sunspec.device import SunSpecDevice
from tests.orchestrator.devices.sunspec.images import DRIVER, Image, discovery_of, hybrid, registers_of

CHARGE = BatteryCommand(BatteryMode.CHARGE, 3000, low_watts=3000, high_watts=3000, grid_charging=False)
ORDER = InverterCommand("east", 60, ac_limit_watts=2500, battery=CHARGE)


def start(image: Image) -> tuple[SunSpecDevice, tuple[WriteGroup, ...]]:
    device = discovery_of(image)
    return device, DRIVER.encode(device, ORDER, registers_of(image, device.reads))


def verified(image: Image, device: SunSpecDevice, groups: tuple[WriteGroup, ...]) -> tuple[str, ...]:
    return DRIVER.verify(device, groups, registers_of(image, DRIVER.plan_readback(device)))


def test_a_device_that_obeys_has_nothing_to_show() -> None:
    image = hybrid()
    device, groups = start(image)
    image.write(groups)

    assert verified(image, device, groups) == ()


def test_a_device_that_ignores_everything_shows_every_register_that_was_to_change() -> None:
    image = hybrid()
    device, groups = start(image)

    assert verified(image, device, groups) == (
        "123.WMaxLimPct",
        "123.WMaxLimPct_RvrtTms",
        "123.WMaxLim_Ena",
        "124.OutWRte",
        "124.InWRte",
        "124.InOutWRte_RvrtTms",
        "124.StorCtl_Mod",
    )


def test_a_register_that_the_device_altered_is_named_alone() -> None:
    image = hybrid()
    device, groups = start(image)
    image.write(groups)
    assert device.storage is not None
    image.words[device.storage.address + 13] = 1000

    assert verified(image, device, groups) == ("124.InWRte",)


def test_a_revert_time_may_count_down_but_not_be_another_one() -> None:
    image = hybrid()
    device, groups = start(image)
    image.write(groups)
    assert device.storage is not None
    timer = device.storage.address + 15

    for shown, names in ((58, ()), (1, ()), (0, ("124.InOutWRte_RvrtTms",)), (3600, ("124.InOutWRte_RvrtTms",))):
        image.words[timer] = shown
        assert verified(image, device, groups) == names


def test_what_was_not_read_is_not_judged() -> None:
    device, groups = start(hybrid())

    assert DRIVER.verify(device, groups, {}) == ()

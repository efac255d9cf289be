"""The driver and the virtual devices, which share no code, understand each other: commands have their effect."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.commands import BatteryCommand, BatteryMode, InverterCommand
from orchestrator.drivers.base import Refused
from orchestrator.samples import InverterSample
from orchestrator.simulation.config import InverterSimulation
from orchestrator.simulation.site import VirtualSite
from tests.orchestrator.sunspec.images import DRIVER, Image, cycle, discovery_of, registers_of
from tests.support.virtual_site import BATTERY_ONLY, HYBRID, PV_ONLY, site_config


class VirtualImage(Image):
    """A device of a virtual site, read and written without a socket."""

    def __init__(self, site: VirtualSite, name: str) -> None:
        super().__init__({})
        self.site, self.device = site, site.devices[name]

    def answer(self, request: Any) -> tuple[int, ...] | Refused:
        self.reads += 1
        words = self.device.read(request.address, request.count)
        return words if isinstance(words, tuple) else Refused(int(words))

    def order(self, **fields: Any) -> InverterSample:
        """Give a command, check that the device took it, and look what it does half a minute later."""
        device = discovery_of(self)
        command = InverterCommand("it", **{"valid_for_s": 60, **fields})
        groups = DRIVER.encode(device, command, registers_of(self, DRIVER.plan_readback(device)))
        for write in (write for group in groups for write in group.writes):
            assert self.device.write(write.address, write.values, self.site.now_s) is None
        assert DRIVER.verify(device, groups, registers_of(self, DRIVER.plan_readback(device))) == ()
        self.site.advance(30)
        return DRIVER.decode_inverter(device, "it", cycle(self, device), self.site.now_s)


def virtual(inverter: InverterSimulation = HYBRID, pv_watts: float = 4000) -> VirtualImage:
    site = VirtualSite(site_config({"it": inverter}))
    site.set_pv_available("it", pv_watts)
    site.advance(60)
    return VirtualImage(site, "it")


def window(low: float | None, high: float | None, grid: bool = False) -> BatteryCommand:
    return BatteryCommand(BatteryMode.CHARGE, low_watts=low, high_watts=high, grid_charging=grid)


@pytest.mark.parametrize("watts", [3000, 1200, 0, -1500])
def test_a_pinned_battery_does_what_it_is_told(watts: float) -> None:
    sample = virtual(pv_watts=3000).order(battery=window(watts, watts))

    assert sample.battery is not None
    assert sample.battery.watts == pytest.approx(watts, abs=5)
    assert sample.pv_watts == pytest.approx(3000, abs=5)


def test_a_battery_charges_from_the_grid_only_with_its_permission() -> None:
    allowed = virtual(BATTERY_ONLY, 0).order(battery=window(2000, 2000, grid=True))
    refused = virtual(BATTERY_ONLY, 0).order(battery=window(2000, 2000, grid=False))

    assert allowed.battery is not None
    assert allowed.ac_watts is not None
    assert allowed.battery.watts == pytest.approx(2000, abs=5)
    assert allowed.battery.grid_charging_allowed is True
    assert allowed.ac_watts < -1900
    assert refused.battery is not None
    assert refused.battery.watts == pytest.approx(0, abs=5)


def test_a_limit_is_kept_and_seen_and_taken_away() -> None:
    image = virtual(PV_ONLY, 7000)

    limited = image.order(ac_limit_watts=2500)
    free = image.order(ac_limit_watts=None)

    assert limited.ac_watts is not None
    assert limited.ac_watts <= 2500
    assert limited.ac_limit_watts == pytest.approx(2500, abs=1)
    assert free.ac_watts is not None
    assert free.ac_watts > 6000
    assert free.ac_limit_watts is None


def test_a_disconnected_inverter_makes_nothing_until_it_is_connected() -> None:
    image = virtual(PV_ONLY, 7000)

    apart = image.order(connect=False)
    together = image.order(connect=True)

    assert (apart.ac_watts, apart.connected) == (0, False)
    assert together.ac_watts is not None
    assert together.ac_watts > 6000
    assert together.connected is True


def test_without_a_refresh_a_device_is_back_at_its_default() -> None:
    image = virtual(pv_watts=3000)
    held = image.order(battery=window(0, 0), ac_limit_watts=1000, valid_for_s=40)
    image.site.advance(60)

    device = discovery_of(image)
    sample = DRIVER.decode_inverter(device, "it", cycle(image, device) | _readback(image), 0.0)

    assert held.battery is not None
    assert held.battery.watts == pytest.approx(0, abs=5)
    assert sample.battery is not None
    assert sample.battery.watts == pytest.approx(3000, abs=5)
    assert sample.ac_limit_watts is None


def _readback(image: VirtualImage) -> dict[int, int]:
    return registers_of(image, DRIVER.plan_readback(discovery_of(image)))


@pytest.mark.parametrize("inverter", [HYBRID, PV_ONLY, BATTERY_ONLY])
def test_a_virtual_inverter_takes_two_reads_a_cycle(inverter: InverterSimulation) -> None:
    assert len(discovery_of(virtual(inverter)).reads) == 2

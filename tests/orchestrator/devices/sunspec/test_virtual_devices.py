"""The driver and the virtual devices, which share no code, understand each other: commands have their effect."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.commands import BatteryCommand, BatteryMode, InverterCommand
from orchestrator.config.simulation import InverterSimulation
from orchestrator.devices.base import Refused
from orchestrator.samples import InverterSample
from orchestrator.simulation.site import VirtualSite
from tests.orchestrator.devices.sunspec.images import DRIVER, Image, cycle, discovery_of, registers_of
from tests.support.plants.virtual_site import BATTERY_ONLY, HYBRID, PV_ONLY, site_config

pytestmark = pytest.mark.no_cover  # whole plants over time: tracing them takes several times as long


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
        seen = cycle(self, device) | registers_of(self, DRIVER.plan_readback(device))
        groups = DRIVER.encode(device, command, seen)
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


NEWER = {"sunspec": "7xx"}
DER_STORE, DER_ROOF, DER_HYBRID = (each.model_copy(update=NEWER) for each in (BATTERY_ONLY, PV_ONLY, HYBRID))


@pytest.mark.parametrize("watts", [3000, 800, 0, -1500])
def test_the_battery_of_a_7xx_inverter_does_what_it_is_told(watts: float) -> None:
    image = virtual(DER_STORE, 0)
    image.order(battery=window(watts, watts, grid=True))

    sample = image.order(battery=window(watts, watts, grid=True))

    assert sample.battery is not None
    assert sample.battery.watts == pytest.approx(watts, abs=0.006 * 5000 + 5), "the losses that were seen are in it"
    assert sample.has_pv is False


def test_a_7xx_battery_inverter_without_permission_to_charge_from_ac_rests() -> None:
    sample = virtual(DER_STORE, 0).order(battery=window(2000, 2000, grid=False))

    assert sample.battery is not None
    assert sample.battery.watts == pytest.approx(0, abs=5)


def test_a_7xx_battery_that_is_released_or_not_refreshed_is_its_own_again() -> None:
    image = virtual(DER_STORE, 0)
    held = image.order(battery=window(-1500, -1500))
    released = image.order(battery=BatteryCommand.release())
    image.order(battery=window(-1500, -1500), valid_for_s=40)
    image.site.advance(30)
    device = discovery_of(image)
    lapsed = DRIVER.decode_inverter(device, "it", cycle(image, device), 0.0)

    for sample, watts in ((held, -1500), (released, 0), (lapsed, 0)):
        assert sample.battery is not None
        assert sample.battery.watts == pytest.approx(watts, abs=60)


def test_a_7xx_limit_is_kept_and_seen_and_taken_away() -> None:
    image = virtual(DER_ROOF, 7000)

    limited = image.order(ac_limit_watts=2500)
    free = image.order(ac_limit_watts=None)

    assert limited.ac_watts is not None
    assert 2400 < limited.ac_watts <= 2500
    assert limited.ac_limit_watts == pytest.approx(2500, abs=8)
    assert free.ac_watts is not None
    assert free.ac_watts > 6000
    assert free.ac_limit_watts is None


@pytest.mark.parametrize("limit_watts", [2500, None])
def test_a_7xx_inverter_that_nobody_commands_any_more_goes_to_its_safe_limit(limit_watts: float | None) -> None:
    image = virtual(DER_ROOF, 7000)
    held = image.order(ac_limit_watts=limit_watts, ac_limit_reverts=False, ac_limit_after_watts=800, valid_for_s=40)
    image.site.advance(60)

    device = discovery_of(image)
    left = DRIVER.decode_inverter(device, "it", cycle(image, device) | _readback(image), 0.0)

    assert held.ac_watts is not None
    assert held.ac_watts > 2400
    assert left.ac_watts == pytest.approx(800, abs=8)
    assert left.ac_limit_watts == pytest.approx(800, abs=8)


def test_a_7xx_hybrid_is_read_by_its_typed_ports_and_limited() -> None:
    image = virtual(DER_HYBRID, 4000)

    sample = image.order(ac_limit_watts=1000, battery=window(3000, 3000, grid=True))

    assert sample.pv_watts == pytest.approx(sum(watts or 0 for watts in sample.string_watts), abs=1)
    assert sample.battery is not None
    assert sample.battery.watts is not None
    assert sample.ac_watts is not None
    assert sample.ac_watts <= 1000
    assert sample.pv_watts == pytest.approx(sample.ac_watts / 0.97 + sample.battery.watts, abs=20)
    assert not sample.battery_controllable


def _readback(image: VirtualImage) -> dict[int, int]:
    return registers_of(image, DRIVER.plan_readback(discovery_of(image)))


@pytest.mark.parametrize("inverter", [HYBRID, PV_ONLY, BATTERY_ONLY, DER_HYBRID, DER_ROOF, DER_STORE])
def test_a_virtual_inverter_takes_two_reads_a_cycle(inverter: InverterSimulation) -> None:
    assert len(discovery_of(virtual(inverter)).reads) == 2

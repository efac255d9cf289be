"""A Sungrow SH over real Modbus: charging in pulses in one of its modes, and how older firmware says battery power."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.simulation.devices.makes.sungrow.readings import Firmware
from orchestrator.simulation.devices.makes.sungrow.sh import SungrowSh
from tests.makes.test_makes import MAKES, ask
from tests.support.plants.made_site import MadeSite, made

CLOSE_WATTS = 70.0


@pytest.fixture(params=["sungrow-sh", "sungrow-sh-forced"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MadeSite]:
    name = str(request.param)
    with made(name, MAKES[name].plant, tmp_path) as site:
        yield site


def behaves(site: MadeSite, *, firmware: Firmware = Firmware.FULL, pulses: bool = False) -> None:
    """Another behaviour of the device, found anew."""
    inverter = site.call(lambda plant: plant.inverters["east"])
    site.running.replace_device("east", lambda _: SungrowSh(inverter, firmware=firmware, pulses=pulses))
    site.start()


def least_watts(site: MadeSite, watts: float) -> float:
    """The least that its battery takes while it is asked for so much, once it has come there."""
    ask(site, "sungrow-sh", watts, watts)
    seen = []
    for _ in range(40):
        site.battery(watts, watts)
        site.wait(0.5)
        seen.append(site.battery_watts)
    return min(seen)


def test_where_it_charges_in_pulses_the_forced_mode_does_not(site: MadeSite) -> None:
    behaves(site, pulses=True)
    is_forced = site.config.driver == "sungrow-sh-forced"

    least = least_watts(site, 2000.0)

    assert least == pytest.approx(2000.0, abs=CLOSE_WATTS) if is_forced else least < 500.0


def test_discharging_has_no_pulses(site: MadeSite) -> None:
    behaves(site, pulses=True)

    assert least_watts(site, -1500.0) == pytest.approx(-1500.0, abs=CLOSE_WATTS)


@pytest.mark.parametrize("firmware", Firmware)
@pytest.mark.parametrize("watts", [2000.0, 0.0, -1500.0])
def test_battery_power_is_known_whatever_the_firmware(site: MadeSite, firmware: Firmware, watts: float) -> None:
    behaves(site, firmware=firmware)
    ask(site, "sungrow-sh", watts, watts)
    sample = site.sample()

    assert sample.battery is not None
    assert sample.battery.watts == pytest.approx(site.battery_watts, abs=1.0)
    assert site.battery_watts == pytest.approx(watts, abs=CLOSE_WATTS)
    assert sample.faults == ()

"""A SolaX hybrid that locks itself and is commanded by AC power in one block, over real Modbus."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from orchestrator.simulation.site import VirtualSite
from tests.makes.test_makes import MAKES, ask
from tests.support.plants.made_site import MadeSite, made

NAME = "solax-gen4"
CLOSE_WATTS = MAKES[NAME].close_watts


@pytest.fixture
def site(tmp_path: Path) -> Iterator[MadeSite]:
    with made(NAME, MAKES[NAME].plant, tmp_path) as site:
        yield site


def test_it_is_unlocked_before_it_is_told_anything_and_only_while_it_is_locked(site: MadeSite) -> None:
    ask(site, NAME, 2000.0, 2000.0)
    ask(site, NAME, -1500.0, -1500.0)

    assert site.observer.registers[0] == "password"
    assert site.observer.registers.count("password") == 1


def test_locked_again_by_a_restart_it_is_unlocked_again(site: MadeSite) -> None:
    ask(site, NAME, -1500.0, -1500.0)
    site.call(lambda plant: plant.devices["east"].restart_controls())
    for _ in range(6):
        ask(site, NAME, -1500.0, -1500.0)

    assert site.battery_watts == pytest.approx(-1500.0, abs=CLOSE_WATTS)
    assert site.observer.registers.count("password") == 2


def test_a_release_unlocks_it_too(site: MadeSite) -> None:
    ask(site, NAME, -1500.0, -1500.0)
    site.call(lambda plant: plant.devices["east"].restart_controls())

    assert site.release().fault is None


def test_its_power_is_told_as_one_block(site: MadeSite) -> None:
    ask(site, NAME, -1500.0, -1500.0)

    assert set(site.observer.registers) == {"password", "power_control"}


@pytest.mark.parametrize("watts", [0.0, 2000.0])
@pytest.mark.parametrize("efficiency_percent", [96.0, 98.0])
def test_a_full_battery_costs_no_pv_whatever_the_losses_are(
    watts: float, efficiency_percent: float, tmp_path: Path
) -> None:
    """PV that neither AC nor the battery takes is lost, and the next power is worked out from what is left."""
    plant = MAKES[NAME].plant.model_copy(update={"efficiency_percent": efficiency_percent})
    with made(NAME, plant, tmp_path) as site:
        site.call(fill)
        site.light(4000.0)
        site.wait(20)
        for light_watts in (4000.0, 5500.0):
            site.light(light_watts)
            for _ in range(40):
                site.battery(watts, watts)
                site.wait(2)

            assert site.pv_watts == pytest.approx(light_watts, abs=1.0)
        assert site.battery_watts == pytest.approx(0.0, abs=250.0)


def fill(site: VirtualSite) -> None:
    inverter = site.inverters["east"]
    assert inverter.settings.battery is not None
    inverter.state = replace(inverter.state, stored_wh=inverter.settings.battery.capacity_wh)

"""A GEN24 over real Modbus: watts that it does not like, and a revert time that it keeps, or never runs out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator.simulation.devices.makes.fronius.gen24 import FroniusGen24
from tests.makes.test_makes import MAKES, ask
from tests.support.plants.made_site import VALID_FOR_S, MadeSite, made

NAME = "fronius-gen24"
CLOSE_WATTS = 70.0
STORAGE_AT = 40343


@pytest.fixture
def site(tmp_path: Path) -> Iterator[MadeSite]:
    with made(NAME, MAKES[NAME].plant, tmp_path) as site:
        yield site


def behaves(site: MadeSite, **behaviour: Any) -> None:
    """Another behaviour of the device, found anew."""
    inverter = site.call(lambda plant: plant.inverters["east"])

    def make(_: object) -> FroniusGen24:
        return FroniusGen24(inverter, **behaviour)

    site.running.replace_device("east", make)
    site.start()


def revert_s(site: MadeSite) -> int:
    """What its revert time is set to, as another client reads it."""
    (word,) = site.call(lambda plant: plant.devices["east"].read(STORAGE_AT + 15, 1))
    return int(word)


@pytest.mark.parametrize("watts", [2003.0, 1987.6, 1111.0, 4321.0])
def test_it_charges_with_any_power_although_it_likes_tens_only(site: MadeSite, watts: float) -> None:
    behaves(site, odd_watts=True)
    ask(site, NAME, watts, watts)

    assert site.battery_watts == pytest.approx(watts, abs=15.0)


@pytest.mark.parametrize(("pv_watts", "expected_watts"), [(0.0, 500.0), (2000.0, 2500.0), (5000.0, 4000.0)])
def test_one_that_takes_little_from_the_grid_still_stores_its_own_sun(
    site: MadeSite, pv_watts: float, expected_watts: float
) -> None:
    """What the doubts of its page warn of: 4000 W is asked for, and the rest is for other batteries."""
    behaves(site, grid_charge_watts=500.0)
    site.call(lambda plant: plant.set_pv_available("east", pv_watts))
    site.wait(5)
    ask(site, NAME, 4000.0, 4000.0)

    assert site.battery_watts == pytest.approx(expected_watts, abs=CLOSE_WATTS)


def test_a_clean_stop_leaves_the_revert_time_as_it_is_delivered(site: MadeSite) -> None:
    before = revert_s(site)
    ask(site, NAME, -1500.0, -1500.0)
    during = revert_s(site)
    site.release()

    assert (before, during, revert_s(site)) == (0, VALID_FOR_S, 0)


def test_after_a_crash_the_revert_time_stays_in_the_device(site: MadeSite) -> None:
    """What the notes warn of: another client's command then ends by it."""
    ask(site, NAME, -1500.0, -1500.0)
    site.wait(2 * VALID_FOR_S)
    site.call(lambda plant: plant.devices["east"].restart_controls())

    assert site.battery_watts == pytest.approx(0.0, abs=CLOSE_WATTS)
    assert revert_s(site) == VALID_FOR_S


@pytest.mark.parametrize(("counts", "expected_watts"), [(True, -1500.0), (False, 0.0)])
def test_another_client_that_reads_may_keep_a_command_alive(
    site: MadeSite, counts: bool, expected_watts: float
) -> None:
    """What the notes warn of."""
    behaves(site, any_message_counts=counts)
    ask(site, NAME, -1500.0, -1500.0)
    for _ in range(20):
        site.wait(10)
        revert_s(site)

    assert site.battery_watts == pytest.approx(expected_watts, abs=CLOSE_WATTS)

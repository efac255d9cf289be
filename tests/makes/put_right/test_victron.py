"""A Victron GX with a load at its AC output: what its battery does, by the profile, over real Modbus."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.makes.test_makes import MAKES, ask
from tests.support.plants.made_site import MadeSite, made

NAME = "victron-gx"
CLOSE_WATTS = MAKES[NAME].close_watts
ESS_MODE_AT, LEAST_CHARGE_AT = 2902, 2901


@pytest.fixture
def site(tmp_path: Path) -> Iterator[MadeSite]:
    with made(NAME, MAKES[NAME].plant, tmp_path) as site:
        load(site, 600.0, 900.0, 0.0)
        yield site


def load(site: MadeSite, *watts: float) -> None:
    """What hangs on each phase of the AC output."""
    site.call(lambda plant: plant.devices["east"].out_watts.__setitem__(slice(None), list(watts)))


def set_at(site: MadeSite, address: int, word: int) -> None:
    """What the owner sets at the GX."""
    assert site.call(lambda plant: plant.devices["east"].write(address, (word,), 0.0)) is None


def mode(site: MadeSite) -> int:
    (word,) = site.call(lambda plant: plant.devices["east"].read(ESS_MODE_AT, 1))
    return int(word)


@pytest.mark.parametrize("watts", [2000.0, -1500.0, 0.0])
def test_the_load_at_the_ac_output_is_not_the_batterys(site: MadeSite, watts: float) -> None:
    ask(site, NAME, watts, watts)

    assert site.battery_watts == pytest.approx(watts, abs=CLOSE_WATTS)


@pytest.mark.parametrize("pv_watts", [0.0, 3000.0])
def test_hold_takes_pv_and_gives_nothing_to_the_load(site: MadeSite, pv_watts: float) -> None:
    site.light(pv_watts)
    ask(site, NAME, 0.0, None)

    assert site.battery_watts == pytest.approx(pv_watts, abs=CLOSE_WATTS)


def test_what_it_says_of_ac_is_what_flows_at_its_input(site: MadeSite) -> None:
    ask(site, NAME, 0.0, 0.0)

    assert site.sample().ac_watts == pytest.approx(-1500.0, abs=CLOSE_WATTS)


def test_below_the_least_charge_of_the_gx_nothing_is_discharged(site: MadeSite) -> None:
    set_at(site, LEAST_CHARGE_AT, 600)
    ask(site, NAME, -1500.0, -1500.0)

    assert site.battery_watts == pytest.approx(0.0, abs=CLOSE_WATTS)
    battery = site.sample().battery
    assert battery is not None
    assert battery.discharge_max_watts == 0


def test_no_more_is_discharged_than_the_battery_says_that_it_gives(site: MadeSite) -> None:
    site.call(lambda plant: setattr(plant.devices["east"], "bms_discharge_watts", 1024.0))
    ask(site, NAME, -2500.0, -2500.0)

    assert site.battery_watts == pytest.approx(-1024.0, abs=CLOSE_WATTS)


@pytest.mark.parametrize("found", [1, 2])
def test_release_gives_back_the_mode_that_was_found_across_a_kill_too(site: MadeSite, found: int) -> None:
    set_at(site, ESS_MODE_AT, found)
    ask(site, NAME, -1500.0, -1500.0)
    during = mode(site)
    site.start()
    ask(site, NAME, -1500.0, -1500.0)
    site.release()

    assert (during, mode(site)) == (3, found)


def test_a_release_without_a_command_before_leaves_the_mode_alone(site: MadeSite) -> None:
    set_at(site, ESS_MODE_AT, 2)
    site.release()

    assert mode(site) == 2


def test_found_in_external_control_it_is_given_back_to_itself(site: MadeSite) -> None:
    set_at(site, ESS_MODE_AT, 3)
    ask(site, NAME, -1500.0, -1500.0)
    site.release()

    assert mode(site) == 1

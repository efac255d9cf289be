"""A GoodWe ET over real Modbus: discharging beside much PV, and the mode that release gives back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.makes.test_makes import MAKES, ask
from tests.support.plants.made_site import MadeSite, made

NAME = "goodwe-et"
CLOSE_WATTS = 70.0
MODE_AT = 47511
AUTO, CONSERVE, STANDBY = 1, 6, 8


@pytest.fixture
def site(tmp_path: Path) -> Iterator[MadeSite]:
    with made(NAME, MAKES[NAME].plant, tmp_path) as site:
        yield site


def mode(site: MadeSite) -> int:
    (word,) = site.call(lambda plant: plant.devices["east"].read(MODE_AT, 1))
    return int(word)


@pytest.mark.parametrize("light_watts", [5500.0, 7900.0])
def test_a_discharge_costs_no_pv(site: MadeSite, light_watts: float) -> None:
    site.light(light_watts)
    ask(site, NAME, 0.0, 0.0)
    idle_watts = site.pv_watts
    ask(site, NAME, -1500.0, -1500.0)

    assert site.pv_watts == pytest.approx(idle_watts, abs=CLOSE_WATTS)
    assert site.ac_watts == pytest.approx(6000.0, abs=CLOSE_WATTS)


@pytest.mark.parametrize(("found", "given_back"), [(AUTO, AUTO), (CONSERVE, CONSERVE), (STANDBY, AUTO)])
def test_release_gives_back_the_mode_that_was_found_where_it_is_the_owners(
    site: MadeSite, found: int, given_back: int
) -> None:
    assert site.call(lambda plant: plant.devices["east"].write(MODE_AT, (found,), 0.0)) is None
    ask(site, NAME, -1500.0, -1500.0)
    site.release()

    assert mode(site) == given_back

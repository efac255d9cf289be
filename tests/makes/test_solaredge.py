"""A SolarEdge inverter: silent no-ops, the mode that was found, and a limit that must stay, over real Modbus."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.makes.test_makes import MAKES, ask
from tests.support.plants.made_site import MadeSite, made

NAME = "solaredge-storedge"
CONTROL_MODE_AT, ADVANCED_AT = 0xE004, 0xF142
CLOSE_WATTS = 70.0


@pytest.fixture
def site(tmp_path: Path) -> Iterator[MadeSite]:
    with made(NAME, MAKES[NAME].plant, tmp_path) as site:
        yield site


def set_at(site: MadeSite, address: int, *words: int) -> None:
    """What the owner or the installer sets."""
    assert site.call(lambda plant: plant.devices["east"].write(address, words, 0.0)) is None


def mode(site: MadeSite) -> int:
    (word,) = site.call(lambda plant: plant.devices["east"].read(CONTROL_MODE_AT, 1))
    return int(word)


@pytest.mark.parametrize("found", [0, 1, 2, 3])
def test_release_gives_back_the_control_mode_that_was_found(site: MadeSite, found: int) -> None:
    set_at(site, CONTROL_MODE_AT, found)
    ask(site, NAME, -1500.0, -1500.0)
    during = mode(site)
    site.release()

    assert (during, mode(site)) == (4, found)


def test_where_power_control_is_not_allowed_no_limit_is_offered(site: MadeSite) -> None:
    set_at(site, ADVANCED_AT, 0, 0)
    site.light(5500.0)
    site.command(ac_limit_watts=2100.0)

    assert not site.sample().ac_limit_controllable
    assert "active_power_limit" not in site.observer.registers


def test_a_limit_that_must_stay_does_so_by_its_fallback(site: MadeSite) -> None:
    site.light(7900.0)
    site.wait(10)
    site.command(ac_limit_watts=2100.0, ac_limit_reverts=False)
    timeout = site.call(lambda plant: plant.devices["east"].read(0xF310, 2))
    site.wait(600)

    assert timeout != (0, 0)
    assert site.ac_watts == pytest.approx(2100.0, abs=CLOSE_WATTS)


def test_a_limit_that_may_lapse_gives_way_to_what_is_safe_then(site: MadeSite) -> None:
    site.light(7900.0)
    site.wait(10)
    site.command(ac_limit_watts=1200.0, ac_limit_after_watts=2400.0)
    site.wait(600)

    assert site.ac_watts == pytest.approx(2400.0, abs=CLOSE_WATTS)

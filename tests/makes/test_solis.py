"""A Solis hybrid that drops out after five minutes, and charges from AC where a setting of its owner allows it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.makes.test_makes import MAKES, ask
from tests.support.plants.made_site import MadeSite, made

NAME = "solis-hybrid"
CLOSE_WATTS = MAKES[NAME].close_watts
TIMEOUT_AT, SWITCHES_AT, FORCED_AT = 43282, 43110, 43135


@pytest.fixture
def site(tmp_path: Path) -> Iterator[MadeSite]:
    with made(NAME, MAKES[NAME].plant, tmp_path) as site:
        yield site


def set_at(site: MadeSite, address: int, word: int) -> None:
    """What the owner sets."""
    assert site.call(lambda plant: plant.devices["east"].write(address, (word,), 0.0)) is None


def at(site: MadeSite, address: int) -> int:
    (word,) = site.call(lambda plant: plant.devices["east"].read(address, 1))
    return int(word)


def test_it_is_kept_alive_whatever_its_own_time_out_says(site: MadeSite) -> None:
    set_at(site, TIMEOUT_AT, 30)
    for _ in range(120):
        site.battery(-1500.0, -1500.0)
        site.wait(10)
        assert at(site, FORCED_AT) == 2

    assert site.battery_watts == pytest.approx(-1500.0, abs=CLOSE_WATTS)


def test_idle_is_a_forced_charge_of_nothing(site: MadeSite) -> None:
    site.light(3000.0)
    ask(site, NAME, 0.0, 0.0)

    assert at(site, FORCED_AT) == 1
    assert site.battery_watts == pytest.approx(0.0, abs=CLOSE_WATTS)
    assert site.pv_watts == pytest.approx(3000.0, abs=1.0)


def test_where_its_owner_forbids_charging_from_ac_it_charges_with_pv_alone(site: MadeSite) -> None:
    set_at(site, SWITCHES_AT, 1)
    site.light(800.0)
    for _ in range(3):
        ask(site, NAME, 2000.0, 2000.0)

    assert site.battery_watts == pytest.approx(800.0, abs=CLOSE_WATTS)
    assert at(site, SWITCHES_AT) == 1


def test_the_switch_is_told_before_the_power(site: MadeSite) -> None:
    ask(site, NAME, -1500.0, -1500.0)

    assert site.observer.registers[:2] == ["forced", "forced_discharge_power"]

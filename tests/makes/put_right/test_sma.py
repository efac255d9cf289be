"""An SMA hybrid that is commanded by AC power, and what it says about its fallback, over real Modbus."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.makes.test_makes import MAKES, ask
from tests.support.plants.made_site import MadeSite, made

NAME = "sma"
CLOSE_WATTS = 70.0
LIMIT_MODE_AT, TIMEOUT_AT, FALLBACK_AT = 40210, 41195, 41197
BY_COMMUNICATION = 1079


@pytest.fixture
def site(tmp_path: Path) -> Iterator[MadeSite]:
    with made(NAME, MAKES[NAME].plant, tmp_path) as site:
        yield site


def set_at(site: MadeSite, address: int, number: int) -> None:
    """What the owner sets."""
    assert site.call(lambda plant: plant.devices["east"].write(address, (number >> 16, number & 0xFFFF), 0.0)) is None


def addresses_written(site: MadeSite) -> set[str]:
    return set(site.observer.registers)


@pytest.mark.parametrize("pv_watts", [0.0, 2500.0])
@pytest.mark.parametrize("watts", [2000.0, -1500.0])
def test_it_keeps_to_its_power_for_as_long_as_it_is_asked(site: MadeSite, watts: float, pv_watts: float) -> None:
    site.light(pv_watts)
    for _ in range(60):
        site.battery(watts, watts)
        site.wait(5)

    assert site.battery_watts == pytest.approx(watts, abs=CLOSE_WATTS)


def test_pv_is_nothing_where_no_input_has_light(site: MadeSite) -> None:
    site.light(0.0)
    sample = site.sample()

    assert (sample.pv_watts, sample.string_watts) == (0.0, (0.0, 0.0, 0.0))


def test_a_limit_is_renewed_within_the_time_that_is_set_in_the_device(site: MadeSite) -> None:
    set_at(site, TIMEOUT_AT, 30)
    set_at(site, FALLBACK_AT, 10000)
    site.light(7900.0)
    for _ in range(30):
        site.command(ac_limit_watts=2100.0)
        site.wait(5)

    assert site.ac_watts == pytest.approx(2100.0, abs=CLOSE_WATTS)


def test_a_limit_is_never_written_to_the_register_in_flash(site: MadeSite) -> None:
    site.light(5500.0)
    for watts in (2100.0, 3000.0, 1500.0):
        site.command(ac_limit_watts=watts)
        site.wait(5)
    shown = site.sample().ac_limit_watts

    assert shown == pytest.approx(1500.0, abs=CLOSE_WATTS)
    assert not site.sample().ac_limit_wears
    assert addresses_written(site) == {"limit_mode", "limit_percent_of_rating"}


def test_release_takes_the_set_point_back(site: MadeSite) -> None:
    site.light(3000.0)
    ask(site, NAME, -1500.0, -1500.0)
    site.release()
    site.wait(10)

    assert site.battery_watts == pytest.approx(3000.0, abs=CLOSE_WATTS)


@pytest.mark.parametrize("found", [303, 1077, 1078, 1390, 1391, 1392, BY_COMMUNICATION])
def test_release_gives_back_what_40210_was_found_in_across_a_kill_too(site: MadeSite, found: int) -> None:
    set_at(site, LIMIT_MODE_AT, found)
    site.repeat(10, ac_limit_watts=2100.0)
    during = limit_mode(site)
    site.start()
    site.repeat(10, ac_limit_watts=None)
    between = limit_mode(site)
    site.release()

    assert (during, between, limit_mode(site)) == (BY_COMMUNICATION, BY_COMMUNICATION, found)


def test_a_release_with_a_limit_that_stays_leaves_40210_alone(site: MadeSite) -> None:
    site.repeat(10, ac_limit_watts=2100.0)
    site.stop_with(ac_limit_watts=2100.0)

    assert limit_mode(site) == BY_COMMUNICATION


def limit_mode(site: MadeSite) -> int:
    words = site.call(lambda plant: plant.devices["east"].read(LIMIT_MODE_AT, 2))
    return int(words[0]) << 16 | int(words[1])


@pytest.mark.parametrize("site_watts", [-3000.0, 3000.0])
@pytest.mark.parametrize("watts", [2000.0, -1500.0])
def test_its_power_does_not_depend_on_what_its_own_meter_says(site: MadeSite, watts: float, site_watts: float) -> None:
    site.call(lambda plant: plant.devices["east"].hear_meter(site_watts))
    ask(site, NAME, watts, watts)

    assert site.battery_watts == pytest.approx(watts, abs=CLOSE_WATTS)

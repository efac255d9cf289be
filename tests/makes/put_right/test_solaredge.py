"""A SolarEdge inverter over real Modbus: silent no-ops, the mode that was found, a limit that must stay, batteries."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.simulation.devices.makes.solaredge.storedge import SolarEdgeStorEdge
from tests.makes.test_makes import MAKES, ask
from tests.support.plants.made_site import MadeSite, made

NAME = "solaredge-storedge"
CONTROL_MODE_AT, DEFAULT_MODE_AT, ADVANCED_AT = 0xE004, 0xE00A, 0xF142
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


@pytest.mark.parametrize("found", [0, 1, 5, 7])
def test_release_gives_back_the_default_mode_that_was_found_and_the_time_of_a_device_as_delivered(
    site: MadeSite, found: int
) -> None:
    set_at(site, DEFAULT_MODE_AT, found)
    ask(site, NAME, -1500.0, -1500.0)
    site.release()
    words = site.call(lambda plant: plant.devices["east"].read(DEFAULT_MODE_AT, 3))

    assert words == (found, 3600, 0)


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


PER_DAY = 40


def behind(site: MadeSite, *shares: float) -> None:
    """So many batteries behind the inverter, and a driver that finds it anew."""
    inverter = site.call(lambda plant: plant.inverters["east"])
    site.running.replace_device("east", lambda _: SolarEdgeStorEdge(inverter, shares))
    site.start()


@pytest.mark.parametrize("shares", [(1.0,), (0.5, 0.5), (0.5, 0.3, 0.2)])
def test_up_to_three_batteries_are_one(site: MadeSite, shares: tuple[float, ...]) -> None:
    behind(site, *shares)
    site.light(3000.0)
    ask(site, NAME, -1500.0, -1500.0)
    sample = site.sample()
    battery, soc_percent = sample.battery, site.call(lambda plant: plant.inverters["east"].soc_percent)

    assert battery is not None
    assert site.battery_watts == pytest.approx(-1500.0, abs=CLOSE_WATTS)
    assert battery.watts == pytest.approx(site.battery_watts, abs=1.0)
    assert battery.soc_percent == pytest.approx(soc_percent, abs=0.1)
    assert battery.capacity_wh == pytest.approx(10000.0)
    assert (battery.charge_max_watts, battery.discharge_max_watts) == pytest.approx((5000.0, 4000.0))
    assert sample.pv_watts == pytest.approx(site.pv_watts, abs=CLOSE_WATTS)
    assert sample.faults == ()


def test_while_one_of_two_batteries_does_not_say_its_power_that_of_all_is_unknown(site: MadeSite) -> None:
    behind(site, 0.5, 0.5)
    ask(site, NAME, -1500.0, -1500.0)
    cell = site.call(lambda plant: plant.devices["east"].registers)._cells["battery 2 power"]
    object.__setattr__(cell, "value", lambda: float("nan"))
    battery = site.sample().battery

    assert battery is not None
    assert battery.watts is None
    assert battery.soc_percent == pytest.approx(50.0, abs=1.0)


def watched(site: MadeSite, watts: float) -> int:
    """How many of the two neighbourhoods that may be flash show something else after this command."""
    before = site.call(lambda plant: plant.devices["east"].read(0xE00B, 7))
    site.battery(watts, watts)
    after = site.call(lambda plant: plant.devices["east"].read(0xE00B, 7))
    places = ((0, 3), (3, 7))
    return sum(before[first:end] != after[first:end] for first, end in places)


def test_no_more_changes_a_day_than_the_budget_allows_and_then_the_battery_is_its_own(site: MadeSite) -> None:
    site.config = site.config.model_copy(update={"flash_writes_per_day": PER_DAY})
    site.start()
    changes = 0
    for step in range(2 * PER_DAY):
        changes += watched(site, 1000.0 + 10.0 * step)
        site.wait(5)
    site.wait(60)

    assert changes <= PER_DAY
    assert "flash_budget_spent" in site.events
    assert site.battery_watts == pytest.approx(0.0, abs=CLOSE_WATTS)
    site.clock.advance(86400.0)
    ask(site, NAME, 1200.0, 1200.0)
    assert site.battery_watts == pytest.approx(1200.0, abs=CLOSE_WATTS)


@pytest.mark.long
def test_what_keeps_a_command_alive_is_no_change(site: MadeSite) -> None:
    site.config = site.config.model_copy(update={"flash_writes_per_day": PER_DAY})
    site.start()
    for _ in range(400):
        site.battery(-1500.0, -1500.0)
        site.wait(10)

    assert site.battery_watts == pytest.approx(-1500.0, abs=CLOSE_WATTS)
    assert site.observer.registers.count("command_timeout") > PER_DAY
    assert "flash_budget_spent" not in site.events

"""A Sofar hybrid in passive mode: what is told together, what wears its memory, and the mode that was found."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.makes.test_makes import MAKES, ask
from tests.support.plants.made_site import MadeSite, made

NAME = "sofar-hyd"
CLOSE_WATTS = MAKES[NAME].close_watts
MODE_AT, TIMEOUT_AT, PASSIVE = 0x1110, 0x1184, 3


@pytest.fixture
def site(tmp_path: Path) -> Iterator[MadeSite]:
    with made(NAME, MAKES[NAME].plant, tmp_path) as site:
        yield site


def at(site: MadeSite, address: int, count: int = 1) -> tuple[int, ...]:
    return tuple(site.call(lambda plant: plant.devices["east"].read(address, count)))


@pytest.mark.parametrize("found", [0, 1, 2, 4])
def test_release_gives_back_the_mode_that_was_found(site: MadeSite, found: int) -> None:
    assert site.call(lambda plant: plant.devices["east"].write(MODE_AT, (found,), 0.0)) is None
    ask(site, NAME, -1500.0, -1500.0)
    during = at(site, MODE_AT)
    site.release()

    assert (during, at(site, MODE_AT)) == ((PASSIVE,), (found,))


def test_its_time_out_brings_back_the_mode_before_passive_mode(site: MadeSite) -> None:
    ask(site, NAME, -1500.0, -1500.0)

    assert at(site, TIMEOUT_AT, 2) == (60, 1)
    site.wait(70)
    assert at(site, MODE_AT) == (0,)


def test_hold_takes_the_pv_that_its_meter_leaves_and_gives_nothing(site: MadeSite) -> None:
    site.light(3000.0)
    for _ in range(3):
        ask(site, NAME, 0.0, None)

    assert site.battery_watts == pytest.approx(3000.0, abs=CLOSE_WATTS)


def test_what_its_memory_keeps_is_written_once_however_the_power_changes(site: MadeSite) -> None:
    for watts in (2000.0, -1000.0, 500.0, 0.0, -1800.0):
        ask(site, NAME, watts, watts)

    assert site.observer.registers.count("storage_mode") == 1
    assert site.observer.registers.count("passive_timeout") == 1

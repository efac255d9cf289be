"""A Plenticore over real Modbus: an AC limit whose enable stays 1 on the first generation."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.simulation.devices.makes.kostal.plenticore import KostalPlenticore
from tests.makes.test_makes import MAKES
from tests.support.plants.made_site import MadeSite, made

NAME = "kostal-plenticore"
CLOSE_WATTS = 70.0


@pytest.fixture
def site(tmp_path: Path) -> Iterator[MadeSite]:
    with made(NAME, MAKES[NAME].plant, tmp_path) as site:
        yield site


@pytest.mark.parametrize("first_generation", [True, False])
def test_a_limit_is_taken_away_by_its_percent_and_nothing_is_written_in_vain(
    site: MadeSite, first_generation: bool
) -> None:
    inverter = site.call(lambda plant: plant.inverters["east"])
    site.running.replace_device("east", lambda _: KostalPlenticore(inverter, first_generation=first_generation))
    site.start()
    site.call(lambda plant: plant.set_soc("east", 100.0))
    site.light(5500.0)
    site.repeat(20, ac_limit_watts=2100.0)
    limited_watts = site.ac_watts
    site.command(ac_limit_watts=None)
    site.observer.registers.clear()
    site.repeat(300, ac_limit_watts=None)

    assert limited_watts == pytest.approx(2100.0, abs=CLOSE_WATTS)
    assert site.ac_watts > 5000.0
    assert site.observer.registers == []
    assert "command_ignored" not in site.events

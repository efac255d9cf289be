"""FoxESS hybrids of both generations: what their remote control does to PV, and how it is told, over real Modbus."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.errors import WrongDevice
from tests.makes.test_makes import MAKES, ask
from tests.orchestrator.devices.profiles.makes import DRIVERS, found, image_of
from tests.support.plants.made_site import made

CLOSE_WATTS = 70.0


@pytest.mark.parametrize("watts", [1000.0, 0.0, -1500.0])
def test_a_smart_one_loses_no_pv_whatever_its_battery_is_told(watts: float, tmp_path: Path) -> None:
    with made("foxess-h3-smart", MAKES["foxess-h3-smart"].plant, tmp_path) as site:
        site.light(4000.0)
        for _ in range(3):
            ask(site, "foxess-h3-smart", watts, watts)

        assert site.pv_watts == pytest.approx(4000.0, abs=1.0)
        assert site.battery_watts == pytest.approx(watts, abs=CLOSE_WATTS)


@pytest.mark.parametrize("watts", [0.0, -1500.0])
def test_the_first_generation_loses_no_pv_while_ac_gives_it_all(watts: float, tmp_path: Path) -> None:
    with made("foxess-h3", MAKES["foxess-h3"].plant, tmp_path) as site:
        site.light(4000.0)
        site.wait(10)
        for _ in range(10):  # AC follows the PV that was read, so that it comes nearer with each command
            ask(site, "foxess-h3", watts, watts)
            if site.pv_watts > 3999.0:
                break

        assert site.pv_watts == pytest.approx(4000.0, abs=1.0)
        assert site.battery_watts == pytest.approx(watts, abs=CLOSE_WATTS)


@pytest.mark.parametrize("name", ["foxess-h3", "foxess-h3-smart"])
def test_the_time_out_is_told_before_the_switch_and_the_power_after_it(name: str, tmp_path: Path) -> None:
    with made(name, MAKES[name].plant, tmp_path) as site:
        ask(site, name, -1500.0, -1500.0)

        assert site.observer.registers[:3] == ["remote_timeout", "remote_control", "remote_power"]


def test_a_name_with_one_letter_in_each_register_is_read_and_says_the_rating() -> None:
    plate = found("foxess-h3", image_of("foxess-h3")).nameplate

    assert (plate.model, plate.ac_max_watts) == ("H3-6.0-E", 6000.0)


@pytest.mark.parametrize(("version", "is_ours"), [(175, True), (192, True), (193, False), (0, False)])
def test_a_manager_from_193_on_has_other_words_and_is_refused(version: int, is_ours: bool) -> None:
    image = image_of("foxess-h3")
    image.words[DRIVERS["foxess-h3"].profile.registers["manager_version"].place] = version

    if is_ours:
        assert found("foxess-h3", image).nameplate.version == str(version)
    else:
        with pytest.raises(WrongDevice):
            found("foxess-h3", image)

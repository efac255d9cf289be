"""Makes that are read and never written: their PV and battery count, against their virtual counterparts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.devices.makes.library import load_profile, profile_names
from orchestrator.devices.makes.schema import writes_of
from tests.support.plants.made_site import HYBRID, MadeSite, made

NAMES = [name for name in profile_names() if load_profile(name).read_only is not None]
CLOSE_WATTS = 70.0


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def site(name: str, tmp_path: Path) -> Iterator[MadeSite]:
    with made(name, HYBRID.model_copy(update={"make": name}), tmp_path) as site:
        yield site


def test_those_are_all() -> None:
    assert NAMES == [
        "alphaess-smile",
        "deye-3p-hv",
        "deye-3p-lv",
        "givenergy-gen3",
        "growatt-mod",
        "saj-h2",
        "sunsynk-1p",
    ]


@pytest.mark.parametrize("light_watts", [0.0, 3000.0])
def test_its_readings_are_those_of_the_plant(name: str, site: MadeSite, light_watts: float) -> None:
    site.light(light_watts)
    site.wait(20)
    sample = site.sample()
    battery = sample.battery

    assert battery is not None, name
    assert sample.faults == ()
    assert sample.ac_watts == pytest.approx(site.ac_watts, abs=CLOSE_WATTS)
    assert sample.pv_watts == pytest.approx(site.pv_watts, abs=CLOSE_WATTS)
    assert battery.watts == pytest.approx(site.battery_watts, abs=CLOSE_WATTS)
    soc_percent = site.call(lambda plant: plant.inverters["east"].soc_percent)
    assert battery.soc_percent == pytest.approx(soc_percent, abs=1.0)
    assert sample.nameplate.serial
    assert sample.nameplate.ac_max_watts in (None, pytest.approx(6000.0))


def test_nothing_is_written_whatever_is_asked(name: str, site: MadeSite) -> None:
    sample = site.sample()
    answers = [site.battery(2000.0, 2000.0), site.command(ac_limit_watts=1000.0), site.release()]

    assert (sample.battery_controllable, sample.ac_limit_controllable, sample.disconnectable) == (False,) * 3
    assert [answer.fault for answer in answers] == [None, None, None], name
    assert site.observer.registers == []
    assert list(writes_of(load_profile(name))) == []

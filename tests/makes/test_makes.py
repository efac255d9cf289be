"""Each make's profile against its virtual counterpart, which knows nothing of the profile, over real Modbus."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from actors.messages import Acknowledged
from orchestrator.config.simulation import BatterySimulation, InverterSimulation
from orchestrator.devices.makes.library import load_profile, profile_names
from orchestrator.simulation.network.faults import Fault, FaultKind
from orchestrator.simulation.physics import Controls
from orchestrator.simulation.site import VirtualSite
from tests.support.plants.made_site import HYBRID, VALID_FOR_S, MadeSite, made
from tests.support.plants.virtual_site import BATTERY, BATTERY_ONLY


@dataclass(frozen=True)
class Make:
    """What is behind the registers, and what the make cannot do. Times as its document says them."""

    plant: InverterSimulation
    falls_back_after_s: float | None = VALID_FOR_S
    """None: it keeps for ever what it was told."""
    limits_ac: bool = True
    asks_permission: bool = False
    """Whether it charges from AC only where a register allows it."""
    soc_step: float = 0.1
    shows_capacity: bool = True
    shows_rating: bool = True
    idle_after_release_s: float = 0.0
    """For how long it rests before it is itself again."""
    close_watts: float = 70.0
    reads_back: bool = True
    """Whether it shows what it was told for the battery."""


def hybrid(make: str) -> InverterSimulation:
    return HYBRID.model_copy(update={"make": make})


def charging_from_grid() -> BatterySimulation:
    """A battery whose owner has allowed it in a setting that is not ours."""
    return BATTERY.model_copy(update={"grid_charging_allowed": True})


MAKES = {
    "foxess-h3": Make(hybrid("foxess-h3"), limits_ac=False, soc_step=1.0, shows_capacity=False),
    "foxess-h3-smart": Make(hybrid("foxess-h3-smart"), limits_ac=False, soc_step=1.0, shows_capacity=False),
    "fronius-gen24": Make(hybrid("fronius-gen24"), asks_permission=True),
    "fronius-symo-hybrid": Make(hybrid("fronius-symo-hybrid"), falls_back_after_s=None, asks_permission=True),
    "goodwe-et": Make(
        hybrid("goodwe-et"), falls_back_after_s=None, limits_ac=False, soc_step=1.0, shows_capacity=False
    ),
    "huawei-luna": Make(hybrid("huawei-luna"), asks_permission=True),
    "kostal-plenticore": Make(hybrid("kostal-plenticore"), idle_after_release_s=60.0),
    "sigenergy": Make(hybrid("sigenergy"), falls_back_after_s=None, limits_ac=False, shows_capacity=False),
    "sma": Make(hybrid("sma"), soc_step=1.0, reads_back=False),
    "sofar-hyd": Make(hybrid("sofar-hyd"), limits_ac=False, soc_step=1.0, shows_capacity=False, shows_rating=False),
    "solis-hybrid": Make(
        hybrid("solis-hybrid").model_copy(update={"battery": charging_from_grid()}),
        falls_back_after_s=300.0,
        limits_ac=False,
        soc_step=1.0,
        shows_capacity=False,
        shows_rating=False,
    ),
    "solax-gen4": Make(hybrid("solax-gen4"), limits_ac=False, soc_step=1.0, reads_back=False),
    "solaredge-storedge": Make(hybrid("solaredge-storedge"), asks_permission=True),
    "sungrow-sh": Make(hybrid("sungrow-sh")),
    "sungrow-sh-forced": Make(hybrid("sungrow-sh"), falls_back_after_s=None),
    "sunspec-1xx": Make(HYBRID, asks_permission=True),
    "sunspec-7xx": Make(BATTERY_ONLY.model_copy(update={"sunspec": "7xx"})),
    "victron-gx": Make(
        hybrid("victron-gx"),
        falls_back_after_s=10.0,
        limits_ac=False,
        soc_step=1.0,
        shows_rating=False,
        close_watts=150.0,  # it takes power at AC; the loop of the site makes up for the losses
    ),
}


COMMANDED = [each for each in profile_names() if load_profile(each).read_only is None]
"""The others are in test_read_only."""


@pytest.fixture(params=COMMANDED)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def make(name: str) -> Make:
    return MAKES[name]


@pytest.fixture
def site(name: str, make: Make, tmp_path: Path) -> Iterator[MadeSite]:
    with made(name, make.plant, tmp_path) as site:
        yield site


def reaction_s(name: str) -> float:
    battery = load_profile(name).commands.battery
    return 10.0 if battery is None else battery.reaction_s


def ask(site: MadeSite, name: str, low_watts: float | None, high_watts: float | None, **options: bool) -> Acknowledged:
    """The same command in each second for as long as the make may take to react; the first answer."""
    answers = []
    for _ in range(round(reaction_s(name))):
        answers.append(site.battery(low_watts, high_watts, **options))
        site.wait(1)
    return answers[0]


def test_it_says_whether_it_can_be_taken_off_the_grid(name: str, site: MadeSite) -> None:
    switches = ("fronius-gen24", "fronius-symo-hybrid", "kostal-plenticore", "sunspec-1xx")

    assert site.sample().disconnectable == (name in switches)


def test_every_make_is_tested() -> None:
    assert set(MAKES) == set(COMMANDED)


def test_its_readings_are_those_of_the_plant(name: str, make: Make, site: MadeSite) -> None:
    site.light(3000.0)
    for _ in range(3):
        ask(site, name, 1000.0, 1000.0)
    sample = site.sample()
    battery = sample.battery

    assert battery is not None
    assert sample.ac_watts == pytest.approx(site.ac_watts, abs=make.close_watts)
    assert battery.watts == pytest.approx(site.battery_watts, abs=make.close_watts)
    assert sample.pv_watts == pytest.approx(site.pv_watts, abs=make.close_watts)
    soc_percent = site.call(lambda plant: plant.inverters["east"].soc_percent)
    assert battery.soc_percent == pytest.approx(soc_percent, abs=make.soc_step)
    rating = pytest.approx(make.plant.ac_rating_watts, rel=0.01) if make.shows_rating else None
    assert sample.nameplate.ac_max_watts == rating
    assert sample.nameplate.serial
    assert sample.nameplate.manufacturer
    assert sample.faults == ()
    if make.shows_capacity:
        assert battery.capacity_wh == pytest.approx(10000.0, rel=0.02)
    assert battery.charge_max_watts is None or battery.charge_max_watts >= 3000.0


def test_it_charges_as_it_is_told(name: str, make: Make, site: MadeSite) -> None:
    answer = ask(site, name, 2000.0, 2000.0)

    assert (answer.fault, answer.detail) == (None, "")
    assert site.battery_watts == pytest.approx(2000.0, abs=make.close_watts)


def test_it_discharges_as_it_is_told(name: str, make: Make, site: MadeSite) -> None:
    answer = ask(site, name, -1500.0, -1500.0)

    assert (answer.fault, answer.detail) == (None, "")
    assert site.battery_watts == pytest.approx(-1500.0, abs=make.close_watts)


def test_another_power_and_another_direction_follow_at_once(name: str, make: Make, site: MadeSite) -> None:
    for watts in (2000.0, 2500.0, -1000.0, -1800.0, 700.0):
        ask(site, name, watts, watts)

        assert site.battery_watts == pytest.approx(watts, abs=make.close_watts)


def test_idle_is_idle_whatever_the_sun_does(name: str, make: Make, site: MadeSite) -> None:
    site.light(3000.0)
    ask(site, name, 0.0, 0.0)

    assert site.battery_watts == pytest.approx(0.0, abs=make.close_watts)


def test_hold_never_discharges(name: str, make: Make, site: MadeSite) -> None:
    ask(site, name, -1500.0, -1500.0)
    ask(site, name, 0.0, None)

    assert site.battery_watts >= -make.close_watts


def test_released_it_is_as_it_was_delivered(name: str, make: Make, site: MadeSite) -> None:
    site.light(3000.0)
    site.wait(10)
    before = site.battery_watts, site.call(controls)
    ask(site, name, -1500.0, -1500.0)
    assert site.battery_watts == pytest.approx(-1500.0, abs=make.close_watts)
    answer = site.release()
    site.wait(max(reaction_s(name), 10) + make.idle_after_release_s)

    assert answer.fault is None
    assert site.battery_watts == pytest.approx(before[0], abs=make.close_watts)
    assert site.call(controls) == before[1]


def test_without_the_orchestrator_it_falls_back_as_its_document_says(name: str, make: Make, site: MadeSite) -> None:
    after_s = make.falls_back_after_s or 3600.0
    ask(site, name, -1500.0, -1500.0)
    site.wait(after_s * 0.5)
    assert site.battery_watts == pytest.approx(-1500.0, abs=make.close_watts)
    site.wait(after_s * 0.7 + reaction_s(name))

    if make.falls_back_after_s is None:
        assert site.battery_watts == pytest.approx(-1500.0, abs=make.close_watts)
    else:
        assert site.battery_watts == pytest.approx(0.0, abs=make.close_watts)


def test_the_same_command_is_kept_alive_with_few_writes(name: str, make: Make, site: MadeSite) -> None:
    ask(site, name, -1500.0, -1500.0)
    site.observer.registers.clear()
    step_s = 1.0 if make.falls_back_after_s == 10.0 else 10.0
    for _ in range(30):
        site.wait(step_s)
        site.battery(-1500.0, -1500.0)

        assert site.battery_watts == pytest.approx(-1500.0, abs=make.close_watts)
    assert len(site.observer.registers) <= 60


def test_it_charges_from_the_grid_only_with_permission(name: str, make: Make, site: MadeSite) -> None:
    if not make.asks_permission:
        pytest.skip(f"{name} has no register for it")
    ask(site, name, 2000.0, 2000.0, grid=False)
    without = site.battery_watts
    ask(site, name, 2000.0, 2000.0, grid=True)

    assert without == pytest.approx(0.0, abs=make.close_watts)
    assert site.battery_watts == pytest.approx(2000.0, abs=make.close_watts)


def test_its_ac_limit_is_kept_and_taken_away(name: str, make: Make, site: MadeSite) -> None:
    if not make.limits_ac:
        assert not site.sample().ac_limit_controllable
        return
    production = -4000.0 if make.plant.pv_peak_watts == 0 else 0.0
    site.light(5500.0)
    for _ in range(4):
        site.battery(production, production)
        site.wait(5)
    free_watts = site.ac_watts
    site.command(ac_limit_watts=2100.0)
    site.wait(10)
    limited_watts = site.ac_watts
    shown = site.sample().ac_limit_watts
    site.command(ac_limit_watts=None)
    site.wait(10)

    assert free_watts > 3500.0
    assert limited_watts == pytest.approx(2100.0, abs=make.close_watts)
    assert shown is None or shown == pytest.approx(2100.0, abs=make.close_watts)
    assert site.ac_watts == pytest.approx(free_watts, abs=make.close_watts)


def test_a_refusal_is_named_and_harms_nothing(name: str, make: Make, site: MadeSite) -> None:
    site.sample()
    site.running.set_fault("east", Fault(FaultKind.EXCEPTION, only_writes=True))
    answer = site.battery(2000.0, 2000.0)
    site.running.set_fault("east", None)

    assert answer.fault == "refused"
    assert answer.detail
    assert "command_refused" in site.events
    again = ask(site, name, 2000.0, 2000.0)
    assert again.fault is None
    assert site.battery_watts == pytest.approx(2000.0, abs=make.close_watts)


def test_a_device_that_ignores_its_commands_is_told_apart_from_one_that_refuses(
    name: str, make: Make, site: MadeSite
) -> None:
    """It acknowledges and does nothing: the read-back shows another value."""
    site.sample()
    site.running.set_fault("east", Fault(FaultKind.DEAF))
    answer = ask(site, name, 2000.0, 2000.0)
    for _ in range(3):
        ask(site, name, 2000.0, 2000.0)

    assert answer.fault is None
    assert site.battery_watts == pytest.approx(0.0, abs=make.close_watts)
    assert "command_refused" not in site.events
    assert ("command_ignored" in site.events) == make.reads_back
    assert len(site.events) == len(set(site.details)), "each register is named once"


def controls(site: VirtualSite) -> Controls:
    return site.inverters["east"].controls

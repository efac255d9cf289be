"""A device loses what it was told, or does not listen at first: it is known within 5 s, and written again, for ever."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import pytest

from orchestrator.commands import BatteryCommand, BatteryMode
from orchestrator.simulation.devices.sunspec.register_map import Restarts
from orchestrator.simulation.site import VirtualSite
from tests.makes.test_makes import MAKES
from tests.support.devices.defects import DeafAtFirst
from tests.support.plants.made_site import MadeSite, made

pytestmark = pytest.mark.no_cover  # whole plants over time: tracing them takes several times as long

LIMIT_WATTS = 3000.0
CHARGE = BatteryCommand(BatteryMode.CHARGE, 1000.0, 1000.0, 1000.0, grid_charging=True)
STAY: dict[str, Any] = {"ac_limit_watts": LIMIT_WATTS, "ac_limit_reverts": False, "battery": CHARGE}
FORGETFUL = sorted(MAKES.keys() - {"sma", "solax-gen4", "sofar-hyd"})
"""SMA and SolaX do not show the set points of a battery; they are renewed within 24 s. A Sofar loses none."""
LIMITED = (
    "fronius-gen24",
    "fronius-symo-hybrid",
    "kostal-plenticore",
    "solaredge-storedge",
    "sunspec-1xx",
)


@pytest.fixture(params=FORGETFUL)
def forgetful(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MadeSite]:
    name = str(request.param)
    with made(name, MAKES[name].plant, tmp_path) as site:
        site.light(8000.0)
        site.repeat(20, step_s=1, **STAY)
        yield site


@pytest.fixture(params=LIMITED)
def limited(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MadeSite]:
    name = str(request.param)
    with made(name, MAKES[name].plant, tmp_path) as site:
        site.light(8000.0)
        site.call(lambda plant: plant.set_soc("east", 100.0))
        site.repeat(20, step_s=1, **STAY)
        yield site


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[MadeSite]:
    with made("sunspec", MAKES["sunspec-1xx"].plant, tmp_path) as site:
        site.light(8000.0)
        site.call(lambda plant: plant.set_soc("east", 100.0))
        yield site


def restart_controls(site: VirtualSite) -> None:
    cast("Restarts", site.devices["east"]).restart_controls()


def test_a_limit_that_the_device_lost_is_in_force_again_within_five_seconds(limited: MadeSite) -> None:
    assert limited.ac_watts <= LIMIT_WATTS + 30
    limited.call(restart_controls)
    limited.wait(1)
    assert limited.ac_watts > LIMIT_WATTS + 500

    limited.repeat(4, step_s=1, **STAY)

    limited.wait(2)
    assert limited.ac_watts <= LIMIT_WATTS + 30
    assert "command_lost" in limited.events


def a_lost_window_is_in_force_again(site: MadeSite, *, after_s: int) -> None:
    site.light(500.0)
    site.repeat(20, step_s=1, **STAY)
    close_watts = pytest.approx(1000.0, abs=150.0)
    assert site.battery_watts == close_watts
    site.call(restart_controls)
    site.wait(1)
    assert site.battery_watts != close_watts

    site.repeat(after_s, step_s=1, **STAY)

    site.wait(4)
    assert site.battery_watts == close_watts


def test_a_battery_window_that_the_device_lost_is_in_force_again_within_five_seconds(forgetful: MadeSite) -> None:
    a_lost_window_is_in_force_again(forgetful, after_s=4)


@pytest.mark.parametrize("name", ["sma", "solax-gen4"])
def test_a_battery_window_that_no_register_shows_is_in_force_again_with_its_renewal(tmp_path: Path, name: str) -> None:
    with made(name, MAKES[name].plant, tmp_path) as site:
        a_lost_window_is_in_force_again(site, after_s=25)


def test_the_sample_stops_showing_a_limit_that_is_gone_and_says_how_old_the_look_is(limited: MadeSite) -> None:
    assert limited.sample().ac_limit_watts == pytest.approx(LIMIT_WATTS, abs=60.0)
    limited.call(restart_controls)
    seen = []
    for _ in range(5):
        limited.wait(1)
        seen.append(limited.sample())

    assert all(each.controls_at_s is None or 0 <= each.at_s - each.controls_at_s <= 4.5 for each in seen)
    assert seen[-1].ac_limit_watts is None or seen[-1].ac_limit_watts > LIMIT_WATTS


def test_a_limit_that_stays_is_renewed_in_every_revert_time(limited: MadeSite) -> None:
    before = len(limited.observer.registers)
    limited.repeat(60, step_s=1, ac_limit_watts=LIMIT_WATTS, ac_limit_reverts=False)

    written = limited.observer.registers[before:]
    assert any("limit" in register.lower() or "WMaxLim" in register for register in written)


def writes_while_told(site: MadeSite, insists: list[int]) -> list[int]:
    """How many registers are written by the same command, told once a second, with each of these."""
    counts = []
    for times in insists:
        before = len(site.observer.registers)
        site.command(ac_limit_watts=LIMIT_WATTS, ac_limit_reverts=False, insists=times)
        counts.append(len(site.observer.registers) - before)
        site.wait(1)
    return counts


def test_a_limit_that_the_device_shows_and_does_not_obey_is_written_anew_each_time_it_is_insisted(
    limited: MadeSite,
) -> None:
    limited.repeat(3, step_s=1, ac_limit_watts=LIMIT_WATTS, ac_limit_reverts=False)

    counts = writes_while_told(limited, [0, 1, 1, 2, 0, 1])

    assert [count > 0 for count in counts] == [False, True, False, True, False, True]


@pytest.mark.parametrize("name", ["huawei-luna", "sungrow-sh"])
def test_insisting_wears_no_flash(name: str, tmp_path: Path) -> None:
    with made(name, MAKES[name].plant, tmp_path) as site:
        site.repeat(3, step_s=1, ac_limit_watts=LIMIT_WATTS, ac_limit_reverts=False)

        assert writes_while_told(site, [1, 2, 3]) == [0, 0, 0]


@pytest.mark.parametrize("name", ["huawei-luna", "sungrow-sh"])
def test_a_limit_in_flash_is_not_renewed(name: str, tmp_path: Path) -> None:
    with made(name, MAKES[name].plant, tmp_path) as site:
        limit = {"ac_limit_watts": LIMIT_WATTS, "ac_limit_reverts": False}
        site.command(**limit)
        before = len(site.observer.registers)
        site.repeat(300, step_s=5, **limit)

        assert site.observer.registers[before:] == []


def writes_of_limit(site: MadeSite, seconds: int) -> list[float]:
    """When the limit was written, with the same command in each second, in s from now."""
    began_s, at_s = site.clock.now_s(), []
    for _ in range(seconds):
        before = site.observer.registers.count("123.WMaxLimPct")
        site.command(ac_limit_watts=LIMIT_WATTS, ac_limit_reverts=False)
        if site.observer.registers.count("123.WMaxLimPct") > before:
            at_s.append(site.clock.now_s() - began_s)
        site.wait(1)
    return at_s


def test_a_device_that_ignores_its_first_writes_is_written_to_until_it_obeys(plain: MadeSite) -> None:
    plain.running.replace_device("east", lambda device: DeafAtFirst(device, 6))

    writes_of_limit(plain, 75)

    plain.wait(2)
    assert plain.ac_watts <= LIMIT_WATTS + 30
    assert plain.details == list(dict.fromkeys(plain.details))
    assert set(plain.events) == {"command_ignored"}


def test_tries_at_a_device_that_never_obeys_get_rarer_and_never_end(plain: MadeSite) -> None:
    plain.running.replace_device("east", lambda device: DeafAtFirst(device, 10_000))

    gaps_s = [later - earlier for earlier, later in pairwise(writes_of_limit(plain, 300))]

    assert gaps_s[0] <= 2
    assert max(gaps_s) <= 30 + 1
    assert min(gaps_s[-3:]) >= 20
    assert plain.details == list(dict.fromkeys(plain.details))
    assert set(plain.events) == {"command_ignored"}


def test_looking_at_what_can_be_written_costs_one_read_in_three_cycles(plain: MadeSite) -> None:
    plain.repeat(10, step_s=1, ac_limit_watts=LIMIT_WATTS)
    before = plain.call(lambda site: site.devices["east"].reads)
    for _ in range(30):
        plain.sample()
        plain.wait(1)

    each = len(plain.actor._session.driver.plan_reads(plain.actor._session.device))
    assert plain.call(lambda site: site.devices["east"].reads) - before <= 30 * each + 10

"""Two storeys with real parts: a portfolio of two sites of three inverters each, and what is cut between them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from orchestrator.decide.records import CycleResult
from tests.support.plants.example_site import SUNNY
from tests.support.plants.running_plant import BUSY_MACHINE_S, POLL_S
from tests.support.plants.two_storeys import (
    REVERT_S,
    Portfolio,
    Site,
    portfolio_config,
    running_portfolio,
    running_site,
)
from tests.support.servers.brokers import Mosquitto, mosquitto
from tests.support.servers.required import wait_until

pytestmark = pytest.mark.long

WITHIN_S = 10.0 + BUSY_MACHINE_S
NEARLY_WATTS = 300.0
"""So much of 25.5 kW may be exported for a moment while PV that is held back is looked for: 1.2 %."""
DEFAULT = {"default": {"export_limit_watts": 0}, "grid_charging": True}
"""What a site of this village does without a portfolio; with one it may store the sun of the other."""


@dataclass
class Village:
    """The two sites, each at a broker of its own, and the portfolio, which speaks to both."""

    folder: Path
    north: Site
    south: Site
    brokers: dict[str, Mosquitto]
    portfolio: Portfolio

    @property
    def export_watts(self) -> float:
        """Of both together, as the devices are."""
        return self.north.look()["export"] + self.south.look()["export"]

    def charging_watts(self) -> tuple[float, float]:
        """Of each, as the devices are."""
        return self.north.look()["charging"], self.south.look()["charging"]

    def see_export_below(self, watts: float, within_s: float = WITHIN_S, for_s: float = 3.0) -> None:
        """Return when the sum has been below for `for_s`."""
        deadline_s, since_s = time.monotonic() + within_s + for_s, None
        while since_s is None or time.monotonic() - since_s < for_s:
            now_s = time.monotonic()
            export = self.export_watts
            since_s = (since_s or now_s) if export < watts else None
            if now_s > deadline_s:
                pytest.fail(f"{export:.0f} W are exported after {within_s:g} s, not less than {watts:g} W")
            time.sleep(POLL_S)

    def decided(self) -> CycleResult:
        """The newest decision of the portfolio."""
        return self.portfolio.results[-1]

    def see_away(self, *names: str) -> None:
        """Return when just these sites are silent to the portfolio."""
        wait_until(lambda: self.decided().snapshot.away == names, f"{names or 'nobody'} being away")


@pytest.fixture
def village(tmp_path: Path) -> Iterator[Village]:
    with ExitStack() as running:
        brokers = {name: running.enter_context(mosquitto(_folder(tmp_path, name))) for name in ("north", "south")}
        half = {name: watts / 2 for name, watts in SUNNY.items()}
        sites = {
            name: running.enter_context(
                running_site(tmp_path, name, brokers[name], sun=sun, load_watts=load_watts, portfolio=DEFAULT)
            )
            for name, sun, load_watts in (("north", SUNNY, 1000.0), ("south", half, 500.0))
        }
        config = portfolio_config(tmp_path, brokers["north"], brokers)
        portfolio = running.enter_context(running_portfolio(config, brokers["north"]))
        village = Village(tmp_path, sites["north"], sites["south"], brokers, portfolio)
        wait_until(lambda: portfolio.results and not village.decided().snapshot.away, "a portfolio that hears both")
        yield village


def _folder(folder: Path, name: str) -> Path:
    (folder / f"broker-{name}").mkdir()
    return folder / f"broker-{name}"


def test_an_export_limit_of_both_is_obeyed_shared_two_to_one_and_kept_while_one_is_lost_and_back(
    village: Village,
) -> None:
    village.portfolio.setpoint.publish({"opModExpLimW": 0})
    village.see_export_below(NEARLY_WATTS)
    wait_until(lambda: sum(village.charging_watts()) > 8000 and _is_shared(village), "shares of two to one")

    village.brokers["south"].stop()  # it is lost to the portfolio, and goes on as it was told
    village.see_away("south")
    village.see_export_below(NEARLY_WATTS)
    time.sleep(1.5 * REVERT_S)  # until its command has ended, and its own default holds
    assert village.south.look()["export"] < 150
    village.see_export_below(NEARLY_WATTS)

    village.brokers["south"].start()
    village.see_away()
    village.see_export_below(NEARLY_WATTS)
    wait_until(lambda: _is_shared(village), "shares of two to one")


def test_a_site_whose_portfolio_is_gone_falls_back_to_its_own_default(village: Village) -> None:
    village.portfolio.setpoint.publish({"batteryTargetWatts": 3000})
    wait_until(lambda: 2500 < sum(village.charging_watts()) < 3500, "a target for both batteries")
    north = village.north
    assert north.results[-1].envelope.source("battery_target_watts") == "portfolio"

    village.brokers["north"].stop()
    village.brokers["south"].stop()

    wait_until(lambda: north.results[-1].envelope.fields.battery_target_watts is None, "the end of the command")
    assert north.results[-1].envelope.whose("export_limit_watts") == "default of portfolio"
    wait_until(lambda: village.export_watts < NEARLY_WATTS, "an export that the sites keep themselves")
    wait_until(lambda: village.decided().mode == "failsafe", "a portfolio that knows that it hears nothing")


def test_a_portfolio_that_comes_back_goes_on_with_what_it_was_asked(village: Village) -> None:
    village.portfolio.setpoint.publish({"batteryTargetWatts": 2000})
    wait_until(lambda: _target(village) == 2000, "the target")
    numbers = village.north.results[-1].envelope.origins["battery_target_watts"].received_at_s
    village.portfolio.stop()

    with running_portfolio(village.portfolio.config, village.brokers["north"]) as again:
        wait_until(lambda: again.results and again.results[-1].mode == "normal", "a decision after the restart")
        wait_until(lambda: _newer_than(village, numbers), "a command with a higher number")
        wait_until(lambda: _target(village) == 2000, "the target of both sites again")


def _newer_than(village: Village, received_at_s: float) -> bool:
    origin = village.north.results[-1].envelope.origins.get("battery_target_watts")
    return origin is not None and origin.received_at_s > received_at_s


def _target(village: Village) -> float:
    """What both sites are asked for together, in whole watts."""
    asked = [site.results[-1].envelope.fields.battery_target_watts for site in (village.north, village.south)]
    return round(sum(each or 0.0 for each in asked))


def _is_shared(village: Village) -> bool:
    north, south = village.charging_watts()
    return south > 1000 and abs(north - 2 * south) < 0.25 * north

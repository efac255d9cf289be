"""The site of four makes with one make more in it: those that are told a power, and those that are only read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from orchestrator.decide.ac.excess import EXCESS_PART_OF_RATING
from orchestrator.devices.makes.library import load_profile, profile_names
from orchestrator.simulation.server import serve
from tests.support.plants.running_plant import DRIVERS, Expected, RunningPlant, about, above, below
from tests.support.servers.brokers import mosquitto
from tests.support.servers.networks import writes_of
from tests.support.servers.required import free_port
from tests.system.plants.test_mixed_site import (
    CAPACITY_WH,
    DARK,
    HALF_FULL,
    LARGE,
    OBEYED_WITHIN_S,
    SUN,
    battery_controls,
    hybrid,
    mixed_site,
)

LOSES_PV = "foxess-h3"
"""Its counterpart charges no battery while AC gives, see docs/makes.md; so it is asked in the dark alone."""
GUESTS = (LOSES_PV, "foxess-h3-smart", "sigenergy", "sofar-hyd", "solax-gen4", "solis-hybrid")
NEAR_WATTS = EXCESS_PART_OF_RATING * 38000.0 + 10.0
"""So near the limit of a site with these ratings a small reduction is not worth a write; and a step of a register."""
ONLY_READ = tuple(name for name in profile_names() if load_profile(name).read_only is not None)
BATTERY = LARGE.model_copy(update={"grid_charging_allowed": True})
WITH_GUEST_WH = {**CAPACITY_WH, "guest": 10000.0}

pytestmark = pytest.mark.long


@pytest.fixture(params=GUESTS)
def make(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@contextmanager
def running(make: str, folder: Path) -> Iterator[RunningPlant]:
    """The site half full in the dark, with what these makes do not say of themselves in its site.yaml."""
    limits = {"capacity_wh": 10000, "charge_max_watts": 5000, "discharge_max_watts": 5000}
    guest: dict[str, Any] = {"name": "guest", "driver": make, "host": "127.0.0.1", "port": 5024}
    guest |= {"ac_max_watts": 6000, "battery": limits}
    with (
        mosquitto(folder) as broker,
        serve(mixed_site(folder / "state", broker.port, guest, hybrid(make, BATTERY)), new_port=free_port) as site,
    ):
        plant = RunningPlant(site, broker, site.config, DRIVERS)
        try:
            plant.set(soc_percent={**HALF_FULL, "guest": 50.0}, load_watts=1000.0, pv_watts={**DARK, "guest": 0.0})
            yield plant
        finally:
            plant.stop()


def shares(plant: RunningPlant) -> Expected:
    """What each battery must take of the newest target."""
    flow = plant.results[-1].flow
    assert flow is not None
    target, whole_wh = flow.target_battery_power_watts, sum(WITH_GUEST_WH.values())
    assert abs(target) > 4000
    return {f"{name} charging": about(target * wh / whole_wh, 0.02 * abs(target)) for name, wh in WITH_GUEST_WH.items()}


def test_it_shares_keeps_an_export_limit_of_zero_and_is_handed_back(make: str, tmp_path: Path) -> None:
    with running(make, tmp_path) as plant:
        delivered = plant.site.call(battery_controls)["guest"]
        plant.set(load_watts=7000.0)
        plant.see({"import": about(0, NEAR_WATTS)}, for_s=2.0)
        plant.see(lambda: shares(plant), for_s=2.0)
        if make != LOSES_PV:
            charge_beside_pv(plant)
        plant.stop()

        assert plant.site.call(battery_controls)["guest"] == delivered


@pytest.mark.parametrize("only_read", ONLY_READ)
def test_one_that_is_only_read_counts_and_the_others_keep_the_limit_for_it(only_read: str, tmp_path: Path) -> None:
    with running(only_read, tmp_path) as plant:
        plant.set(pv_watts={**dict.fromkeys(SUN, 6000.0), "guest": 5000.0}, load_watts=1000.0)
        plant.see({"export": above(6000), "guest pv": about(5000, 200)})
        plant.setpoint.publish({"opModExpLimW": 0})
        plant.see({"export": below(NEAR_WATTS)}, within_s=OBEYED_WITHIN_S, for_s=2.0)
        plant.stays({"export": below(NEAR_WATTS), "guest pv": about(5000, 200)}, 15.0)

        assert writes_of(plant.site, ["guest"]) == {"guest": 0}
        (guest,) = (each for each in plant.results[-1].snapshot.inverters if each.name == "guest")
        assert guest.ac_watts == pytest.approx(plant.look()["guest ac"], abs=200.0)


def charge_beside_pv(plant: RunningPlant) -> None:
    """It shares what PV gives, and takes it while nothing may be exported."""
    plant.set(pv_watts={**SUN, "guest": 4000.0}, load_watts=6000.0)
    plant.see({"import": about(0, NEAR_WATTS)}, for_s=2.0)
    plant.see(lambda: shares(plant), for_s=2.0)

    plant.set(pv_watts={**dict.fromkeys(SUN, 6000.0), "guest": 5000.0}, load_watts=1000.0)
    plant.see({"export": above(6000), "charging": above(15000)})
    plant.setpoint.publish({"opModExpLimW": 0})
    plant.see({"export": below(NEAR_WATTS)}, within_s=OBEYED_WITHIN_S, for_s=2.0)
    plant.stays({"export": below(NEAR_WATTS), "charging": above(14000)}, 15.0)

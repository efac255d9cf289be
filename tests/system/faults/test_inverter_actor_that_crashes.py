"""A bug in the reading of one inverter that comes again at every start: what is left in it is safe without any load."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from actors.clock import RealClock
from actors.observer import NoObserver
from actors.system import start_system
from orchestrator.devices.drivers import SUNSPEC
from orchestrator.devices.sunspec.driver import SunSpecDriver
from orchestrator.samples import InverterSample
from tests.support.plants.running_plant import above
from tests.support.servers.required import wait_until
from tests.system.faults.test_site_that_crashes import AT_ZERO, BATTERIES_OWN, follows_the_load, limited, sunny_site


class BuggyDriver(SunSpecDriver):
    """Once the bug is there, what `east` says cannot be decoded."""

    is_there = False

    def decode_inverter(self, device: Any, name: str, registers: Any, at_s: float) -> InverterSample:
        if self.is_there and name == "east":
            raise RuntimeError("a bug")
        return super().decode_inverter(device, name, registers, at_s)


@pytest.mark.long
def test_an_inverter_whose_actor_crashes_at_each_reading_is_handed_back_by_a_new_one(tmp_path: Path) -> None:
    driver, clock = BuggyDriver(), RealClock()
    with sunny_site() as eyes:
        config = limited(eyes.site.config, tmp_path)
        system = start_system(config, clock=clock, observer=NoObserver(), drivers={SUNSPEC: driver})
        try:
            follows_the_load(eyes)
            eyes.see({"east WMaxLimPct": above(100)})
            driver.is_there = True
            wait_until(system.failed.is_set, "the plant is given up")
        finally:
            system.stop(30.0)
            clock.close()

        eyes.stays(AT_ZERO | BATTERIES_OWN, 0.1)

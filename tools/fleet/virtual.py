"""What a portfolio costs and how soon it is there, in virtual time: `python -m tools.fleet.virtual 100 300 1000`.

Light sites and the decisions of a portfolio in one process, with every message as bytes, one step a second. What is
measured is processor time, which does not depend on what else this machine does; brokers and threads are not in it.
"""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from orchestrator import control
from orchestrator.config.sections import SiteConfig
from orchestrator.decide.memory import ControlState
from orchestrator.devices.mqtt.messages import SiteSample, read_site, write_command
from orchestrator.portfolio.outbox import Outbox
from orchestrator.portfolio.sum_meter import picture
from orchestrator.samples import MeterSample, SiteSnapshot
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.setpoints.intake import Arrival
from orchestrator.setpoints.merge import Setpoint, merge
from orchestrator.telemetry.payloads import reasons_payload
from tools.fleet.light import LightSite

BEGIN: Final = datetime(2030, 1, 1, tzinfo=UTC)
STEPS: Final = 30
CLOSE_PART: Final = 0.01
PART_OF_POWER: Final = 0.3


class Run:
    """A portfolio of so many light sites."""

    def __init__(self, sites: int) -> None:
        self.sites = {name: LightSite.made(name) for name in (f"site-{number:04}" for number in range(sites))}
        entries = [{"name": name, "driver": "site", "host": "broker", "topic": f"sites/{name}"} for name in self.sites]
        self.config = SiteConfig.model_validate(
            {
                "site": {"name": "fleet"},
                "meter": {"driver": "sum"},
                "inverters": entries,
                "control": {"battery_power_flow": True},
            }
        )
        self.state, self.now_s = ControlState(started_at_s=0.0), 0.0
        self.boxes = {name: Outbox(0.0, msgspec.json.encode) for name in self.sites}
        self.told: MeterSample | None = None
        self.cpu_s = 0.0

    def step(self, asked: SetpointFields) -> float:
        """A second of all; what the batteries do together after it, in W."""
        self.now_s += 1.0
        wall = BEGIN + timedelta(seconds=self.now_s)
        said = {}
        for name, site in self.sites.items():
            fields = site.asked(self.now_s, wall.timestamp())
            site.live(fields, 1.0)
            said[name] = msgspec.json.encode(site.payload(wall.isoformat(), fields))
        began_s = time.process_time()
        heard: dict[str, SiteSample] = {
            name: read_site(Arrival(payload, False, self.now_s, wall), name) for name, payload in said.items()
        }
        seen = picture(heard, self.told, self.now_s, 4.0)
        self.told = seen.meter
        snapshot = SiteSnapshot(self.now_s, seen.meter, tuple(each.inverter for each in seen.sites.values()))
        result = control.step(self.config, self.state, snapshot, merge((Setpoint("asked", asked),)), self.now_s)
        self.state = result.state
        commands = {
            each.inverter: self.boxes[each.inverter].put(
                write_command(each, wall, reasons_payload(each.reasons)), each.valid_for_s, self.now_s
            )
            for each in result.commands
        }
        self.cpu_s += time.process_time() - began_s
        for name, command in commands.items():
            self.sites[name].take(Arrival(command, False, self.now_s, wall))
        return sum(site.battery_watts for site in self.sites.values())


def tried(sites: int) -> str:
    """One row: after how many seconds targets up and down are reached and how they are held, and the cost of a step."""
    run, took = Run(sites), []
    for direction in (1, -1):
        able = (site.charge_max_watts if direction > 0 else site.discharge_max_watts for site in run.sites.values())
        target = direction * PART_OF_POWER * sum(able)
        asked = SetpointFields(battery_target_watts=target, battery_grid_charging_enabled=True)
        off = [abs(run.step(asked) / target - 1) for _ in range(STEPS)]
        last = max((second for second, each in enumerate(off, 1) if each > CLOSE_PART), default=0)
        held = max(off[last:], default=1.0)
        took.append(f"{last + 1} s, then within {100 * held:.2f} %" if last < STEPS else "not reached")
    return f"| {sites} | {' | '.join(took)} | {1000 * run.cpu_s / (2 * STEPS):.0f} ms |"


def main() -> None:
    """One row for each size."""
    print("| sites | target up | target down | processor time of a step |\n|---|---|---|---|")
    for sites in map(int, sys.argv[1:] or ("100", "300", "1000")):
        print(tried(sites), flush=True)


if __name__ == "__main__":
    main()

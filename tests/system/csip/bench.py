"""A virtual site in virtual time, whose client speaks to a real server over TLS on loopback; all have one clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from actors.commands.run.csip.certificates import identity_of
from actors.commands.run.csip.picture import picture
from actors.commands.run.csip.utility import client_of, connection_of, kept_of, perform, remind
from orchestrator.config.simulation import BatterySimulation, InverterSimulation, LoadSimulation, MeterSimulation
from orchestrator.config.sources.csip_aus import CsipAusSource
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.setpoints.stored import from_json, to_json
from orchestrator.simulation.virtual_time import Moment, VirtualTime
from tests.support.plants.virtual_site import site_config
from tests.system.csip.certificates import Authority
from tests.system.csip.server import Served, Utility

BEGIN_S = 1_800_000_000.0
"""What the clock of the server shows at the start."""
SERVER_AHEAD_S = 37.0
"""So much it is ahead of the wall clock of the site: who went by the wrong clock would be found out."""
RATED_WATTS = 5000.0
BATTERY = BatterySimulation(capacity_wh=1_000_000, charge_watts=5000, discharge_watts=5000, soc_percent=50)


INVERTERS = ("east", "west")


@dataclass
class Record:
    """What was true at one second: powers in W, export and generation negative at the meter."""

    at_s: float
    site_watts: float
    der_watts: float
    wanted: SetpointFields


class Bench:
    """One second after the other: the site decides, then the client looks, as its thread would."""

    def __init__(self, section: CsipAusSource, plant: VirtualTime, utility: Utility) -> None:
        self.plant = plant
        self.utility = utility
        self.section = section
        self.records: list[Record] = []
        self.troubles: list[str] = []
        self.client = client_of(section, lambda: plant.now_s, datetime.now(UTC))
        self.connection = connection_of(section)
        self.kept: str | None = None

    @property
    def now_s(self) -> float:
        return self.plant.now_s

    def run(self, seconds: float, until: Callable[[], bool] = lambda: False) -> list[Record]:
        """So long, or until something is true; what was seen meanwhile."""
        first = len(self.records)
        for _ in range(round(seconds)):
            if until():
                break
            self._second()
        return self.records[first:]

    def _second(self) -> None:
        for moment in self.plant.play(1.0):
            self.records.append(_record(moment))
            if moment.result is not None:
                self.client.show(picture(moment.result))
        if self.now_s >= self.client.next_s():
            trouble = perform(self.client.round(), self.connection.ask)
            if trouble is not None and trouble not in self.troubles[-1:]:
                self.troubles.append(trouble)
        self._tell()
        kept = kept_of(self.section, self.client, lambda: self.plant.now_s, self.wall())
        if kept is not None:
            self.kept = to_json({self.section.name: kept})

    def _tell(self) -> None:
        was_silent = self.client.is_silent
        setpoint = self.client.setpoint(self.now_s + self.plant.wall_ahead_s)
        if setpoint is not None:
            self.plant.receive(setpoint)
        elif self.client.is_silent and not was_silent:
            self.plant.withdraw(self.section.name)

    def wall(self) -> datetime:
        return datetime.fromtimestamp(self.now_s + self.plant.wall_ahead_s, UTC)

    def kill(self, away_s: float = 0.0) -> None:
        """The client is gone for so long without a word, and a new one knows what is on the disk."""
        self.plant.withdraw(self.section.name)
        self.connection.close()
        for moment in self.plant.play(away_s):
            self.records.append(_record(moment))
        self.client = client_of(self.section, lambda: self.plant.now_s, datetime.now(UTC))
        kept = {} if self.kept is None else from_json(self.kept)
        remind(self.section, self.client, kept.get(self.section.name), self.wall())
        self._tell()

    def last(self) -> Record:
        return self.records[-1]


def _record(moment: Moment) -> Record:
    return Record(moment.at_s, moment.site_watts, moment.load_watts - moment.site_watts, moment.wanted)


@contextmanager
def bench(
    folder: Path,
    *,
    pv_watts: float = 0.0,
    load_watts: float = 0.0,
    charges: bool = False,
    has_battery: bool = True,
    inverters: int = 1,
    start: str = "/dcap",
    fixed: dict[str, Any] | None = None,
    **section: Any,
) -> Iterator[Bench]:
    """A site of 5 kW in one inverter or more, with PV as given; `charges`: its battery fills itself from the grid."""
    authority = Authority(folder)
    certificate = authority.sign("site")
    names = INVERTERS[:inverters]
    inverter = InverterSimulation(
        pv_peak_watts=8000.0 / inverters,
        ac_rating_watts=RATED_WATTS / inverters,
        battery=BATTERY if has_battery else None,
    )
    config = site_config(
        dict.fromkeys(names, inverter),
        load=LoadSimulation(base_watts=load_watts, variation_watts=0.0, noise_watts=0.0),
        meter=MeterSimulation(period_s=0.05),
    )
    wishes = {"battery_grid_charging_enabled": True} if charges else {}
    plants: list[VirtualTime] = []
    utility = Utility(
        identity_of(certificate[0]).lfdi,
        lambda: BEGIN_S + (plants[0].now_s if plants else 0.0),
    )
    with Served(utility, authority.sign("server"), authority.file) as served:
        values = {
            "server": served.url.replace("/dcap", start),
            "ca_file": str(authority.file),
            "certificate_file": str(certificate[0]),
            "key_file": str(certificate[1]),
            "rated_watts": RATED_WATTS,
            "timeout_s": 60.0,
            "default": SetpointFields(export_limit_watts=0.0, import_limit_watts=0.0),
        }
        source = CsipAusSource.model_validate(values | section)
        asked = config.setpoints.model_copy(
            update={"csip_aus": source, "fixed": SetpointFields(**(wishes | (fixed or {})))}
        )
        config = config.model_copy(update={"setpoints": asked})
        plant = VirtualTime(config, wall_ahead_s=BEGIN_S - SERVER_AHEAD_S)
        for name in names:
            plant.site.set_pv_available(name, pv_watts / inverters)
        plant.site.set_load(load_watts)
        plants.append(plant)
        made = Bench(source, plant, utility)
        try:
            yield made
        finally:
            made.connection.close()

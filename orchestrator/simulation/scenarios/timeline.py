"""What happens in a scenario, and when: weather, load, setpoints and faults as entries of a time line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from orchestrator.config.simulation import Celsius
from orchestrator.config.sources.setpoint_values import SetpointValues
from orchestrator.documents.section import Mistakes, Name, Percent, Section, Watts
from orchestrator.documents.yaml_text import KeyPath
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.setpoints.merge import Setpoint
from orchestrator.simulation.network.virtual import InverterFault, MeterDefect
from orchestrator.simulation.site import VirtualSite
from orchestrator.simulation.virtual_time import VirtualTime

SOURCE = "mqtt"
"""The source that a scenario's setpoints come from."""

WEATHER = "weather"
OK = "ok"


class Acceptance(Section):
    """What a battery takes and gives at most, whatever it says about itself; left out: as it is rated."""

    charge_watts: Watts | None = None
    discharge_watts: Watts | None = None


class Event(Section):
    """What changes at `at_s` seconds after the start, all of it at once. What is left out stays as it is.

    `pv_watts` (by inverter) and `load_watts` fix light and load; "weather" gives them back to the sections `sun` and
    `load`. `grid_volts` is the voltage where no power flows. `ignores_battery` says whether an inverter obeys commands
    for its battery. `inverters` and `meter` name a fault, or "ok". A `setpoint` replaces the one before, for
    `validity_s` where that is given; "withdrawn" ends it.
    """

    at_s: Annotated[float, Field(ge=0, le=1e7)]
    pv_watts: dict[Name, Watts | Literal["weather"]] = Field(default_factory=dict)
    load_watts: Watts | Literal["weather"] | None = None
    grid_volts: Annotated[float, Field(ge=50, le=600)] | None = None
    soc_percent: dict[Name, Percent] = Field(default_factory=dict)
    temperature_celsius: dict[Name, Celsius] = Field(default_factory=dict)
    accepts: dict[Name, Acceptance] = Field(default_factory=dict)
    ignores_battery: dict[Name, bool] = Field(default_factory=dict)
    inverters: dict[Name, Literal["ok"] | Annotated[InverterFault, Field(strict=False)]] = Field(default_factory=dict)
    meter: Literal["ok"] | Annotated[MeterDefect, Field(strict=False)] | None = None
    orchestrator: Literal["killed", "stopped", "started", "restarted"] | None = None
    setpoint: SetpointValues | Literal["withdrawn"] | None = None
    validity_s: Annotated[float, Field(gt=0, le=1e7)] | None = None

    @model_validator(mode="after")
    def _validity_belongs_to_a_setpoint(self) -> Self:
        if self.validity_s is not None and not isinstance(self.setpoint, SetpointFields):
            raise Mistakes((("validity_s",), "is for a setpoint, and there is none"))
        return self

    def names(self) -> Iterator[tuple[KeyPath, str]]:
        """The inverters that it is about, each with the path of its name."""
        for key in ("pv_watts", "soc_percent", "temperature_celsius", "accepts", "ignores_battery", "inverters"):
            yield from (((key, name), name) for name in getattr(self, key))

    def change_site(self, site: VirtualSite) -> None:
        """The part that happens to the plant itself, in virtual or in real time."""
        for name, watts in self.pv_watts.items():
            site.set_pv_available(name, None if watts == WEATHER else float(watts))
        if self.load_watts is not None:
            site.set_load(None if self.load_watts == WEATHER else float(self.load_watts))
        if self.grid_volts is not None:
            site.grid.volts = self.grid_volts
        for name, percent in self.soc_percent.items():
            site.set_soc(name, percent)
        for name, celsius in self.temperature_celsius.items():
            site.inverters[name].set_temperature(celsius)
        for name, accepted in self.accepts.items():
            site.inverters[name].set_accepted(accepted.charge_watts, accepted.discharge_watts)
        for name, ignores in self.ignores_battery.items():
            site.in_time[name].receiver.ignores_battery = ignores

    def happen(self, loop: VirtualTime) -> None:
        """All of it, in virtual time."""
        self.change_site(loop.site)
        for name, fault in self.inverters.items():
            loop.inverter_faults.pop(name, None)
            if fault != OK:
                loop.inverter_faults[name] = InverterFault(fault)
        if self.meter is not None:
            loop.meter_fault = None if self.meter == OK else MeterDefect(self.meter)
        self._ask(loop)
        self._change_orchestrator(loop)

    def _ask(self, loop: VirtualTime) -> None:
        if isinstance(self.setpoint, SetpointFields):
            ends_s = None if self.validity_s is None else loop.now_s + self.validity_s
            loop.receive(Setpoint(SOURCE, self.setpoint, loop.now_s, ends_s))
        elif self.setpoint is not None:
            loop.withdraw(SOURCE)

    def _change_orchestrator(self, loop: VirtualTime) -> None:
        if self.orchestrator == "stopped":
            loop.stop()
        elif self.orchestrator in ("killed", "restarted"):
            loop.kill()
        if self.orchestrator in ("started", "restarted"):
            loop.start()

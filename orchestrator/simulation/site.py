"""The virtual site: every simulated inverter, the load and the meter, moved on together. No clock, no socket.

Without sockets it closes the loop in virtual time:

    site = VirtualSite(config)
    site.advance(1.0)
    sample, meter = site.inverter_sample("east", at_s), site.meter_sample(at_s)
    site.apply(command, now_s)          # in force until its valid_for_s is over
"""

from __future__ import annotations

import math

from orchestrator.commands import InverterCommand
from orchestrator.config.sections import SiteConfig
from orchestrator.config.simulation import SimulationConfig
from orchestrator.samples import InverterSample, MeterSample
from orchestrator.simulation.devices.catalogue import MAKES, METERS
from orchestrator.simulation.devices.sunspec.der import SunSpecDer
from orchestrator.simulation.devices.sunspec.inverter import SunSpecInverter
from orchestrator.simulation.devices.sunspec.meter import SunSpecMeter
from orchestrator.simulation.devices.sunspec.register_map import Device
from orchestrator.simulation.plant.grid import GridConnection
from orchestrator.simulation.plant.in_time import InverterInTime
from orchestrator.simulation.plant.inverter import SimulatedInverter
from orchestrator.simulation.plant.meter import SimulatedMeter
from orchestrator.simulation.plant.weather import load_watts, sunlight

LONGEST_STEP_S = 0.05
METER = "meter"
"""The name of the meter, among those of the inverters."""


class VirtualSite:
    """A site made from the `simulation:` section of a site.yaml. The same seed and steps give the same day.

    The weather and the load of the section can be overruled by the knobs `set_pv_available` and `set_load`.
    """

    def __init__(self, config: SiteConfig) -> None:
        """Raise ValueError where `config` has no simulation, or one of inverters that it does not name."""
        self.simulation = checked_simulation(config)
        self.now_s = 0.0
        self.meter = SimulatedMeter(self.simulation.meter)
        self.inverters = {
            name: SimulatedInverter(name, settings, self.simulation.battery_speed)
            for name, settings in self.simulation.inverters.items()
        }
        self.devices = self._make_devices()
        self.commands: list[tuple[float, InverterCommand]] = []
        self.in_time = {name: self._put_in_time(name) for name in self.inverters}
        self.grid = GridConnection(config, self.simulation)
        self._fixed_pv_watts: dict[str, float] = {}
        self._fixed_load_watts: float | None = None
        self.load_watts = self.load_at(0.0)
        self.phases = self.grid.flow(self.load_watts, self.in_time)
        """What flows on each phase, and the voltages, as measured last."""

    def advance(self, dt_s: float) -> None:
        """Let `dt_s` (>= 0) pass, in equal steps of at most 0.05 s."""
        steps = math.ceil(dt_s / LONGEST_STEP_S)
        for _ in range(steps):
            self._step(dt_s / steps)

    def inverter_sample(self, name: str, at_s: float) -> InverterSample:
        """One inverter as a driver would report it, stamped `at_s`. Raises KeyError for an unknown name."""
        return self.inverters[name].sample(at_s)

    def meter_sample(self, at_s: float) -> MeterSample:
        """The value the meter published last, stamped `at_s` (the clock of the caller)."""
        return MeterSample(
            at_s=at_s,
            site_watts=self.meter.site_watts,
            changed_at_s=at_s - (self.now_s - self.meter.changed_at_s),
            frequency_hz=50.0,
            site_vars=0.0,
            phase_watts=self.meter.phase_watts or (self.meter.site_watts / 3,) * 3,
            phase_volts=self.meter.phase_volts,
            import_wh=self.meter.import_wh,
            export_wh=self.meter.export_wh,
        )

    def apply(self, command: InverterCommand, now_s: float) -> None:
        """Give one inverter a command, in force at once and for its `valid_for_s`; `now_s` stamps it in `commands`."""
        unit = self.in_time[command.inverter]
        unit.receiver.apply(command, unit.now_s)
        self.commands.append((now_s, command))

    def set_pv_available(self, name: str, watts: float | None) -> None:
        """Fix what the light allows the PV of one inverter to make, in W; None goes back to the weather."""
        if name not in self.inverters:
            raise KeyError(name)
        if watts is None:
            self._fixed_pv_watts.pop(name, None)
        else:
            self._fixed_pv_watts[name] = watts

    def set_load(self, watts: float | None) -> None:
        """Fix what the site consumes, in W; None goes back to the load of the configuration."""
        self._fixed_load_watts = watts

    def set_soc(self, name: str, percent: float) -> None:
        """Set the state of charge of one battery (0 to 100 %)."""
        self.inverters[name].set_soc(percent)

    def _make_devices(self) -> dict[str, Device]:
        """What is seen on the wire, by name; the meter is METER."""
        load, inverters = self.simulation.load, self.inverters.values()
        most_load_watts = load.base_watts + load.variation_watts + load.appliance_watts + load.noise_watts
        largest_watts = most_load_watts + sum(inverter.settings.ac_rating_watts for inverter in inverters)
        devices: dict[str, Device] = {inverter.name: _make_device(inverter) for inverter in inverters}
        make = self.simulation.meter.make
        devices[METER] = SunSpecMeter(self.meter, largest_watts) if make is None else METERS[make](self.meter)
        return devices

    def measure(self, at_s: float) -> float:
        """Let time pass until `at_s` and let the meter measure; the power at the grid connection in W, import +.

        An inverter moves there in as few steps as what reaches it allows. One that is that far already is left alone.
        """
        passed_s, self.now_s = at_s - self.now_s, at_s
        self.load_watts = self.load_at(at_s)
        site_watts = self.load_watts
        for unit in self.in_time.values():
            unit.advance_to(at_s)
            site_watts -= unit.inverter.state.ac_watts
        self.phases = self.grid.flow(self.load_watts, self.in_time)
        self.grid.trip(self.phases.volts, self.in_time, at_s)
        self.meter.measure(at_s, passed_s, site_watts, self.phases)
        return site_watts

    def pv_available_at(self, name: str, at_s: float) -> float:
        """What the light allows the PV of one inverter to make at `at_s`, in W."""
        fixed_watts = self._fixed_pv_watts.get(name)
        if fixed_watts is not None:
            return fixed_watts
        peak_watts = self.inverters[name].settings.pv_peak_watts
        if peak_watts == 0:
            return 0.0
        return peak_watts * sunlight(self.simulation.sun, f"{self.simulation.seed}/{name}", at_s)

    def load_at(self, at_s: float) -> float:
        """What the site consumes at `at_s`, in W."""
        if self._fixed_load_watts is not None:
            return self._fixed_load_watts
        return load_watts(self.simulation.load, str(self.simulation.seed), at_s)

    def _put_in_time(self, name: str) -> InverterInTime:
        return InverterInTime(self.inverters[name], lambda at_s: self.pv_available_at(name, at_s))

    def _step(self, dt_s: float) -> None:
        for name in self.inverters:
            self.devices[name].advance(dt_s)
        self.measure(self.now_s + dt_s)


def _make_device(inverter: SimulatedInverter) -> Device:
    if inverter.settings.make is not None:
        return MAKES[inverter.settings.make](inverter)
    return SunSpecDer(inverter) if inverter.settings.sunspec == "7xx" else SunSpecInverter(inverter)


def checked_simulation(config: SiteConfig) -> SimulationConfig:
    """The simulation section of `config`. Raises ValueError where it is missing or does not fit the inverters."""
    if config.simulation is None:
        raise ValueError("site.yaml has no section `simulation:`, so there is nothing to simulate")
    known = {inverter.name for inverter in config.inverters}
    unknown = sorted(set(config.simulation.inverters) - known)
    if unknown:
        raise ValueError(f"simulation.inverters names {', '.join(unknown)}, which `inverters:` does not")
    if METER in config.simulation.inverters:
        raise ValueError("a simulated inverter cannot be called `meter`: that is the name of the meter")
    return config.simulation

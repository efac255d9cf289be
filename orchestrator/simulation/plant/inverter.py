"""A simulated inverter: its physics over time, its counters, and what can be said about it at one moment."""

from __future__ import annotations

import math

from msgspec.structs import replace

from orchestrator.config.simulation import BatterySimulation, InverterSimulation
from orchestrator.samples import BatterySample, ChargeState, InverterSample, Nameplate, OperatingState
from orchestrator.simulation.physics import (
    SECONDS_PER_HOUR,
    WHOLE_RANGE,
    Controls,
    PowerRange,
    PowerState,
    advance_inverter,
    warm_part,
)
from orchestrator.simulation.plant.turning import Turning

ASLEEP_BELOW_WATTS = 5.0
FULL_FROM_PERCENT = 99.9
WORKED_BEFORE_WH = 1_000_000.0
"""Counters do not start at 0: in SunSpec an accumulator of 0 is "not implemented"."""


class SimulatedInverter:
    """One inverter of the virtual site. `controls` may be replaced at any time; `advance` lets time pass."""

    def __init__(self, name: str, settings: InverterSimulation, battery_speed: float = 1.0) -> None:
        self.name = name
        self.settings = settings
        self.controls = self.default_controls()
        self.state = PowerState()
        self.generated_wh = WORKED_BEFORE_WH
        self.pv_wh = WORKED_BEFORE_WH
        self.charged_wh = WORKED_BEFORE_WH
        self.discharged_wh = WORKED_BEFORE_WH
        self._battery_speed = battery_speed
        self._nameplate = self._make_nameplate()
        self.limit_step_watts = settings.ac_rating_watts * settings.limit_step_percent / 100
        self._turning = Turning(settings)
        self._warm = self._managed = self._accepted = WHOLE_RANGE
        if settings.battery is not None:
            self.set_soc(settings.battery.soc_percent)
            self.set_temperature(settings.battery.temperature_celsius)

    def default_controls(self) -> Controls:
        """The controls of a device that was just switched on: no limit, the battery at its own default."""
        battery = self.settings.battery
        if battery is None:
            return Controls()
        return Controls(grid_charging=battery.grid_charging_allowed, reserve_percent=battery.reserve_percent)

    @property
    def found_grid_charging(self) -> bool:
        """Whether the device, as it is delivered, charges from AC."""
        return self.settings.battery is not None and self.settings.battery.grid_charging_allowed

    def advance(self, dt_s: float, pv_available_watts: float) -> None:
        """Let `dt_s` (> 0) pass with `pv_available_watts` of light on the PV."""
        collapsed = self._turning.advance(self.controls, self.state.battery_watts, dt_s)
        self.state = advance_inverter(
            self.settings,
            self.controls,
            self.state,
            pv_available_watts=0.0 if collapsed else pv_available_watts,
            dt_s=dt_s,
            battery_speed=self._battery_speed,
            accepted=self._accepted,
        )
        if collapsed:
            self.state = replace(self.state, pv_available_watts=pv_available_watts)
        self._count(dt_s / SECONDS_PER_HOUR)

    def _count(self, hours: float) -> None:
        """Let the counters run for so long with the present powers."""
        state = self.state
        self.pv_wh += state.pv_watts * hours
        if state.ac_watts > 0:
            self.generated_wh += state.ac_watts * hours
        if state.battery_watts > 0:
            self.charged_wh += state.battery_watts * hours
        else:
            self.discharged_wh -= state.battery_watts * hours

    def set_soc(self, percent: float) -> None:
        """Set the state of charge (0 to 100 %). Raises ValueError where there is no battery."""
        self.state = replace(self.state, stored_wh=self._require_battery().capacity_wh * percent / 100)

    def set_temperature(self, celsius: float) -> None:
        """Set the temperature of the battery. Raises ValueError where there is no battery."""
        battery = self._require_battery()
        self._warm = PowerRange(-math.inf, battery.charge_watts * warm_part(battery, celsius))
        self._accepted = self._warm.within(self._managed)

    def set_accepted(self, charge_watts: float | None = None, discharge_watts: float | None = None) -> None:
        """What the battery takes and gives at most, in W (None: as it is rated), whatever it says about itself.

        Raises ValueError where there is no battery.
        """
        self._require_battery()
        self._managed = PowerRange(
            low_watts=-math.inf if discharge_watts is None else -discharge_watts,
            high_watts=math.inf if charge_watts is None else charge_watts,
        )
        self._accepted = self._warm.within(self._managed)

    @property
    def soc_percent(self) -> float | None:
        """State of charge, 0 to 100 %; None without a battery."""
        battery = self.settings.battery
        return None if battery is None else 100.0 * self.state.stored_wh / battery.capacity_wh

    @property
    def operating_state(self) -> OperatingState:
        """Model 103, St. THROTTLED: the light would allow more PV than limit, rating and battery take."""
        if not self.controls.connected:
            return OperatingState.STANDBY
        if self.state.curtailed and self.settings.says_throttled:
            return OperatingState.THROTTLED
        busy_watts = max(self.state.pv_available_watts, abs(self.state.battery_watts), abs(self.state.ac_watts))
        return OperatingState.SLEEPING if busy_watts < ASLEEP_BELOW_WATTS else OperatingState.MPPT

    @property
    def charge_state(self) -> ChargeState | None:
        """Model 124, ChaSt; None without a battery."""
        soc_percent = self.soc_percent
        if soc_percent is None:
            return None
        if self.state.battery_watts > ASLEEP_BELOW_WATTS:
            return ChargeState.CHARGING
        if self.state.battery_watts < -ASLEEP_BELOW_WATTS:
            return ChargeState.DISCHARGING
        if soc_percent >= FULL_FROM_PERCENT:
            return ChargeState.FULL
        return ChargeState.EMPTY if soc_percent <= self.controls.reserve_percent else ChargeState.HOLDING

    def sample(self, at_s: float) -> InverterSample:
        """What a driver would read at this moment, without the rounding of registers."""
        battery = self.settings.battery
        return InverterSample(
            name=self.name,
            at_s=at_s,
            ac_watts=self.state.ac_watts,
            ac_vars=0.0,
            pv_watts=self.state.pv_watts,
            battery=None if battery is None else self._battery_sample(battery),
            nameplate=self._nameplate,
            state=self.operating_state,
            connected=self.controls.connected,
            ac_limit_watts=self.controls.ac_limit_watts,
            ac_limit_step_watts=self.limit_step_watts,
            battery_controllable=battery is not None,
            has_pv=self.settings.pv_peak_watts > 0,
        )

    def _require_battery(self) -> BatterySimulation:
        if self.settings.battery is None:
            raise ValueError(f"{self.name} has no battery")
        return self.settings.battery

    def _battery_sample(self, battery: BatterySimulation) -> BatterySample:
        return BatterySample(
            watts=self.state.battery_watts,
            soc_percent=self.soc_percent,
            charge_max_watts=battery.charge_watts,
            discharge_max_watts=battery.discharge_watts,
            capacity_wh=battery.capacity_wh,
            grid_charging_allowed=self.controls.grid_charging,
            state=self.charge_state,
        )

    def _make_nameplate(self) -> Nameplate:
        battery = self.settings.battery
        return Nameplate(
            manufacturer="Virtual",
            model="Hybrid" if battery else "PV",
            serial=f"SIM-{self.name}",
            ac_max_watts=self.settings.ac_rating_watts,
            charge_max_watts=battery.charge_watts if battery else None,
            discharge_max_watts=battery.discharge_watts if battery else None,
            capacity_wh=battery.capacity_wh if battery else None,
        )

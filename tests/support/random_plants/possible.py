"""What was possible at one moment of a plant: what nobody can command, and what the rest could have done.

    seen = witness(scenario)
    seen[40].forced_out_watts        # AC power that no command changes
    seen[40].best_ac_watts           # the most AC power that all together could make now

All in W: AC into the site +, battery power charging +.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import fsum, inf

from orchestrator.commands import BatteryMode, InverterCommand
from orchestrator.config.simulation import InverterSimulation
from orchestrator.simulation.physics import Controls, PowerState, battery_range, to_ac, warm_part
from orchestrator.simulation.scenarios.scenario import InverterSettings, Scenario, moments
from orchestrator.simulation.virtual_time import Moment, VirtualTime
from tests.support.random_plants.troubles import Trouble, troubles

COMMANDED = {BatteryMode.CHARGE, BatteryMode.DISCHARGE}
WHOLE_WINDOW = {None, 3}
"""The storage modes in which both sides of a battery's window may be set, so that it can be told what to do."""

EFFICIENCY = 0.97
NEAR_TARGET_PERCENT = 0.3


@dataclass(frozen=True)
class Part:
    """One inverter at one moment. `obeys` and `battery_obeys` say whether it does what it is told.

    One that is `steady` has had no fault lately and has no ramp and no rest of its own.
    """

    name: str
    simulation: InverterSimulation
    settings: InverterSettings
    moment: Moment
    power: PowerState
    command: InverterCommand | None
    obeys: bool
    battery_obeys: bool
    steady: bool

    @property
    def soc_percent(self) -> float:
        """State of charge; 0 without a battery."""
        battery = self.simulation.battery
        return 100.0 * self.power.stored_wh / battery.capacity_wh if battery else 0.0

    @property
    def soc_min_percent(self) -> float:
        """The highest of the minima that are asked for."""
        return max(self.settings.battery.soc_min_percent or 0.0, self.moment.wanted.battery_soc_min_percent or 0.0)

    @property
    def soc_max_percent(self) -> float:
        """The lowest of the maxima that are asked for."""
        asked = (self.settings.battery.soc_max_percent, self.moment.wanted.battery_soc_max_percent)
        return min([100.0, *(percent for percent in asked if percent is not None)])

    @property
    def target_watts(self) -> float:
        """What its battery is told, charging +; 0 where it is told no number."""
        battery = self.command.battery if self.command else None
        return battery.watts if battery and battery.mode in COMMANDED else 0.0

    @property
    def ac_cap_watts(self) -> float:
        """The most AC power that its last command lets it make."""
        if self.simulation.pv_peak_watts == 0:
            return max(-self.target_watts, 0.0) * EFFICIENCY
        limit = self.command.ac_limit_watts if self.command else None
        return self.simulation.ac_rating_watts if limit is None else limit

    @cached_property
    def discharge_watts(self) -> float:
        """What its battery could give now: by its state of charge, its ratings, the rates asked for and the inverter.

        One that is not steady is believed to be able to do what it does.
        """
        battery, wanted = self.simulation.battery, self.moment.wanted
        if battery is None or not self.battery_obeys or self.soc_percent <= self.soc_min_percent + 0.1:
            return 0.0
        if not self.steady:
            return max(-self.power.battery_watts, 0.0)
        possible = battery_range(battery, Controls(reserve_percent=battery.reserve_percent), self.power.stored_wh, 1.0)
        rate = _part(wanted.battery_discharge_rate_percent) * battery.discharge_watts
        inverter = self.simulation.ac_rating_watts - self.power.pv_watts
        return max(min(-possible.low_watts, rate, inverter), 0.0)

    @cached_property
    def charge_watts(self) -> float:
        """What its battery could take now on its way to its target; what it takes where it is not steady."""
        battery, wanted = self.simulation.battery, self.moment.wanted
        target = min(self.soc_max_percent, _or_inf(wanted.battery_target_soc_percent))
        if battery is None or not self.battery_obeys or self.soc_percent >= target - NEAR_TARGET_PERCENT:
            return 0.0
        if not self.steady:
            return max(self.power.battery_watts, 0.0)
        possible = battery_range(battery, Controls(), self.power.stored_wh, 1.0).high_watts
        warm = battery.charge_watts * warm_part(battery, battery.temperature_celsius)
        rate = _part(wanted.battery_charge_rate_percent) * battery.charge_watts
        return max(min(possible, warm, rate, EFFICIENCY * self.simulation.ac_rating_watts + self.power.pv_watts), 0.0)


@dataclass(frozen=True)
class Seen:
    """One moment of a plant: all its inverters, and what was wrong."""

    moment: Moment
    trouble: Trouble
    parts: list[Part]

    @property
    def forced_out_watts(self) -> float:
        """AC power that no command changes: of inverters that do not obey, or are battery inverters that do not."""
        return fsum(
            max(part.power.ac_watts, 0.0)
            for part in self.parts
            if not part.obeys or (part.simulation.pv_peak_watts == 0 and not part.battery_obeys)
        )

    @property
    def forced_draw_watts(self) -> float:
        """The same for what is drawn from AC."""
        return fsum(max(-part.power.ac_watts, 0.0) for part in self.parts if not part.battery_obeys)

    @property
    def best_ac_watts(self) -> float:
        """The most that all could make now: the PV that is made, nothing charging, and all that may be discharged."""
        obeying = [part for part in self.parts if part.battery_obeys]
        made = {part.name: _ac_of_pv(part) for part in obeying}
        more = fsum(
            min(to_ac(p.simulation, p.discharge_watts), p.simulation.ac_rating_watts - made[p.name]) for p in obeying
        )
        wanted = self.moment.wanted
        more = min(more, EFFICIENCY * _or_inf(wanted.battery_discharge_max_watts))
        others = fsum(part.power.ac_watts for part in self.parts if not part.battery_obeys)
        return min(others + fsum(made.values()) + more, _or_inf(wanted.generation_limit_watts))

    @property
    def charge_watts(self) -> float:
        """What all batteries could be charged with."""
        return min(fsum(p.charge_watts for p in self.parts), _or_inf(self.moment.wanted.battery_charge_max_watts))

    @property
    def charging_watts(self) -> float:
        """What the batteries that obey are charged with."""
        return fsum(max(part.power.battery_watts, 0.0) for part in self.parts if part.battery_obeys)

    @property
    def forced_import_watts(self) -> float:
        """What is imported whatever batteries do: AC power that the generation limit keeps the load from getting.

        A battery that its own PV charges behind an AC limit takes nothing of it.
        """
        return max(self.moment.load_watts - _or_inf(self.moment.wanted.generation_limit_watts), 0.0)

    @property
    def disobedient_charging_watts(self) -> float:
        """What batteries of ours are charged with that do not obey: it counts within what all of them may take."""
        return fsum(
            max(part.power.battery_watts, 0.0)
            for part in self.parts
            if part.obeys and part.settings.battery.control and not part.battery_obeys
        )

    @property
    def available_watts(self) -> float:
        """Power for batteries that obey and for export; negative is a deficit."""
        return fsum(part.power.battery_watts for part in self.parts if part.battery_obeys) - self.moment.site_watts

    @property
    def grid_charging_watts(self) -> float:
        """What may be imported for charging; 0 where nobody allows it, infinite where nothing bounds it."""
        wanted, deficit = self.moment.wanted, max(-self.available_watts, 0.0)
        if not wanted.battery_grid_charging_enabled:
            return 0.0
        at_meter = min(_or_inf(wanted.battery_import_target_watts), _or_inf(wanted.import_limit_watts))
        return max(min(_or_inf(wanted.battery_grid_charging_max_watts), at_meter - deficit), 0.0)

    @property
    def is_governed(self) -> bool:
        """Whether the loop can do what it wants: it believes its meter, and nobody switched the plant off."""
        wanted = self.moment.wanted
        switched_off = wanted.energize is False or wanted.connect is False
        return self.moment.mode == "normal" and not switched_off and wanted.battery_storage_mode in WHOLE_WINDOW

    @property
    def sum_is_known(self) -> bool:
        """Whether all that is made under a generation limit can be seen: what is away is counted for more."""
        foreign = any(not part.settings.control for part in self.parts)
        return self.moment.wanted.generation_limit_watts is None or not (self.trouble.faults or foreign)


def witness(scenario: Scenario) -> list[Seen]:
    """Play a scenario and look at each of its moments."""
    played = list(moments(scenario, VirtualTime(scenario.site_config(), keep_results=False)))
    return [_see(scenario, m, trouble) for m, trouble in zip(played, troubles(scenario, played), strict=True)]


def _see(scenario: Scenario, moment: Moment, trouble: Trouble) -> Seen:
    commands = {command.inverter: command for command in moment.commands}
    parts = []
    for (name, simulation), power in zip(scenario.inverters.items(), moment.powers, strict=True):
        settings = scenario.settings.get(name, InverterSettings())
        obeys = settings.control and name not in trouble.faults
        ours = simulation.battery is not None and settings.battery.control and name not in trouble.ignoring
        parts.append(
            Part(
                name,
                simulation,
                settings,
                moment,
                power,
                commands.get(name),
                obeys=obeys,
                battery_obeys=obeys and ours and moment.wanted.battery_storage_mode in WHOLE_WINDOW,
                steady=not trouble.is_recent(name)
                and settings.ramp_watts_per_s is None
                and settings.battery.idle_between_s == 0,
            )
        )
    return Seen(moment, trouble, parts)


def _ac_of_pv(part: Part) -> float:
    return min(to_ac(part.simulation, part.power.pv_watts), part.simulation.ac_rating_watts)


def _part(percent: float | None) -> float:
    return 1.0 if percent is None else percent / 100


def _or_inf(value: float | None) -> float:
    return inf if value is None else value

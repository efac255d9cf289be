"""The plant as the loop sees it: each answering inverter with its configuration, its memory and its limits joined.

Signs as everywhere: AC into the site +, battery charging +, limits are magnitudes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from math import fsum
from typing import Any

from orchestrator.allocation import NEVER_USED, AllocatableBattery, BatteryUse
from orchestrator.config import AnyInverterConfig, SiteConfig
from orchestrator.cycle import ControlState, InverterMemory
from orchestrator.samples import BatterySample, InverterSample, OperatingState, SiteSnapshot
from orchestrator.setpoints import SetpointFields

SHORT_AFTER_STEPS = 2
"""A battery that gave less than asked for this many steps is asked for little more than it gives."""

EASE_PART_OF_RATING = 0.1

ACCEPTANCE_STEP = 0.02
"""How much more than it gives such a battery is asked for, as a part of its limit: this is how it is tried again."""

NOTHING_KNOWN = InverterMemory(away=True)
"""Of an inverter that just came, and of all of them in shadow mode: nothing was written, so only the sample counts."""


class LimitedBy(StrEnum):
    """What the power limit of a battery comes from: the lowest of these."""

    DEVICE = "device"
    RATE = "rate"
    INVERTER = "inverter"
    ACCEPTANCE = "acceptance"
    RETURN = "return"


@dataclass(frozen=True, slots=True)
class Battery:
    """A battery that is ours to command. `watts` charging +; the limits already contain every rate and rating.

    `rated_watts` is the AC rating of its inverter, `use` how it was used so far (see `fewest_units`).
    """

    name: str
    watts: float
    soc_percent: float | None
    soc_min_percent: float
    soc_max_percent: float
    soc_target_percent: float
    capacity_wh: float | None
    charge_max_watts: float
    discharge_max_watts: float
    idle_between_s: float
    grid_charging_allowed: bool | None
    rated_watts: float | None = None
    use: BatteryUse = NEVER_USED
    charge_limited_by: LimitedBy = LimitedBy.DEVICE
    discharge_limited_by: LimitedBy = LimitedBy.DEVICE

    @property
    def below_target(self) -> bool:
        """Whether charging towards the target SoC goes to it."""
        return self.soc_percent is None or self.soc_percent < min(self.soc_target_percent, self.soc_max_percent)

    @property
    def below_max(self) -> bool:
        """Whether it may be charged at all."""
        return self.soc_percent is None or self.soc_percent < self.soc_max_percent

    @property
    def above_min(self) -> bool:
        """Whether it may be discharged."""
        return self.soc_percent is None or self.soc_percent > self.soc_min_percent

    def allocatable(self, away_words: str = "") -> AllocatableBattery:
        """The same for allocation. `away_words` say why it takes no part now, "" where it does."""
        return AllocatableBattery(
            name=self.name,
            capacity_wh=self.capacity_wh,
            charge_max_watts=self.charge_max_watts,
            discharge_max_watts=self.discharge_max_watts,
            soc_percent=self.soc_percent,
            soc_min_percent=self.soc_min_percent,
            soc_max_percent=self.soc_max_percent,
            reachable=not away_words,
            away_words=away_words,
            rated_watts=self.rated_watts,
            use=self.use,
        )


@dataclass(frozen=True, slots=True)
class Unit:
    """One answering inverter. `rating_watts` None: it does not say what it can do, so it cannot be limited in percent.

    `limit_watts` is the AC limit in force in the device as far as is known; its rating where there is none.
    `ac_watts` and `pv_watts` are 0 while they are unknown (a sleeping device). `limitable` says whether its AC power
    can be limited, `throttled` whether a limit below its rating holds its output back, so that it may be able to make
    more. All four follow from the rest, and are worked out once because every part of a step looks at them.
    """

    name: str
    config: AnyInverterConfig
    sample: InverterSample
    memory: InverterMemory
    rating_watts: float | None
    limit_watts: float
    battery: Battery | None
    ac_watts: float = field(init=False)
    pv_watts: float = field(init=False)
    limitable: bool = field(init=False)
    throttled: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "ac_watts", self.sample.ac_watts or 0.0)
        object.__setattr__(self, "pv_watts", self.sample.pv_watts or 0.0)
        object.__setattr__(self, "limitable", self._is_limitable())
        object.__setattr__(self, "throttled", self._is_throttled())

    def with_memory(self, memory: InverterMemory) -> Unit:
        """The same inverter with another memory."""
        if memory is self.memory:
            return self
        return Unit(self.name, self.config, self.sample, memory, self.rating_watts, self.limit_watts, self.battery)

    @property
    def battery_watts(self) -> float:
        """Power of its battery if that is ours to command, charging +."""
        return self.battery.watts if self.battery else 0.0

    @property
    def controllable(self) -> bool:
        """Whether anything may be written to it."""
        return self.config.control

    def _is_limitable(self) -> bool:
        """A battery inverter without PV obeys its window instead."""
        sample = self.sample
        return self.config.control and sample.ac_limit_controllable and self.rating_watts is not None and sample.has_pv

    def _is_throttled(self) -> bool:
        """Its output stands at the limit, or it says so itself while it still follows the limit (model 103 St)."""
        if self.rating_watts is None or self.limit_watts >= 0.99 * self.rating_watts:
            return False
        if self.sample.state is OperatingState.THROTTLED:
            return True
        if self.sample.battery is not None and self.pv_watts < 0.01 * self.rating_watts:
            return False  # a hybrid that discharges at its limit in the dark: no PV is held back
        return self.ac_watts >= self.limit_watts - 0.01 * self.rating_watts


@dataclass(frozen=True, slots=True)
class Plant:
    """All answering inverters, in the order of site.yaml, and what they are together.

    `ac_watts` is the sum of AC power, `battery_watts` that of the batteries that are ours to command (charging +), and
    `rating_watts` that of the nameplates, the measure for small and large.
    """

    units: tuple[Unit, ...]
    batteries: tuple[Battery, ...] = field(init=False)
    ac_watts: float = field(init=False)
    battery_watts: float = field(init=False)
    rating_watts: float = field(init=False)

    def __post_init__(self) -> None:
        batteries = tuple(u.battery for u in self.units if u.battery)
        object.__setattr__(self, "batteries", batteries)
        object.__setattr__(self, "ac_watts", fsum(u.ac_watts for u in self.units))
        object.__setattr__(self, "battery_watts", fsum(b.watts for b in batteries))
        object.__setattr__(self, "rating_watts", fsum(u.rating_watts or 0.0 for u in self.units))

    def unit(self, name: str) -> Unit:
        """The unit called `name`. Raises KeyError while it does not answer."""
        for unit in self.units:
            if unit.name == name:
                return unit
        raise KeyError(name)


def see_plant(config: SiteConfig, state: ControlState, snapshot: SiteSnapshot, wanted: SetpointFields) -> Plant:
    """Join the samples with configuration, memory and the limits in force."""
    units = []
    for inverter in config.inverters:
        sample = snapshot.inverter(inverter.name)
        if sample is not None:
            memory = state.inverters.get(inverter.name, NOTHING_KNOWN) if config.control.enabled else NOTHING_KNOWN
            if memory.away:
                running = config.control.enabled and bool(state.inverters)
                memory = replace(memory, away=False, ac_limit_watts=sample.ac_limit_watts, easing=running)
            unit = _unit(config, inverter, sample, memory, wanted)
            units.append(_with_use(unit, state.uses))
    return Plant(tuple(units))


def _unit(
    config: SiteConfig,
    inverter: AnyInverterConfig,
    sample: InverterSample,
    memory: InverterMemory,
    wanted: SetpointFields,
) -> Unit:
    rating = sample.nameplate.ac_max_watts or inverter.ac_max_watts
    limit = (rating or 0.0) if memory.ac_limit_watts is None else memory.ac_limit_watts
    battery = None
    ours = config.control.battery_power_flow and inverter.control and inverter.battery.control
    if ours and sample.battery is not None and sample.battery_controllable:
        battery = _battery(inverter, sample.battery, memory, wanted, rating)
        battery = _within_ac_rating(battery, sample.pv_watts or 0.0, rating)
        battery = _within_acceptance(battery, memory)
        battery = _eased(battery, memory, rating)
    return Unit(inverter.name, inverter, sample, memory, rating, limit, battery)


def _with_use(unit: Unit, uses: Mapping[str, BatteryUse]) -> Unit:
    if unit.battery is None or unit.name not in uses:
        return unit
    return replace(unit, battery=replace(unit.battery, use=uses[unit.name]))


def _battery(
    inverter: AnyInverterConfig,
    seen: BatterySample,
    memory: InverterMemory,
    wanted: SetpointFields,
    rating_watts: float | None,
) -> Battery:
    own = inverter.battery
    soc_max = _lowest(100.0, own.soc_max_percent, wanted.battery_soc_max_percent)
    target = wanted.battery_target_soc_percent
    return Battery(
        name=inverter.name,
        watts=seen.watts if seen.watts is not None else memory.target_watts or 0.0,
        soc_percent=seen.soc_percent,
        soc_min_percent=max(own.soc_min_percent or 0.0, wanted.battery_soc_min_percent or 0.0),
        soc_max_percent=soc_max,
        soc_target_percent=soc_max if target is None else target,
        capacity_wh=seen.capacity_wh or own.capacity_wh,
        charge_max_watts=_rate(seen.charge_max_watts, own.charge_max_watts, wanted.battery_charge_rate_percent),
        discharge_max_watts=_rate(
            seen.discharge_max_watts, own.discharge_max_watts, wanted.battery_discharge_rate_percent
        ),
        idle_between_s=own.idle_between_s,
        grid_charging_allowed=seen.grid_charging_allowed,
        rated_watts=rating_watts,
        charge_limited_by=_limited_by_rate(wanted.battery_charge_rate_percent),
        discharge_limited_by=_limited_by_rate(wanted.battery_discharge_rate_percent),
    )


def _rate(device_watts: float | None, config_watts: float | None, percent: float | None) -> float:
    """The lower of what device and configuration say, times the rate asked for; 0 where neither says anything."""
    known = [watts for watts in (device_watts, config_watts) if watts is not None]
    return min(known, default=0.0) * (1.0 if percent is None else percent / 100.0)


def _limited_by_rate(percent: float | None) -> LimitedBy:
    return LimitedBy.DEVICE if percent is None or percent >= 100 else LimitedBy.RATE


def _lowered(
    battery: Battery, by: LimitedBy, *, charge_max_watts: float | None = None, discharge_max_watts: float | None = None
) -> Battery:
    """The battery with its limits no higher than these, and what lowered them."""
    changes: dict[str, Any] = {}
    if charge_max_watts is not None and charge_max_watts < battery.charge_max_watts:
        changes |= {"charge_max_watts": charge_max_watts, "charge_limited_by": by}
    if discharge_max_watts is not None and discharge_max_watts < battery.discharge_max_watts:
        changes |= {"discharge_max_watts": discharge_max_watts, "discharge_limited_by": by}
    return replace(battery, **changes) if changes else battery


def _within_ac_rating(battery: Battery, pv_watts: float, rating_watts: float | None) -> Battery:
    """Discharge shares the inverter with PV; charging beyond PV comes through the inverter from AC."""
    if rating_watts is None:
        return battery
    return _lowered(
        battery,
        LimitedBy.INVERTER,
        charge_max_watts=pv_watts + rating_watts,
        discharge_max_watts=max(rating_watts - pv_watts, 0.0),
    )


def _within_acceptance(battery: Battery, memory: InverterMemory) -> Battery:
    """Ask a battery that keeps giving less than asked for little more than it gives, so that others take the rest."""
    if memory.short_steps < SHORT_AFTER_STEPS or not memory.target_watts:
        return battery
    if memory.target_watts > 0:
        accepted = max(battery.watts, 0.0) + ACCEPTANCE_STEP * battery.charge_max_watts
        return _lowered(battery, LimitedBy.ACCEPTANCE, charge_max_watts=accepted)
    accepted = max(-battery.watts, 0.0) + ACCEPTANCE_STEP * battery.discharge_max_watts
    return _lowered(battery, LimitedBy.ACCEPTANCE, discharge_max_watts=accepted)


def _eased(battery: Battery, memory: InverterMemory, rating_watts: float | None) -> Battery:
    """A battery whose inverter has just come back gets its share in steps of its rating, not as a jump."""
    if not memory.easing:
        return battery
    step = EASE_PART_OF_RATING * (rating_watts or max(battery.charge_max_watts, battery.discharge_max_watts))
    return _lowered(
        battery,
        LimitedBy.RETURN,
        charge_max_watts=max(battery.watts, 0.0) + step,
        discharge_max_watts=max(-battery.watts, 0.0) + step,
    )


def _lowest(*values: float | None) -> float:
    return min(value for value in values if value is not None)

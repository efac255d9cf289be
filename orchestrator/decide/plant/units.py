"""The plant as the loop sees it: each answering inverter with its configuration, its memory and its limits joined.

Signs as everywhere: AC into the site +, battery charging +, limits are magnitudes.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import fsum, inf

from msgspec import Struct
from msgspec.structs import force_setattr, replace

from orchestrator.config.policy import commands_battery
from orchestrator.config.sections import AnyInverterConfig, SiteConfig
from orchestrator.decide.allocation.spread import NEVER_USED, AllocatableBattery, BatteryUse
from orchestrator.decide.memory import ControlState, InverterMemory, LimitMemory
from orchestrator.decide.pace import LIFTED_AFTER_STEPS
from orchestrator.decide.plant.battery_limits import LimitedBy, StepTime, power_limits
from orchestrator.reason import Reason
from orchestrator.samples import BatterySample, InverterSample, OperatingState, SiteSnapshot
from orchestrator.setpoints.fields import SetpointFields

DEAD_TIME_S = 0.9
"""So long an inverter may take to begin to follow a new AC limit."""

FOLLOWS_PART = 0.15
"""Then its output comes nearer to the limit by this part of what is missing in a step."""

RISES_PART = 0.25
"""Charging that comes nearer to its target by less than this part of what is missing has come to its end."""

NO_LIMIT_PART = 0.99
"""A limit at this part of the rating or above holds nothing back: inverters seldom make more."""

NEAR_PART_OF_RATING = 0.01
"""Output that is so near to its limit stands at it; output that is so small is none."""

NOTHING_KNOWN = InverterMemory(away=True)
"""Of an inverter that just came, and of all of them in shadow mode: nothing was written, so only the sample counts."""


class Battery(AllocatableBattery, frozen=True, kw_only=True):
    """A battery that is ours to command. `watts` charging +; the limits already contain every rate and rating."""

    watts: float
    soc_target_percent: float
    idle_between_s: float
    grid_charging_allowed: bool | None
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

    def held_back(self, why: Reason) -> Battery:
        """The same battery, but it takes no part now, and why."""
        return replace(self, reachable=False, away=why)


class Unit(Struct, frozen=True):
    """One answering inverter. `rating_watts` None: it does not say what it can do, so it cannot be limited in percent.

    `limit_watts` is the AC limit in force in the device as far as is known; its rating where there is none.
    `ac_watts` and `pv_watts` are 0 while they are unknown (a sleeping device). `limitable` says whether its AC power
    can be limited, `throttled` whether a limit below its rating holds its output back, so that it may be able to make
    more; `curtailed`, that it makes power right at its limit: one that makes nothing proves nothing, it may be night.
    All five follow from the rest, and are worked out once because every part of a step looks at them.
    """

    name: str
    config: AnyInverterConfig
    sample: InverterSample
    memory: InverterMemory
    rating_watts: float | None
    limit_watts: float
    battery: Battery | None
    ac_watts: float = 0.0
    pv_watts: float = 0.0
    limitable: bool = False
    throttled: bool = False
    curtailed: bool = False

    def __post_init__(self) -> None:
        force_setattr(self, "ac_watts", self.sample.ac_watts or 0.0)
        force_setattr(self, "pv_watts", self.sample.pv_watts or 0.0)
        force_setattr(self, "limitable", self._is_limitable())
        force_setattr(self, "throttled", self._is_throttled())
        force_setattr(self, "curtailed", self.throttled and self.limitable and self._is_producing())

    @property
    def battery_watts(self) -> float:
        """Power of its battery if that is ours to command, charging +."""
        return self.battery.watts if self.battery else 0.0

    @property
    def controllable(self) -> bool:
        """Whether anything may be written to it."""
        return self.config.control

    @property
    def stands_at_limit(self) -> bool:
        """Whether its output stands at an AC limit below its rating, whatever it makes that of."""
        rating = self.rating_watts
        if rating is None or not self.limitable or self.limit_watts >= NO_LIMIT_PART * rating:
            return False
        return self.ac_watts >= self.limit_watts - NEAR_PART_OF_RATING * rating - self.sample.ac_limit_step_watts

    def waits_for_own_pv(self, target_watts: float) -> bool:
        """Whether own PV behind an open window may still come up to this target: what it charges with rises."""
        if self.battery is None or self.memory.battery.open_to_watts is None:
            return False
        risen_watts = self.battery.watts - self.memory.following.seen_watts
        return risen_watts >= RISES_PART * (target_watts - self.battery.watts)

    @property
    def may_hide_pv(self) -> bool:
        """Whether more room may show more PV now: it is at its limit, or says so, or is not known to say so."""
        says = self.sample.state is OperatingState.THROTTLED
        return self.curtailed and (says or self.stands_at_limit or not self.memory.says_throttled)

    @property
    def stays_connected(self) -> bool:
        """Whether it cannot be taken off the grid, or was told to leave it and has not."""
        return not self.sample.disconnectable or (self.memory.disconnected and self.sample.connected is True)

    def _is_limitable(self) -> bool:
        """A battery inverter without PV obeys its window instead."""
        sample = self.sample
        return sample.ac_limit_controllable and self.rating_watts is not None and sample.has_pv

    def _is_producing(self) -> bool:
        return max(self.ac_watts, self.pv_watts) > NEAR_PART_OF_RATING * (self.rating_watts or 0.0)

    def _is_throttled(self) -> bool:
        """Its output stands at the limit, or it says so itself while it still follows the limit (model 103 St)."""
        if self.rating_watts is None or self.limit_watts >= NO_LIMIT_PART * self.rating_watts:
            return False
        if self.sample.state is OperatingState.THROTTLED:
            return True
        if self._stores_all_it_makes():
            return False
        small_watts = NEAR_PART_OF_RATING * self.rating_watts
        near_watts = small_watts + self.sample.ac_limit_step_watts
        if self.sample.battery is not None and self.pv_watts < small_watts < self.ac_watts:
            return False  # a hybrid that discharges at its limit in the dark: no PV is held back
        return self.ac_watts >= self.limit_watts - near_watts or self._follows_its_limit_up()

    def _stores_all_it_makes(self) -> bool:
        """Own PV may charge its battery with more than it does: nothing holds that back."""
        open_to = self.memory.battery.open_to_watts
        return self.battery is not None and open_to is not None and self.battery.watts < NO_LIMIT_PART * open_to

    def _follows_its_limit_up(self) -> bool:
        """Its limit has risen and its output comes after it, later: what held it back holds it back still."""
        before, changed_at_s = self.memory.output, self.memory.limit.changed_at_s
        if before is None or not before.throttled:
            return False
        if self.sample.at_s == before.at_s or (
            changed_at_s is not None and self.sample.at_s < changed_at_s + DEAD_TIME_S
        ):
            return True
        return self.ac_watts - before.ac_watts >= FOLLOWS_PART * (self.limit_watts - before.ac_watts)


class Plant(Struct, frozen=True):
    """All answering inverters, in the order of site.yaml, and what they are together.

    `ac_watts` is the sum of AC power: `generated_watts` of those that make some less `drawn_watts` of those that draw.
    `battery_watts` is the sum of the batteries that are ours to command (charging +), and `rating_watts` that of the
    nameplates, the measure for small and large.
    """

    units: tuple[Unit, ...]
    batteries: tuple[Battery, ...] = ()
    ac_watts: float = 0.0
    generated_watts: float = 0.0
    drawn_watts: float = 0.0
    battery_watts: float = 0.0
    rating_watts: float = 0.0

    def __post_init__(self) -> None:
        batteries = tuple([u.battery for u in self.units if u.battery])
        force_setattr(self, "batteries", batteries)
        ac_watts = [u.ac_watts for u in self.units]
        force_setattr(self, "ac_watts", fsum(ac_watts))
        force_setattr(self, "generated_watts", fsum([watts for watts in ac_watts if watts > 0]))
        force_setattr(self, "drawn_watts", fsum([-watts for watts in ac_watts if watts < 0]))
        force_setattr(self, "battery_watts", fsum([b.watts for b in batteries]))
        force_setattr(self, "rating_watts", fsum([u.rating_watts or 0.0 for u in self.units]))

    def unit(self, name: str) -> Unit:
        """The unit called `name`. Raises KeyError while it does not answer."""
        for unit in self.units:
            if unit.name == name:
                return unit
        raise KeyError(name)


def see_plant(
    config: SiteConfig, state: ControlState, snapshot: SiteSnapshot, wanted: SetpointFields, dt_s: float = 0.0
) -> Plant:
    """Join the samples with configuration, memory and the limits in force; the last step was `dt_s` ago."""
    samples = {sample.name: sample for sample in snapshot.inverters}
    time = StepTime(snapshot.at_s, dt_s, ramps_lifted=state.site.excess_steps >= LIFTED_AFTER_STEPS)
    return Plant(
        tuple(
            _unit(config, state, inverter, samples[inverter.name], wanted, time=time)
            for inverter in config.inverters
            if inverter.name in samples
        )
    )


def found_limits_watts(state: ControlState, plant: Plant) -> Mapping[str, float]:
    """The AC limit in W that each inverter had when it was first seen since the start; inf where it had none."""
    first_seen = {
        u.name: inf if u.sample.ac_limit_watts is None else u.sample.ac_limit_watts
        for u in plant.units
        if u.limitable and u.name not in state.found_limits_watts
    }
    return {**state.found_limits_watts, **first_seen} if first_seen else state.found_limits_watts


def _memory(config: SiteConfig, state: ControlState, sample: InverterSample, now_s: float) -> InverterMemory:
    """What is remembered of one inverter; of one that was away, the limit that it reports is the one in force."""
    ours = config.control.enabled
    memory = state.inverters.get(sample.name, NOTHING_KNOWN) if ours else NOTHING_KNOWN
    if not memory.away:
        return memory
    easing = ours and bool(state.inverters)
    return replace(
        memory,
        away=False,
        back_at_s=now_s if easing else None,
        limit=LimitMemory(sample.ac_limit_watts),
        battery=replace(memory.battery, easing=easing),
    )


def _unit(
    config: SiteConfig,
    state: ControlState,
    inverter: AnyInverterConfig,
    sample: InverterSample,
    wanted: SetpointFields,
    *,
    time: StepTime,
) -> Unit:
    memory = _memory(config, state, sample, time.now_s)
    rating = sample.nameplate.ac_max_watts
    limit = (rating or 0.0) if memory.limit.watts is None else memory.limit.watts
    battery = None
    if sample.battery is not None and commands_battery(config, inverter, sample):
        use = state.site.uses.get(inverter.name, NEVER_USED)
        battery = _battery(inverter, sample, sample.battery, memory, wanted, use=use, time=time)
    return Unit(inverter.name, inverter, sample, memory, rating, limit, battery)


def _battery(
    inverter: AnyInverterConfig,
    sample: InverterSample,
    seen: BatterySample,
    memory: InverterMemory,
    wanted: SetpointFields,
    *,
    use: BatteryUse,
    time: StepTime,
) -> Battery:
    own = inverter.battery
    rating = sample.nameplate.ac_max_watts
    watts = seen.watts if seen.watts is not None else memory.battery.target_watts or 0.0
    charge, discharge = power_limits(
        inverter, sample, seen, memory, wanted, watts=watts, rating_watts=rating, time=time
    )
    soc_max = _lowest(100.0, own.soc_max_percent, wanted.battery_soc_max_percent)
    target = wanted.battery_target_soc_percent
    return Battery(
        name=inverter.name,
        watts=watts,
        soc_percent=seen.soc_percent,
        soc_min_percent=max(own.soc_min_percent or 0.0, wanted.battery_soc_min_percent or 0.0),
        soc_max_percent=soc_max,
        soc_target_percent=soc_max if target is None else target,
        capacity_wh=seen.capacity_wh,
        charge_max_watts=charge.watts,
        discharge_max_watts=discharge.watts,
        idle_between_s=own.idle_between_s,
        least_watts=own.least_watts,
        grid_charging_allowed=seen.grid_charging_allowed,
        rated_watts=rating,
        use=use,
        charge_limited_by=charge.by,
        discharge_limited_by=discharge.by,
    )


def _lowest(*values: float | None) -> float:
    return min([value for value in values if value is not None])

"""What the loop is compared with: nobody in control, and one command for all. Pure, in the place of `control.step`.

`no_control`: every device does what it does by itself. A limit at the meter means nothing to an inverter that sees only
itself, and a battery charges from its own PV.

`same_for_all`: the plain rule of peers. One decision for the site from one look at the meter, and the same percentage
for every inverter: of its rating for the AC limit, of its power for the battery. It has the loop's power flow and its
permission to charge from AC; what it lacks is the view of each inverter, of what is hidden, and a memory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import fsum

from orchestrator.commands import BatteryCommand, BatteryMode, InverterCommand
from orchestrator.config.policy import commands_battery, export_limit_watts
from orchestrator.config.sections import SiteConfig
from orchestrator.decide.memory import ControlState
from orchestrator.decide.power_flow import BatteryPowerFlow, calculate_battery_power_flow
from orchestrator.decide.records import CycleResult, SiteTotals
from orchestrator.reason import because
from orchestrator.samples import BatterySample, SiteSnapshot
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.setpoints.merge import OperatingEnvelope


def no_control(
    _config: SiteConfig, state: ControlState, snapshot: SiteSnapshot, envelope: OperatingEnvelope, _now: float
) -> CycleResult:
    """A cycle in which nothing is commanded. For `VirtualTime(controller=...)`."""
    return _result(state, snapshot, envelope, None, ())


def same_for_all(
    config: SiteConfig, state: ControlState, snapshot: SiteSnapshot, envelope: OperatingEnvelope, _now: float
) -> CycleResult:
    """A cycle in which every inverter gets the same percentages. Without a meter the last commands stay in force."""
    if snapshot.meter is None:
        return _result(state, snapshot, envelope, None, ())
    wanted = envelope.fields
    batteries = _batteries(config, snapshot)
    flow = _flow(config, snapshot, snapshot.meter.site_watts, list(batteries.values()), wanted) if batteries else None
    part = _room_part(config, snapshot, snapshot.meter.site_watts, wanted)
    commands = tuple(
        InverterCommand(
            sample.name,
            float(config.control.revert_s),
            ac_limit_watts=None if part is None else part * (sample.nameplate.ac_max_watts or 0.0),
            connect=wanted.connect,
            battery=_battery_command(sample.name, batteries, flow),
            reasons=(because("the_same_for_all"),),
        )
        for sample in snapshot.inverters
        if config.inverter(sample.name).control
    )
    return _result(state, snapshot, envelope, flow, commands)


def _batteries(config: SiteConfig, snapshot: SiteSnapshot) -> dict[str, BatterySample]:
    """The batteries that may be commanded, by inverter."""
    return {
        sample.name: sample.battery
        for sample in snapshot.inverters
        if sample.battery is not None and commands_battery(config, config.inverter(sample.name), sample)
    }


def _flow(
    config: SiteConfig,
    snapshot: SiteSnapshot,
    site_watts: float,
    batteries: Sequence[BatterySample],
    wanted: SetpointFields,
) -> BatteryPowerFlow:
    """The site's decision, from the sums over all batteries and their mean state of charge."""
    now_watts = fsum(battery.watts or 0.0 for battery in batteries)
    discharging = fsum(max(-(battery.watts or 0.0), 0.0) for battery in batteries)
    states = [battery.soc_percent for battery in batteries if battery.soc_percent is not None]
    return calculate_battery_power_flow(
        solar_watts=max(_ac_watts(snapshot) - discharging, 0.0),
        site_watts=site_watts,
        battery_soc_percent=fsum(states) / len(states) if states else None,
        battery_target_soc_percent=wanted.battery_target_soc_percent,
        battery_soc_min_percent=wanted.battery_soc_min_percent,
        battery_soc_max_percent=wanted.battery_soc_max_percent,
        battery_charge_max_watts=_lower(_charge_watts(batteries), wanted.battery_charge_max_watts),
        battery_discharge_max_watts=_lower(_discharge_watts(batteries), wanted.battery_discharge_max_watts),
        export_limit_watts=export_limit_watts(config, wanted),
        import_limit_watts=wanted.import_limit_watts,
        battery_priority_mode=wanted.battery_priority_mode,
        current_battery_power_watts=now_watts,
        battery_grid_charging_enabled=wanted.battery_grid_charging_enabled,
        battery_grid_charging_max_watts=wanted.battery_grid_charging_max_watts,
        battery_import_target_watts=wanted.battery_import_target_watts,
        battery_export_target_watts=wanted.battery_export_target_watts,
    )


def _battery_command(
    name: str, batteries: Mapping[str, BatterySample], flow: BatteryPowerFlow | None
) -> BatteryCommand | None:
    """The same percentage of its own power for each battery."""
    if name not in batteries or flow is None:
        return None
    battery, every, target = batteries[name], list(batteries.values()), flow.target_battery_power_watts
    if target > 0:
        watts = target * (battery.charge_max_watts or 0.0) / max(_charge_watts(every), 1.0)
        return BatteryCommand(BatteryMode.CHARGE, watts, watts, watts, grid_charging=True)
    if target < 0:
        watts = target * (battery.discharge_max_watts or 0.0) / max(_discharge_watts(every), 1.0)
        return BatteryCommand(BatteryMode.DISCHARGE, watts, watts, watts)
    return BatteryCommand(BatteryMode.IDLE, 0.0, 0.0, 0.0)


def _room_part(config: SiteConfig, snapshot: SiteSnapshot, site_watts: float, wanted: SetpointFields) -> float | None:
    """The part of its rating (0 to 1) that each inverter may make; None where nothing limits AC power."""
    if wanted.energize is False:
        return 0.0
    rooms = []
    export_limit = export_limit_watts(config, wanted)
    if export_limit is not None:
        rooms.append(site_watts + _ac_watts(snapshot) + export_limit)
    if wanted.generation_limit_watts is not None:
        rooms.append(wanted.generation_limit_watts)
    if not rooms:
        return None
    rating = fsum(sample.nameplate.ac_max_watts or 0.0 for sample in snapshot.inverters)
    return min(max(min(rooms) / rating, 0.0), 1.0) if rating else 0.0


def _result(
    state: ControlState,
    snapshot: SiteSnapshot,
    envelope: OperatingEnvelope,
    flow: BatteryPowerFlow | None,
    commands: tuple[InverterCommand, ...],
) -> CycleResult:
    site_watts = snapshot.meter.site_watts if snapshot.meter else None
    ac_watts = _ac_watts(snapshot)
    totals = SiteTotals(
        site_watts=site_watts,
        load_watts=None if site_watts is None else site_watts + ac_watts,
        ac_watts=ac_watts,
        pv_watts=fsum(sample.pv_watts or 0.0 for sample in snapshot.inverters),
        battery_watts=fsum(sample.battery.watts or 0.0 for sample in snapshot.inverters if sample.battery),
    )
    return CycleResult(snapshot, envelope, flow, commands, totals=totals, state=state)


def _ac_watts(snapshot: SiteSnapshot) -> float:
    return fsum(sample.ac_watts or 0.0 for sample in snapshot.inverters)


def _charge_watts(batteries: Sequence[BatterySample]) -> float:
    return fsum(battery.charge_max_watts or 0.0 for battery in batteries)


def _discharge_watts(batteries: Sequence[BatterySample]) -> float:
    return fsum(battery.discharge_max_watts or 0.0 for battery in batteries)


def _lower(watts: float, asked_watts: float | None) -> float:
    return watts if asked_watts is None else min(watts, asked_watts)

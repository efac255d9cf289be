"""Why: the words that go with each decision, for the table, the log and MQTT."""

from __future__ import annotations

from orchestrator.allocation import Allocation, BatteryShare
from orchestrator.commands import BatteryCommand, BatteryMode
from orchestrator.cycle import BatteryPowerFlow
from orchestrator.meter_trust import MeterFault
from orchestrator.setpoints import OperatingEnvelope

LIMITS_ON_AC = {"export_limit_watts": "export limit", "generation_limit_watts": "generation limit"}


def of_site(
    envelope: OperatingEnvelope, flow: BatteryPowerFlow | None, allocation: Allocation, meter_fault: MeterFault | None
) -> tuple[str, ...]:
    """What decided for the site as a whole, most decisive first."""
    said = []
    if envelope.fields.energize is False:
        said.append(f"energize false ({envelope.source('energize')}): AC 0 W, batteries idle")
    elif envelope.fields.connect is False:
        said.append(f"connect false ({envelope.source('connect')}): all inverters disconnected")
    if meter_fault is not None:
        said.append(f"meter {meter_fault}: failsafe")
    if flow is not None and flow.battery_mode != "idle":
        said.append(f"{flow.battery_mode} {abs(flow.target_battery_power_watts):.0f} W")
    if allocation.binding:
        said.append(f"{abs(allocation.unserved_watts):.0f} W not served: {allocation.binding}")
    return tuple(said)


def of_inverter(
    envelope: OperatingEnvelope,
    *,
    meter_fault: MeterFault | None,
    battery: BatteryCommand | None,
    share: BatteryShare | None,
    ac_limit_watts: float | None,
    connect: bool | None,
) -> tuple[str, ...]:
    """What decided for one inverter: its connection, its battery, its AC limit."""
    said = []
    if connect is False:
        said.append(f"disconnected: connect false ({envelope.source('connect')})")
    if battery is not None:
        said.append(_of_battery(envelope, meter_fault, battery, share))
    if ac_limit_watts is not None:
        said.append(_of_limit(envelope, meter_fault, ac_limit_watts))
    return tuple(said)


def _of_battery(
    envelope: OperatingEnvelope, meter_fault: MeterFault | None, battery: BatteryCommand, share: BatteryShare | None
) -> str:
    if battery.mode is BatteryMode.RELEASE:
        field = "battery_storage_mode" if envelope.fields.battery_storage_mode == 0 else "connect"
        return f"battery released: {field} ({envelope.source(field)})"
    if envelope.fields.energize is False:
        return f"battery idle: energize false ({envelope.source('energize')})"
    if meter_fault is not None:
        return f"hold: meter {meter_fault}, charge at most {battery.watts:.0f} W from own PV"
    why = share.reason if share else "nothing asked"
    if battery.mode is BatteryMode.IDLE:
        return f"idle: {why}"
    return f"{battery.mode} {abs(battery.watts):.0f} W: {why}"


def _of_limit(envelope: OperatingEnvelope, meter_fault: MeterFault | None, ac_limit_watts: float) -> str:
    if envelope.fields.energize is False:
        return f"AC limit 0 W: energize false ({envelope.source('energize')})"
    limits = [
        f"{words} {getattr(envelope.fields, field):.0f} W ({envelope.source(field)})"
        for field, words in LIMITS_ON_AC.items()
        if getattr(envelope.fields, field) is not None
    ]
    if meter_fault is not None:
        limits.insert(0, f"meter {meter_fault}")
    return f"AC limit {ac_limit_watts:.0f} W: {', '.join(limits) or 'rising step by step to no limit'}"

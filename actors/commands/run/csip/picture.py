"""What a utility server is shown of a cycle: sums over the devices that answer."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.decide.records import CycleResult
from orchestrator.samples import BatterySample, MeterSample
from orchestrator.setpoints.csip.readings import Picture
from orchestrator.setpoints.csip.telemetry import PHASES


def picture(result: CycleResult) -> Picture:
    """What a cycle shows; None where nothing is known, or not of every battery."""
    meter, inverters = result.snapshot.meter, result.snapshot.inverters
    batteries = [each.battery for each in inverters if each.battery is not None]
    capacity_wh = _total(each.capacity_wh for each in batteries)
    least_percent = result.envelope.fields.battery_soc_min_percent
    return Picture(
        site_watts=None if meter is None else meter.site_watts,
        der_watts=_sum(each.ac_watts for each in inverters),
        frequency_hz=None if meter is None else meter.frequency_hz,
        site_vars=None if meter is None else meter.site_vars,
        der_vars=_total(each.ac_vars for each in inverters),
        **_volts(meter),
        connected=any(each.connected is not False for each in inverters),
        has_battery=bool(batteries),
        charge_max_watts=_sum(each.charge_max_watts for each in batteries),
        discharge_max_watts=_sum(each.discharge_max_watts for each in batteries),
        capacity_wh=capacity_wh,
        stored_wh=_total(_stored_wh(each) for each in batteries),
        least_wh=None if capacity_wh is None else capacity_wh * (least_percent or 0.0) / 100,
        battery_watts=_sum(each.watts for each in batteries),
    )


def _volts(meter: MeterSample | None) -> dict[str, float | None]:
    """The phases in the order of the meter."""
    return dict(zip(PHASES, meter.phase_volts if meter is not None else (), strict=False))


def _stored_wh(battery: BatterySample) -> float | None:
    if battery.capacity_wh is None or battery.soc_percent is None:
        return None
    return battery.capacity_wh * battery.soc_percent / 100


def _sum(values: Iterable[float | None]) -> float | None:
    """The sum of those that are known; None where none is."""
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _total(values: Iterable[float | None]) -> float | None:
    """The sum where all are known."""
    listed = list(values)
    return None if not listed or None in listed else _sum(listed)

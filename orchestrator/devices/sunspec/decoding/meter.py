"""One cycle's registers of a meter as a sample, in the meter's own sign (see `meter_sign`)."""

from __future__ import annotations

from typing import Final

from orchestrator.devices.base import Registers
from orchestrator.devices.sunspec.device import SunSpecDevice
from orchestrator.devices.sunspec.models import MODELS
from orchestrator.devices.sunspec.registers import read_value
from orchestrator.errors import NonsenseReply
from orchestrator.reason import because
from orchestrator.samples import MeterSample, known_volts

WATTS_MAX: Final = 1e8
_PHASES: Final = ("WphA", "WphB", "WphC")
_VOLTS: Final = ("PhVphA", "PhVphB", "PhVphC")


def decode_meter(device: SunSpecDevice, registers: Registers, at_s: float) -> MeterSample:
    """The sample in `registers`; `site_watts` is point W as it stands.

    Raises NonsenseReply where W is not implemented or beyond all reason, and where power and frequency are both zero:
    a meter that sleeps with its inverter (SolarEdge) says so, a live connection never does.
    """
    meter = device.meter
    if meter is None:
        raise NonsenseReply(because("no_meter_model", models=""))
    layout = MODELS[meter.id]

    def value(name: str) -> float | None:
        return read_value(registers, meter.address, layout[name])

    watts, frequency_hz = value("W"), value("Hz")
    if watts is None:
        raise NonsenseReply(because("meter_without_power", device=f"model {meter.id}"))
    if abs(watts) > WATTS_MAX:
        raise NonsenseReply(because("power_beyond_reason", device=f"model {meter.id}", watts=watts))
    if watts == 0 and frequency_hz == 0:
        raise NonsenseReply(because("meter_asleep", device=f"model {meter.id}"))
    phases = [value(name) for name in _PHASES]
    return MeterSample(
        at_s=at_s,
        site_watts=watts,
        changed_at_s=at_s,
        frequency_hz=frequency_hz,
        site_vars=value("VAR"),
        phase_watts=tuple(watts for watts in phases if watts is not None),
        phase_volts=known_volts(tuple(value(name) for name in _VOLTS)),
        import_wh=value("TotWhImp"),
        export_wh=value("TotWhExp"),
    )

"""Percent points: 16 bits with a scale factor that some makes change while they run."""

from __future__ import annotations

import math
from typing import Final

from orchestrator.devices.base import Registers
from orchestrator.devices.sunspec.codec import scale_down
from orchestrator.devices.sunspec.device import FoundModel, SunSpecDevice
from orchestrator.devices.sunspec.models import MODELS
from orchestrator.devices.sunspec.registers import read_scale

PERCENT_SCALES: Final = range(-2, 3)
"""The scale factors at which 100 % fits 16 bits and is a whole number; with any other a percent is not written."""


def percent_scale(device: SunSpecDevice, model: FoundModel, name: str, registers: Registers) -> int:
    """The newest scale factor that can be used; what discovery saw where there is none in `registers`."""
    scale = read_scale(registers, model.address + MODELS[model.id][name].offset)
    return scale if scale is not None and scale in PERCENT_SCALES else device.scale_factors[f"{model.id}.{name}"]


def percent_raw(percent: float, scale: int) -> int:
    """`percent` as it is written, rounded."""
    return round(scale_down(percent, scale))


def limit_raw(device: SunSpecDevice, watts: float | None, scale: int) -> int:
    """WMaxLimPct for a limit in W (None: 100 %), rounded down: the limit is never exceeded by rounding."""
    if watts is None or not device.ac_reference_watts:
        return percent_raw(100.0, scale)
    percent = min(100.0 * watts / device.ac_reference_watts, 100.0)
    # Without the hair, 30 % would become 29.99 % where the division leaves 29.999999999999996.
    return math.floor(scale_down(percent, scale) + 1e-9)

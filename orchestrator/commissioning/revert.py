"""How long a step waits for a device to go back by itself: by what the profile of its make says about its timers."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final

from orchestrator.commissioning.steps import Quantity
from orchestrator.commissioning.trial import Timing
from orchestrator.devices.makes.command_schema import Revert
from orchestrator.devices.makes.fallback import fallbacks
from orchestrator.devices.makes.schema import Profile
from orchestrator.devices.profiles.device import ProfileDevice, revert_of

FIXED_LATE_SHARE: Final = 2.5
"""A time that the installer can set is the shortest one in the profile; it is waited for longer."""


def timing_of(device: object, quantity: Quantity, asked: Timing) -> Timing:
    """`asked`, with the revert time that this device really has; the models of SunSpec take the one they are told."""
    if not isinstance(device, ProfileDevice):
        return asked
    commands = device.profile.commands
    own = commands.ac_limit if quantity is Quantity.AC else commands.battery
    return asked if own is None else _own(device.profile, revert_of(device.profile, own.revert, device.fixed), asked)


def fallback_of(device: object) -> str:
    """What the device goes back to when nobody speaks to it, as far as its make is known; else empty."""
    return "; ".join(fallbacks(device.profile, device.fixed)) if isinstance(device, ProfileDevice) else ""


def _own(profile: Profile, revert: Revert, asked: Timing) -> Timing:
    if revert.after_s is not None:
        return replace(asked, revert_s=revert.after_s, late_share=FIXED_LATE_SHARE)
    if revert.register_ is None:
        return replace(asked, has_timer=False)
    step_s = profile.registers[revert.register_].scale
    return replace(asked, revert_s=step_s * math.ceil(asked.revert_s / step_s - 1e-6))

"""Whether a device took what a profile wrote."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.devices.base import Registers, WriteGroup
from orchestrator.devices.makes.registers import Register, read_raw
from orchestrator.devices.profiles.device import ProfileDevice
from orchestrator.devices.profiles.plan import written_names
from orchestrator.devices.sunspec.encoding import verify as sunspec_verify


def verify(device: ProfileDevice, groups: Iterable[WriteGroup], registers: Registers) -> tuple[str, ...]:
    """The names of registers that show another value than `groups` wrote; what was not read back is not judged."""
    groups = tuple(groups)
    written = {at: word for g in groups for w in g.writes for at, word in enumerate(w.values, w.address)}
    profile = device.profile
    names = [name for name in written_names(profile) if _differs(device, profile.registers[name], written, registers)]
    if device.base is not None:
        names += sunspec_verify.verify(device.base, groups, registers)
    return tuple(dict.fromkeys(names))


def _differs(device: ProfileDevice, register: Register, written: Registers, registers: Registers) -> bool:
    """Whether another value is shown; a timer may have begun to count down."""
    places = range(register.place, register.end)
    if not all(at in written and at in registers for at in places):
        return False
    if all(registers[at] == written[at] for at in places):
        return False
    order = device.profile.word_order
    shown, asked = (read_raw(register, words, order) for words in (registers, written))
    runs = register.counts_down and shown is not None and asked is not None and 0 < shown < asked
    return not runs

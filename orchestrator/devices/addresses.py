"""Where a register is, as one number: most devices have one table of registers at one unit id, some have more.

A holding register at the device's own unit id is its 0-based wire address itself, 0 to 65535. Other unit ids and the
input registers (Modbus function 4) lie above, so that a mapping by number holds all registers of a device.
"""

from __future__ import annotations

from typing import Final, NamedTuple

_UNIT: Final = 1 << 16
_INPUTS: Final = 1 << 24
OWN_HOLDING_END: Final = _UNIT
"""Numbers below this are wire addresses of holding registers at the device's own unit id."""


class Place(NamedTuple):
    """A register: its 0-based wire `address`, its unit id (None: the device's own), and its table."""

    address: int
    unit_id: int | None = None
    inputs: bool = False

    @property
    def number(self) -> int:
        """The place as one number; the register behind it has the next one."""
        return self.address + _UNIT * (self.unit_id or 0) + _INPUTS * self.inputs


def place_of(number: int) -> Place:
    """The place that `number` stands for."""
    return Place(number % _UNIT, number % _INPUTS // _UNIT or None, number >= _INPUTS)

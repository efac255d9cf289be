"""How long requests take on a serial line: its bytes, the silence between them, and the device that thinks.

Source of the frames and of the silence: MODBUS over Serial Line, Specification and Implementation Guide V1.02, 2.5.1.
"""

from __future__ import annotations

from typing import Final

from orchestrator.devices.link.ways import SerialWay

REQUEST_BYTES: Final = 8
"""A request to read: unit, function, address, count, checksum."""
REPLY_BYTES: Final = 5
"""What a reply has beside its registers: unit, function, number of bytes, checksum."""
SILENCE_CHARACTERS: Final = 3.5
"""This much silence ends a frame."""
SILENCE_LEAST_S: Final = 0.00175
"""Above 19200 baud the silence is not shorter than this."""
DEVICE_S: Final = 0.03
"""What a device takes to begin its answer, where nobody has measured it: meters say 10 to 60 ms in their papers."""


def silence_s(way: SerialWay) -> float:
    """The least time between two frames."""
    return max(SILENCE_CHARACTERS * way.character_s, SILENCE_LEAST_S)


def read_s(way: SerialWay, words: int, min_gap_s: float = 0.0) -> float:
    """A read of so many registers, from the silence before it to the end of the reply."""
    characters = REQUEST_BYTES + REPLY_BYTES + 2 * words
    return characters * way.character_s + silence_s(way) + DEVICE_S + max(min_gap_s, silence_s(way))

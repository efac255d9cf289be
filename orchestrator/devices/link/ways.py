"""The way to a device: over the network, or over a serial line. Devices with the same way share one link."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Framing = Literal["tcp", "rtu"]
"""How requests are wrapped over a network: as Modbus TCP, or as frames of a serial line that a gateway passes on."""
Parity = Literal["N", "E", "O"]

_START_AND_DATA_BITS = 9


@dataclass(frozen=True, slots=True)
class TcpWay:
    """A host and port."""

    host: str
    port: int
    framing: Framing = "tcp"

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class SerialWay:
    """A serial port with the settings of its line; `baud_rate` in bits a second."""

    port: str
    baud_rate: int = 9600
    parity: Parity = "N"
    stop_bits: int = 1

    def __str__(self) -> str:
        return self.port

    @property
    def settings(self) -> str:
        """Such as `9600 8N1`."""
        return f"{self.baud_rate} 8{self.parity}{self.stop_bits}"

    @property
    def character_s(self) -> float:
        """How long one byte takes: a start bit, 8 bits of data, parity, and the stop bits."""
        return (_START_AND_DATA_BITS + (self.parity != "N") + self.stop_bits) / self.baud_rate


Way = TcpWay | SerialWay

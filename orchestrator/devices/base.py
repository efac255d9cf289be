"""What a driver is: pure functions between registers and our records. It never touches a socket.

The actor carries out what a driver asks for: it runs the discovery generator, performs the reads of `plan_reads`,
hands the words to `decode`, and sends the writes of `encode` that `write_policy` finds necessary.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeVar

from orchestrator.commands import InverterCommand
from orchestrator.devices.capabilities import Capabilities
from orchestrator.samples import InverterSample, MeterSample, Nameplate


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """Read `count` (1 to 125) registers from `address`: the 0-based wire address, or the number of another place."""

    address: int
    count: int


@dataclass(frozen=True, slots=True)
class RegisterWrite:
    """Write `values` (words, 0 to 65535) from `address` (as in `ReadRequest`); `register` names it for people.

    `register` is a bounded label such as "123.WMaxLimPct" or "124.StorCtl_Mod". `flash`: the device keeps it for good.
    `one_by_one`: it takes one word a request (function 6). `renews`: it keeps a command alive, so it is sent again
    where the device shows it already, which changes nothing in its flash.
    """

    address: int
    values: tuple[int, ...]
    register: str
    flash: bool = False
    one_by_one: bool = False
    renews: bool = False


@dataclass(frozen=True, slots=True)
class WriteGroup:
    """Writes that only mean something together, in this order: if one of them is needed, all are sent.

    `refresh_s` is the longest time without writing it again (None: it holds for ever, only a change is written).
    `asks_for_more`: it lets more power through than what is in force, and may wait for the budget of flash writes.
    """

    name: str
    writes: tuple[RegisterWrite, ...]
    refresh_s: float | None = None
    asks_for_more: bool = False


class Refused:
    """Sent into a discovery generator when the device refused the read (Modbus exception); `code` is its number."""

    __slots__ = ("code",)

    def __init__(self, code: int) -> None:
        self.code = code


Words = tuple[int, ...]
Registers = Mapping[int, int]
"""Words that were read, by address: see `drivers.places` for what is not a holding register at the own unit id."""

Role = Literal["inverter", "meter"]
"""What a device is wanted for: one address may hold an inverter and the meter behind it."""

DeviceT = TypeVar("DeviceT")
Discovery = Generator[ReadRequest, Words | Refused, DeviceT]
"""Yields reads, is sent their words or `Refused`, returns what was found; raises WrongDevice."""


class Driver(Protocol[DeviceT]):
    """How one kind of device is read and commanded. `DeviceT` is what discovery found: addresses, models, nameplate."""

    name: str

    def discover(self, role: Role | None = None) -> Discovery[DeviceT]:
        """Find out what is there; where there are several devices, the one that has this role (None: the first).

        Raises WrongDevice when it is nothing this driver knows, or nothing for this role.
        """
        ...

    def look_again(self, device: DeviceT, role: Role | None = None) -> Discovery[DeviceT]:
        """The device, found again where something of it could not be judged when it was found, as often at night.

        Returns `device` itself where nothing has changed, without a read where all was known.
        """
        ...

    def nameplate(self, device: DeviceT) -> Nameplate:
        """What the device says about itself."""
        ...

    def capabilities(self, device: DeviceT) -> Capabilities:
        """What can be asked of this device."""
        ...

    def plan_reads(self, device: DeviceT) -> tuple[ReadRequest, ...]:
        """The reads of one cycle, as few as possible."""
        ...

    def plan_readback(self, device: DeviceT) -> tuple[ReadRequest, ...]:
        """The reads that show every register that can be written, for after a write and for now and then."""
        ...

    def parts(self, device: DeviceT, refused: ReadRequest) -> tuple[ReadRequest, ...]:
        """Finer pieces of a read of `plan_readback` that was refused (exception 2); none where there are no finer."""
        ...

    def without(self, device: DeviceT, refused: ReadRequest) -> DeviceT:
        """The device with a read that it refused (exception 2) planned in smaller pieces, and finally without it."""
        ...

    def decode_inverter(self, device: DeviceT, name: str, registers: Registers, at_s: float) -> InverterSample:
        """One cycle's words as a sample. Raises NonsenseReply when no measurement can be had from them."""
        ...

    def decode_meter(self, device: DeviceT, registers: Registers, at_s: float) -> MeterSample:
        """One cycle's words as a meter sample, in the meter's own sign where the driver cannot know it.

        `loop.meter_sign` turns it to import +. Raises NonsenseReply when there is no power in the words.
        """
        ...

    def encode(self, device: DeviceT, command: InverterCommand, registers: Registers) -> tuple[WriteGroup, ...]:
        """The registers that `command` means, in the order they must be written. `registers` are the latest words read.

        Only registers on the driver's own list are ever returned.
        """
        ...

    def verify(self, device: DeviceT, groups: Iterable[WriteGroup], registers: Registers) -> tuple[str, ...]:
        """The names of registers that show another value than `groups` wrote; what was not read is not judged."""
        ...


AnyDriver = Driver[Any]

"""The SunSpec driver: the face of this package towards the actors."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.commands import InverterCommand
from orchestrator.devices.base import Discovery, ReadRequest, Registers, Role, WriteGroup
from orchestrator.devices.capabilities import Capabilities
from orchestrator.devices.sunspec.decoding import inverter as decode
from orchestrator.devices.sunspec.decoding import meter as decode_meter
from orchestrator.devices.sunspec.device import SunSpecDevice
from orchestrator.devices.sunspec.encoding import command as encode
from orchestrator.devices.sunspec.encoding import verify
from orchestrator.devices.sunspec.finding import discovery, reads
from orchestrator.samples import InverterSample, MeterSample, Nameplate


class SunSpecDriver:
    """Implements `drivers.base.Driver` for inverters with models 101 to 103, 111 to 113 or 701, and for meters.

    Besides these it uses 120, 121, 123, 124, 160, 702, 704, 713, 714 and 802; meters are 201 to 204 and 211 to 214.
    """

    name = "sunspec"

    def discover(self, role: Role | None = None) -> Discovery[SunSpecDevice]:
        """Find the map and read what does not change. Raises WrongDevice, RequestRefused, NonsenseReply."""
        return discovery.discover(role)

    def look_again(self, device: SunSpecDevice, role: Role | None = None) -> Discovery[SunSpecDevice]:
        """Read the models again that could not be used, and find the device again where they say more now."""
        return discovery.look_again(device, role)

    def nameplate(self, device: SunSpecDevice) -> Nameplate:
        """Model 1, with the lowest of what the other models say about each power."""
        return device.nameplate

    def capabilities(self, device: SunSpecDevice) -> Capabilities:
        """What can be asked of this device."""
        return device.capabilities

    def plan_reads(self, device: SunSpecDevice) -> tuple[ReadRequest, ...]:
        """The reads of one cycle: at most two, unless the map is spread out or has holes."""
        return device.reads

    def plan_readback(self, device: SunSpecDevice) -> tuple[ReadRequest, ...]:
        """The reads that show every register that can be written, for after a write."""
        return reads.plan_readback(device)

    def parts(self, device: SunSpecDevice, refused: ReadRequest) -> tuple[ReadRequest, ...]:
        """Finer pieces of a read that was refused: each model, then runs of points, then each point."""
        return reads.finer(device, refused)

    def without(self, device: SunSpecDevice, refused: ReadRequest) -> SunSpecDevice:
        """The device with a read that it refused (exception 2) planned in finer pieces."""
        return reads.without(device, refused)

    def decode_inverter(self, device: SunSpecDevice, name: str, registers: Registers, at_s: float) -> InverterSample:
        """One cycle's words as a sample. Raises NonsenseReply when no measurement can be had from them."""
        return decode.decode_inverter(device, name, registers, at_s)

    def decode_meter(self, device: SunSpecDevice, registers: Registers, at_s: float) -> MeterSample:
        """One cycle's words as a meter sample, in the meter's own sign: turn it with `meter_sign.oriented`."""
        return decode_meter.decode_meter(device, registers, at_s)

    def encode(self, device: SunSpecDevice, command: InverterCommand, registers: Registers) -> tuple[WriteGroup, ...]:
        """The register writes of `command`, on `writes.WRITABLE` only."""
        return encode.encode(device, command, registers)

    def verify(self, device: SunSpecDevice, groups: Iterable[WriteGroup], registers: Registers) -> tuple[str, ...]:
        """The names of registers that show another value than was written."""
        return verify.verify(device, groups, registers)

"""The SunSpec driver: the face of this package towards the actors."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.commands import InverterCommand
from orchestrator.drivers.base import Capabilities, Discovery, ReadRequest, Registers, WriteGroup
from orchestrator.samples import InverterSample, MeterSample, Nameplate
from orchestrator.sunspec import decode, decode_meter, discovery, encode, reads, verify
from orchestrator.sunspec.device import SunSpecDevice


class SunSpecDriver:
    """Implements `drivers.base.Driver` for models 101 to 103, 111 to 113, 120 to 124, 160, 201 to 204, 211 to 214."""

    name = "sunspec"

    def discover(self) -> Discovery[SunSpecDevice]:
        """Find the map and read what does not change. Raises WrongDevice, RequestRefused, NonsenseReply."""
        return discovery.discover()

    def nameplate(self, device: SunSpecDevice) -> Nameplate:
        """Models 1 and 120, with the lower of 120 WRtg and 121 WMax as AC power."""
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
        """The register writes of `command`, on `encode.WRITABLE` only."""
        return encode.encode(device, command, registers)

    def verify(self, device: SunSpecDevice, groups: Iterable[WriteGroup], registers: Registers) -> tuple[str, ...]:
        """The names of registers that show another value than was written."""
        return verify.verify(device, groups, registers)

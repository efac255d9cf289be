"""The driver that follows the profile of a make: the face of this package towards the actors."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from orchestrator.commands import InverterCommand
from orchestrator.devices.base import Discovery, ReadRequest, Registers, Role, WriteGroup
from orchestrator.devices.capabilities import Capabilities
from orchestrator.devices.makes.schema import Profile
from orchestrator.devices.profiles import decode, discovery, encode, plan, verify
from orchestrator.devices.profiles.device import ProfileDevice
from orchestrator.devices.sunspec.finding import reads as sunspec_reads
from orchestrator.samples import InverterSample, MeterSample, Nameplate


class ProfileDriver:
    """Implements `drivers.base.Driver` for the make that `profile` describes."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self.name = profile.name

    def discover(self, role: Role | None = None) -> Discovery[ProfileDevice]:
        """Find the device. Raises WrongDevice where it does not say what a device of this make says."""
        return discovery.discover(self.profile, role)

    def look_again(self, device: ProfileDevice, role: Role | None = None) -> Discovery[ProfileDevice]:
        """Find the device again where a part of it could not be read when it was found."""
        if not device.doubtful:
            return device
        again = yield from discovery.discover(self.profile, role)
        return again if discovery.is_news(device, again) else device

    def nameplate(self, device: ProfileDevice) -> Nameplate:
        """What the device says about itself."""
        return device.nameplate

    def capabilities(self, device: ProfileDevice) -> Capabilities:
        """What can be asked of this device."""
        return device.capabilities

    def plan_reads(self, device: ProfileDevice) -> tuple[ReadRequest, ...]:
        """The reads of one cycle."""
        return device.reads

    def plan_readback(self, device: ProfileDevice) -> tuple[ReadRequest, ...]:
        """The reads that show every register that can be written and read back."""
        own = plan.requests(device.profile, plan.written_names(device.profile))
        return own if device.base is None else own + sunspec_reads.plan_readback(device.base)

    def parts(self, device: ProfileDevice, refused: ReadRequest) -> tuple[ReadRequest, ...]:
        """Finer pieces of a read that was refused: what a device refuses between two settings must not hide them."""
        names = plan.written_names(device.profile)
        if any(device.profile.registers[name].place in _span(refused) for name in names):
            return plan.parts(device.profile, names, refused)
        return () if device.base is None else sunspec_reads.finer(device.base, refused)

    def without(self, device: ProfileDevice, refused: ReadRequest) -> ProfileDevice:
        """The device with a read that it refused planned in smaller pieces, and finally without it."""
        if device.base is None or refused not in device.base.reads:
            return plan.without(device, refused)
        base = sunspec_reads.without(device.base, refused)
        own = tuple(read for read in device.reads if read not in device.base.reads)
        return replace(device, base=base, reads=own + base.reads)

    def decode_inverter(self, device: ProfileDevice, name: str, registers: Registers, at_s: float) -> InverterSample:
        """One cycle's words as a sample. Raises NonsenseReply when no measurement can be had from them."""
        return decode.decode_inverter(device, name, registers, at_s)

    def decode_meter(self, device: ProfileDevice, registers: Registers, at_s: float) -> MeterSample:
        """One cycle's words as a meter sample, import +."""
        return decode.decode_meter(device, registers, at_s)

    def encode(self, device: ProfileDevice, command: InverterCommand, registers: Registers) -> tuple[WriteGroup, ...]:
        """The register writes of `command`, of registers that the profile names for writing only."""
        return encode.encode(device, command, registers)

    def verify(self, device: ProfileDevice, groups: Iterable[WriteGroup], registers: Registers) -> tuple[str, ...]:
        """The names of registers that show another value than was written."""
        return verify.verify(device, groups, registers)


def _span(request: ReadRequest) -> range:
    return range(request.address, request.address + request.count)

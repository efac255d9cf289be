"""A driver for a device of a dozen registers, to test actors without the details of SunSpec."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from orchestrator.commands import InverterCommand
from orchestrator.devices.base import Discovery, ReadRequest, Refused, Registers, RegisterWrite, Role, WriteGroup
from orchestrator.devices.capabilities import (
    Capabilities,
    CommandBattery,
    Disconnect,
    LimitAcPower,
    ReportStateOfCharge,
)
from orchestrator.errors import NonsenseReply, WrongDevice
from orchestrator.samples import BatterySample, InverterSample, MeterSample, Nameplate

MAGIC_AT, SERIAL_AT = 100, 101
AC_AT, SOC_AT, BATTERY_AT, GRID_AT, CONNECTED_AT = 110, 111, 112, 113, 114
SITE_AT = 115
LIMIT_AT, TARGET_AT, MODE_AT = 120, 121, 122
MAGIC = 0xF00D
NONE = 0x8000

NEW_DEVICE = {MAGIC_AT: MAGIC, SERIAL_AT: 7, AC_AT: 1000, SOC_AT: 50, CONNECTED_AT: 1, LIMIT_AT: NONE}


@dataclass(frozen=True)
class FakeDevice:
    """What discovery found."""

    serial: int
    reads: tuple[ReadRequest, ...]


class FakeDriver:
    """Implements `Driver`. Limit and battery target are in W, read back outside the plan unless `reads_all`."""

    name = "fake"

    def __init__(self, *, reads_all: bool = False) -> None:
        self._reads = (ReadRequest(AC_AT, 13 if reads_all else 6),)

    def discover(self, role: Role | None = None) -> Discovery[FakeDevice]:
        words = yield ReadRequest(MAGIC_AT, 2)
        if isinstance(words, Refused) or words[0] != MAGIC:
            raise WrongDevice("no magic word")
        return FakeDevice(words[1], self._reads)

    def look_again(self, device: FakeDevice, role: Role | None = None) -> Discovery[FakeDevice]:
        return device
        yield

    def nameplate(self, device: FakeDevice) -> Nameplate:
        return Nameplate(serial=str(device.serial), ac_max_watts=5000.0)

    def capabilities(self, device: FakeDevice) -> Capabilities:
        return Capabilities(
            LimitAcPower(reverts=False), CommandBattery(reverts=False), Disconnect(), ReportStateOfCharge()
        )

    def plan_reads(self, device: FakeDevice) -> tuple[ReadRequest, ...]:
        return device.reads

    def plan_readback(self, device: FakeDevice) -> tuple[ReadRequest, ...]:
        return (ReadRequest(LIMIT_AT, 3),)

    def parts(self, device: FakeDevice, refused: ReadRequest) -> tuple[ReadRequest, ...]:
        single = range(refused.address, refused.address + refused.count)
        return tuple(ReadRequest(at, 1) for at in single) if refused.count > 1 else ()

    def without(self, device: FakeDevice, refused: ReadRequest) -> FakeDevice:
        parts = [ReadRequest(at, 1) for at in range(refused.address, refused.address + refused.count)]
        kept = [request for request in device.reads if request != refused]
        return replace(device, reads=(*kept, *(parts if refused.count > 1 else [])))

    def decode_inverter(self, device: FakeDevice, name: str, registers: Registers, at_s: float) -> InverterSample:
        if registers.get(AC_AT, NONE) == NONE:
            raise NonsenseReply("no power")
        battery = BatterySample(
            watts=_signed(registers[BATTERY_AT]) if BATTERY_AT in registers else None,
            soc_percent=registers.get(SOC_AT),
            charge_max_watts=4000.0,
            grid_charging_allowed=bool(registers[GRID_AT]) if GRID_AT in registers else None,
        )
        return InverterSample(
            name,
            at_s,
            ac_watts=_signed(registers[AC_AT]),
            battery=battery,
            nameplate=self.nameplate(device),
            connected=registers.get(CONNECTED_AT) == 1,
            battery_controllable=True,
        )

    def decode_meter(self, device: FakeDevice, registers: Registers, at_s: float) -> MeterSample:
        if registers.get(SITE_AT, NONE) == NONE:
            raise NonsenseReply("no power")
        return MeterSample(at_s, _signed(registers[SITE_AT]), import_wh=registers.get(SOC_AT))

    def encode(self, device: FakeDevice, command: InverterCommand, registers: Registers) -> tuple[WriteGroup, ...]:
        limit = NONE if command.ac_limit_watts is None else round(command.ac_limit_watts)
        groups = [WriteGroup("limit", (RegisterWrite(LIMIT_AT, (limit,), "limit"),), 0.4 * command.valid_for_s)]
        if command.connect is not None and registers.get(CONNECTED_AT) != int(command.connect):
            write = RegisterWrite(CONNECTED_AT, (int(command.connect),), "connect")
            groups.append(WriteGroup("connect", (write,)))
        if (battery := command.battery) is not None:
            writes = [RegisterWrite(TARGET_AT, (round(battery.watts) & 0xFFFF,), "target")]
            if battery.grid_charging is not None:
                writes.append(RegisterWrite(GRID_AT, (int(battery.grid_charging),), "grid"))
            writes.append(RegisterWrite(MODE_AT, (int(battery.low_watts is not None),), "mode"))
            groups.append(WriteGroup("battery", tuple(writes), 0.4 * command.valid_for_s))
        return tuple(groups)

    def verify(self, device: FakeDevice, groups: Iterable[WriteGroup], registers: Registers) -> tuple[str, ...]:
        writes = (write for group in groups for write in group.writes)
        return tuple(w.register for w in writes if registers.get(w.address, w.values[0]) != w.values[0])


def _signed(word: int) -> float:
    return float(word - 0x10000 if word >= 0x8000 else word)

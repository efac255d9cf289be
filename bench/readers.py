"""Ways to read one SunSpec hybrid: ours, ours on a bare socket, pysunspec2, and pymodbus with one read for each model.

Each gives the same values: AC and DC power and the state of the inverter (model 103), charge state and maximum power of
the battery (124), and the power of every DC input (160). Connected before it is measured.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Sequence
from typing import Any, Final, Protocol, cast

from pymodbus.client import ModbusTcpClient
from sunspec2.modbus.client import SunSpecModbusClientDeviceTCP

from actors.clock import RealClock
from actors.device.session import DeviceSession
from actors.link import ModbusLink
from actors.observer import NoObserver
from orchestrator.config.sections import InverterConfig
from orchestrator.devices.sunspec.codec import scale_up
from orchestrator.devices.sunspec.device import MPPT, STORAGE, SunSpecDevice
from orchestrator.devices.sunspec.driver import SunSpecDriver
from orchestrator.devices.sunspec.models import MODELS, Point

INVERTER: Final = 103
READ_MODELS: Final = (INVERTER, STORAGE, MPPT)
INVERTER_POINTS: Final = ("W", "DCW", "St")
STORAGE_POINTS: Final = ("ChaState", "WChaMax", "ChaGriSet", "ChaSt")
TIMEOUT_S: Final = 5.0
REPLY_HEAD: Final = 9
"""Bytes before the words of a reply: transaction, protocol, length, unit, function, number of bytes."""
DRIVER: Final = SunSpecDriver()


class Reader(Protocol):
    """One client that is connected to the device."""

    name: str

    @property
    def requests(self) -> int:
        """So many so far."""

    def read(self) -> object:
        """One whole reading, over the network."""

    def close(self) -> None:
        """End the connection."""


class OurReader(NoObserver):
    """What an inverter actor does in each cycle."""

    name = "orchestrator"

    def __init__(self, config: InverterConfig) -> None:
        self.requests = 0
        self._clock = RealClock()
        self._link = ModbusLink(config.host or "", config.port, TIMEOUT_S, self._clock, self)
        self._session = DeviceSession(
            config.name, DRIVER, self._link, config.unit_id, clock=self._clock, retry_longest_s=1.0
        )
        self._session.connect(None)
        self.device: SunSpecDevice = self._session.device

    def request_done(self, device: str, seconds: float, error: str | None) -> None:  # noqa: ARG002
        self.requests += 1

    def read(self) -> object:
        words = self._session.read()
        return DRIVER.decode_inverter(self.device, self.name, words, self._clock.now_s())

    def words(self, address: int, count: int) -> tuple[int, ...]:
        """Any words of the device."""
        return self._link.read(1, address, count, self.name)

    def close(self) -> None:
        self._session.close()
        self._clock.close()


class PlainReader:
    """Our plan and decoding over a bare socket that trusts every reply: the difference is what care costs us."""

    name = "orchestrator, bare socket"

    def __init__(self, config: InverterConfig, device: SunSpecDevice) -> None:
        self.requests = 0
        self._socket = socket.create_connection((config.host, config.port), TIMEOUT_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._unit_id = config.unit_id
        self._device = device

    def read(self) -> object:
        words: dict[int, int] = {}
        for request in DRIVER.plan_reads(self._device):
            words |= enumerate(self._words(request.address, request.count), request.address)
        return DRIVER.decode_inverter(self._device, self.name, words, 0.0)

    def close(self) -> None:
        self._socket.close()

    def _words(self, address: int, count: int) -> tuple[int, ...]:
        self.requests += 1
        self._socket.sendall(struct.pack(">HHHBBHH", self.requests & 0xFFFF, 0, 6, self._unit_id, 3, address, count))
        data = b""
        while len(data) < REPLY_HEAD + 2 * count:
            part = self._socket.recv(1024)
            if not part:
                raise ConnectionError("the virtual device has closed the connection")
            data += part
        return struct.unpack_from(f">{count}H", data, REPLY_HEAD)


class ForeignReader:
    """pysunspec2's Modbus client: it scans once, and then reads model by model."""

    name = "pysunspec2"

    def __init__(self, config: InverterConfig) -> None:
        self._device = _CountingDevice(config.unit_id, config.host, config.port, timeout=TIMEOUT_S)
        self._device.scan()
        self._device.connect()
        self.models: Any = self._device.models

    @property
    def requests(self) -> int:
        return self._device.requests

    def read(self) -> object:
        for model_id in READ_MODELS:
            self.models[model_id][0].read()
        return foreign_values(self.models)

    def close(self) -> None:
        self._device.disconnect()


class _CountingDevice(SunSpecModbusClientDeviceTCP):  # type: ignore[misc]
    requests = 0

    def read(self, addr: int, count: int) -> bytes:
        self.requests += 1
        data: bytes = super().read(addr, count)
        return data


class NaiveReader:
    """pymodbus with one read for each model, and its own conversion of the values."""

    name = "pymodbus, model by model"

    def __init__(self, config: InverterConfig, device: SunSpecDevice) -> None:
        self.requests = 0
        self._client = ModbusTcpClient(config.host or "", port=config.port, timeout=TIMEOUT_S)
        self._unit_id = config.unit_id
        self._found = {model.id: model for model in device.models}

    def read(self) -> object:
        inverter, storage, mppt = (self._registers(model_id) for model_id in READ_MODELS)
        modules = (len(mppt) - 2 - MODELS[MPPT].length) // MODELS[MPPT].repeated_length
        power = MODELS[MPPT].repeated["DCW"]
        return [
            *(_convert(inverter, MODELS[INVERTER][name]) for name in INVERTER_POINTS),
            *(_convert(storage, MODELS[STORAGE][name]) for name in STORAGE_POINTS),
            *(_convert(mppt, power, MODELS[MPPT].module_offset(index)) for index in range(modules)),
        ]

    def close(self) -> None:
        self._client.close()  # type: ignore[no-untyped-call]

    def _registers(self, model_id: int) -> Sequence[int]:
        self.requests += 1
        model = self._found[model_id]
        return self._client.read_holding_registers(
            model.address, count=2 + model.length, device_id=self._unit_id
        ).registers


def foreign_values(models: Any) -> list[Any]:
    """The values that are used of pysunspec2's models."""
    return [
        *(models[INVERTER][0].points[name].cvalue for name in INVERTER_POINTS),
        *(models[STORAGE][0].points[name].cvalue for name in STORAGE_POINTS),
        *(module.points["DCW"].cvalue for module in models[MPPT][0].groups["module"]),
    ]


def _convert(registers: Sequence[int], point: Point, origin: int = 0) -> float:
    raw = _one_word(registers[origin + point.offset], is_signed=point.type.name == "int16")
    if point.scale_offset is None:
        return raw
    return scale_up(raw, _one_word(registers[point.scale_offset], is_signed=True))


def _one_word(word: int, *, is_signed: bool) -> int:
    kinds = ModbusTcpClient.DATATYPE
    value = ModbusTcpClient.convert_from_registers([word], kinds.INT16 if is_signed else kinds.UINT16)
    return cast("int", value)

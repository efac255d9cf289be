"""How the units behind one address are reached: by Modbus TCP, by frames of a line over TCP, or by a serial port."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from pymodbus.pdu import ModbusPDU

from actors.wire.explained import why_of
from actors.wire.modbus_client import ModbusClient, NoReply, NotModbus, NotReached
from actors.wire.names import LookUp, Name, NameNotKnown, system_look_up
from actors.wire.rtu_client import Corrupt, HalfFrame, OnlyNoise, Restless, RtuClient
from actors.wire.streams import SerialStream, SocketStream, serial_ports
from orchestrator.devices.link import line_trouble
from orchestrator.devices.link import trouble as words
from orchestrator.devices.link.line_time import silence_s
from orchestrator.devices.link.ways import SerialWay, TcpWay, Way
from orchestrator.errors import LinkCorrupt, LinkDown, LinkError, LinkHalfFrame, LinkNonsense, LinkTimeout
from orchestrator.reason import because

NO_SUCH_FILE = 2


class Client(Protocol):
    """Requests and replies, one at a time. For one thread at a time."""

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection, as far as is known."""

    def connect(self, timeout_s: float | None = None) -> object:
        """Make it now if there is none. Raises OSError."""

    def close(self) -> None:
        """End it, if there is one."""

    def survives(self, problem: Exception) -> bool:
        """Whether it is of use after a problem that `execute` has raised."""

    def execute(self, request: ModbusPDU, timeout_s: float | None = None) -> ModbusPDU:
        """The reply to `request`. Raises what the wire has `link_error` for."""

    @property
    def noted(self) -> Mapping[Any, int]:
        """What was passed over so far, by name."""


class Wire(Protocol):
    """One address, and what may be wrong with it."""

    where: str

    def prepare(self) -> None:
        """What may take time and needs no turn: a host name is looked up."""

    def client(self, timeout_s: float) -> Client:
        """A new client. Nothing is connected yet."""

    def link_error(self, problem: Exception, unit_id: int) -> LinkError:
        """What a client has raised, as one of ours, in words that help."""


def wire_to(way: Way) -> Wire:
    """The wire that leads this way."""
    return SerialWire(way) if isinstance(way, SerialWay) else TcpWire(way)


class TcpWire:
    """A host and port."""

    def __init__(self, way: TcpWay, look_up: LookUp = system_look_up) -> None:
        self.where = str(way)
        self._framing = way.framing
        self._name = Name(way.host, way.port, look_up=look_up)

    def prepare(self) -> None:
        """See `Wire`."""
        self._name.prepare()

    def client(self, timeout_s: float) -> Client:
        """See `Wire`."""
        if self._framing == "rtu":
            return RtuClient(SocketStream(self._name), timeout_s)
        return ModbusClient(self._name, timeout_s)

    def link_error(self, problem: Exception, unit_id: int) -> LinkError:
        """See `Wire`."""
        match problem:
            case NoReply() if not isinstance(problem, OnlyNoise):
                return LinkTimeout(words.silent(self.where, unit_id))
            case NotModbus():
                return LinkNonsense(words.no_modbus(self.where, str(problem), why_of(problem)))
            case NameNotKnown():
                return LinkDown(words.name_not_known(self.where, str(problem), why_of(problem)))
            case NotReached():
                return LinkDown(words.not_reached(self.where, problem.errno, problem.strerror or ""))
            case OSError():
                return LinkDown(words.hung_up(self.where, problem.strerror or str(problem), why_of(problem)))
        return _line_error(problem, self.where, unit_id)


class SerialWire:
    """A serial port of this machine."""

    def __init__(self, way: SerialWay) -> None:
        self.where = str(way)
        self._way = way

    def prepare(self) -> None:
        """See `Wire`: a port has no name to look up."""

    def client(self, timeout_s: float) -> Client:
        """See `Wire`."""
        way = self._way
        return RtuClient(SerialStream(way), timeout_s, character_s=way.character_s, silence_s=silence_s(way))

    def link_error(self, problem: Exception, unit_id: int) -> LinkError:
        """See `Wire`."""
        match problem:
            case NoReply() if not isinstance(problem, OnlyNoise):
                return LinkTimeout(line_trouble.silent(self.where, unit_id, self._way.settings))
            case NotModbus():
                return LinkNonsense(words.no_modbus(self.where, str(problem), why_of(problem)))
            case NotReached() if problem.errno == NO_SUCH_FILE:
                return LinkDown(line_trouble.no_such_port(self.where, serial_ports()))
            case NotReached():
                return LinkDown(line_trouble.not_opened(self.where, problem.errno, problem.strerror or str(problem)))
            case OSError():
                return LinkDown(line_trouble.pulled(self.where, problem.strerror or str(problem), why_of(problem)))
        return _line_error(problem, self.where, unit_id)


def _line_error(problem: Exception, where: str, unit_id: int) -> LinkError:
    match problem:
        case OnlyNoise() | Corrupt():
            return LinkCorrupt(line_trouble.corrupt(where, unit_id))
        case HalfFrame():
            return LinkHalfFrame(line_trouble.half(where, unit_id))
        case Restless():
            return LinkTimeout(line_trouble.restless(where))
    return LinkDown(because("no_connection", where=where, words=str(problem)))

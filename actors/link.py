"""Modbus links: one per host and port, or per serial port, shared by the units behind it.

The client reports trouble in two ways: what is wrong with the connection is raised, a refusal comes back as a value.
Here both become errors of `orchestrator.errors`, and what a connection does not survive closes it: the next call
makes a new one. Who goes first, and how long a device that does not answer may hold up the others:
`orchestrator.devices.link`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from pymodbus.pdu import ModbusPDU
from pymodbus.pdu.bit_message import ReadCoilsRequest, ReadDiscreteInputsRequest
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersRequest,
    ReadInputRegistersRequest,
    WriteMultipleRegistersRequest,
    WriteSingleRegisterRequest,
)

from actors.clock import Clock
from actors.observer import Observer
from actors.wire.modbus_client import NoReply, NotModbus
from actors.wire.names import LookUp, system_look_up
from actors.wire.rtu_client import Corrupt, HalfFrame, Restless
from actors.wire.turn_lock import TurnLock
from actors.wire.wires import Client, TcpWire, Wire, wire_to
from orchestrator.devices.link import trouble as words
from orchestrator.devices.link.tries import Tries
from orchestrator.devices.link.turns import HEAD_START_S, Turn, try_slot_s
from orchestrator.devices.link.ways import TcpWay, Way
from orchestrator.errors import DeviceError, LinkError, LinkTimeout, NonsenseReply, RequestRefused
from orchestrator.reason import because

GATEWAY_SILENT = (0x0A, 0x0B)
"""Exception codes by which a gateway says that the device behind it did not answer."""


class Link(Protocol):
    """The way to the units behind one address. Any thread may call; calls are served one by one, by urgency.

    `device` is the name of the caller; what is remembered and counted of a device is so by this name.
    """

    def read(
        self,
        unit_id: int,
        address: int,
        count: int,
        device: str,
        *,
        inputs: bool = False,
        turn: Turn = Turn.READ,
    ) -> tuple[int, ...]:
        """Read `count` (1 to 125) holding registers from `address` (0-based).

        `inputs`: of the input registers (function 4) in place of the holding registers (function 3). Raises
        a LinkError, RequestRefused or NonsenseReply (another number of words came back).
        """

    def write(
        self, unit_id: int, address: int, values: Sequence[int], device: str, *, one_by_one: bool = False
    ) -> None:
        """Write `values` (words) from `address` in one request of function 16. Raises as `read`.

        `one_by_one`: each word in a request of function 6 instead, for devices that know no other. What was written
        before a refusal stays written.
        """

    def may_try(self, device: str, *, first: bool = False) -> bool:
        """Whether a device that is not connected may be looked for now; if so, `tried` has to follow.

        `first`: every other try is its.
        """

    def tried(self, device: str, *, found: bool) -> None:
        """Whether it was found."""

    def close(self) -> None:
        """End the connection; the next call makes a new one."""


@dataclass(frozen=True, slots=True)
class LinkNeeds:
    """What the devices behind one address need.

    `timeout_s` bounds the connection and each reply; `min_gap_s` is the least time from a reply to the next request.
    """

    timeout_s: float
    min_gap_s: float = 0.0

    def __or__(self, other: LinkNeeds) -> LinkNeeds:
        """What both need: the longer of each."""
        return LinkNeeds(max(self.timeout_s, other.timeout_s), max(self.min_gap_s, other.min_gap_s))


class WireLink:
    """A `Link` over a wire. `timeout_s` and `min_gap_s` as in `LinkNeeds`; no request is made twice but by the wire.

    `shared`: devices of a running plant are behind it, and those that answer come before those that do not. Without it
    each request has its whole `timeout_s`.
    """

    def __init__(
        self,
        wire: Wire,
        timeout_s: float,
        clock: Clock,
        observer: Observer,
        *,
        min_gap_s: float = 0.0,
        shared: bool = False,
    ) -> None:
        self._wire, self._where = wire, wire.where
        self._needs = LinkNeeds(timeout_s, min_gap_s)
        self._quiet_since_s = float("-inf")
        self._clock = clock
        self._observer = observer
        self._lock = TurnLock()
        self._tries, self._tries_lock = Tries(is_rationed=shared), threading.Lock()
        self._try_slot_s = float("-inf")
        self._told: dict[str, int] = {}
        self._client = self._make_client()

    def read(
        self,
        unit_id: int,
        address: int,
        count: int,
        device: str,
        *,
        inputs: bool = False,
        turn: Turn = Turn.READ,
    ) -> tuple[int, ...]:
        """See `Link`."""
        request_of = ReadInputRegistersRequest if inputs else ReadHoldingRegistersRequest
        reply = self._in_turn(device, request_of(address=address, count=count, dev_id=unit_id), turn)
        return tuple(reply.registers)

    def read_bits(
        self, unit_id: int, address: int, count: int, device: str, *, inputs: bool = False
    ) -> tuple[bool, ...]:
        """Read `count` coils from `address` (0-based), or discrete inputs. Raises as `read`."""
        request_of = ReadDiscreteInputsRequest if inputs else ReadCoilsRequest
        reply = self._in_turn(device, request_of(address=address, count=count, dev_id=unit_id), Turn.READ)
        if len(reply.bits) < count:
            raise NonsenseReply(because("wrong_length", where=self._where, got=len(reply.bits), wanted=count))
        return tuple(reply.bits[:count])

    def write(
        self, unit_id: int, address: int, values: Sequence[int], device: str, *, one_by_one: bool = False
    ) -> None:
        """See `Link`."""
        if not one_by_one:
            request = WriteMultipleRegistersRequest(dev_id=unit_id, address=address, registers=values)
            self._in_turn(device, request, Turn.WRITE)
            return
        for at, word in enumerate(values, address):
            single = WriteSingleRegisterRequest(dev_id=unit_id, address=at, registers=[word])
            self._in_turn(device, single, Turn.WRITE)

    def connect(self) -> bool:
        """Make the connection now; whether the peer takes it. Others need not call this: a request connects as well."""
        self._wire.prepare()
        with self._turn(Turn.READ):
            try:
                self._client.connect()
            except OSError:
                return False
            return True

    def may_try(self, device: str, *, first: bool = False) -> bool:
        """See `Link`."""
        with self._tries_lock:
            return self._tries.may_try(device, self._clock.now_s(), first=first)

    def tried(self, device: str, *, found: bool) -> None:
        """See `Link`."""
        with self._tries_lock:
            self._tries.tried(device, self._clock.now_s(), found=found)

    @property
    def needs(self) -> LinkNeeds:
        """What it grants to the devices behind it."""
        return self._needs

    def close(self) -> None:
        """See `Link`. Waits for a request that is under way."""
        with self._turn(Turn.WRITE):
            self._client.close()

    def allow(self, needs: LinkNeeds) -> None:
        """From now on grant this. The connection is made anew by the next call."""
        with self._turn(Turn.WRITE):
            self._client.close()
            self._needs = needs
            self._client = self._make_client()

    def _make_client(self) -> Client:
        self._told = {}
        return self._wire.client(self._needs.timeout_s)

    def _turn(self, turn: Turn) -> AbstractContextManager[None]:
        now_s = self._clock.now_s()
        if turn is not Turn.TRY:
            return self._lock.turn(turn, now_s)
        with self._tries_lock:
            self._try_slot_s = try_slot_s(now_s, self._try_slot_s)
            return self._lock.turn(turn, self._try_slot_s + HEAD_START_S[turn])

    def _in_turn(self, device: str, request: ModbusPDU, turn: Turn) -> ModbusPDU:
        if not self._client.is_connected:
            self._wire.prepare()  # before the turn: a name server that is silent holds up nobody else
        with self._turn(turn):
            if self._needs.min_gap_s:
                self._keep_the_gap()
            began_s = self._clock.now_s()
            with self._tries_lock:
                patience_s = self._tries.patience_s(device, self._needs.timeout_s, began_s)
            trouble: DeviceError | None = None
            try:
                return self._carry_out(request, patience_s)
            except DeviceError as error:
                trouble = error
                raise
            finally:
                self._quiet_since_s = time.monotonic()
                self._note(device, self._clock.now_s() - began_s, trouble)

    def _note(self, device: str, seconds: float, trouble: DeviceError | None) -> None:
        with self._tries_lock:
            note = self._tries.failed if isinstance(trouble, LinkError) else self._tries.answered
            note(device, seconds, self._clock.now_s())
        self._observer.request_done(device, seconds, trouble.kind if trouble else None)

    def _keep_the_gap(self) -> None:
        """Wait until the device has had its rest: some lose requests that come too soon after a reply."""
        rest_s = self._quiet_since_s + self._needs.min_gap_s - time.monotonic()
        if rest_s > 0:
            time.sleep(rest_s)

    def _carry_out(self, request: ModbusPDU, patience_s: float) -> ModbusPDU:
        try:
            reply = self._client.execute(request, patience_s)
        except (NoReply, NotModbus, Corrupt, HalfFrame, Restless, OSError) as problem:
            if not self._client.survives(problem):
                self._client.close()
            raise self._wire.link_error(problem, request.dev_id) from problem
        finally:
            self._tell_of_the_line()
        if reply.isError():
            raise self._refusal(reply.exception_code, request.dev_id)
        if isinstance(request, ReadHoldingRegistersRequest) and len(reply.registers) != request.count:
            raise NonsenseReply(
                because("wrong_length", where=self._where, got=len(reply.registers), wanted=request.count)
            )
        return reply

    def _tell_of_the_line(self) -> None:
        """What the client has passed over since the last request."""
        for what, count in self._client.noted.items():
            if count > self._told.get(what, 0):
                self._observer.line_noted(self._where, what, count - self._told.get(what, 0))
                self._told[what] = count

    def _refusal(self, code: int, unit_id: int) -> DeviceError:
        if code in GATEWAY_SILENT:
            return LinkTimeout(words.behind_gateway(self._where, unit_id, code))
        return RequestRefused(because("refused", where=self._where, exception=code), code)


class ModbusLink(WireLink):
    """A `Link` over Modbus TCP, for who has a host and port. The options are those of `WireLink`."""

    def __init__(
        self,
        host: str,
        port: int,
        timeout_s: float,
        clock: Clock,
        observer: Observer,
        *,
        min_gap_s: float = 0.0,
        shared: bool = False,
        look_up: LookUp = system_look_up,
    ) -> None:
        wire = TcpWire(TcpWay(host, port), look_up)
        super().__init__(wire, timeout_s, clock, observer, min_gap_s=min_gap_s, shared=shared)


class LinkPool:
    """All links of a site. Actors come and go; links stay until the system stops, or nobody is behind them any more."""

    def __init__(self, clock: Clock, observer: Observer) -> None:
        self._clock = clock
        self._observer = observer
        self._needs: dict[Way, LinkNeeds] = {}
        self._links: dict[Way, WireLink] = {}
        self._lock = threading.Lock()

    def expect(self, way: Way, needs: LinkNeeds) -> None:
        """Say before the first `link` what a device there needs; with others behind it the larger of each counts."""
        with self._lock:
            self._needs[way] = needs | self._needs.get(way, needs)

    def expect_only(self, needs: Mapping[Way, LinkNeeds]) -> None:
        """From now on these are all the devices, by their way, with what they need; other links are closed."""
        with self._lock:
            self._needs = dict(needs)
            gone = [self._links.pop(key) for key in list(self._links) if key not in needs]
            kept = [(link, needs[key]) for key, link in self._links.items()]
        for link in gone:
            link.close()
        for link, wanted in kept:
            if link.needs != wanted:
                link.allow(wanted)

    def link(self, way: Way) -> WireLink:
        """The one link that leads this way. Raises KeyError when it was not expected."""
        with self._lock:
            if way not in self._links:
                needs = self._needs[way]
                self._links[way] = WireLink(
                    wire_to(way), needs.timeout_s, self._clock, self._observer, min_gap_s=needs.min_gap_s, shared=True
                )
            return self._links[way]

    def close(self) -> None:
        """End all connections."""
        for link in self._links.values():
            link.close()

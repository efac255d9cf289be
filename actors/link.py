"""Modbus TCP links: one per host and port, shared by the units behind it.

The client reports trouble in two ways: what is wrong with the connection is raised, a refusal comes back as a value.
Here both become errors of `orchestrator.errors`, and every raised one closes the connection: the next call makes a new
one. Who goes first, and how long a device that does not answer may hold up the others: `orchestrator.devices.link`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from pymodbus.pdu import ModbusPDU
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersRequest,
    ReadInputRegistersRequest,
    WriteMultipleRegistersRequest,
    WriteSingleRegisterRequest,
)

from actors.clock import Clock
from actors.observer import Observer
from actors.wire.modbus_client import ModbusClient, NoReply, NotModbus, NotReached
from actors.wire.names import LookUp, Name, NameNotKnown, system_look_up
from actors.wire.turn_lock import TurnLock
from orchestrator.devices.link import trouble as words
from orchestrator.devices.link.tries import Tries
from orchestrator.devices.link.turns import Turn
from orchestrator.errors import (
    DeviceError,
    LinkDown,
    LinkError,
    LinkNonsense,
    LinkTimeout,
    NonsenseReply,
    RequestRefused,
)

GATEWAY_SILENT = (0x0A, 0x0B)
"""Exception codes by which a gateway says that the device behind it did not answer."""


class Link(Protocol):
    """The way to the units behind one host and port. Any thread may call; calls are served one by one, by urgency.

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
        LinkDown, LinkTimeout, LinkNonsense, RequestRefused or NonsenseReply (another number of words came back).
        """

    def write(
        self, unit_id: int, address: int, values: Sequence[int], device: str, *, one_by_one: bool = False
    ) -> None:
        """Write `values` (words) from `address` in one request of function 16. Raises as `read`.

        `one_by_one`: each word in a request of function 6 instead, for devices that know no other. What was written
        before a refusal stays written.
        """

    def may_try(self, device: str) -> bool:
        """Whether a device that is not connected may be looked for now; if so, `tried` has to follow."""

    def tried(self, device: str, *, found: bool) -> None:
        """Whether it was found."""

    def close(self) -> None:
        """End the connection; the next call makes a new one."""


@dataclass(frozen=True, slots=True)
class LinkNeeds:
    """What the devices behind one host and port need.

    `timeout_s` bounds the connection and each reply; `min_gap_s` is the least time from a reply to the next request.
    """

    timeout_s: float
    min_gap_s: float = 0.0

    def __or__(self, other: LinkNeeds) -> LinkNeeds:
        """What both need: the longer of each."""
        return LinkNeeds(max(self.timeout_s, other.timeout_s), max(self.min_gap_s, other.min_gap_s))


class ModbusLink:
    """A `Link` over Modbus TCP. `timeout_s` and `min_gap_s` as in `LinkNeeds`; nothing is tried twice.

    `shared`: devices of a running plant are behind it, and those that answer come before those that do not. Without it
    each request has its whole `timeout_s`.
    """

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
        self._where = f"{host}:{port}"
        self._needs = LinkNeeds(timeout_s, min_gap_s)
        self._quiet_since_s = float("-inf")
        self._clock = clock
        self._observer = observer
        self._lock = TurnLock()
        self._tries, self._tries_lock = Tries(is_rationed=shared), threading.Lock()
        self._name = Name(host, port, look_up=look_up)
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
        self._name.prepare()
        with self._turn(Turn.READ):
            try:
                self._client.connect()
            except OSError:
                return False
            return True

    def may_try(self, device: str) -> bool:
        """See `Link`."""
        with self._tries_lock:
            return self._tries.may_try(device, self._clock.now_s())

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

    def _make_client(self) -> ModbusClient:
        return ModbusClient(self._name, self._needs.timeout_s)

    def _turn(self, turn: Turn) -> AbstractContextManager[None]:
        return self._lock.turn(turn, self._clock.now_s())

    def _in_turn(self, device: str, request: ModbusPDU, turn: Turn) -> ModbusPDU:
        if not self._client.is_connected:
            self._name.prepare()  # before the turn: a name server that is silent holds up nobody else
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
        except (NoReply, NotModbus, OSError) as problem:
            self._client.close()
            raise _link_error(problem, self._where, request.dev_id) from problem
        if reply.isError():
            raise self._refusal(reply.exception_code, request.dev_id)
        if isinstance(request, ReadHoldingRegistersRequest) and len(reply.registers) != request.count:
            raise NonsenseReply(f"{self._where}: {len(reply.registers)} words instead of {request.count}")
        return reply

    def _refusal(self, code: int, unit_id: int) -> DeviceError:
        if code in GATEWAY_SILENT:
            return LinkTimeout(words.behind_gateway(self._where, unit_id, code))
        return RequestRefused(f"{self._where}: refused with exception {code}", code)


def _link_error(problem: Exception, where: str, unit_id: int) -> LinkError:
    """What the client has raised, as one of ours, in words that help."""
    match problem:
        case NoReply():
            return LinkTimeout(words.silent(where, unit_id))
        case NotModbus():
            return LinkNonsense(words.no_modbus(where, str(problem)))
        case NameNotKnown():
            return LinkDown(words.name_not_known(where, str(problem)))
        case NotReached():
            return LinkDown(words.not_reached(where, problem.errno, problem.strerror or ""))
        case OSError():
            return LinkDown(words.hung_up(where, problem.strerror or str(problem)))
    return LinkDown(f"{where}: {problem}")


class LinkPool:
    """All links of a site. Actors come and go; links stay until the system stops, or nobody is behind them any more."""

    def __init__(self, clock: Clock, observer: Observer) -> None:
        self._clock = clock
        self._observer = observer
        self._needs: dict[tuple[str, int], LinkNeeds] = {}
        self._links: dict[tuple[str, int], ModbusLink] = {}
        self._lock = threading.Lock()

    def expect(self, host: str, port: int, needs: LinkNeeds) -> None:
        """Say before the first `link` what a device there needs; with others behind it the larger of each counts."""
        with self._lock:
            self._needs[host, port] = needs | self._needs.get((host, port), needs)

    def expect_only(self, needs: Mapping[tuple[str, int], LinkNeeds]) -> None:
        """From now on these are all the devices, by host and port, with what they need; other links are closed."""
        with self._lock:
            self._needs = dict(needs)
            gone = [self._links.pop(key) for key in list(self._links) if key not in needs]
            kept = [(link, needs[key]) for key, link in self._links.items()]
        for link in gone:
            link.close()
        for link, wanted in kept:
            if link.needs != wanted:
                link.allow(wanted)

    def link(self, host: str, port: int) -> ModbusLink:
        """The one link to `host` and `port`. Raises KeyError when it was not expected."""
        key = (host, port)
        with self._lock:
            if key not in self._links:
                needs = self._needs[key]
                self._links[key] = ModbusLink(
                    host, port, needs.timeout_s, self._clock, self._observer, min_gap_s=needs.min_gap_s, shared=True
                )
            return self._links[key]

    def close(self) -> None:
        """End all connections."""
        for link in self._links.values():
            link.close()

"""Modbus TCP links: one per host and port, shared by the units behind it.

The client reports trouble in two ways: what is wrong with the connection is raised, a refusal comes back as a value.
Here both become errors of `orchestrator.errors`, and every raised one closes the connection: the next call makes a new
one.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
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
from actors.wire.modbus_client import ModbusClient, NoReply, NotModbus
from orchestrator.errors import DeviceError, LinkDown, LinkNonsense, LinkTimeout, NonsenseReply, RequestRefused

GATEWAY_SILENT = (0x0A, 0x0B)
"""Exception codes by which a gateway says that the device behind it did not answer."""


class Link(Protocol):
    """The way to the units behind one host and port. Any thread may call; calls are served one by one, in order."""

    def read(self, unit_id: int, address: int, count: int, device: str, *, inputs: bool = False) -> tuple[int, ...]:
        """Read `count` (1 to 125) holding registers from `address` (0-based). `device` names the caller in metrics.

        `inputs`: of the input registers (function 4) in place of the holding registers (function 3). Raises
        LinkDown, LinkTimeout, RequestRefused or NonsenseReply (another number of words came back).
        """

    def write(
        self, unit_id: int, address: int, values: Sequence[int], device: str, *, one_by_one: bool = False
    ) -> None:
        """Write `values` (words) from `address` in one request of function 16. Raises as `read`.

        `one_by_one`: each word in a request of function 6 instead, for devices that know no other. What was written
        before a refusal stays written.
        """

    def close(self) -> None:
        """End the connection; the next call makes a new one."""


class FairLock:
    """A lock that is granted in the order of asking, so that a busy unit cannot starve its neighbours."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._is_taken = False
        self._turns: deque[threading.Event] = deque()

    @property
    def waiting(self) -> int:
        """How many wait for the one who has it."""
        with self._guard:
            return len(self._turns)

    def __enter__(self) -> None:
        with self._guard:
            if not self._is_taken:
                self._is_taken = True
                return
            turn = threading.Event()
            self._turns.append(turn)
        turn.wait()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._guard:
            if self._turns:
                self._turns.popleft().set()  # it stays taken: nobody can come in between
            else:
                self._is_taken = False


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
    """A `Link` over Modbus TCP. `timeout_s` and `min_gap_s` as in `LinkNeeds`; nothing is tried twice."""

    def __init__(
        self, host: str, port: int, timeout_s: float, clock: Clock, observer: Observer, *, min_gap_s: float = 0.0
    ) -> None:
        self._name = f"{host}:{port}"
        self._needs = LinkNeeds(timeout_s, min_gap_s)
        self._quiet_since_s = float("-inf")
        self._clock = clock
        self._observer = observer
        self._turn = FairLock()
        self._address = (host, port)
        self._client = self._make_client()

    def read(self, unit_id: int, address: int, count: int, device: str, *, inputs: bool = False) -> tuple[int, ...]:
        """See `Link`."""
        request_of = ReadInputRegistersRequest if inputs else ReadHoldingRegistersRequest
        reply = self._in_turn(device, request_of(address=address, count=count, dev_id=unit_id))
        return tuple(reply.registers)

    def write(
        self, unit_id: int, address: int, values: Sequence[int], device: str, *, one_by_one: bool = False
    ) -> None:
        """See `Link`."""
        if not one_by_one:
            request = WriteMultipleRegistersRequest(dev_id=unit_id, address=address, registers=values)
            self._in_turn(device, request)
            return
        for at, word in enumerate(values, address):
            self._in_turn(device, WriteSingleRegisterRequest(dev_id=unit_id, address=at, registers=[word]))

    def connect(self) -> bool:
        """Make the connection now; whether the peer takes it. Others need not call this: a request connects as well."""
        with self._turn:
            try:
                self._client.connect()
            except OSError:
                return False
            return True

    @property
    def needs(self) -> LinkNeeds:
        """What it grants to the devices behind it."""
        return self._needs

    def close(self) -> None:
        """See `Link`. Waits for a request that is under way."""
        with self._turn:
            self._client.close()

    def allow(self, needs: LinkNeeds) -> None:
        """From now on grant this. The connection is made anew by the next call."""
        with self._turn:
            self._client.close()
            self._needs = needs
            self._client = self._make_client()

    def _make_client(self) -> ModbusClient:
        return ModbusClient(*self._address, self._needs.timeout_s)

    def _in_turn(self, device: str, request: ModbusPDU) -> ModbusPDU:
        with self._turn:
            if self._needs.min_gap_s:
                self._keep_the_gap()
            began_s = self._clock.now_s()
            kind: str | None = None
            try:
                return self._carry_out(request)
            except DeviceError as trouble:
                kind = trouble.kind
                raise
            finally:
                self._quiet_since_s = time.monotonic()
                self._observer.request_done(device, self._clock.now_s() - began_s, kind)

    def _keep_the_gap(self) -> None:
        """Wait until the device has had its rest: some lose requests that come too soon after a reply."""
        rest_s = self._quiet_since_s + self._needs.min_gap_s - time.monotonic()
        if rest_s > 0:
            time.sleep(rest_s)

    def _carry_out(self, request: ModbusPDU) -> ModbusPDU:
        try:
            reply = self._client.execute(request)
        except NoReply as silence:
            self._client.close()
            raise LinkTimeout(f"{self._name}: no answer within {self._needs.timeout_s:g} s") from silence
        except NotModbus as nonsense:
            self._client.close()
            raise LinkNonsense(f"{self._name}: this is no Modbus TCP ({nonsense})") from nonsense
        except OSError as trouble:
            self._client.close()
            raise LinkDown(f"{self._name}: no connection ({trouble.strerror or trouble})") from trouble
        if reply.isError():
            raise self._refusal(reply.exception_code)
        if isinstance(request, ReadHoldingRegistersRequest) and len(reply.registers) != request.count:
            raise NonsenseReply(f"{self._name}: {len(reply.registers)} words instead of {request.count}")
        return reply

    def _refusal(self, code: int) -> DeviceError:
        if code in GATEWAY_SILENT:
            return LinkTimeout(f"{self._name}: the gateway gets no answer from the device (exception {code})")
        return RequestRefused(f"{self._name}: refused with exception {code}", code)


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
                    host, port, needs.timeout_s, self._clock, self._observer, min_gap_s=needs.min_gap_s
                )
            return self._links[key]

    def close(self) -> None:
        """End all connections."""
        for link in self._links.values():
            link.close()

"""Modbus TCP links: one per host and port, shared by the units behind it.

pymodbus reports trouble in two ways: a lost connection is raised (ModbusException, or a bare OSError for a reset), a
refusal comes back as a value. It also keeps a silent socket for ever. Here both become errors of
`orchestrator.errors`, and every raised one closes the connection, so that the next call makes a new one.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Protocol

from pymodbus.client import ModbusTcpClient
from pymodbus.exceptions import ConnectionException, ModbusException
from pymodbus.pdu import ModbusPDU

from actors.clock import Clock
from actors.observer import Observer
from orchestrator.errors import DeviceError, LinkDown, LinkTimeout, NonsenseReply, RequestRefused

# Every failure reaches the caller as an error; pymodbus would print each of them a second time.
logging.getLogger("pymodbus").setLevel(logging.CRITICAL)

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
        self._condition = threading.Condition()
        self._next_ticket = 0
        self._now_serving = 0

    @property
    def waiting(self) -> int:
        """How many wait for the one who has it."""
        with self._condition:
            return max(0, self._next_ticket - self._now_serving - 1)

    def __enter__(self) -> None:
        with self._condition:
            ticket = self._next_ticket
            self._next_ticket += 1
            while ticket != self._now_serving:
                self._condition.wait()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._condition:
            self._now_serving += 1
            self._condition.notify_all()


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

        def ask() -> ModbusPDU:
            ask_for = self._client.read_input_registers if inputs else self._client.read_holding_registers
            return ask_for(address, count=count, device_id=unit_id)

        def read() -> ModbusPDU:
            reply = self._send(ask)
            if len(reply.registers) != count:
                raise NonsenseReply(f"{self._name} unit {unit_id}: {len(reply.registers)} words instead of {count}")
            return reply

        return tuple(self._in_turn(device, read).registers)

    def write(
        self, unit_id: int, address: int, values: Sequence[int], device: str, *, one_by_one: bool = False
    ) -> None:
        """See `Link`."""
        parts = [(at, (word,)) for at, word in enumerate(values, address)] if one_by_one else [(address, values)]
        for at, words in parts:
            self._in_turn(device, partial(self._write, unit_id, at, words, single=one_by_one))

    def connect(self) -> bool:
        """Make the connection now; whether the peer takes it. Others need not call this: a request connects as well."""
        with self._turn:
            return bool(self._client.connect())  # type: ignore[no-untyped-call]

    @property
    def needs(self) -> LinkNeeds:
        """What it grants to the devices behind it."""
        return self._needs

    def close(self) -> None:
        """See `Link`. Waits for a request that is under way."""
        with self._turn:
            self._disconnect()

    def allow(self, needs: LinkNeeds) -> None:
        """From now on grant this. The connection is made anew by the next call."""
        with self._turn:
            self._disconnect()
            self._needs = needs
            self._client = self._make_client()

    def _write(self, unit_id: int, address: int, values: Sequence[int], *, single: bool) -> ModbusPDU:
        if single:
            return self._send(lambda: self._client.write_register(address, values[0], device_id=unit_id))
        return self._send(lambda: self._client.write_registers(address, list(values), device_id=unit_id))

    def _make_client(self) -> ModbusTcpClient:
        host, port = self._address
        return ModbusTcpClient(host, port=port, timeout=self._needs.timeout_s, retries=0)

    def _disconnect(self) -> None:
        self._client.close()  # type: ignore[no-untyped-call]

    def _in_turn(self, device: str, request: Callable[[], ModbusPDU]) -> ModbusPDU:
        with self._turn:
            self._keep_the_gap()
            began_s = self._clock.now_s()
            error: DeviceError | None = None
            try:
                return request()
            except DeviceError as trouble:
                error = trouble
                raise
            finally:
                self._quiet_since_s = time.monotonic()
                self._observer.request_done(device, self._clock.now_s() - began_s, error.kind if error else None)

    def _keep_the_gap(self) -> None:
        """Wait until the device has had its rest: some lose requests that come too soon after a reply."""
        rest_s = self._quiet_since_s + self._needs.min_gap_s - time.monotonic()
        if rest_s > 0:
            time.sleep(rest_s)

    def _send(self, send: Callable[[], ModbusPDU]) -> ModbusPDU:
        try:
            reply = send()
        except (ConnectionException, OSError) as trouble:
            self._disconnect()
            raise LinkDown(f"{self._name}: no connection ({_reason(trouble)})") from trouble
        except ModbusException as trouble:
            self._disconnect()
            raise LinkTimeout(f"{self._name}: no answer within {self._needs.timeout_s:g} s") from trouble
        if reply.isError():
            raise self._refusal(reply.exception_code)
        return reply

    def _refusal(self, code: int) -> DeviceError:
        if code in GATEWAY_SILENT:
            return LinkTimeout(f"{self._name}: the gateway gets no answer from the device (exception {code})")
        return RequestRefused(f"{self._name}: refused with exception {code}", code)


def _reason(trouble: Exception) -> str:
    if isinstance(trouble, OSError):
        return trouble.strerror or str(trouble)
    return "cannot connect, or closed by the device"


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

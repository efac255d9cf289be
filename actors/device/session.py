"""One device behind a link: found, read as its driver plans, written to. The inverter and the meter actor use it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from actors.clock import Clock
from actors.link import Link
from orchestrator.devices.addresses import OWN_HOLDING_END, place_of
from orchestrator.devices.base import AnyDriver, Discovery, ReadRequest, Refused, RegisterWrite, Role, Words
from orchestrator.devices.link.backoff import Backoff
from orchestrator.devices.link.turns import Turn
from orchestrator.errors import DeviceError, LinkCorrupt, LinkError, LinkHalfFrame, RequestRefused, WrongDevice
from orchestrator.reason import because

RETRY_FIRST_S = 0.5
ILLEGAL_ADDRESS = 2

WHOLE_AGAIN_S = 300.0
"""After this a read that had to be split is tried as a whole again: some devices refuse words by night only."""

SPOILED_MOST = 3
"""After so many answers on end that were spoiled on a line the device is found anew: it may be another one by now."""

LOOK_AGAIN_S = 300.0
"""How often a device is asked again for what it did not say when it was found: at night some say nothing."""


class Unreachable(DeviceError):
    """The last attempt failed, and it is too early for the next. `kind` is that of the last failure."""

    def __init__(self, last: DeviceError) -> None:
        super().__init__(last.why)
        self.kind = last.kind


class NotTriedYet(DeviceError):
    """Others behind the same link come first."""

    kind = "timeout"

    def __init__(self) -> None:
        super().__init__(because("others_first"))


class BrokenOff(Exception):
    """A reading has given way to something that is more urgent."""


def _never() -> bool:
    return False


class DeviceSession:
    """From discovery to the loss of the connection, again and again; after a failure it waits before it tries anew.

    Belongs to one actor. `role` is what the device is wanted for (None: whatever is there), `write_single` is for a
    device that takes one register a request (function 6). Everything here raises DeviceError for what devices do.
    """

    def __init__(
        self,
        name: str,
        driver: AnyDriver,
        link: Link,
        unit_id: int,
        *,
        clock: Clock,
        retry_longest_s: float,
        role: Role | None = None,
        write_single: bool = False,
    ) -> None:
        self.name = name
        self.driver = driver
        self._link = link
        self._unit_id = unit_id
        self._clock = clock
        self._role = role
        self._write_single = write_single
        self._backoff = Backoff(RETRY_FIRST_S, retry_longest_s)
        self._last_trouble: DeviceError | None = None
        self._is_trying = False
        self._found: Any = None
        self._split_until_s: float | None = None
        self._parts: dict[ReadRequest, tuple[ReadRequest, ...]] = {}
        self._look_again_at_s = 0.0
        self._spoiled = 0
        self.device: Any = None
        """What discovery found, without the reads that it refuses; None while there is no connection."""

    def connect(self, serial: str | None, *, at_once: bool = False) -> bool:
        """Find the device unless it is found. True when it was found just now, or is another than it seemed to be.

        Raises WrongDevice when its serial number is not `serial` (None: any), Unreachable when it is too early for
        another attempt and not `at_once`, and whatever the link raises.
        """
        if self.device is not None:
            return self._look_again(serial)
        if not at_once and not self._may_try():
            raise Unreachable(self._last_trouble or NotTriedYet())
        self._is_trying, began_s = True, self._clock.now_s()
        try:
            self._take(self._carry_out(self.driver.discover(self._role)), serial)
        except DeviceError as trouble:
            self.lost(trouble, began_s)
            raise
        finally:
            self._is_trying = False
            self._link.tried(self.name, found=self.device is not None)
        return True

    def _may_try(self) -> bool:
        """Whether it is not too early, and the others behind the link can spare the time."""
        is_early = self._last_trouble is not None and not self._backoff.is_over(self._clock.now_s())
        return not is_early and self._link.may_try(self.name, first=self._role == "meter")

    def read(self, is_urgent: Callable[[], bool] = _never) -> dict[int, int]:
        """The words of one cycle by address. Parts that the device refuses are left out, unless it refuses all.

        Loses the device on a LinkError. Success ends the waiting after failures. Raises BrokenOff as soon as
        `is_urgent`, which is asked before each request.
        """
        self._plan_whole_again()
        try:
            words = self._read_plan(is_urgent)
        except LinkError as trouble:
            self._failed(trouble)
            raise
        self._spoiled = 0
        self._backoff = self._backoff.succeeded()
        return words

    def read_more(self, request: ReadRequest) -> dict[int, int]:
        """Words beside those of the plan, without those that the device refuses. Loses the device on a LinkError.

        A read that was refused is made in finer pieces from then on.
        """
        parts = self._parts.get(request)
        if parts is None:
            try:
                return dict(self._read_one(request))
            except RequestRefused as refused:
                if refused.code != ILLEGAL_ADDRESS:
                    return {}
                known = self.device is not None
                parts = self._parts[request] = self.driver.parts(self.device, request) if known else ()
                self._split_until_s = self._clock.now_s() + WHOLE_AGAIN_S
            except LinkError as trouble:
                self.lost(trouble)
                raise
        return {at: word for part in parts for at, word in self.read_more(part).items()}

    def write(self, write: RegisterWrite) -> None:
        """Write one run of registers. Loses the device on a LinkError."""
        try:
            place = place_of(write.address)
            unit_id = place.unit_id or self._unit_id
            one_by_one = self._write_single or write.one_by_one
            self._link.write(unit_id, place.address, write.values, self.name, one_by_one=one_by_one)
        except LinkError as trouble:
            self._failed(trouble)
            raise

    def _failed(self, trouble: LinkError) -> None:
        """A request has come to nothing. A device whose answers are spoiled now and then is there all the same."""
        self._spoiled += isinstance(trouble, LinkCorrupt | LinkHalfFrame)
        if not isinstance(trouble, LinkCorrupt | LinkHalfFrame) or self._spoiled >= SPOILED_MOST:
            self.lost(trouble)

    def lost(self, trouble: DeviceError, began_s: float | None = None) -> None:
        """There is no connection any more; the next attempt waits, longer each time, counted from `began_s`."""
        self.device, self._spoiled = None, 0
        self._last_trouble = trouble
        self._backoff = self._backoff.failed(self._clock.now_s(), began_s)

    def close(self) -> None:
        """End the connection. Others behind the same link reconnect by themselves."""
        self.device = None
        self._link.close()

    def _look_again(self, serial: str | None) -> bool:
        """From time to time; whether the device has turned out to be another than it seemed to be."""
        if self._clock.now_s() < self._look_again_at_s:
            return False
        self._look_again_at_s = self._clock.now_s() + LOOK_AGAIN_S
        try:
            device = self._carry_out(self.driver.look_again(self._found, self._role))
            if device is self._found:
                return False
            self._take(device, serial)
        except RequestRefused:
            return False  # it is busy, and still known
        except DeviceError as trouble:
            self.lost(trouble)
            raise
        return True

    def _take(self, device: Any, serial: str | None) -> None:
        self._check_serial(serial, self.driver.nameplate(device).serial)
        self.device = self._found = device
        self._split_until_s = None
        self._parts.clear()
        self._look_again_at_s = self._clock.now_s() + LOOK_AGAIN_S

    def _carry_out(self, steps: Discovery[Any]) -> Any:
        answer: Words | Refused | None = None
        while True:
            try:
                request = next(steps) if answer is None else steps.send(answer)
            except StopIteration as end:
                return end.value
            try:
                answer = self._ask(request)
            except RequestRefused as refusal:
                answer = Refused(refusal.code)
            self._is_trying = False  # it answers: what else is asked of it is as urgent as what others are asked

    def _check_serial(self, expected: str | None, found: str) -> None:
        if expected is not None and found != expected:
            raise WrongDevice(because("other_serial", device=self.name, found=repr(found), expected=repr(expected)))

    def _plan_whole_again(self) -> None:
        if self._split_until_s is not None and self._clock.now_s() >= self._split_until_s:
            self.device, self._split_until_s = self._found, None
            self._parts.clear()

    def _read_plan(self, is_urgent: Callable[[], bool]) -> dict[int, int]:
        words: dict[int, int] = {}
        asked: list[ReadRequest] = []
        refusal: RequestRefused | None = None
        waiting = iter(self.driver.plan_reads(self.device))
        while (request := next(waiting, None)) is not None:
            asked.append(request)
            if is_urgent():
                raise BrokenOff
            try:
                words |= self._read_one(request)
            except RequestRefused as refused:
                if refused.code != ILLEGAL_ADDRESS:
                    raise
                refusal = refused
                self._split(request)
                waiting = iter([each for each in self.driver.plan_reads(self.device) if each not in asked])
        if refusal is not None and not words:
            raise refusal
        return words

    def _split(self, refused: ReadRequest) -> None:
        """A device may refuse a block for one word in it: from now on read its parts."""
        self.device = self.driver.without(self.device, refused)
        self._split_until_s = self._clock.now_s() + WHOLE_AGAIN_S

    def _read_one(self, request: ReadRequest) -> Iterable[tuple[int, int]]:
        """Each word with its address."""
        return zip(range(request.address, request.address + request.count), self._ask(request), strict=True)

    def _ask(self, request: ReadRequest) -> Words:
        if request.address < OWN_HOLDING_END:
            return self._link.read(self._unit_id, request.address, request.count, self.name, turn=self._turn)
        place = place_of(request.address)
        unit_id = place.unit_id or self._unit_id
        return self._link.read(unit_id, place.address, request.count, self.name, inputs=place.inputs, turn=self._turn)

    @property
    def _turn(self) -> Turn:
        """The meter goes first also where it is being looked for: without it the plant is in its failsafe."""
        if self._role == "meter":
            return Turn.METER
        return Turn.TRY if self._is_trying else Turn.READ

"""`orchestrator dump`: all registers of one device, of its SunSpec map or of its profile. It never writes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from dataclasses import replace
from typing import Final, TypeVar

from actors.clock import RealClock
from actors.commands.progress import Watch
from actors.link import WireLink
from actors.observer import NoObserver
from actors.wire.wires import wire_to
from orchestrator.commissioning.register_image import RegisterImage, find_chain, read_words
from orchestrator.commissioning.scan_targets import Place
from orchestrator.devices.addresses import place_of
from orchestrator.devices.base import ReadRequest, Refused, Words
from orchestrator.devices.makes.image import MakeImage, read_make
from orchestrator.devices.makes.schema import Profile
from orchestrator.devices.sunspec.finding.discovery import MARKER
from orchestrator.errors import DeviceError, LinkError, RequestRefused

TRIES: Final = 4
RETRY_AFTER_S: Final = 0.5
NO_ANSWER: Final = 11
FOR_EVER: Final = (1, 2, 3)
"""Exception codes that are the same the next time; the others mean that the device is busy."""

ResultT = TypeVar("ResultT")
Steps = Generator[ReadRequest, Words | Refused, ResultT]


def dump(endpoint: Place, unit_id: int, timeout_s: float, watch: Watch) -> RegisterImage:
    """Read everything. `watch` counts words. Raises DeviceError."""
    link = WireLink(wire_to(endpoint.way), timeout_s, RealClock(), NoObserver())
    reader = _Reader(link, unit_id)
    try:
        chain = reader.carry_out(find_chain())
        watch.grow(chain.words - len(MARKER))
        words = reader.carry_out(read_words(chain), watch.advance)
    finally:
        link.close()
    return RegisterImage(chain, words, unit_id)


def dump_make(endpoint: Place, unit_id: int, timeout_s: float, profile: Profile) -> MakeImage:
    """Read all registers that a profile names. Raises DeviceError where it does not answer at all."""
    wire = wire_to(endpoint.way)
    link = WireLink(wire, timeout_s, RealClock(), NoObserver(), min_gap_s=profile.link.min_gap_s)
    try:
        image = _Reader(link, unit_id).carry_out(read_make(profile))
    finally:
        link.close()
    if not image.words:
        raise NothingAnswered(f"{endpoint} unit {unit_id} refuses all that {profile.name} names")
    return replace(image, unit_id=unit_id)


class NothingAnswered(DeviceError):
    """A device of which no register of the profile can be read."""


class _Reader:
    """Carries out reads on one unit; what fails for a moment is tried again."""

    def __init__(self, link: WireLink, unit_id: int) -> None:
        self._link = link
        self._unit_id = unit_id
        self._pause = threading.Event()

    def carry_out(self, steps: Steps[ResultT], done: Callable[[int], None] | None = None) -> ResultT:
        """Run `steps` to their end; `done` is told how many words each read has settled."""
        request = next(steps)
        while True:
            answer = self._answer(request)
            if done is not None and (request.count == 1 or not isinstance(answer, Refused)):
                done(request.count)
            try:
                request = steps.send(answer)
            except StopIteration as end:
                result: ResultT = end.value
                return result

    def _answer(self, request: ReadRequest) -> Words | Refused:
        place = place_of(request.address)
        unit_id = place.unit_id or self._unit_id
        for left in reversed(range(TRIES)):
            try:
                return self._link.read(unit_id, place.address, request.count, "dump", inputs=place.inputs)
            except RequestRefused as refusal:
                if refusal.code in FOR_EVER:
                    return Refused(refusal.code)
                if not left:
                    raise
            except LinkError:
                if place.unit_id is not None:  # a further unit that is not there
                    return Refused(NO_ANSWER)
                if not left:
                    raise
            self._pause.wait(RETRY_AFTER_S)
        raise AssertionError("the last try returns or raises")

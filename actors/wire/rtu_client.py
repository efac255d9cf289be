"""Modbus RTU, for one request at a time: pymodbus's requests, replies and checksums, and the rules of a line.

- Before a request the line is silent for 3.5 characters, and what came unasked is thrown away.
- A reply is known by unit, function, length and checksum; what else comes is passed over.
- A frame of a line has no number: a late answer to an earlier request may look like the one that is waited for. So
  where an answer is owed, that unit is first asked something whose answer looks different. Devices answer in order:
  once that has come, nothing is owed any more.
- A read whose answer is corrupt or breaks off is repeated once, at once. A write never is.
"""

from __future__ import annotations

import time
from collections import Counter
from typing import Final

from pymodbus.framer import FramerRTU
from pymodbus.pdu import DecodePDU, ModbusPDU
from pymodbus.pdu.register_message import ReadHoldingRegistersRequest, ReadInputRegistersRequest

from actors.wire.modbus_client import NoReply, decoded
from actors.wire.rtu_frames import READS, WRITE_ONE, Look, Passed, Wanted, look, pdu_of
from actors.wire.streams import Stream

HALF_AFTER_S: Final = 0.2
"""A frame that has not gone on for so long has ended: adapters and gateways hold bytes back for up to 0.1 s."""
RESTLESS_S: Final = 0.5
"""A line that others have kept busy for so long is not waited for: its devices are away."""
OWED_S: Final = 10.0
"""An answer that has not come after so long will not come: no known device takes longer than 5 s."""
REFUSAL_SETTLES_S: Final = 0.3
"""After a refusal, which looks like any other, nothing may come for so long."""
NOISE_LEAST: Final = 2
"""One byte of noise is what many adapters hear when they turn from sending to listening: it is no answer."""
MARKS: Final = range(1, 13)
"""How many registers are asked for to learn whether an answer is still owed: more lengths than can be owed at once."""


class Corrupt(Exception):
    """The reply had a wrong checksum."""


class OnlyNoise(NoReply):
    """What came in time was no frame at all."""


class HalfFrame(Exception):
    """The reply broke off."""


class Restless(Exception):
    """The line was never silent."""


class RtuClient:
    """A line that is opened when it is needed. For one thread at a time.

    `timeout_s` bounds each reply, beside the time that request and reply take on the line (`character_s` a byte);
    `silence_s` is kept between frames. `noted` counts what was passed over.
    """

    def __init__(self, stream: Stream, timeout_s: float, *, character_s: float = 0.0, silence_s: float = 0.0) -> None:
        self._stream = stream
        self._timeout_s = timeout_s
        self._character_s = character_s
        self._silence_s = silence_s
        self._framer = FramerRTU(DecodePDU(is_server=False))
        self._busy_until_s = 0.0
        self._has_echo = False
        self._owed: dict[int, dict[Wanted, float]] = {}
        self.noted: Counter[Passed] = Counter()

    @property
    def is_connected(self) -> bool:
        """Whether the line is open, as far as is known."""
        return self._stream.is_open

    def connect(self, timeout_s: float | None = None) -> None:
        """Open the line now if it is not. Raises NotReached, or NameNotKnown."""
        self._stream.open(self._timeout_s if timeout_s is None else timeout_s)

    def close(self) -> None:
        """Close the line, if it is open."""
        self._stream.close()

    def survives(self, problem: Exception) -> bool:
        """Whether the line is of use after `problem`: silence and noise are no reason to open it anew."""
        return not isinstance(problem, OSError)

    def execute(self, request: ModbusPDU, timeout_s: float | None = None) -> ModbusPDU:
        """The reply to `request` (functions 3, 4, 6 and 16), which may be an ExceptionResponse.

        Raises NoReply (OnlyNoise), Corrupt, HalfFrame, Restless, NotModbus, OSError (NotReached where the line cannot
        be opened).
        """
        patience_s = self._timeout_s if timeout_s is None else timeout_s
        self.connect(patience_s)
        self._settle(request, patience_s)
        try:
            return self._ask(request, patience_s)
        except (Corrupt, HalfFrame):
            if request.function_code not in READS:
                raise
            return self._ask(request, patience_s)

    def _ask(self, request: ModbusPDU, patience_s: float) -> ModbusPDU:
        frame = self._framer.buildFrame(request)
        wanted = Wanted.of(request, frame)
        self._wait_for_silence()
        self._stream.send(frame, patience_s)
        sent_s = time.monotonic() + len(frame) * self._character_s
        self._busy_until_s = sent_s
        try:
            reply = self._reply(frame, wanted, sent_s + wanted.size * self._character_s + patience_s)
        except NoReply:
            self._owed.setdefault(wanted.unit, {})[wanted] = sent_s + OWED_S
            raise
        return decoded(pdu_of(reply), request.function_code)

    def _reply(self, frame: bytes, wanted: Wanted, until_s: float) -> bytes:
        """The frame that answers. Raises NoReply (OnlyNoise), Corrupt, HalfFrame, OSError."""
        can_tell = wanted.function != WRITE_ONE  # its reply is the request once more, as an echo is
        waits_for_echo = can_tell or self._has_echo
        received, noise, is_corrupt = b"", 0, False
        while (rest_s := until_s - time.monotonic()) > 0.0:
            part = self._stream.receive(min(rest_s, HALF_AFTER_S) if received else rest_s)
            if part:
                self._busy_until_s = time.monotonic()
                received += part
            if waits_for_echo and frame in received:
                received = received[received.index(frame) + len(frame) :]
                waits_for_echo = False
                self._has_echo = True
                self.noted[Passed.ECHO] += 1
            if part and waits_for_echo and frame.startswith(received):
                continue
            seen = look(received, wanted, is_all=not part)
            self._note(seen)
            if seen.reply is not None:
                self._has_echo = not waits_for_echo if can_tell else self._has_echo
                return seen.reply
            is_corrupt = is_corrupt or seen.corrupt
            if is_corrupt and not (part and seen.rest):
                self.noted[Passed.CORRUPT] += 1
                raise Corrupt
            if not part and len(received) > 1 and wanted.may_begin(received):
                self.noted[Passed.HALF] += 1
                raise HalfFrame
            noise, received = noise + seen.noise, seen.rest
        if noise < NOISE_LEAST:
            raise NoReply
        self.noted[Passed.CORRUPT] += 1
        raise OnlyNoise

    def _wait_for_silence(self) -> None:
        """Until the line has been silent for long enough. What comes meanwhile answers nothing. Raises Restless."""
        wait_s = self._busy_until_s + self._silence_s - time.monotonic()
        if wait_s > 0.0:
            time.sleep(wait_s)
        until_s = time.monotonic() + RESTLESS_S
        stray = b""
        while part := self._stream.receive(self._silence_s if stray else 0.0):
            stray += part
            if time.monotonic() > until_s:
                raise Restless
        if stray:
            self._note(look(stray, _NOTHING, is_all=True))

    def _settle(self, request: ModbusPDU, patience_s: float) -> None:
        """Make sure that the unit owes no answer which could be taken for the one to `request`. Raises as `execute`."""
        if request.dev_id not in self._owed:
            return
        self._wait_for_silence()  # it may be there already
        now_s = time.monotonic()
        owed = {wanted: until_s for wanted, until_s in self._owed.pop(request.dev_id).items() if until_s > now_s}
        if not owed:
            return
        self._owed[request.dev_id] = owed
        count = next(count for count in MARKS if count not in {_words(wanted) for wanted in owed})
        function = request.function_code if request.function_code in READS else READS[0]
        mark_of = ReadHoldingRegistersRequest if function == READS[0] else ReadInputRegistersRequest
        at = min(request.address, 0xFFFF - count)
        if self._ask(mark_of(address=at, count=count, dev_id=request.dev_id), patience_s).isError():
            stray = self._stream.receive(REFUSAL_SETTLES_S)
            self._note(look(stray, _NOTHING, is_all=True))
        self._owed.pop(request.dev_id, None)

    def _note(self, seen: Look) -> None:
        self.noted[Passed.LATE] += len(seen.others)
        self.noted[Passed.NOISE] += seen.noise
        for frame in seen.others:
            owed = self._owed.get(frame[0], {})
            for wanted in [each for each in owed if each.is_answered_by(frame)][:1]:
                del owed[wanted]


def _words(wanted: Wanted) -> int:
    """How many registers a reply has that is owed; one to a write has none."""
    return wanted.begins[2] // 2 if wanted.function in READS else 0


_NOTHING: Final = Wanted(unit=-1, function=0, size=0, begins=b"")
"""No request waits: whatever comes is somebody else's."""

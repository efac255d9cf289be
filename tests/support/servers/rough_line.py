"""A serial line on which a test answers byte for byte: a pseudo-terminal, a real port for whoever opens it."""

from __future__ import annotations

import contextlib
import os
import select
import threading
import time
import tty
from collections.abc import Callable
from pathlib import Path

from orchestrator.simulation.network.line import line_frame

Answer = Callable[[bytes], list[bytes]]
"""From what came to what is sent for it, piece by piece."""
PAUSE_S = 0.01


def words_of(unit: int, *values: int, function: int = 3) -> bytes:
    """The frame that answers a read."""
    data = b"".join(value.to_bytes(2, "big") for value in values)
    return line_frame(unit, bytes([function, len(data)]) + data)


class RoughLine:
    """Serves the port at `path`. `answer` may be changed at any time; `requests` is what has come so far."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.answer: Answer = lambda request: [words_of(request[0], 7)]
        self.pause_s = PAUSE_S
        self.requests: list[bytes] = []
        self._ours, self._theirs = os.openpty()
        tty.setraw(self._theirs)
        path.symlink_to(os.ttyname(self._theirs))
        self._wakes, self._wake = os.pipe()
        self._thread = threading.Thread(target=self._serve, name="rough line", daemon=True)
        self._thread.start()

    @property
    def heard_at(self) -> int:
        """The file that can be read once what was said is there."""
        return self._theirs

    def say(self, data: bytes) -> None:
        """Send something that nobody has asked for."""
        os.write(self._ours, data)

    def close(self) -> None:
        """Pull the adapter out."""
        os.write(self._wake, b".")
        self._thread.join(60)
        self.path.unlink()
        for each in (self._ours, self._theirs, self._wakes, self._wake):
            os.close(each)

    def _serve(self) -> None:
        while True:
            ready = select.select([self._ours, self._wakes], [], [])[0]
            if self._wakes in ready:
                return
            request = os.read(self._ours, 300)
            self.requests.append(request)
            with contextlib.suppress(OSError):
                for number, piece in enumerate(self.answer(request)):
                    if number:
                        time.sleep(self.pause_s)
                    os.write(self._ours, piece)

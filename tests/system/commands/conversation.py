"""A command at a terminal, as a person has it: what it asks is waited for, and answered by typing."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Iterator
from pathlib import Path

from tests.support.servers.required import PATIENCE_S, wait_until

COLORS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
PRESS_AGAIN_S = 5.0


class Conversation:
    """A process whose terminal is ours. Keys are typed as bytes, so Ctrl-C is what a terminal makes of it."""

    def __init__(self, process: subprocess.Popen[bytes], terminal: int) -> None:
        self.process = process
        self._terminal = terminal
        self._said = b""
        self._read_to = 0
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    @property
    def said(self) -> str:
        """All that stands on the terminal, without its colours."""
        return COLORS.sub("", self._said.decode(errors="replace")).replace("\r\n", "\n")

    def answer(self, question: str, line: str = "") -> None:
        """Wait until `question` is asked after the last answer, and type `line`; nothing takes what is proposed."""
        self._wait_for(question)
        self._read_to = self._place(question) + len(question)
        os.write(self._terminal, f"{line}\n".encode())

    def press(self, question: str, key: bytes) -> None:
        """The same with one key that ends it, such as Ctrl-C. A person presses it again where nothing happens.

        A key that comes between the question and the reading of its answer may be lost: Python's input() looks for
        signals before it waits, and a terminal that changes its mode forgets what was typed before.
        """
        self._wait_for(question)
        for _ in range(int(PATIENCE_S / PRESS_AGAIN_S)):
            os.write(self._terminal, key)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(PRESS_AGAIN_S)
                return

    def exit_code(self) -> int:
        """Wait for its end, and for all that it has said."""
        code = self.process.wait(PATIENCE_S)
        self._listener.join(PATIENCE_S)
        return code

    def _wait_for(self, text: str) -> None:
        wait_until(lambda: self._place(text) >= 0 or self.process.poll() is not None, f"{text!r}")
        if self.process.poll() is not None:
            self._listener.join(PATIENCE_S)
        assert self._place(text) >= 0, self.said

    def _place(self, text: str) -> int:
        return self.said.find(text, self._read_to)

    def _listen(self) -> None:
        with contextlib.suppress(OSError):  # the terminal has been closed
            while data := os.read(self._terminal, 65536):
                self._said += data


@contextlib.contextmanager
def conversation(folder: Path, *arguments: str, program: Path | None = None) -> Iterator[Conversation]:
    """The command with these arguments in `folder`, at a terminal of 100 columns and 40 lines; ended at the end.

    `program` is an installed one, in place of the one of this repository.
    """
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
    # So that keys act on it, in a background job too.
    own_terminal = ["env", "--default-signal=INT", "setsid", "--ctty"]
    ours_here = [sys.executable, "-m", "orchestrator.cli"]
    command = [*own_terminal, *([str(program)] if program else ours_here), *arguments]
    environment = {**os.environ, "TERM": "xterm-256color"}
    if program is None:
        environment["PYTHONPATH"] = str(Path(__file__).parents[3])
    process = subprocess.Popen(command, cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs, env=environment)
    os.close(theirs)
    try:
        yield Conversation(process, ours)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            process.wait()
        os.close(ours)

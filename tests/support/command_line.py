"""`orchestrator run` as people start it: a process of its own, on a copy of the example site with free ports."""

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
from dataclasses import dataclass
from pathlib import Path

from tests.support.servers.required import PATIENCE_S, free_port, wait_until

REPOSITORY = Path(__file__).parents[2]
EXAMPLE_PORTS = ("5020", "5021", "5022", "5023", "1883", "9464")


def example_site(folder: Path, *changes: tuple[str, str]) -> Path:
    """site.yaml with other ports and its state in `folder`; `changes` are texts to replace."""
    text = (REPOSITORY / "site.yaml").read_text()
    for port in EXAMPLE_PORTS:
        text = re.sub(rf"\b{port}\b", str(free_port()), text)
    for old, new in (("./state", str(folder / "state")), *changes):
        assert old in text
        text = text.replace(old, new)
    path = folder / "site.yaml"
    path.write_text(text)
    return path


@dataclass
class Running:
    """A process whose output goes into two files, so that it never waits for a reader.

    Of a letter of several bytes the first may be there alone for a moment.
    """

    process: subprocess.Popen[bytes]
    folder: Path

    @property
    def out(self) -> str:
        """What it has printed so far."""
        return (self.folder / "out.txt").read_text(errors="replace")

    @property
    def err(self) -> str:
        """What it has said on standard error so far."""
        return (self.folder / "err.txt").read_text(errors="replace")

    def wait_for_output(self, text: str, timeout_s: float = PATIENCE_S) -> None:
        """Return when `text` has been printed."""
        wait_until(lambda: text in self.out, f"{text!r} in the output of {self.process.args!r}", timeout_s)

    def end(self, number: signal.Signals) -> int:
        """Send a signal and return the exit code."""
        self.process.send_signal(number)
        return self.exit_code()

    def exit_code(self) -> int:
        """Wait for its end."""
        return self.process.wait(PATIENCE_S)


@contextlib.contextmanager
def orchestrator(
    folder: Path, *arguments: str, terminal: bool = False, error_terminal: bool = False
) -> Iterator[Running]:
    """The command with these arguments, ended at the end whatever happens.

    `terminal` makes its output a terminal, `error_terminal` its standard error.
    """
    command = [sys.executable, "-m", "orchestrator.cli", *arguments]
    with contextlib.ExitStack() as files:
        out = files.enter_context((folder / "out.txt").open("wb"))
        err = files.enter_context((folder / "err.txt").open("wb"))
        printed = files.enter_context(_terminal_into(folder / "out.txt")) if terminal else out.fileno()
        said = files.enter_context(_terminal_into(folder / "err.txt")) if error_terminal else err.fileno()
        environment = {**os.environ, "TERM": "xterm-256color"}
        process = subprocess.Popen(command, cwd=REPOSITORY, stdout=printed, stderr=said, env=environment)
        try:
            yield Running(process, folder)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()


@contextlib.contextmanager
def _terminal_into(path: Path) -> Iterator[int]:
    """A terminal of 80 columns and 24 lines to write to; what comes is copied into a file."""
    reading, writing = pty.openpty()
    fcntl.ioctl(writing, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))

    def copy() -> None:
        with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):  # the terminal has been closed
            while data := os.read(reading, 65536):
                file.write(data)

    copier = threading.Thread(target=copy, daemon=True)
    copier.start()
    try:
        yield writing
    finally:
        os.close(writing)
        copier.join(60)
        os.close(reading)

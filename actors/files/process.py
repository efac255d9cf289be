"""The running orchestrator as other processes find it: a locked pid file in `control.state_dir`, and its last answer.

The lock is the kernel's: it ends with the process, however that ends, so a pid that was left behind harms nobody.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import secrets
import signal
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

from orchestrator.errors import OrchestratorError
from orchestrator.reason import Reason

log = logging.getLogger(__name__)

PID_FILE: Final = "orchestrator.pid"
ANSWER_FILE: Final = "reload.answer"
LOOK_EVERY_S: Final = 0.05


class AlreadyRunning(OrchestratorError):
    """Another orchestrator works with the same `control.state_dir`: two would command the same devices."""


class OtherSite(OrchestratorError):
    """The orchestrator that works with this `control.state_dir` was started with another site.yaml."""


class NotRunning(OrchestratorError):
    """No orchestrator works with this `control.state_dir`, or it does not answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a running orchestrator said to a reload. `accepted`: it runs on the new file.

    `why` is what the lines say as values; empty where only they say it: mistakes of a file, and in another process.
    """

    accepted: bool
    lines: tuple[str, ...]
    why: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Running:
    """A process that works with a `control.state_dir`: its pid, the site.yaml that it was started with (None: not
    known), and a word that nobody else has, by which it is known where it answers.
    """

    pid: int
    site_file: str | None = None
    token: str = field(default_factory=lambda: secrets.token_hex(8))

    def require(self, site_file: str | Path) -> None:
        """Raises OtherSite where it runs on another file than `site_file`."""
        named = os.path.realpath(site_file)
        if self.site_file is not None and os.path.realpath(self.site_file) != named:
            raise OtherSite(
                f"the orchestrator that runs (process {self.pid}) was started with {self.site_file}, not with {named}"
            )


@contextlib.contextmanager
def registered(state_dir: Path, me: Running | None = None) -> Iterator[None]:
    """While inside, this process (`me`) is the one that works with `state_dir`. Raises AlreadyRunning.

    A folder that cannot be written to is logged: then only `kill -HUP` reloads.
    """
    with contextlib.ExitStack() as held:
        try:
            state_dir.mkdir(parents=True, exist_ok=True)
            file = held.enter_context((state_dir / PID_FILE).open("a+", encoding="utf-8"))
        except OSError as trouble:
            log.warning(
                "control.state_dir cannot be written (%s): nothing that was found survives a restart, and "
                "`orchestrator reload` will not find this process",
                trouble,
            )
        else:
            _lock(file, state_dir)
            me = me or Running(os.getpid())
            _write(file, "\n".join((str(me.pid), me.site_file or "", me.token)))
            held.callback(_write, file, "")
        yield


def answer(state_dir: Path, accepted: bool, lines: Sequence[str]) -> None:
    """Leave the answer to a reload for the process that asked."""
    beside = state_dir / f"{ANSWER_FILE}.new"
    try:
        beside.write_text(json.dumps({"accepted": accepted, "lines": list(lines)}), encoding="utf-8")
        beside.replace(state_dir / ANSWER_FILE)
    except OSError as trouble:
        log.warning("the answer to the reload cannot be left in %s: %s", state_dir, trouble)


def ask_to_reload(state_dir: Path, timeout_s: float, site_file: str | None = None) -> Answer:
    """Have the orchestrator that works with `state_dir` read its site.yaml anew; what it says.

    Raises NotRunning, and OtherSite where it would read another file than `site_file`.
    """
    found_running = running(state_dir)
    if found_running is None:
        raise NotRunning(f"no orchestrator runs with control.state_dir {str(state_dir.absolute())!r}")
    if site_file is not None:
        found_running.require(site_file)
    pid = found_running.pid
    path = state_dir / ANSWER_FILE
    try:
        path.unlink(missing_ok=True)
        os.kill(pid, signal.SIGHUP)
    except OSError as trouble:
        raise NotRunning(f"the orchestrator (process {pid}) cannot be told: {trouble}") from trouble
    deadline_s = time.monotonic() + timeout_s
    while (found := _read_answer(path)) is None:
        if time.monotonic() > deadline_s:
            raise NotRunning(f"the orchestrator (process {pid}) did not answer within {timeout_s:g} s; see its log")
        time.sleep(LOOK_EVERY_S)
    return found


def running_pid(state_dir: Path) -> int | None:
    """The process that works with `state_dir`, None where there is none."""
    found = running(state_dir)
    return found.pid if found else None


def running(state_dir: Path) -> Running | None:
    """The same with what it has said of itself."""
    try:
        with (state_dir / PID_FILE).open(encoding="utf-8") as file:
            if _is_free(file):
                return None
            pid, _, rest = file.read().partition("\n")
    except OSError:
        return None
    site_file, _, token = rest.partition("\n")
    return Running(int(pid), site_file or None, token) if pid.isdigit() else None


def may_be_hidden(state_dir: Path) -> bool:
    """Whether `state_dir` is another user's, so that nobody can say here who works with it."""
    try:
        return not os.access(state_dir / PID_FILE, os.R_OK) and (state_dir / PID_FILE).exists()
    except PermissionError:
        return True


def _is_free(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _lock(file: IO[str], state_dir: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        pid = running_pid(state_dir)
        raise AlreadyRunning(
            f"another orchestrator (process {pid}) works with control.state_dir {str(state_dir.absolute())!r}; "
            "two of them would command the same devices"
        ) from None


def _write(file: IO[str], text: str) -> None:
    file.seek(0)
    file.truncate()
    file.write(text)
    file.flush()


def _read_answer(path: Path) -> Answer | None:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as trouble:
        raise NotRunning(f"the answer of the orchestrator cannot be read: {trouble}") from trouble
    return Answer(values["accepted"], tuple(values["lines"]))

"""The running orchestrator as other processes find it: a locked pid file in `control.state_dir`, and its last answer.

The lock is the kernel's: it ends with the process, however that ends, so a pid that was left behind harms nobody.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import signal
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Final

from orchestrator.errors import OrchestratorError

log = logging.getLogger(__name__)

PID_FILE: Final = "orchestrator.pid"
ANSWER_FILE: Final = "reload.answer"
LOOK_EVERY_S: Final = 0.05


class AlreadyRunning(OrchestratorError):
    """Another orchestrator works with the same `control.state_dir`: two would command the same devices."""


class NotRunning(OrchestratorError):
    """No orchestrator works with this `control.state_dir`, or it does not answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a running orchestrator said to a reload. `accepted`: it runs on the new file."""

    accepted: bool
    lines: tuple[str, ...]


@contextlib.contextmanager
def registered(state_dir: Path) -> Iterator[None]:
    """While inside, this process is the one that works with `state_dir`. Raises AlreadyRunning.

    A folder that cannot be written to is logged: then only `kill -HUP` reloads.
    """
    with contextlib.ExitStack() as held:
        try:
            state_dir.mkdir(parents=True, exist_ok=True)
            file = held.enter_context((state_dir / PID_FILE).open("a+", encoding="utf-8"))
        except OSError as trouble:
            log.warning("%s: `orchestrator reload` will not find this process", trouble)
        else:
            _lock(file, state_dir)
            _write_pid(file, str(os.getpid()))
            held.callback(_write_pid, file, "")
        yield


def answer(state_dir: Path, accepted: bool, lines: Sequence[str]) -> None:
    """Leave the answer to a reload for the process that asked."""
    beside = state_dir / f"{ANSWER_FILE}.new"
    try:
        beside.write_text(json.dumps(asdict(Answer(accepted, tuple(lines)))), encoding="utf-8")
        beside.replace(state_dir / ANSWER_FILE)
    except OSError as trouble:
        log.warning("the answer to the reload cannot be left in %s: %s", state_dir, trouble)


def ask_to_reload(state_dir: Path, timeout_s: float) -> Answer:
    """Have the orchestrator that works with `state_dir` read its site.yaml anew; what it says. Raises NotRunning."""
    pid = running_pid(state_dir)
    if pid is None:
        raise NotRunning(f"no orchestrator runs with control.state_dir {str(state_dir.absolute())!r}")
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
    try:
        with (state_dir / PID_FILE).open(encoding="utf-8") as file:
            if _is_free(file):
                return None
            text = file.read().strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None


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


def _write_pid(file: IO[str], text: str) -> None:
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

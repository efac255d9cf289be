"""The log of `orchestrator run`: how lines look, what is repeated is summarised, and secrets are taken out."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, Final

from actors.messages import Acknowledged, Event
from orchestrator.config.sections import SiteConfig
from orchestrator.decide.records import CycleResult
from orchestrator.telemetry.log.events import entries
from orchestrator.telemetry.log.format import Line, as_json, hidden, human, secrets_of
from orchestrator.telemetry.log.reasons import Told, reason_entries
from orchestrator.telemetry.log.repetition import Repeats, Summary, likeness

log = logging.getLogger(__name__)
journal = logging.getLogger("orchestrator.journal")

FOREIGN: Final = ("pykka", "rich", "asyncio", "amqtt", "transitions", "pymodbus")
"""Libraries whose warnings are of use, and nothing below."""


class Log(logging.Handler):
    """Passes records on to `write(level, text)`; what repeats comes once a minute at most, with its number.

    `log_format` takes the place of `logging.format`, now and after a reload.
    """

    def __init__(
        self,
        write: Callable[[int, str], None],
        *,
        log_format: str | None = None,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self._write = write
        self._wanted_format = log_format
        self._now_s = now_s
        self._repeats = Repeats()
        self._latest: dict[Any, logging.LogRecord] = {}
        self._secrets: frozenset[str] = frozenset()
        self._format = log_format or "human"
        self.cycle: int | None = None
        """The newest cycle, for records that do not say theirs."""

    def configure(self, config: SiteConfig) -> None:
        """Hide the secrets of `config` from now on, those of former ones too; take its format and its level."""
        self._format = self._wanted_format or config.logging.format
        self._secrets |= secrets_of(config)
        logging.getLogger().setLevel(config.logging.level.upper())

    def emit(self, record: logging.LogRecord) -> None:
        """Called by the logging module, which holds the lock of this handler."""
        try:
            self._summarise(self._repeats.due(self._now_s()))
            key = (record.name, record.levelno, getattr(record, "inverter", None), likeness(record.getMessage()))
            if record.levelno < logging.WARNING or self._repeats.is_new(key, self._now_s()):
                self._put(record, record.getMessage())
            else:
                self._latest[key] = record
        except Exception as error:  # what the logging module would print of it shows the values, secrets too
            self._write(record.levelno, f"a line of {record.name} cannot be logged: {type(error).__name__}")

    def flush(self) -> None:
        """Say what repeated in windows that have ended. Call it now and then."""
        with self._locked():
            self._summarise(self._repeats.due(self._now_s()))

    def close(self) -> None:
        """Say what is still untold."""
        with self._locked():
            self._summarise(self._repeats.rest(self._now_s()))
        super().close()

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        self.acquire()
        try:
            yield
        finally:
            self.release()

    def _summarise(self, summaries: tuple[Summary, ...]) -> None:
        for summary in summaries:
            record = self._latest.pop(summary.key, None)
            if record is not None:
                text = f"the same {summary.count} times in {summary.seconds:.0f} s: {record.getMessage()}"
                self._put(record, text, {"repeated": summary.count, "seconds": round(summary.seconds)})

    def _put(self, record: logging.LogRecord, message: str, more: dict[str, Any] | None = None) -> None:
        line = Line(
            at=datetime.fromtimestamp(record.created, UTC),
            level=record.levelname,
            source=record.name,
            message=message,
            inverter=getattr(record, "inverter", None),
            cycle=getattr(record, "cycle", self.cycle),
            details={**({"event": record.event} if hasattr(record, "event") else {}), **(more or {})},
            traceback=logging.Formatter().formatException(record.exc_info) if record.exc_info else "",
        )
        self._write(record.levelno, self._text(hidden(line, self._secrets)))

    def _text(self, line: Line) -> str:
        return as_json(line) if self._format == "json" else human(line)


class Journal:
    """Listens to the site, and logs what happens there. Its `tell` runs in the site's thread."""

    def __init__(self, handler: Log) -> None:
        self._handler = handler
        self._former: CycleResult | None = None
        self._inverters: frozenset[str] = frozenset()
        self._reasons: dict[str, Told] = {}

    def tell(self, message: object) -> None:
        """Log what is new in a cycle, every Event, and every command that a device did not take."""
        match message:
            case CycleResult():
                self._handler.cycle = message.cycle
                names = (*(sample.name for sample in message.snapshot.inverters), *message.snapshot.away)
                self._inverters = frozenset(names)
                self._reasons, why = reason_entries(self._reasons, message)
                for entry in (*entries(self._former, message), *why):
                    level = logging.WARNING if entry.level == "warning" else logging.INFO
                    self._say(level, entry.event, entry.message, entry.inverter, message.cycle)
                self._former = message
            case Event(name, subject, detail):
                known = subject in self._inverters
                text = f"{name}: {detail}" if known else f"{name} ({subject}): {detail}"
                self._say(logging.WARNING, name, text, subject if known else None)
            case Acknowledged(inverter=inverter, fault=str(fault), detail=detail):
                self._say(logging.WARNING, "command_failed", f"command not carried out ({fault}): {detail}", inverter)

    def _say(self, level: int, event: str, text: str, inverter: str | None, cycle: int | None = None) -> None:
        more: dict[str, Any] = {"event": event, "inverter": inverter}
        journal.log(level, "%s", text, extra=more if cycle is None else {**more, "cycle": cycle})


@contextlib.contextmanager
def logging_to(handler: Log, config: SiteConfig) -> Iterator[None]:
    """While inside, everything that is logged goes to `handler`, and there only."""
    root = logging.getLogger()
    former = root.level
    handler.configure(config)
    for name in FOREIGN:
        foreign = logging.getLogger(name)
        foreign.setLevel(max(foreign.level, logging.WARNING))
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)
        root.setLevel(former)
        handler.close()

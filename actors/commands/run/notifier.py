"""Writes to people by Apprise, in a thread of its own: a service that hangs costs messages, and the plant nothing."""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from actors.messages import Event, ExcessEnded, SetpointRefused
from orchestrator.config.sections import SiteConfig
from orchestrator.decide.records import CycleResult
from orchestrator.telemetry.notices.table import Notice
from orchestrator.telemetry.notices.watch import Watch

log = logging.getLogger(__name__)

MOST_WAITING: Final = 20
"""So many messages wait for a service that hangs. What comes beyond is dropped, and said in the log."""
STOP_WITHIN_S: Final = 2.0
INSTALL: Final = (
    "notify: the package apprise is not installed; install it with: pip install 'solar-site-orchestrator[notify]'"
)
TALKATIVE: Final = ("apprise", "urllib3", "requests")
"""They log addresses, and secrets are part of these."""


def trouble_with(config: SiteConfig) -> tuple[str, ...]:
    """What keeps messages from being sent, in one sentence each, without the secret in an address."""
    if config.notify is None:
        return ()
    if importlib.util.find_spec("apprise") is None:
        return (INSTALL,)
    return tuple(
        f"notify.urls[{index}]: Apprise does not understand this address, which begins with {_service(url)!r}; "
        "see https://appriseit.com/services/ for how it is written"
        for index, url in enumerate(each.get_secret_value() for each in config.notify.urls)
        if _apprise([url]) is None
    )


class Notifier:
    """A listener of the site and of the ledger, told in their threads; it never waits. `stop` ends its own thread."""

    def __init__(self, config: SiteConfig, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._waiting: queue.Queue[tuple[Any, Notice] | None] = queue.Queue(MOST_WAITING)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._config: SiteConfig | None = None
        self._watch: Watch | None = None
        self._service: Any = None
        self._said_full = False
        self.configure(config)

    def configure(self, config: SiteConfig) -> None:
        """Write to those of `config` from now on. What is wrong with it is logged, and the plant runs on."""
        former = self._config
        if former is not None and former.notify == config.notify:
            return
        self._config = config
        for line in trouble_with(config):
            log.error("%s", line)
        notify = config.notify
        service = None if notify is None else _apprise([each.get_secret_value() for each in notify.urls])
        watch = None if notify is None else Watch(config.site.name, notify)
        with self._lock:
            self._service, self._watch = service, watch
        if service is not None and self._thread is None:
            self._thread = threading.Thread(target=self._run, name="notifier", daemon=True)
            self._thread.start()

    def tell(self, message: Any) -> None:
        """See whether this is worth a message, and leave it to the thread."""
        with self._lock:
            service, watch = self._service, self._watch
            found = () if service is None or watch is None else _worth(watch, message, self._now_s())
        for notice in found:
            try:
                self._waiting.put_nowait((service, notice))
                self._said_full = False
            except queue.Full:
                if not self._said_full:
                    log.error("messages to people are dropped: the service takes none (%s)", notice.title)
                self._said_full = True

    def stop(self) -> None:
        """Send what waits, for two seconds at most."""
        if self._thread is not None:
            with contextlib.suppress(queue.Full):
                self._waiting.put_nowait(None)
            self._thread.join(STOP_WITHIN_S)

    def _run(self) -> None:
        while (waiting := self._waiting.get()) is not None:
            service, notice = waiting
            try:
                taken = service.notify(title=notice.title, body=notice.body)
            except Exception as trouble:  # whatever a service makes of it, the next message is tried
                log.error("a message could not be sent (%s): %s", type(trouble).__name__, notice.title)
                continue
            if not taken:
                log.error("a message was not taken by every service of notify.urls: %s", notice.title)


def _worth(watch: Watch, message: Any, now_s: float) -> Sequence[Notice]:
    match message:
        case CycleResult():
            return watch.cycle(message, now_s)
        case ExcessEnded(excess):
            return watch.excess(excess, now_s)
        case Event():
            return watch.event(message, now_s)
        case SetpointRefused(source, reason):
            return watch.refused(source, reason, now_s)
    return ()


def _apprise(urls: Sequence[str]) -> Any:
    """What writes to `urls`; None where none of them is understood, or where Apprise is not installed."""
    if importlib.util.find_spec("apprise") is None:
        return None
    from apprise import Apprise  # an extra # noqa: PLC0415

    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    service = Apprise()
    understood = [url for url in urls if service.add(url)]
    return service if understood else None


def _service(url: str) -> str:
    """The beginning of an address that says which service it is, and is no secret."""
    schema, colon, _ = url.partition("://")
    return f"{schema[:20]}://" if colon and schema.isalnum() else "..."


@contextlib.contextmanager
def notifying(config: SiteConfig) -> Iterator[Notifier]:
    """A notifier that is stopped at the end."""
    notifier = Notifier(config)
    try:
        yield notifier
    finally:
        notifier.stop()

"""The thread that speaks to a utility server, and tells the site what it asks for."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from actors.clock import Clock, RealClock
from actors.commands.run.csip.certificates import CertificateRefused, check_certificate, tls_context
from actors.commands.run.csip.connection import Connection
from actors.commands.run.csip.picture import picture
from actors.files.setpoint_store import SetpointStore
from actors.messages import SetpointReceived, SetpointWithdrawn
from orchestrator.config.sources.csip_aus import CsipAusSource
from orchestrator.decide.records import CycleResult
from orchestrator.setpoints.csip.client import CsipClient, Settings
from orchestrator.setpoints.csip.documents import CSIP_AUS
from orchestrator.setpoints.csip.identity import Identity
from orchestrator.setpoints.csip.memory import from_message, to_message
from orchestrator.setpoints.csip.telemetry import Rating
from orchestrator.setpoints.csip.walk import Answer, Errand, Member, Request, ServerTrouble
from orchestrator.setpoints.intake import KeptSource

log = logging.getLogger(__name__)

LOOK_EVERY_S: Final = 0.5
"""Events begin and end by the second, and their responses are posted as soon."""
AFTER_BUG_S: Final = 5.0
Tell = Callable[[Any], None]


def client_of(section: CsipAusSource, clock: Callable[[], float], now: datetime) -> CsipClient:
    """The client that a section describes. Raises CertificateRefused."""
    settings = Settings(
        source=section.name,
        server=section.server,
        rating=Rating(section.rated_watts, section.rated_vars, section.least_power_factor),
        lost_after_s=section.lost_after_s,
        version=section.version,
        begin=section.default,
    )
    member = Member(
        check_certificate(section, now),
        pin=section.pin,
        register=section.register_device,
        connection_point=section.connection_point,
        namespace=CSIP_AUS[section.version],
    )
    return CsipClient(settings, member, clock)


def remind(section: CsipAusSource, client: CsipClient, kept: KeptSource | None, now: datetime) -> None:
    """Have a new client go on from what was `kept` of its server."""
    if kept is None or kept.message is None or kept.origin != origin_of(section, client.identity):
        return
    try:
        memory = from_message(kept.message)
    except ValueError as trouble:
        log.warning("%s: what was kept of the server is not usable (%s)", section.name, trouble)
    else:
        client.recall(memory, kept.received.timestamp(), now.timestamp())


def kept_of(section: CsipAusSource, client: CsipClient, clock: Callable[[], float], now: datetime) -> KeptSource | None:
    """What must outlive a restart; None where nothing has changed since it was asked for."""
    memory = client.to_keep(now.timestamp())
    if memory is None or client.heard_s is None:
        return None
    heard = now - timedelta(seconds=clock() - client.heard_s)
    return KeptSource(origin_of(section, client.identity), to_message(memory), heard)


def origin_of(section: CsipAusSource, identity: Identity) -> str:
    """Another server, or another site at it, has said nothing of what was kept."""
    return f"{section.server} {identity.lfdi}"


def connection_of(section: CsipAusSource) -> Connection:
    """The connection that a section describes. Raises CertificateRefused."""
    return Connection(section.server, tls_context(section), section.timeout_s, section.server_name)


def perform(errand: Errand[str | None], ask: Callable[[Request], Answer]) -> str | None:
    """Perform every request of a round with `ask`; what the round says at its end."""
    try:
        request = next(errand)
        while True:
            try:
                answer = ask(request)
            except ServerTrouble as trouble:
                request = errand.throw(trouble)
            else:
                request = errand.send(answer)
    except StopIteration as end:
        said: str | None = end.value
        return said


class Utility:
    """One server, from the start to `stop`. Told of every CycleResult, of which the newest counts."""

    def __init__(self, section: CsipAusSource, store: SetpointStore, clock: Clock | None = None) -> None:
        """Nothing is asked before `start`. Raises CertificateRefused."""
        self.section = section
        self._store = store
        self._tell: Tell = _to_nobody
        self._clock = clock or RealClock()
        self._is_sound = True
        self._client = self._begun()
        self.asked = self._client.setpoint(self._clock.wall().timestamp())
        """What the server asked for before a restart, from now on; None where that is nothing."""
        self._connection = connection_of(section)
        self._newest: CycleResult | None = None
        self._stopped = threading.Event()
        self._trouble: str | None = None
        self._thread = threading.Thread(target=self._run, name=f"utility-{section.name}", daemon=True)

    def start(self, tell: Tell) -> None:
        """Speak to the server, and `tell` what it asks for."""
        self._tell = tell
        if self.asked is not None:
            tell(SetpointReceived(self.asked))
        self._thread.start()

    def show(self, result: CycleResult) -> None:
        """The newest cycle; from any thread."""
        self._newest = result

    def stop(self) -> None:
        """Speak no more. A request on its way may still come to its end; nothing of it is told."""
        self._stopped.set()

    def _run(self) -> None:
        pause_s = 0.0
        while not self._stopped.wait(pause_s):
            try:
                self._look()
                self._is_sound, pause_s = True, LOOK_EVERY_S
            except Exception:  # a bug must not end what renews the plan
                log.exception("%s: this should not happen; the client begins anew", self.section.name)
                self._begin_anew()
                pause_s = AFTER_BUG_S
        self._connection.close()

    def _begin_anew(self) -> None:
        self._connection.close()
        self._newest = None
        try:
            self._client = self._begun()
        except CertificateRefused as refused:
            log.error("%s: %s", self.section.name, refused)
        self._is_sound = False

    def _begun(self) -> CsipClient:
        """A client that knows what was kept, unless it was that which failed."""
        now = self._clock.wall()
        client = client_of(self.section, self._clock.now_s, now)
        if self._is_sound:
            remind(self.section, client, self._store.sources.get(self.section.name), now)
        return client

    def _look(self) -> None:
        client, newest = self._client, self._newest
        if newest is not None:
            client.show(picture(newest))
        if self._clock.now_s() >= client.next_s():
            self._say(perform(client.round(), self._connection.ask))
        was_silent = client.is_silent
        setpoint = client.setpoint(self._clock.wall().timestamp())
        if self._stopped.is_set():
            return
        if setpoint is not None:
            self._tell(SetpointReceived(setpoint))
        elif client.is_silent and not was_silent:
            self._tell(SetpointWithdrawn(self.section.name))
        kept = kept_of(self.section, client, self._clock.now_s, self._clock.wall())
        if kept is not None:  # last: a limit is obeyed before it is kept
            self._store.keep(self.section.name, kept)

    def _say(self, trouble: str | None) -> None:
        """In the log, once for each trouble and once when it is over."""
        former, self._trouble = self._trouble, trouble
        if trouble == former:
            return
        name = self.section.name
        if trouble is None:
            log.info("%s: the server answers again", name)
        elif self._client.heard_s is None:
            log.warning("%s: %s; until it is heard the default of site.yaml holds", name, trouble)
        else:
            log.warning(
                "%s: %s; known events go on for %g s after its last word, then its default control holds",
                *(name, trouble, self.section.lost_after_s),
            )


def _to_nobody(_message: Any) -> None:
    """Before the start."""

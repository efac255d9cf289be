"""What is shown: the newest cycle and what is around it. Written by the actor, read by the thread that serves."""

from __future__ import annotations

from typing import Final

import msgspec

from actors.clock import Clock
from actors.messages import Event
from actors.prometheus.observer import PrometheusObserver
from actors.web.by_hand import ByHand
from orchestrator.config.sections import SiteConfig
from orchestrator.decide.records import CycleResult
from orchestrator.documents.json_values import Payload, rfc3339
from orchestrator.reason import Reason
from orchestrator.telemetry.api.endpoints import MOST_EVENTS
from orchestrator.telemetry.api.view import Moment, site_view
from orchestrator.telemetry.log.events import entries
from orchestrator.telemetry.payloads import event_payload

SHOWN_EVENTS: Final = 20


class WebState:
    """Each value is replaced by one assignment, so that who reads sees the old one or the new one."""

    def __init__(self, config: SiteConfig, observer: PrometheusObserver, by_hand: ByHand, clock: Clock) -> None:
        self.config = config
        self.observer = observer
        self.by_hand = by_hand
        self.events: tuple[Payload, ...] = ()
        """The newest, newest first."""
        self.event_count = 0
        self.version = 0
        """Counts up with every cycle, and with every change."""
        self._clock = clock
        self._latest: CycleResult | None = None
        self._made: dict[tuple[int, bool, bool], bytes] = {}

    def time(self) -> str:
        """Now, as it is published."""
        return rfc3339(self._clock.wall())

    def add(self, event: Event) -> None:
        """Something that people should hear of once. In the actor's thread."""
        self._add(event.name, event.subject, event.detail, event.why)

    def _add(self, name: str, subject: str, detail: str, why: Reason | None) -> None:
        payload = event_payload(name, subject, detail, self.time(), why)
        self.events = (payload, *self.events[: MOST_EVENTS - 1])
        self.event_count += 1

    def take(self, result: CycleResult) -> None:
        """What this decision has that the one before had not: who is away or back, failsafe, other limits."""
        former, self._latest = self._latest, result
        for entry in entries(former, result):
            begins = former is None and entry.event == "setpoint"  # what holds from the start is shown as it is
            if entry.event != "inverter_trouble" and not begins:  # the trouble of one that is away may flutter
                self._add(entry.event, entry.inverter or "site", entry.message, entry.why)
        self.renew()

    def renew(self) -> None:
        """There is something new to be shown."""
        self.version += 1

    def moment(self) -> Moment:
        """Everything that is known now."""
        return Moment(
            time=self.time(),
            result=self.observer.newest_cycle,
            fresh=self.observer.fresh_sources,
            events=self.events[:SHOWN_EVENTS],
            manual=self.by_hand.manual,
            released=self.by_hand.is_released,
        )

    def site(self, *, may_change: bool, can_be_changed: bool) -> Payload:
        """`SiteView` as it is sent."""
        return site_view(
            self.config, self.observer.version, self.moment(), may_change=may_change, can_be_changed=can_be_changed
        )

    def encoded(self, *, may_change: bool, can_be_changed: bool) -> bytes:
        """The same as JSON, made once for all who listen. In the thread that serves."""
        key = (self.version, may_change, can_be_changed)
        if key not in self._made:
            self._made = {known: made for known, made in self._made.items() if known[0] == self.version}
            self._made[key] = msgspec.json.encode(self.site(may_change=may_change, can_be_changed=can_be_changed))
        return self._made[key]

"""Which messages people get: what lasts, what happens, and not the same again and again."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Final

from orchestrator.config.audience import NoticeKind, NotifySection
from orchestrator.decide.records import CycleResult
from orchestrator.explain.words import say, say_all, say_if_known
from orchestrator.ledger.excess import RULES_S, Excess
from orchestrator.loop.messages import Event
from orchestrator.loop.news import has_not_followed
from orchestrator.telemetry.notices.table import KINDS_OF_EVENTS, Notice, notice, over

HOUR_S: Final = 3600.0
Key = tuple[NoticeKind, str]
"""What a message is about: its kind, and the subject."""


class Watch:
    """The memory between messages. Times are monotonic seconds that are handed in."""

    def __init__(self, site: str, section: NotifySection) -> None:
        self._site = site
        self._section = section
        self._since_s: dict[Key, float] = {}
        self._told: set[Key] = set()
        self._last_s: dict[Key, float] = {}
        self._sent_s: deque[float] = deque()
        self._held_back = 0

    def cycle(self, result: CycleResult, now_s: float) -> list[Notice]:
        """What a cycle is worth: what has lasted for `after_s`, and what of that is over."""
        return self._allowed(list(self._lasting(result, now_s)), now_s)

    def excess(self, excess: Excess, now_s: float) -> list[Notice]:
        """What an excess that is over is worth; one that was short by the rules is none."""
        if excess.duration_s <= RULES_S[0]:
            return []
        return self._allowed([notice("limit_exceeded", self._site, excess.limit, _excess_words(excess))], now_s)

    def event(self, event: Event, now_s: float) -> list[Notice]:
        """What an event of the site is worth."""
        kind = KINDS_OF_EVENTS.get(event.name)
        found = [] if kind is None else [notice(kind, self._site, event.subject, event.detail, event.name)]
        return self._allowed(found, now_s)

    def refused(self, source: str, reason: str, now_s: float) -> list[Notice]:
        """What a refused setpoint is worth."""
        return self._allowed([notice("setpoint_refused", self._site, source, reason)], now_s)

    def _lasting(self, result: CycleResult, now_s: float) -> Iterator[Notice]:
        if result.mode == "waiting":
            return
        here = dict(_conditions(result))
        for key in [key for key in self._since_s if key not in here]:
            del self._since_s[key]
            if key in self._told:
                self._told.discard(key)
                yield over(*_about(key, self._site))
        for key, detail in here.items():
            since_s = self._since_s.setdefault(key, now_s)
            if key not in self._told and now_s - since_s >= self._section.after_s and self._is_due(key, now_s):
                kind, subject = key
                yield notice(kind, self._site, subject, detail)

    def _is_due(self, key: Key, now_s: float) -> bool:
        last_s = self._last_s.get(key)
        return last_s is None or now_s - last_s >= self._section.repeat_after_s

    def _allowed(self, found: list[Notice], now_s: float) -> list[Notice]:
        """Those that are wanted, not said a short while ago, and not too many in an hour."""
        return [each for each in (self._judged(each, now_s) for each in found) if each is not None]

    def _judged(self, found: Notice, now_s: float) -> Notice | None:
        key, wanted = (found.kind, found.subject), self._section.events
        if (wanted is not None and found.kind not in wanted) or (not found.is_over and not self._is_due(key, now_s)):
            return None
        while self._sent_s and now_s - self._sent_s[0] >= HOUR_S:
            self._sent_s.popleft()
        if len(self._sent_s) >= self._section.most_per_hour:
            self._held_back += 1
            return None
        self._sent_s.append(now_s)
        if not found.is_over:
            self._last_s[key] = now_s
            if key in self._since_s:
                self._told.add(key)
        return self._with_held_back(found)

    def _with_held_back(self, found: Notice) -> Notice:
        if not self._held_back:
            return found
        more = f"\n\n{self._held_back} more were not sent within an hour; the log has them."
        self._held_back = 0
        return Notice(found.kind, found.subject, found.title, found.body + more, found.is_over)


def _conditions(result: CycleResult) -> Iterator[tuple[Key, str]]:
    """What is so in this cycle and may last, with its words."""
    if result.mode == "failsafe":
        yield ("failsafe", "meter"), ", ".join(say_all(result.reasons))
    for name in result.snapshot.away:
        yield ("inverter_away", name), say_if_known(result.snapshot.troubles.get(name))
    for name in result.not_following:
        yield ("battery_not_following", name), say(has_not_followed())


def _about(key: Key, site: str) -> tuple[NoticeKind, str, str]:
    kind, subject = key
    return kind, site, subject


def _excess_words(excess: Excess) -> str:
    return (
        f"above its limit of {excess.limit_watts:.0f} W ({excess.source}) for {excess.duration_s:.0f} s, "
        f"by {excess.peak_watts:.0f} W at most"
    )

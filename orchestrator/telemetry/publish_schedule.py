"""When which message is published: on change, not too often, and again after a while for those who came late."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from orchestrator.documents.json_values import Payload, without_time

PERIOD_S: Final = 1.0
"""A topic is published at most once in this time, on average."""
SLACK_S: Final = 0.1
"""A cycle of one second that comes a little early must not wait for the next one."""
REPEAT_S: Final = 25.0
"""An unchanged topic is published again after this time, so that with cycles of up to 5 s it is at most 30 s old."""
AT_ONCE: Final = frozenset({"limits"})


@dataclass(frozen=True, slots=True)
class _Published:
    content: Payload
    at_s: float
    next_s: float


class PublishSchedule:
    """Remembers what was published under each topic."""

    def __init__(self) -> None:
        self._published: dict[str, _Published] = {}

    def due(self, payloads: Mapping[str, Mapping[str, Any]], now_s: float) -> tuple[str, ...]:
        """The topics of `payloads` to publish at `now_s` (monotonic); they count as published from here on."""
        return tuple(topic for topic, payload in payloads.items() if self._is_due(topic, payload, now_s))

    def forget(self) -> None:
        """Everything is due again: the broker may have lost it."""
        self._published.clear()

    def _is_due(self, topic: str, payload: Mapping[str, Any], now_s: float) -> bool:
        content = without_time(payload)
        former = self._published.get(topic)
        if former is not None and not _may_replace(former, topic, content, now_s):
            return False
        earliest_s = now_s if former is None else max(former.next_s, now_s)
        self._published[topic] = _Published(content, now_s, earliest_s + PERIOD_S)
        return True


def _may_replace(former: _Published, topic: str, content: Payload, now_s: float) -> bool:
    if content == former.content:
        return now_s - former.at_s >= REPEAT_S
    return topic in AT_ONCE or now_s >= former.next_s - SLACK_S

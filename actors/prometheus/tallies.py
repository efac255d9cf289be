"""What happens hundreds of times a second, counted plainly and summed up when somebody asks.

A counter of the library looks its labels up and takes a lock for each count; with a hundred inverters that was a fifth
of all that the process did. Here each actor counts for itself, in its own thread, so no lock is needed.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from prometheus_client import Metric
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    SummaryMetricFamily,
)
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from actors.prometheus.latest_cycle import PREFIX


class Work:
    """The messages of one actor: `seconds` is their time together, `last_at_s` (Unix time) when the last one ended."""

    __slots__ = ("inbox_depth", "last_at_s", "messages", "seconds")

    def __init__(self) -> None:
        self.messages = self.inbox_depth = 0
        self.seconds = self.last_at_s = 0.0


class Requests:
    """The Modbus requests to one device: how many were how quick (`counts`, by bucket), and their time together."""

    __slots__ = ("counts", "errors", "seconds")

    def __init__(self, buckets: int, kinds: Sequence[str]) -> None:
        self.counts = [0] * (buckets + 1)
        self.seconds = 0.0
        self.errors = dict.fromkeys(kinds, 0)


class Tallies(Collector):
    """All of them, by the name of the actor or the device. One thread at a time counts for each name."""

    def __init__(self, buckets_s: Sequence[float], kinds: Sequence[str]) -> None:
        """`buckets_s`: upper bounds of the latencies, rising; `kinds` of errors begin at 0."""
        self._buckets_s: Final = tuple(buckets_s)
        self._kinds: Final = tuple(kinds)
        self._work: dict[str, Work] = {}
        self._requests: dict[str, Requests] = {}
        self._writes: dict[tuple[str, str], int] = {}

    def message_handled(self, actor: str, seconds: float, inbox_depth: int) -> None:
        """An actor handled one message in `seconds`, and `inbox_depth` more are waiting."""
        work = self._work.get(actor)
        if work is None:
            work = self._work[actor] = Work()
        work.messages += 1
        work.seconds += seconds
        work.inbox_depth = inbox_depth
        work.last_at_s = time.time()

    def request_done(self, device: str, seconds: float, error: str | None) -> None:
        """One request to `device` took `seconds`; `error` is the kind of its trouble, if any."""
        requests = self._requests.get(device)
        if requests is None:
            requests = self._requests[device] = Requests(len(self._buckets_s), self._kinds)
        requests.counts[bisect_left(self._buckets_s, seconds)] += 1
        requests.seconds += seconds
        if error is not None:
            requests.errors[error] = requests.errors.get(error, 0) + 1

    def register_written(self, inverter: str, register: str) -> None:
        """One write was acknowledged."""
        key = inverter, register
        self._writes[key] = self._writes.get(key, 0) + 1

    def forget(self, actor: str, inverter: str) -> None:
        """The series of an actor end, and those of its inverter."""
        self._work.pop(actor, None)
        self._requests.pop(inverter, None)
        for key in [key for key in tuple(self._writes) if key[0] == inverter]:
            self._writes.pop(key, None)

    def collect(self) -> Iterator[Metric]:
        """Called in a thread of the HTTP server."""
        yield from self._of_work(dict(self._work))
        yield from self._of_requests(dict(self._requests))
        writes = CounterMetricFamily(
            PREFIX + "register_writes",
            "Register writes that the device acknowledged.",
            labels=("inverter", "register"),
        )
        for key, count in dict(self._writes).items():
            writes.add_metric(key, count)
        yield writes

    def _of_work(self, all_work: Mapping[str, Work]) -> Iterator[Metric]:
        labels = ("actor",)
        messages = CounterMetricFamily(PREFIX + "actor_messages", "Messages the actor has handled.", labels=labels)
        inbox = GaugeMetricFamily(PREFIX + "actor_inbox_depth", "Messages that wait for the actor.", labels=labels)
        success = GaugeMetricFamily(
            PREFIX + "actor_last_success_timestamp_seconds",
            "When the actor last handled a message, in Unix time.",
            labels=labels,
        )
        handling = SummaryMetricFamily(PREFIX + "actor_handling_seconds", "Time to handle one message.", labels=labels)
        for actor, work in all_work.items():
            messages.add_metric((actor,), work.messages)
            inbox.add_metric((actor,), work.inbox_depth)
            success.add_metric((actor,), work.last_at_s)
            handling.add_metric((actor,), work.messages, work.seconds)
        yield from (messages, inbox, success, handling)

    def _of_requests(self, all_requests: Mapping[str, Requests]) -> Iterator[Metric]:
        labels = ("inverter",)
        total = CounterMetricFamily(PREFIX + "modbus_requests", "Modbus requests that ended.", labels=labels)
        errors = CounterMetricFamily(
            PREFIX + "modbus_errors", "Modbus requests that failed, by kind.", labels=("inverter", "kind")
        )
        latency = HistogramMetricFamily(PREFIX + "modbus_latency_seconds", "Time of one Modbus request.", labels=labels)
        for device, requests in all_requests.items():
            counts = tuple(requests.counts)
            total.add_metric((device,), sum(counts))
            latency.add_metric((device,), self._cumulated(counts), requests.seconds)
            for kind, count in tuple(requests.errors.items()):
                errors.add_metric((device, kind), count)
        yield from (total, errors, latency)

    def _cumulated(self, counts: Sequence[int]) -> list[tuple[str, float]]:
        """How many were as quick as each bound or quicker."""
        bounds = (*map(floatToGoString, self._buckets_s), "+Inf")
        return [(bound, float(sum(counts[: index + 1]))) for index, bound in enumerate(bounds)]

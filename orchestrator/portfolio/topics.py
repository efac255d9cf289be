"""Where a site and its portfolio meet, below the topic that the site publishes under."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from orchestrator.config.audience import AGGREGATE

WILDCARD_FROM: Final = 10
"""So many sites below one topic are asked for at once: a broker may take a tenth of a second for each subscription."""


def aggregate_topic(base: str) -> str:
    """Where a site that publishes under `base` says what it is as a whole."""
    return f"{base}/{AGGREGATE}"


def command_topic(base: str) -> str:
    """Where it takes commands."""
    return f"{aggregate_topic(base)}/command"


def answer_topic(base: str) -> str:
    """Where it answers them."""
    return f"{aggregate_topic(base)}/answer"


def subscriptions(bases: Sequence[str]) -> tuple[str, ...]:
    """What a portfolio subscribes to, to hear the aggregates and answers of the sites that publish under `bases`.

    Many sites below one topic are one subscription with a wildcard, which may bring more than is wanted.
    """
    parents = Counter(base.rpartition("/")[0] for base in bases)
    many = {parent for parent, count in parents.items() if parent and count >= WILDCARD_FROM}
    single = [base for base in bases if base.rpartition("/")[0] not in many]
    return tuple(_both([*(f"{parent}/+" for parent in sorted(many)), *single]))


def _both(bases: Iterable[str]) -> Iterable[str]:
    for base in bases:
        yield aggregate_topic(base)
        yield answer_topic(base)

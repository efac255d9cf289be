"""What a portfolio subscribes to."""

from __future__ import annotations

from orchestrator.portfolio.topics import WILDCARD_FROM, subscriptions


def test_few_sites_are_asked_for_one_by_one() -> None:
    assert subscriptions(["sites/north", "south"]) == (
        "sites/north/aggregate",
        "sites/north/aggregate/answer",
        "south/aggregate",
        "south/aggregate/answer",
    )


def test_many_below_one_topic_are_one_subscription() -> None:
    many = [f"sites/{number}" for number in range(WILDCARD_FROM)]

    assert subscriptions([*many, "other/north"]) == (
        "sites/+/aggregate",
        "sites/+/aggregate/answer",
        "other/north/aggregate",
        "other/north/aggregate/answer",
    )

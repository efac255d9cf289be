"""Reasons come with their facts, so that they can be said in any language; what changes from cycle to cycle is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from orchestrator.reason import because
from tests.support.records.cycles import cycle_result
from tests.support.servers.required import wait_until
from tests.support.web import Web, web, web_config


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Web]:
    with web(web_config(tmp_path)) as running:
        yield running


def told(served: Web) -> list[tuple[str, str]]:
    """The names and subjects of all events, newest first."""
    return [(each["event"], each["subject"]) for each in served.ask("/api/v1/events").said]


def test_reasons_are_told_with_their_facts_at_any_depth(served: Web) -> None:
    reason = because("charge", watts=2000.0, why=because("surplus", source="mqtt", bound=None))
    served.ref.tell(replace(cycle_result(), reasons=(reason,)))
    wait_until(lambda: served.ask("/api/v1/site").said["site"], "the cycle")
    said: dict[str, Any] = served.ask("/api/v1/site").said["why"]

    surplus = {"code": "surplus", "values": {"source": "mqtt", "bound": None}}
    assert said["site"] == [{"code": "charge", "values": {"watts": 2000.0, "why": surplus}}]
    assert set(said["inverters"]) == {"east"}


def test_before_the_first_decision_there_are_no_reasons(served: Web) -> None:
    assert served.ask("/api/v1/site").said["why"] == {"site": [], "inverters": {}}


def test_an_inverter_that_goes_and_comes_back_is_an_event_and_what_holds_from_the_start_is_none(served: Web) -> None:
    served.ref.tell(cycle_result())
    wait_until(lambda: told(served), "the first cycle")
    assert {event for event, _ in told(served)} == {"mode_normal"}

    served.ref.tell(cycle_result(away=("west",)))
    wait_until(lambda: ("inverter_away", "west") in told(served), "the inverter that is away")
    served.ref.tell(replace(cycle_result(), mode="failsafe"))
    wait_until(lambda: ("mode_failsafe", "site") in told(served), "failsafe")

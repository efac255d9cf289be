"""What is published of a plant, read back from a real broker."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from actors.commands.publish import publish_retained
from actors.commands.state_reader import NotRead, published_view
from orchestrator.config.sections import Broker, SiteConfig
from orchestrator.documents.json_values import rfc3339
from orchestrator.errors import UsageError
from orchestrator.telemetry.explanation import explain
from orchestrator.telemetry.payloads import state_payloads
from tests.support.records.cycles import cycle_result, site_config
from tests.support.servers.brokers import Mosquitto, mosquitto
from tests.support.servers.required import free_port

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


def config_of(port: int) -> SiteConfig:
    return site_config(publish={"mqtt": {"host": "127.0.0.1", "port": port, "topic": "site/home"}})


def publish(broker: Mosquitto, payloads: dict[str, bytes]) -> None:
    for topic, payload in payloads.items():
        publish_retained(Broker(host=broker.host, port=broker.port), f"site/home/{topic}", payload)


def of_a_cycle() -> dict[str, bytes]:
    payloads = state_payloads(cycle_result(away=("west", "roof")), rfc3339(NOON))
    return {topic: json.dumps(payload).encode() for topic, payload in payloads.items()}


def test_everything_that_is_retained_is_read_and_explained(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as broker:
        publish(broker, {**of_a_cycle(), "status": b"online"})
        view = published_view(config_of(broker.port), NOON, timeout_s=60.0)

    assert view.online is True
    assert dict(view.payloads) == state_payloads(cycle_result(away=("west", "roof")), rfc3339(NOON))
    assert explain(view).startswith("home, 2026-06-01 12:00:00 UTC, 0 s ago: running\n")


def test_an_orchestrator_that_is_gone_is_said(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as broker:
        publish(broker, {**of_a_cycle(), "status": b"offline"})

        assert published_view(config_of(broker.port), NOON, timeout_s=10.0).online is False


def test_what_does_not_come_in_time_or_is_no_object_is_left_out(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as broker:
        publish(broker, {"site": of_a_cycle()["site"], "limits": b"[1]", "inverters/east": b"\xff"})
        view = published_view(config_of(broker.port), NOON, timeout_s=5.0)

    assert list(view.payloads) == ["site"]
    assert "east: nothing is known of it" in explain(view)


def test_a_broker_without_the_site_and_no_broker_are_named(tmp_path: Path) -> None:
    with (
        mosquitto(tmp_path) as broker,
        pytest.raises(NotRead, match=r"nothing is published under site/home at .*: is the orchestrator running"),
    ):
        published_view(config_of(broker.port), NOON, timeout_s=5.0)
    port = free_port()
    with pytest.raises(
        NotRead, match=rf"cannot read site/home at MQTT broker 127.0.0.1:{port}: there is no connection"
    ):
        published_view(config_of(port), NOON, timeout_s=0.5)


def test_a_site_that_publishes_nothing_cannot_be_read() -> None:
    with pytest.raises(UsageError, match=r"site\.yaml has no publish\.mqtt"):
        published_view(site_config(), NOON)

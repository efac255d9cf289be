"""What the orchestrator of a site says right now: its retained messages, read once. For `orchestrator explain`."""

from __future__ import annotations

import json
import threading
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from actors.mqtt.actor import broker_of
from actors.wire.mqtt_connection import Listener, MqttConnection
from orchestrator.config.sections import SiteConfig
from orchestrator.errors import OrchestratorError, UsageError
from orchestrator.telemetry.explanation import View
from orchestrator.telemetry.payloads import OFFLINE

TIMEOUT_S: Final = 5.0


class NotRead(OrchestratorError):
    """Nothing of the plant could be read; the text says which broker and topic, and what may be the reason."""


def published_view(config: SiteConfig, now: datetime, timeout_s: float = TIMEOUT_S) -> View:
    """What is retained for the site and each of its inverters, at least the site, as `explain` takes it at `now`.

    Waits until all of it is there, at most `timeout_s`. Raises NotRead, and UsageError where nothing is published.
    """
    publish = config.publish.mqtt
    if publish is None:
        raise UsageError("site.yaml has no publish.mqtt, so nothing is published that could be read")
    wanted = {"status", "site", "limits", *(f"inverters/{inverter.name}" for inverter in config.inverters)}
    mail = _Mail(publish.topic, wanted)
    topics = tuple(f"{publish.topic}/{topic}" for topic in sorted(wanted))
    connection = MqttConnection(broker_of(publish), Listener(mail.take, mail.connected.set), topics, None)
    connection.start()
    try:
        mail.complete.wait(timeout_s)
    finally:
        connection.stop()
    where = f"{publish.topic} at MQTT broker {publish.host}:{publish.port}"
    if not mail.connected.is_set():
        raise NotRead(f"cannot read {where}: there is no connection within {timeout_s:g} s")
    if "site" not in mail.payloads:
        raise NotRead(f"nothing is published under {where}: is the orchestrator running?")
    names, zone = [each.name for each in config.inverters], ZoneInfo(config.site.timezone)
    return View(config.site.name, mail.payloads, names, mail.online, now, zone)


class _Mail:
    """Takes messages in paho's thread until every wanted topic has come."""

    def __init__(self, base: str, wanted: set[str]) -> None:
        self._base = base
        self._missing = set(wanted)
        self.payloads: dict[str, dict[str, Any]] = {}
        self.online = True
        self.connected = threading.Event()
        self.complete = threading.Event()

    def take(self, topic: str, payload: bytes, _retained: bool) -> None:
        name = topic.removeprefix(f"{self._base}/")
        if name == "status":
            self.online = payload != OFFLINE.encode()
        elif (content := _object(payload)) is not None:
            self.payloads[name] = content
        self._missing.discard(name)
        if not self._missing:
            self.complete.set()


def _object(payload: bytes) -> dict[str, Any] | None:
    try:
        content = json.loads(payload)
    except ValueError:
        return None
    return content if isinstance(content, dict) else None

"""One message to an MQTT broker, acknowledged or not: for `orchestrator set`."""

from __future__ import annotations

import secrets
import threading
from typing import Any, Final

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from orchestrator.config.sections import Broker
from orchestrator.errors import OrchestratorError

TIMEOUT_S: Final = 5.0
_PROTOCOLS: Final = {"3.1.1": MQTTProtocolVersion.MQTTv311, "5": MQTTProtocolVersion.MQTTv5}


class NotPublished(OrchestratorError):
    """The broker did not take the message; the text says which broker and why."""


def publish_retained(broker: Broker, topic: str, payload: bytes, timeout_s: float = TIMEOUT_S) -> None:
    """Publish `payload` on `topic` with QoS 1, retained, and wait until the broker has acknowledged it.

    A zero-length payload takes the retained message away. `timeout_s` bounds the connection and the acknowledgement,
    each. Raises NotPublished.
    """
    _Publication(broker, timeout_s).publish(topic, payload, retain=True)


def publish_once(broker: Broker, topic: str, payload: bytes, timeout_s: float = TIMEOUT_S) -> None:
    """The same for a message that the broker does not keep."""
    _Publication(broker, timeout_s).publish(topic, payload, retain=False)


class _Publication:
    """A client for one message. The callbacks run in paho's thread and only note what came."""

    def __init__(self, broker: Broker, timeout_s: float) -> None:
        self._name = f"MQTT broker {broker.host}:{broker.port}"
        self._broker = broker
        self._timeout_s = timeout_s
        self._connected = threading.Event()
        self._acknowledged = threading.Event()
        self._refusal: str | None = None
        self._client = self._make_client()

    def publish(self, topic: str, payload: bytes, *, retain: bool) -> None:
        try:
            self._client.connect(self._broker.host, self._broker.port)
        except OSError as error:
            reason = error.strerror or str(error) or type(error).__name__
            raise NotPublished(f"{self._name} cannot be reached: {reason}") from error
        self._client.loop_start()
        try:
            self._wait(self._connected, "does not answer")
            self._client.publish(topic, payload, qos=1, retain=retain)
            self._wait(self._acknowledged, "did not acknowledge the message")
        finally:
            self._client.disconnect()
            self._client.loop_stop()

    def _wait(self, event: threading.Event, otherwise: str) -> None:
        if not event.wait(self._timeout_s):
            raise NotPublished(f"{self._name} {otherwise} within {self._timeout_s:g} s")
        if self._refusal is not None:
            raise NotPublished(f"{self._name} refuses: {self._refusal}")

    def _make_client(self) -> paho.Client:
        broker = self._broker
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"orchestrator-set-{secrets.token_hex(4)}",
            protocol=_PROTOCOLS[broker.protocol],
        )
        client.connect_timeout = self._timeout_s
        if broker.username is not None:
            client.username_pw_set(broker.username, broker.password.get_secret_value() if broker.password else None)
        if broker.tls:
            client.tls_set()  # the certificate authorities of the system
        client.on_connect = lambda _client, _data, _flags, code, _properties: self._note(self._connected, code)
        client.on_publish = lambda _client, _data, _mid, code, _properties: self._note(self._acknowledged, code)
        return client

    def _note(self, event: threading.Event, code: Any) -> None:
        if code.is_failure:
            self._refusal = str(code)
        event.set()

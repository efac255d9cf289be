"""One connection to one MQTT broker: paho and its thread. What it decides is only when to log."""

from __future__ import annotations

import contextlib
import logging
import secrets
import threading
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from orchestrator.config.sections import Broker
from orchestrator.telemetry.payloads import OFFLINE, ONLINE

log = logging.getLogger(__name__)

KEEPALIVE_S: Final = 15
CONNECT_TIMEOUT_S: Final = 3.0
BACKOFF_S: Final = (1, 10)
CONNECTED: Final = "is connected"
GOODBYE_S: Final = 1.0
MAX_QUEUED: Final = 100
SUBSCRIBE_AGAIN_S: Final = 3.0
_PROTOCOLS: Final = {"3.1.1": MQTTProtocolVersion.MQTTv311, "5": MQTTProtocolVersion.MQTTv5}


@dataclass(frozen=True, slots=True)
class Listener:
    """Who is told. Both are called in paho's thread and must return at once.

    `message(topic, payload, redelivered)`; `connected()` after the subscriptions have been asked for.
    """

    message: Callable[[str, bytes, bool], None]
    connected: Callable[[], None]


class MqttConnection:
    """Connects, reconnects for ever with backoff, and subscribes anew each time.

    With a `status_topic` it says `online` there (retained), leaves `offline` behind as its will, and says `offline`
    itself on a clean stop.
    """

    def __init__(
        self,
        broker: Broker,
        listener: Listener,
        topics: Sequence[str],
        status_topic: str | None,
        *,
        qos_0: Collection[str] = (),
    ) -> None:
        """`qos_0` are those of `topics` whose messages are not asked for twice: who sends them sees to it."""
        self._broker = broker
        self._listener = listener
        self._topics = tuple(topics)
        self._qos_0 = frozenset(qos_0)
        self._again: threading.Timer | None = None
        self._refused: frozenset[str] = frozenset()
        self._with_less: frozenset[str] = frozenset()
        self._subscribing = threading.Lock()
        self._status_topic = status_topic
        self._node = 0
        self._said = ""
        self._away: set[str] = set()
        self._asked: dict[int | None, str] = {}
        self._client = self._make_client()

    def start(self) -> None:
        """Begin to connect; returns at once. A broker that is down now is tried again."""
        self._go_to_node()
        self._client.loop_start()

    def stop(self) -> None:
        """Say goodbye, as far as the broker listens, and end the thread."""
        if self._status_topic is not None and self._client.is_connected():
            goodbye = self._client.publish(self._status_topic, OFFLINE, qos=1, retain=True)
            with contextlib.suppress(RuntimeError):  # the connection ended in this moment: the will says it
                goodbye.wait_for_publish(GOODBYE_S)
        if self._again is not None:
            self._again.cancel()
        self._client.disconnect()
        self._client.loop_stop()

    def publish(self, topic: str, payload: str | bytes, *, qos: int, retain: bool) -> bool:
        """Hand a message to paho; returns at once. With QoS 1 it waits, MAX_QUEUED at most, until there is a broker.

        False: it was not taken, because there is no connection (QoS 0) or too much waits.
        """
        return self._client.publish(topic, payload, qos=qos, retain=retain).rc == paho.MQTT_ERR_SUCCESS

    @property
    def is_connected(self) -> bool:
        """Whether messages go out now."""
        return self._client.is_connected()

    def _make_client(self) -> paho.Client:
        broker = self._broker
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"orchestrator-{secrets.token_hex(4)}",  # two with the same id throw each other out for ever
            protocol=_PROTOCOLS[broker.protocol],
        )
        client.suppress_exceptions = True  # without it a bug in a callback ends paho's thread without a word
        client.connect_timeout = CONNECT_TIMEOUT_S
        client.reconnect_delay_set(*BACKOFF_S)
        client.max_queued_messages_set(MAX_QUEUED)
        if broker.username is not None:
            client.username_pw_set(broker.username, broker.password.get_secret_value() if broker.password else None)
        if broker.tls:
            client.tls_set()  # the certificate authorities of the system
        if self._status_topic is not None:
            client.will_set(self._status_topic, OFFLINE, qos=1, retain=True)
        client.on_log = self._on_log
        client.on_connect = self._on_connect
        client.on_connect_fail = self._on_connect_fail
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        return client

    def _go_to_node(self) -> None:
        """The next try to connect goes there."""
        host, port = self._broker.nodes[self._node]
        self._client.connect_async(host, port, keepalive=KEEPALIVE_S)

    def _try_another_node(self) -> None:
        """In paho's thread, before it waits to try again."""
        nodes = len(self._broker.nodes)
        if nodes > 1:
            self._node = (self._node + 1) % nodes
            self._go_to_node()

    def _on_connect(
        self,
        client: paho.Client,
        _data: Any,
        _flags: paho.ConnectFlags,
        code: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if code.is_failure:
            self._say(logging.ERROR, f"refuses us: {code}")
            return
        self._say(logging.INFO, CONNECTED)
        self._asked, self._with_less = {}, frozenset()
        self._subscribe(self._topics)
        if self._status_topic is not None:
            client.publish(self._status_topic, ONLINE, qos=1, retain=True)
        self._listener.connected()

    def _on_connect_fail(self, _client: paho.Client, _data: Any) -> None:
        self._say(logging.WARNING, "cannot be reached; it is tried again")
        self._try_another_node()

    def _on_disconnect(
        self,
        _client: paho.Client,
        _data: Any,
        _flags: paho.DisconnectFlags,
        code: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if code.is_failure and self._said == CONNECTED:
            self._say(logging.WARNING, f"is lost ({code}); it is tried again")
        if code.is_failure:
            self._try_another_node()

    def _on_subscribe(
        self, _client: paho.Client, _data: Any, mid: int, codes: list[ReasonCode], _properties: Properties | None
    ) -> None:
        with self._subscribing:
            topic = self._asked.pop(mid, None)
        if topic is None or not any(code.is_failure for code in codes):
            return
        if topic not in self._with_less:
            log.error("MQTT broker %s refuses the subscription to %s; it is asked again", self._name, topic)
        self._with_less |= {topic}
        self._refused |= {topic}
        if self._again is None:
            self._again = threading.Timer(SUBSCRIBE_AGAIN_S, self._subscribe_again)
            self._again.daemon = True
            self._again.start()

    def _subscribe(self, topics: Iterable[str]) -> None:
        """What was refused is asked for with QoS 0: a cluster that has just lost a node can give that at once."""
        for topic in topics:
            is_0 = topic in self._qos_0 or topic in self._with_less
            with self._subscribing:  # the answer may be there before the number is noted
                mid = self._client.subscribe(topic, qos=0 if is_0 else 1)[1]
                self._asked[mid] = topic

    def _subscribe_again(self) -> None:
        """In a thread of its own."""
        refused, self._refused, self._again = self._refused, frozenset(), None
        if self._client.is_connected():
            self._subscribe(sorted(refused))

    def _on_message(self, _client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        self._listener.message(message.topic, bytes(message.payload), message.retain)

    def _on_log(self, _client: paho.Client, _data: Any, _level: int, text: str) -> None:
        """Of what paho says only this is not said better by ourselves."""
        if text.startswith("Caught exception"):
            log.error("a bug in a callback of MQTT broker %s: %s", self._name, text)

    @property
    def _name(self) -> str:
        host, port = self._broker.nodes[self._node]
        return f"{host}:{port}"

    def _say(self, level: int, text: str) -> None:
        """Log what is new; a node that stays away is mentioned once."""
        said = f"{self._name} {text}"
        if text != self._said and said not in self._away:
            log.log(level, "MQTT broker %s", said)
        self._said = text
        self._away = set() if text == CONNECTED else self._away | {said}

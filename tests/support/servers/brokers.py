"""Real MQTT brokers, and a client that is not ours to talk to them."""

from __future__ import annotations

import contextlib
import json
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from actors.commands.run.broker import is_broker_listening
from tests.support.servers.required import PATIENCE_S, free_port, require_server, wait_until

HOST = "127.0.0.1"
NODES = 3
"""Of a cluster of NATS."""


class Mosquitto:
    """A Mosquitto on a free port of 127.0.0.1; `stop` and `start` again keep the port and forget what was retained."""

    def __init__(self, folder: Path, *settings: str) -> None:
        self.program = require_server("mosquitto")
        self.host, self.port = "127.0.0.1", free_port()
        self._config = folder / f"mosquitto-{self.port}.conf"
        lines = settings or ("allow_anonymous true",)
        head = (f"listener {self.port} 127.0.0.1", "log_dest none", "user root")
        self._config.write_text("\n".join((*head, *lines, "")))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Return when it accepts connections."""
        self._process = subprocess.Popen([self.program, "-c", str(self._config)], stderr=subprocess.DEVNULL)
        wait_until(lambda: is_broker_listening(self.host, self.port), "Mosquitto's start")

    def stop(self) -> None:
        """End it; its clients lose their connections."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(PATIENCE_S)
            self._process = None


@contextlib.contextmanager
def mosquitto(folder: Path, *settings: str) -> Iterator[Mosquitto]:
    """A running Mosquitto; `settings` are lines of its configuration (anybody may connect where none is given)."""
    broker = Mosquitto(folder, *settings)
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()


@dataclass(frozen=True)
class Received:
    """One message as a client saw it."""

    topic: str
    payload: bytes
    retained: bool
    qos: int

    def json(self) -> Any:
        """The payload, which must be JSON as the standard has it (no NaN)."""

        def refuse(constant: str) -> None:
            raise AssertionError(f"{constant} is not JSON")

        return json.loads(self.payload, parse_constant=refuse)


@dataclass
class MqttClient:
    """A client that remembers every message of the topics it subscribed to."""

    host: str
    port: int
    username: str | None = None
    password: str | None = None
    received: list[Received] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        self._connected, self._subscribed = threading.Event(), threading.Event()
        if self.username is not None:
            self._client.username_pw_set(self.username, self.password)
        self._client.on_message = lambda _client, _data, message: self.received.append(
            Received(message.topic, bytes(message.payload), message.retain, message.qos)
        )
        self._client.on_connect = lambda *_: self._connected.set()
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.connect(self.host, self.port)
        self._client.loop_start()
        assert self._connected.wait(PATIENCE_S), f"no answer to the connection to port {self.port}"

    def subscribe(self, topic: str) -> None:
        """Return when the broker has confirmed it."""
        self._subscribed.clear()
        self._client.subscribe(topic, qos=1)
        assert self._subscribed.wait(PATIENCE_S), f"no answer to the subscription to {topic}"

    def publish(self, topic: str, payload: str | bytes, *, retain: bool = False, qos: int = 1) -> None:
        """Return when the broker has it."""
        message = self._client.publish(topic, payload, qos=qos, retain=retain)
        message.wait_for_publish(PATIENCE_S)
        assert message.is_published(), f"no answer to a message on {topic}"

    def publish_soon(self, topic: str, payload: str | bytes) -> None:
        """Return at once (QoS 0)."""
        self._client.publish(topic, payload)

    def on(self, topic: str) -> list[Received]:
        """What came on one topic so far, oldest first."""
        return [message for message in self.received if message.topic == topic]

    def wait_for(self, topic: str, count: int = 1, timeout_s: float = PATIENCE_S) -> Received:
        """The newest message on `topic` as soon as there are `count` of them."""
        wait_until(lambda: len(self.on(topic)) >= count, f"message {count} on {topic}", timeout_s)
        return self.on(topic)[-1]

    def wait_for_payload(self, topic: str, payload: bytes, timeout_s: float = PATIENCE_S) -> None:
        """Return as soon as the newest message on `topic` is `payload`."""
        wait_until(lambda: [m.payload for m in self.on(topic)][-1:] == [payload], f"{payload!r} on {topic}", timeout_s)

    def close(self) -> None:
        """Disconnect."""
        self._client.disconnect()
        self._client.loop_stop()


@contextlib.contextmanager
def mqtt_client(host: str, port: int, username: str | None = None, password: str | None = None) -> Iterator[MqttClient]:
    """A connected client."""
    client = MqttClient(host, port, username, password)
    try:
        yield client
    finally:
        client.close()


@dataclass
class Nats:
    """A cluster of nodes of NATS on free ports of 127.0.0.1, which keep what they must in JetStream.

    `host` and `port` are those of its first node, `other_hosts` the others with their ports."""

    folder: Path
    host: str = HOST
    ports: tuple[int, ...] = field(default_factory=lambda: tuple(free_port() for _ in range(NODES)))
    processes: list[subprocess.Popen[bytes] | None] = field(default_factory=lambda: [None] * NODES)

    @property
    def port(self) -> int:
        """Where the first node speaks MQTT."""
        return self.ports[0]

    @property
    def other_hosts(self) -> tuple[str, ...]:
        """Where the others do."""
        return tuple(f"{HOST}:{port}" for port in self.ports[1:])

    def from_node(self, node: int) -> Nats:
        """The same cluster for somebody who tries this node first; it is not to be started."""
        return Nats(self.folder, self.host, (*self.ports[node:], *self.ports[:node]))

    def start(self) -> None:
        """Return when every node takes clients."""
        program, routes = require_server("nats-server"), [free_port() for _ in range(NODES)]
        for node, port in enumerate(self.ports):
            file = self.folder / f"node-{node}.conf"
            file.write_text(_configuration(node, port, routes, self.folder))
            log = self.folder / f"node-{node}.log"
            with log.open("wb") as written:
                self.processes[node] = subprocess.Popen([program, "-c", str(file)], stderr=written)
        for port in self.ports:
            wait_until(lambda port=port: is_broker_listening(HOST, port), "a node of NATS")  # type: ignore[misc]
            wait_until(lambda port=port: _takes_clients(port), "a cluster with a leader")  # type: ignore[misc]

    def kill(self, node: int) -> None:
        """End a node at once, as a loss of power does."""
        process = self.processes[node]
        if process is not None:
            process.kill()
            process.wait(PATIENCE_S)
            self.processes[node] = None

    def stop(self) -> None:
        """End what still runs."""
        for node in range(NODES):
            self.kill(node)


@contextlib.contextmanager
def nats(folder: Path) -> Iterator[Nats]:
    """A running cluster."""
    cluster = Nats(folder)
    cluster.start()
    try:
        yield cluster
    finally:
        cluster.stop()


def _configuration(node: int, port: int, routes: list[int], folder: Path) -> str:
    others = ", ".join(f'"nats://{HOST}:{each}"' for each in routes)
    return f"""
server_name: node{node}
listen: "{HOST}:{free_port()}"
jetstream {{ store_dir: "{folder}/store-{node}" }}
cluster {{ name: fleet, listen: "{HOST}:{routes[node]}", routes: [{others}] }}
mqtt {{ listen: "{HOST}:{port}" }}
"""


def _takes_clients(port: int) -> bool:
    """Whether a client is let in: while the cluster has no leader it is not."""
    try:
        with mqtt_client(HOST, port):
            return True
    except (OSError, AssertionError):
        return False

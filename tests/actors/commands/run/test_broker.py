"""The embedded broker."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator

import pytest

from actors.commands.run.broker import BrokerNotStarted, EmbeddedBroker, is_broker_listening
from actors.messages import SetpointReceived
from tests.actors.mqtt.test_actor import PUBLISH, SETPOINTS, config_for, online, running
from tests.support.records.cycles import cycle_result
from tests.support.servers.brokers import mqtt_client
from tests.support.servers.required import free_port, wait_until


@contextlib.contextmanager
def embedded() -> Iterator[int]:
    port = free_port()
    broker = EmbeddedBroker("127.0.0.1", port)
    broker.start()
    try:
        yield port
    finally:
        broker.stop()


def test_it_listens_from_start_to_stop() -> None:
    port = free_port()
    broker = EmbeddedBroker("127.0.0.1", port)
    before = is_broker_listening("127.0.0.1", port)
    broker.start()
    during = is_broker_listening("127.0.0.1", port)
    broker.stop()

    assert [before, during] == [False, True]
    wait_until(lambda: not is_broker_listening("127.0.0.1", port), "a free port")


def test_stopping_twice_or_without_a_start_does_nothing() -> None:
    broker = EmbeddedBroker("127.0.0.1", free_port())
    broker.stop()
    broker.start()
    broker.stop()
    broker.stop()


def test_a_taken_port_is_named_in_the_reason() -> None:
    with embedded() as port, pytest.raises(BrokerNotStarted, match=f"cannot run on 127.0.0.1:{port}"):
        EmbeddedBroker("127.0.0.1", port).start()


def test_the_plant_works_with_it() -> None:
    with embedded() as port, mqtt_client("127.0.0.1", port) as client:
        client.publish(SETPOINTS, '{"opModExpLimW": 0}', retain=True)
        with running(config_for(port)) as plant:
            setpoint = plant.site.wait_for(SetpointReceived).setpoint
            online(client)
            client.subscribe(f"{PUBLISH}/#")
            plant.ref.tell(cycle_result())
            site = client.wait_for(f"{PUBLISH}/site").json()
            client.publish(SETPOINTS, "off")
            rejected = client.wait_for(f"{PUBLISH}/rejected").json()
        client.wait_for_payload(f"{PUBLISH}/status", b"offline")

        assert setpoint.fields.export_limit_watts == 0.0
        assert site["site_watts"] == -500
        assert rejected["source"] == "mqtt"


NOISY = """
import socket, sys
from actors.commands.run.broker import EmbeddedBroker
from tests.support.servers.brokers import MqttClient
port = int(sys.argv[1])
broker = EmbeddedBroker("127.0.0.1", port)
broker.start()
strangers = [socket.create_connection(("127.0.0.1", port)) for _ in range(3)]
strangers[0].send(b"this is not MQTT" + bytes([0, 255, 255, 255, 255, 255]))
strangers[1].close()
clients = [MqttClient("127.0.0.1", port) for _ in range(4)]
for client in clients:
    client.subscribe("x")
clients[0].publish("x", "y", retain=True)
clients[0].close()
clients[1]._client.socket().close()
broker.stop()
"""


def test_its_end_is_silent_also_with_clients_that_are_connected_or_broken() -> None:
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", NOISY, str(free_port())],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )

    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")

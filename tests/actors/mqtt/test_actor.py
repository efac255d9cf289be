"""The MQTT actor against a real Mosquitto."""

from __future__ import annotations

import contextlib
import json
import logging
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from actors.actor import Surroundings
from actors.clock import ManualClock, RealClock
from actors.files.home_assistant_store import HomeAssistantStore
from actors.files.setpoint_store import SetpointStore
from actors.messages import Event, SetpointReceived, SetpointRefused, SetpointWithdrawn
from actors.mqtt.actor import MqttActor, restored_intakes
from actors.observer import NoObserver
from orchestrator.config.sections import SiteConfig
from orchestrator.setpoints.fields import SetpointFields
from tests.support.inboxes import Inbox
from tests.support.records.cycles import cycle_result, site_config
from tests.support.servers.brokers import Mosquitto, MqttClient, mosquitto, mqtt_client
from tests.support.servers.required import require_server, wait_until

SETPOINTS = "site/home/setpoints"
PUBLISH = "site/home"


class RefusalCounter(NoObserver):
    def __init__(self) -> None:
        self.refused: list[str] = []

    def setpoint_refused(self, source: str) -> None:
        self.refused.append(source)


@dataclass
class Plant:
    """A running MqttActor, and what it told."""

    ref: Any
    site: Inbox
    observer: RefusalCounter


def config_for(port: int, **entry: Any) -> SiteConfig:
    broker = {"host": "127.0.0.1", "port": port}
    credentials = {key: entry[key] for key in ("username", "password", "tls", "protocol") if key in entry}
    return site_config(
        setpoints={"mqtt": ({**broker, "topic": SETPOINTS, **entry},)},
        publish={"mqtt": {**broker, "topic": PUBLISH, **credentials}},
    )


@contextlib.contextmanager
def running(config: SiteConfig, state_dir: Path | None = None) -> Iterator[Plant]:
    """`state_dir` is where setpoints are kept; a folder of its own, that nothing is found in, where it is not given."""
    with tempfile.TemporaryDirectory() as nowhere:
        clock, site, observer, store = RealClock(), Inbox(), RefusalCounter(), SetpointStore(state_dir or Path(nowhere))
        home_assistant = HomeAssistantStore(state_dir or Path(nowhere))
        ref = MqttActor.start(Surroundings(clock, observer, Inbox()), config, site, store, home_assistant)
        try:
            yield Plant(ref, site, observer)
        finally:
            ref.stop()
            store.close()
            home_assistant.close()
            clock.close()


SECRET = "s3cret-of-the-plant"


def online(client: MqttClient) -> None:
    """Return when the plant has said that it is online, which comes after it asked for its subscriptions."""
    seen = len(client.on(f"{PUBLISH}/status"))
    client.subscribe(f"{PUBLISH}/status")
    wait_until(
        lambda: any(message.payload == b"online" for message in client.on(f"{PUBLISH}/status")[seen:]),
        "the status online",
    )


@contextlib.contextmanager
def protected(folder: Path) -> Iterator[Mosquitto]:
    """A broker that wants the user `plant` with SECRET."""
    passwords = folder / "passwords"
    passwords.touch(mode=0o600)
    subprocess.run([require_server("mosquitto_passwd"), "-b", passwords, "plant", SECRET], check=True)
    with mosquitto(folder, "allow_anonymous false", f"password_file {passwords}") as server:
        yield server


def certificates(folder: Path) -> Path:
    """server.key and server.crt for 127.0.0.1 in `folder`, and the authority that signed itself (the same file)."""
    names = "subjectAltName=DNS:localhost,IP:127.0.0.1"
    subprocess.run(
        [
            *(require_server("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
            *("-nodes", "-days", "2", "-subj", "/CN=test", "-addext", names),
            *("-keyout", str(folder / "server.key"), "-out", str(folder / "server.crt")),
        ],
        check=True,
        stderr=subprocess.DEVNULL,
    )
    return folder / "server.crt"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    """Each test has one of its own, in which no other test has left a retained message."""
    with mosquitto(tmp_path) as server:
        yield server


@pytest.fixture
def client(broker: Mosquitto) -> Iterator[MqttClient]:
    with mqtt_client(broker.host, broker.port) as client:
        yield client


def test_a_retained_setpoint_is_taken_when_the_plant_starts(broker: Mosquitto, client: MqttClient) -> None:
    client.publish(SETPOINTS, '{"opModExpLimW": 0}', retain=True)

    with running(config_for(broker.port)) as plant:
        setpoint = plant.site.wait_for(SetpointReceived).setpoint

    assert setpoint.source == "mqtt"
    assert setpoint.fields == SetpointFields(export_limit_watts=0.0)


def test_a_setpoint_published_later_is_taken_at_once(broker: Mosquitto, client: MqttClient) -> None:
    with running(config_for(broker.port)) as plant:
        online(client)
        client.publish(SETPOINTS, '{"opModImpLimW": 4000}')
        setpoint = plant.site.wait_for(SetpointReceived).setpoint

    assert setpoint.fields == SetpointFields(import_limit_watts=4000.0)


def test_the_words_of_a_contact_are_setpoints_and_others_are_refused(broker: Mosquitto, client: MqttClient) -> None:
    rows = [{"says": "1"}, {"says": "2", "percent": 30.0}]
    config = config_for(
        broker.port, validity_s=60.0, default=SetpointFields(), contact={"rated_watts": 10000.0, "rows": rows}
    )
    with running(config) as plant:
        online(client)
        client.publish(SETPOINTS, "2")
        setpoint = plant.site.wait_for(SetpointReceived).setpoint
        client.publish(SETPOINTS, "3")
        refused = plant.site.wait_for(SetpointRefused)

    assert setpoint.fields == SetpointFields(generation_limit_watts=3000.0)
    assert refused.reason == 'the contact says "3"; known are "1", "2"'


def test_prices_are_a_plan_that_is_there_again_after_a_restart(
    broker: Mosquitto, client: MqttClient, tmp_path: Path
) -> None:
    rows = [{"below": 0.0, "fields": {"export_limit_watts": 0.0}}]
    config = config_for(broker.port, prices=rows)
    price = {"start": "2020-01-01T00:00:00Z", "end": "2090-01-01T00:00:00Z", "price": -0.1}
    with running(config, tmp_path) as plant:
        online(client)
        client.publish(SETPOINTS, json.dumps({"prices": [price]}))
        setpoint = plant.site.wait_for(SetpointReceived).setpoint
        wait_until(lambda: "mqtt" in SetpointStore(tmp_path).sources, "keeping the prices")
    restored = restored_intakes(config, SetpointStore(tmp_path).sources, RealClock())["mqtt"].setpoint

    assert [step.fields for step in setpoint.plan] == [SetpointFields(export_limit_watts=0.0)]
    assert restored is not None
    assert restored.plan == setpoint.plan


def test_protocol_5_works_the_same(broker: Mosquitto, client: MqttClient) -> None:
    client.publish(SETPOINTS, '{"opModExpLimW": 0}', retain=True)

    with running(config_for(broker.port, protocol="5")) as plant:
        setpoint = plant.site.wait_for(SetpointReceived).setpoint

    assert setpoint.fields == SetpointFields(export_limit_watts=0.0)


def test_a_zero_length_message_withdraws_the_setpoint(broker: Mosquitto, client: MqttClient) -> None:
    client.publish(SETPOINTS, '{"opModExpLimW": 0}', retain=True)

    with running(config_for(broker.port)) as plant:
        plant.site.wait_for(SetpointReceived)
        client.publish(SETPOINTS, b"", retain=True)

        assert plant.site.wait_for(SetpointWithdrawn) == SetpointWithdrawn("mqtt")


def test_a_refused_message_is_counted_published_and_told_with_its_reason(broker: Mosquitto, client: MqttClient) -> None:
    client.subscribe(f"{PUBLISH}/rejected")
    reason = 'unknown field "opModExpLim": did you mean "opModExpLimW"?'

    with running(config_for(broker.port)) as plant:
        online(client)
        client.publish(SETPOINTS, '{"opModExpLim": 0}')
        rejected = client.wait_for(f"{PUBLISH}/rejected")

        assert rejected.json() | {"time": "t"} == {"time": "t", "source": "mqtt", "reason": reason}
        assert (rejected.qos, rejected.retained) == (1, False)
        assert plant.observer.refused == ["mqtt"]
        assert plant.site.of(SetpointRefused) == [SetpointRefused("mqtt", reason)]
        assert plant.site.of(SetpointReceived) == []


def test_a_refused_message_leaves_the_former_setpoint(broker: Mosquitto, client: MqttClient) -> None:
    with running(config_for(broker.port)) as plant:
        online(client)
        client.publish(SETPOINTS, '{"opModExpLimW": 0}')
        client.publish(SETPOINTS, "x" * 1_000_000)
        plant.site.wait_for(SetpointRefused)

        assert plant.site.of(SetpointRefused)[0].reason == "the message is longer than 65536 bytes"
        assert plant.site.of(SetpointWithdrawn) == []
        assert plant.site.wait_for(SetpointReceived).setpoint.fields.export_limit_watts == 0.0


def test_a_retained_setpoint_that_a_live_one_superseded_stays_superseded_after_a_restart(
    broker: Mosquitto, client: MqttClient, tmp_path: Path
) -> None:
    """The live one is not retained: the broker hands the former over again at each connection."""
    client.publish(SETPOINTS, '{"opModExpLimW": 10000}', retain=True)
    with running(config_for(broker.port), tmp_path) as plant:
        plant.site.wait_for(SetpointReceived)
        client.publish(SETPOINTS, '{"opModExpLimW": 0}')
        wait_until(lambda: limits_told(plant)[-1:] == [0.0], "the live setpoint")

    with running(config_for(broker.port), tmp_path) as plant:
        online(client)
        plant.site.wait_for(SetpointReceived, count=3)

        assert set(limits_told(plant)) == {0.0}


def test_a_withdrawn_setpoint_stays_withdrawn_though_the_broker_still_has_it(
    broker: Mosquitto, client: MqttClient, tmp_path: Path
) -> None:
    client.publish(SETPOINTS, '{"opModExpLimW": 10000}', retain=True)
    with running(config_for(broker.port), tmp_path) as plant:
        plant.site.wait_for(SetpointReceived)
        client.publish(SETPOINTS, b"")
        plant.site.wait_for(SetpointWithdrawn)

    with running(config_for(broker.port), tmp_path) as plant:
        online(client)
        client.publish(SETPOINTS, '{"opModImpLimW": 1}')
        plant.site.wait_for(SetpointReceived)

        assert limits_told(plant) == []


def test_the_last_setpoint_holds_after_a_restart_without_the_broker(
    broker: Mosquitto, client: MqttClient, tmp_path: Path
) -> None:
    with running(config_for(broker.port), tmp_path) as plant:
        online(client)
        client.publish(SETPOINTS, '{"opModExpLimW": 0}')
        plant.site.wait_for(SetpointReceived)
    sources = SetpointStore(tmp_path).sources
    config = config_for(broker.port)

    restored = restored_intakes(config, sources, ManualClock())["mqtt"].setpoint

    assert restored is not None
    assert restored.fields == SetpointFields(export_limit_watts=0.0)


def test_a_source_that_was_moved_to_another_topic_is_not_restored(
    broker: Mosquitto, client: MqttClient, tmp_path: Path
) -> None:
    with running(config_for(broker.port), tmp_path) as plant:
        online(client)
        client.publish(SETPOINTS, '{"opModExpLimW": 0}')
        plant.site.wait_for(SetpointReceived)
    moved = config_for(broker.port, topic="site/home/elsewhere")

    assert restored_intakes(moved, SetpointStore(tmp_path).sources, ManualClock())["mqtt"].setpoint is None


def test_the_site_is_reminded_of_what_holds(broker: Mosquitto, client: MqttClient) -> None:
    """A site that was started anew after a crash, or was away when it was told, learns it within a second or two."""
    client.publish(SETPOINTS, '{"opModExpLimW": 0}', retain=True)

    with running(config_for(broker.port)) as plant:
        first = plant.site.wait_for(SetpointReceived)
        again = plant.site.wait_for(SetpointReceived, count=3)

    assert again == first


def test_an_expired_setpoint_is_not_brought_up_again(broker: Mosquitto, client: MqttClient) -> None:
    client.publish(SETPOINTS, '{"opModExpLimW": 0}', retain=True)

    with running(config_for(broker.port, validity_s=0.5)) as plant:
        plant.site.wait_for(SetpointReceived)
        began_s = time.monotonic()
        wait_until(lambda: time.monotonic() - began_s > 2.0, "the end of the setpoint, and of what was on its way then")
        told = len(plant.site.of(SetpointReceived))
        wait_until(lambda: time.monotonic() - began_s > 4.5, "the time of two reminders")

        assert len(plant.site.of(SetpointReceived)) == told


def test_two_sources_on_one_broker_keep_their_names(broker: Mosquitto, client: MqttClient) -> None:
    entry = {"host": "127.0.0.1", "port": broker.port}
    config = site_config(
        setpoints={"mqtt": ({**entry, "topic": "a/x", "name": "utility"}, {**entry, "topic": "b/x", "name": "home"})}
    )
    with running(config) as plant, mqtt_client(broker.host, broker.port) as sender:
        sender.publish("a/x", '{"opModExpLimW": 1}', retain=True)
        sender.publish("b/x", '{"opModExpLimW": 2}', retain=True)
        plant.site.wait_for(SetpointReceived, count=2)

        told = {
            each.setpoint.source: each.setpoint.fields.export_limit_watts for each in plant.site.of(SetpointReceived)
        }

        assert told == {"utility": 1.0, "home": 2.0}
        sender.publish("a/x", b"", retain=True)
        sender.publish("b/x", b"", retain=True)


def test_a_storm_reaches_the_site_as_a_breeze_and_its_end_is_obeyed(broker: Mosquitto, client: MqttClient) -> None:
    """A thousand messages in a second, each with another limit."""
    with running(config_for(broker.port)) as plant:
        online(client)
        began_s = time.monotonic()
        for number in range(1000):
            client.publish_soon(SETPOINTS, json.dumps({"opModExpLimW": number}))
            wait_until(lambda due_s=began_s + number / 1000: time.monotonic() >= due_s, "the next message")  # type: ignore[misc]
        wait_until(lambda: limits_told(plant)[-1:] == [999.0], "the last setpoint")
        took_s = time.monotonic() - began_s

        assert len(limits_told(plant)) <= 10 * took_s + took_s + 3  # ten a second, and one reminder a second
        assert limits_told(plant) == sorted(limits_told(plant))


def limits_told(plant: Plant) -> list[float]:
    told = [each.setpoint.fields.export_limit_watts for each in plant.site.of(SetpointReceived)]
    return [watts for watts in told if watts is not None]


def test_the_state_is_published_retained(broker: Mosquitto, client: MqttClient) -> None:
    with running(config_for(broker.port)) as plant:
        online(client)
        plant.ref.tell(cycle_result(away=("roof",)))
        with mqtt_client(broker.host, broker.port) as late:
            client.subscribe(f"{PUBLISH}/#")
            for topic in ("site", "limits", "inverters/east", "inverters/roof"):
                client.wait_for(f"{PUBLISH}/{topic}")
            late.subscribe(f"{PUBLISH}/#")

            assert late.wait_for(f"{PUBLISH}/site").retained
            assert late.on(f"{PUBLISH}/site")[0].json()["site_watts"] == -500
            assert late.wait_for(f"{PUBLISH}/limits").json()["export_limit_watts"]["source"] == "fixed"
            assert late.wait_for(f"{PUBLISH}/inverters/east").json()["online"] is True
            assert late.wait_for(f"{PUBLISH}/inverters/roof").json()["online"] is False


def test_an_event_is_published_and_not_retained(broker: Mosquitto, client: MqttClient) -> None:
    client.subscribe(f"{PUBLISH}/events")
    with running(config_for(broker.port)) as plant:
        online(client)
        plant.ref.tell(Event("inverter_away", "east", "no answer for 2 cycles"))
        event = client.wait_for(f"{PUBLISH}/events")

    assert event.json()["event"] == "inverter_away"
    assert event.json()["subject"] == "east"
    assert not event.retained


def test_changed_limits_go_out_at_once_and_the_rest_once_a_second(broker: Mosquitto, client: MqttClient) -> None:
    client.subscribe(f"{PUBLISH}/#")
    with running(config_for(broker.port)) as plant:
        online(client)
        began_s = time.monotonic()
        for number in range(5):
            limits = SetpointFields(export_limit_watts=float(number))
            plant.ref.tell(cycle_result(site_watts=-float(number), limits=limits))
        client.wait_for(f"{PUBLISH}/limits", count=5)

        assert 1 <= len(client.on(f"{PUBLISH}/site")) <= 1 + (time.monotonic() - began_s)


def test_a_clean_stop_says_offline(broker: Mosquitto, client: MqttClient) -> None:
    with running(config_for(broker.port)):
        online(client)
    client.wait_for_payload(f"{PUBLISH}/status", b"offline")
    status = client.on(f"{PUBLISH}/status")[-1]

    assert [message.payload for message in client.on(f"{PUBLISH}/status")][-2:] == [b"online", b"offline"]
    assert status.qos == 1


KILLED = """
import sys, threading
from pathlib import Path
from actors.actor import Surroundings
from actors.clock import RealClock
from actors.files.home_assistant_store import HomeAssistantStore
from actors.files.setpoint_store import SetpointStore
from actors.mqtt.actor import MqttActor
from actors.observer import NoObserver
from tests.actors.mqtt.test_actor import config_for
from tests.support.inboxes import Inbox
surroundings, folder = Surroundings(RealClock(), NoObserver(), Inbox()), Path(sys.argv[2])
stores = SetpointStore(folder), HomeAssistantStore(folder)
MqttActor.start(surroundings, config_for(int(sys.argv[1])), Inbox(), *stores)
threading.Event().wait()
"""


def test_the_will_of_a_killed_plant_is_seen_by_mosquitto_sub(
    broker: Mosquitto, client: MqttClient, tmp_path: Path
) -> None:
    watcher = subprocess.Popen(
        [require_server("mosquitto_sub"), "-p", str(broker.port), "-t", f"{PUBLISH}/status", "-C", "2"],
        stdout=subprocess.PIPE,
    )
    plant = subprocess.Popen([sys.executable, "-c", KILLED, str(broker.port), str(tmp_path)])
    try:
        online(client)
        plant.kill()
        seen, _ = watcher.communicate(timeout=60)
    finally:
        plant.kill()
        plant.wait()
        watcher.kill()
        watcher.wait()

    assert seen.split() == [b"online", b"offline"]


def test_after_a_restart_of_the_broker_everything_is_there_again(tmp_path: Path) -> None:
    """This broker forgets what was retained; the plant says it all again, and takes setpoints again."""
    with mosquitto(tmp_path) as broker, running(config_for(broker.port)) as plant:
        with mqtt_client(broker.host, broker.port) as client:
            online(client)
            plant.ref.tell(cycle_result())
            client.subscribe(f"{PUBLISH}/site")
            client.wait_for(f"{PUBLISH}/site")
        broker.stop()
        broker.start()
        with mqtt_client(broker.host, broker.port) as client:
            online(client)
            client.subscribe(f"{PUBLISH}/#")
            plant.ref.tell(cycle_result())
            client.wait_for(f"{PUBLISH}/site")
            client.wait_for(f"{PUBLISH}/limits")
            client.publish(SETPOINTS, '{"opModExpLimW": 7}')
            wait_until(lambda: limits_told(plant)[-1:] == [7.0], "the setpoint after the restart")


def test_a_broker_that_comes_later_is_found(tmp_path: Path) -> None:
    broker = Mosquitto(tmp_path)
    with running(config_for(broker.port)) as plant:
        plant.ref.tell(cycle_result())
        broker.start()
        try:
            with mqtt_client(broker.host, broker.port) as client:
                online(client)
        finally:
            broker.stop()


def test_a_redelivered_setpoint_is_not_renewed_by_a_reconnect(tmp_path: Path) -> None:
    settings = ("allow_anonymous true", "persistence true", f"persistence_location {tmp_path}/", "autosave_interval 1")
    with mosquitto(tmp_path, *settings) as broker:
        with mqtt_client(broker.host, broker.port) as client:
            client.publish(SETPOINTS, '{"opModExpLimW": 0}', retain=True)
        with running(config_for(broker.port, validity_s=600)) as plant:
            first = plant.site.wait_for(SetpointReceived).setpoint
            broker.stop()
            broker.start()
            with mqtt_client(broker.host, broker.port) as client:
                online(client)
                client.subscribe(SETPOINTS)
                assert client.wait_for(SETPOINTS).retained, "the broker should have kept it"
            told = len(plant.site.of(SetpointReceived))
            later = plant.site.wait_for(SetpointReceived, count=told + 2).setpoint

    assert later == first


def test_username_and_password_are_used_and_never_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with protected(tmp_path) as broker, mqtt_client(broker.host, broker.port, "plant", SECRET) as client:
        config = config_for(broker.port, username="plant", password=SECRET)
        with running(config):
            online(client)

        assert SECRET not in caplog.text
        assert SECRET not in repr(config)


def test_a_wrong_password_is_said_once_and_harms_nobody(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with protected(tmp_path) as broker, running(config_for(broker.port, username="plant", password="wrong")) as plant:
        wait_until(lambda: "refuses us" in caplog.text, "the message about the password")
        began_s = time.monotonic()
        wait_until(lambda: time.monotonic() - began_s > 1.5, "the time of a second attempt")
        plant.ref.tell(cycle_result())
        wait_until(plant.ref.actor_inbox.empty, "an empty inbox")

        assert plant.ref.is_alive()
    said = [record.getMessage() for record in caplog.records if record.name.startswith("actors")]
    assert said == [f"MQTT broker 127.0.0.1:{broker.port} refuses us: Not authorized"]


def test_a_broker_with_tls_is_trusted_through_the_authorities_of_the_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = certificates(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    settings = (f"certfile {tmp_path}/server.crt", f"keyfile {tmp_path}/server.key", "allow_anonymous true")
    with mosquitto(tmp_path, *settings) as broker, running(config_for(broker.port, tls=True)) as plant:
        subscriber = subprocess.run(
            [
                *(require_server("mosquitto_sub"), "-p", str(broker.port), "--cafile", str(authority)),
                *("-t", f"{PUBLISH}/status", "-C", "1", "-W", "60"),
            ],
            stdout=subprocess.PIPE,
            check=True,
        )
        assert plant.ref.is_alive()

    assert subscriber.stdout.split() == [b"online"]


def test_without_any_broker_the_actor_only_listens() -> None:
    with running(site_config()) as plant:
        plant.ref.tell(cycle_result())
        plant.ref.tell(Event("started", "home", ""))
        wait_until(plant.ref.actor_inbox.empty, "an empty inbox")

        assert plant.ref.is_alive()

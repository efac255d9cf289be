"""After a power cut the orchestrator is back before its broker: what was asked last holds from the first decision."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from actors.clock import RealClock
from actors.files.setpoint_store import SetpointStore
from actors.observer import NoObserver
from actors.system import start_system
from orchestrator.config.sections import SiteConfig
from orchestrator.decide.records import CycleResult
from orchestrator.setpoints.intake import KeptSource
from tests.support.inboxes import Inbox
from tests.support.plants.running_plant import about
from tests.support.servers.required import free_port, wait_until
from tests.system.faults.test_site_that_crashes import limited, sunny_site

TOPIC = "site/home/setpoints"


def by_mqtt_only(config: SiteConfig, port: int) -> SiteConfig:
    source = {"name": "mqtt", "host": "127.0.0.1", "port": port, "topic": TOPIC}
    return SiteConfig.model_validate(config.model_dump() | {"setpoints": {"mqtt": [source]}})


def test_the_last_limit_holds_from_the_first_decision_on_though_no_broker_is_there(tmp_path: Path) -> None:
    port, heard, clock = free_port(), Inbox(), RealClock()
    store = SetpointStore(tmp_path)
    store.keep("mqtt", KeptSource(f"127.0.0.1:{port} {TOPIC}", '{"opModExpLimW": 0}', datetime.now(UTC)))
    store.close()
    with sunny_site() as eyes:
        config = by_mqtt_only(limited(eyes.site.config, tmp_path), port)
        system = start_system(config, clock=clock, observer=NoObserver(), listeners=[heard])
        try:
            wait_until(lambda: bool(decided(heard)), "a first decision")
            eyes.see({"export": about(0, 150)}, for_s=1.0)
        finally:
            system.stop(30.0)
            clock.close()

    assert {result.envelope.fields.export_limit_watts for result in decided(heard)} == {0.0}


def decided(heard: Inbox) -> list[CycleResult]:
    return [result for result in heard.of(CycleResult) if result.mode != "waiting"]

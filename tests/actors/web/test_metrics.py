"""What Prometheus reads, over HTTP."""

from __future__ import annotations

import contextlib
import re
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from prometheus_client.parser import text_string_to_metric_families

from actors.actor import Surroundings
from actors.clock import ManualClock, RealClock
from actors.messages import Acknowledged, Event
from actors.prometheus.observer import PrometheusObserver
from actors.web.actor import WebActor
from actors.web.by_hand import ByHand
from actors.web.state import WebState
from actors.wire.rtu_frames import Passed
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.setpoints.merge import OperatingEnvelope
from tests.support.inboxes import Inbox
from tests.support.records.cycles import cycle_result, site_config
from tests.support.servers.fetched import fetched
from tests.support.servers.required import free_port, require_server, wait_until

DOC = Path(__file__).parents[3] / "docs" / "metrics.md"


@dataclass
class Served:
    """A running WebActor."""

    ref: Any
    prometheus: PrometheusObserver
    clock: ManualClock

    def page(self) -> str:
        """What Prometheus gets."""
        return fetched(f"http://127.0.0.1:{self.prometheus.bound_port}/metrics")

    def value(self, name: str, **labels: str) -> float | None:
        """The value of one series, None where there is none."""
        for family in text_string_to_metric_families(self.page()):
            for sample in family.samples:
                if sample.name == f"orchestrator_{name}" and sample.labels == {"site": "home"} | labels:
                    return float(sample.value)
        return None


def started(surroundings: Surroundings, port: int, prometheus: PrometheusObserver) -> Any:
    """The actor, with metrics and nothing else."""
    config = site_config(metrics={"port": port}, page={"enabled": False})
    by_hand = ByHand(Path("/nonexistent"), Inbox(), surroundings.clock, can_be_resumed=False)
    return WebActor.start(surroundings, WebState(config, prometheus, by_hand, surroundings.clock))


@contextlib.contextmanager
def serving(port: int = 0) -> Iterator[Served]:
    clock = ManualClock()
    prometheus = PrometheusObserver("home", "1.2.3", sources=("mqtt",), now_s=clock.now_s)
    surroundings = Surroundings(RealClock(), prometheus, Inbox())
    ref = started(surroundings, port, prometheus)
    try:
        wait_until(lambda: prometheus.bound_port is not None, "the open port")
        yield Served(ref, prometheus, clock)
    finally:
        ref.stop()


def feed_everything(served: Served) -> None:
    """Make every metric have at least one series."""
    observer = served.prometheus
    observer.actor_restarted("site")
    observer.request_done("east", 0.01, None)
    observer.request_done("east", 1.0, "timeout")
    observer.register_written("east", "123.WMaxLimPct")
    observer.setpoint_refused("mqtt")
    observer.line_noted("/dev/ttyUSB0", "late", 1)
    served.ref.tell(cycle_result(away=("roof",)))
    served.ref.tell(Acknowledged("east", 100.0, 100.3, 2))
    wait_until(lambda: served.value("cycle_seconds_count") == 1, "the acknowledgement")


def test_every_metric_of_the_page_is_documented_and_has_a_help_text() -> None:
    with serving() as served:
        feed_everything(served)
        families = list(text_string_to_metric_families(served.page()))

    documented = set(re.findall(r"^\| `(orchestrator_\w+)", DOC.read_text(), re.MULTILINE))
    exported = {f"{family.name}_total" if family.type == "counter" else family.name for family in families}
    assert exported == documented
    assert all(len(family.documentation) > 10 for family in families)


def test_labels_are_only_those_that_are_bounded() -> None:
    with serving() as served:
        feed_everything(served)
        families = list(text_string_to_metric_families(served.page()))

    labels = {label for family in families for sample in family.samples for label in sample.labels}
    of_devices = {"inverter", "kind", "register", "reason", "line", "what"}
    assert labels == of_devices | {"site", "version", "actor", "limit", "source", "mode", "flow", "le"}


def test_what_was_passed_over_on_a_line_is_counted_by_its_name() -> None:
    with serving() as served:
        served.prometheus.line_noted("/dev/ttyUSB0", Passed.ECHO, 2)
        served.prometheus.line_noted("/dev/ttyUSB0", Passed.ECHO, 1)

        assert served.value("line_passed_over_total", line="/dev/ttyUSB0", what="echo") == 3


def test_a_cycle_is_seen_with_its_values() -> None:
    with serving() as served:
        feed_everything(served)

        assert served.value("info", site="home", version="1.2.3") == 1
        assert served.value("site_power_watts") == -500
        assert served.value("inverter_battery_soc_ratio", inverter="east") == 0.5
        assert served.value("limit_watts", limit="export", source="fixed") == 5000
        assert served.value("modbus_requests_total", inverter="east") == 2
        assert served.value("modbus_errors_total", inverter="east", kind="timeout") == 1
        assert served.value("register_writes_total", inverter="east", register="123.WMaxLimPct") == 1
        assert served.value("setpoints_rejected_total", source="mqtt") == 1
        assert served.value("actor_restarts_total", actor="site") == 1
        assert served.value("actor_up", actor="web") == 1
        assert served.value("cycle_seconds_sum") == pytest.approx(0.3)


def test_a_device_that_goes_away_has_no_series_any_more() -> None:
    with serving() as served:
        feed_everything(served)
        served.ref.tell(cycle_result(at_s=101.0, inverters=(), away=("east",)))
        wait_until(lambda: served.value("inverter_up", inverter="east") == 0, "the absence of east")
        page = served.page()

    gauges = [
        line for line in page.splitlines() if line.startswith(("orchestrator_inverter_", "orchestrator_sample_age"))
    ]
    assert [line for line in gauges if "east" in line] == ['orchestrator_inverter_up{inverter="east",site="home"} 0.0']


def test_when_no_cycle_comes_any_more_the_gauges_vanish() -> None:
    with serving() as served:
        feed_everything(served)
        served.clock.advance(9.0)
        before = served.value("site_power_watts")
        served.clock.advance(2.0)

        assert before == -500
        assert served.value("site_power_watts") is None
        assert served.value("modbus_requests_total", inverter="east") == 2


def test_what_flows_above_a_limit_is_added_up() -> None:
    limits = SetpointFields(export_limit_watts=1000.0)
    with serving() as served:
        for number in range(4):
            served.ref.tell(cycle_result(site_watts=-4600.0, at_s=100.0 + number, limits=limits))
        wait_until(lambda: served.value("limit_excess_seconds_total", limit="export") == 3, "three seconds")

        assert served.value("limit_excess_watt_hours_total", limit="export") == pytest.approx(3.0)
        assert served.value("limit_excess_seconds_total", limit="import") == 0


def test_the_energy_of_each_flow_is_added_up() -> None:
    with serving() as served:
        for number in range(4):
            served.ref.tell(cycle_result(site_watts=-1200.0, at_s=100.0 + number))
        wait_until(lambda: served.value("cycles_total", mode="normal") == 4, "four cycles")
        flows = ("import", "export", "load", "pv", "charge", "discharge")
        energy = {flow: served.value("site_energy_watt_hours_total", flow=flow) for flow in flows}

    assert energy == pytest.approx(
        {"import": 0.0, "export": 1.0, "load": 800 / 1200, "pv": 2.5, "charge": 1 / 1.2, "discharge": 0.0}
    )


def test_the_age_of_the_newest_cycle_goes_on_when_no_cycle_comes() -> None:
    with serving() as served:
        before = served.value("cycle_age_seconds")
        feed_everything(served)
        served.clock.advance(60.0)

        assert before is None
        assert served.value("cycle_age_seconds") == 60.0
        assert served.value("cycle_interval_seconds") == 1.0


def test_a_command_that_is_ignored_is_counted_from_zero() -> None:
    with serving() as served:
        feed_everything(served)
        before = served.value("command_faults_total", inverter="east", kind="ignored")
        served.ref.tell(Event("command_ignored", "east", "ac_limit shows another value than was written"))
        served.ref.tell(Event("command_refused", "east", "124.StorCtl_Mod = 3 is refused with exception 3"))
        served.ref.tell(Event("state_not_kept", "east", "the disk is full"))
        wait_until(lambda: served.value("command_faults_total", inverter="east", kind="refused") == 1, "the events")

        assert before == 0
        assert served.value("command_faults_total", inverter="east", kind="ignored") == 1


def test_an_inverter_that_left_the_site_has_no_series_any_more() -> None:
    with serving() as served:
        feed_everything(served)
        served.prometheus.actor_up("east", True)
        served.prometheus.actor_gone("east")
        served.ref.tell(cycle_result(at_s=101.0, inverters=()))
        wait_until(lambda: served.value("cycles_total", mode="normal") == 2, "the next cycle")

        assert [line for line in served.page().splitlines() if '"east"' in line] == []


def test_a_source_that_does_not_renew_its_setpoint_is_seen() -> None:
    with serving() as served:
        before = served.value("setpoint_fresh", source="mqtt")
        served.prometheus.setpoint_fresh("mqtt", False)

        assert before == 1
        assert served.value("setpoint_fresh", source="mqtt") == 0


def test_a_source_that_does_not_come_by_mqtt_is_seen_by_what_the_cycle_says_of_it() -> None:
    with serving() as served:
        served.prometheus.reconfigured(["ripple", "voltage_guard"], cycle_interval_s=1.0)
        envelope = OperatingEnvelope(fresh={"ripple": False, "voltage_guard": True, "gone": False})
        served.ref.tell(replace(cycle_result(), envelope=envelope))
        wait_until(lambda: served.value("cycles_total", mode="normal") == 1, "the cycle")

        assert served.value("setpoint_fresh", source="ripple") == 0
        assert served.value("setpoint_fresh", source="voltage_guard") == 1
        assert served.value("setpoint_fresh", source="gone") is None


def test_another_configuration_has_its_own_sources_and_interval() -> None:
    with serving() as served:
        served.prometheus.setpoint_fresh("mqtt", False)
        served.prometheus.reconfigured(["grid"], cycle_interval_s=20.0)
        served.ref.tell(cycle_result())
        wait_until(lambda: served.value("cycles_total", mode="normal") == 1, "the cycle")
        served.clock.advance(55.0)

        assert served.value("setpoint_fresh", source="grid") == 1
        assert served.value("setpoint_fresh", source="mqtt") is None
        assert served.value("setpoints_rejected_total", source="grid") == 0
        assert served.value("setpoints_rejected_total", source="mqtt") is None
        assert served.value("cycle_interval_seconds") == 20.0
        assert served.value("site_power_watts") == -500


def test_a_failing_device_and_a_crashing_actor_are_counted_from_zero() -> None:
    with serving() as served:
        served.prometheus.actor_up("site", True)
        served.prometheus.request_done("east", 0.01, None)

        assert served.value("actor_restarts_total", actor="site") == 0
        for kind in ("connection", "timeout", "refused", "nonsense", "wrong_device"):
            assert served.value("modbus_errors_total", inverter="east", kind=kind) == 0


def test_a_refused_command_has_no_cycle_time() -> None:
    with serving() as served:
        served.ref.tell(Acknowledged("east", 100.0, 101.0, 0, fault="timeout"))
        served.ref.tell(Acknowledged("east", 100.0, 100.5, 1))
        wait_until(lambda: served.value("cycle_seconds_count") == 1, "the acknowledgement")

        assert served.value("cycle_seconds_sum") == pytest.approx(0.5)


def test_two_observers_do_not_share_their_counters() -> None:
    one, other = PrometheusObserver("a", "1", ("mqtt",)), PrometheusObserver("b", "1", ("mqtt",))
    one.setpoint_refused("mqtt")
    name = "orchestrator_setpoints_rejected_total"

    assert one.registry.get_sample_value(name, {"source": "mqtt"}) == 1
    assert other.registry.get_sample_value(name, {"source": "mqtt"}) == 0


def test_a_taken_port_is_said_and_the_actor_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        prometheus = PrometheusObserver("home", "1")
        ref = started(Surroundings(RealClock(), prometheus, Inbox()), port, prometheus)
        ref.tell(cycle_result())
        wait_until(lambda: "no page and no metrics" in caplog.text, "the message about the port")
        alive = ref.is_alive()
        ref.stop()

    assert alive
    assert f"no page and no metrics: cannot listen on 127.0.0.1:{port}" in caplog.text
    assert "the plant runs on without them" in caplog.text


def test_a_port_that_becomes_free_is_taken_later(caplog: pytest.LogCaptureFixture) -> None:
    clock = ManualClock()
    prometheus = PrometheusObserver("home", "1")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", free_port()))
        taken.listen()
        port = taken.getsockname()[1]
        ref = started(Surroundings(clock, prometheus, Inbox()), port, prometheus)
        wait_until(lambda: "cannot listen" in caplog.text, "the refusal")
        wait_until(lambda: clock.next_due_s() == 1001.0, "the timers")
    clock.advance(10.0)
    wait_until(lambda: prometheus.bound_port == port, "the open port")
    ref.stop()


def test_after_a_stop_nobody_listens() -> None:
    port = free_port()
    with serving(port):
        pass

    with pytest.raises(urllib.error.URLError, match="Connection refused"):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60)


def test_promtool_finds_nothing_wrong_with_the_page_but_that_energy_is_in_watt_hours() -> None:
    promtool = require_server("promtool")
    with serving() as served:
        feed_everything(served)
        page = served.page()

    checked = subprocess.run([promtool, "check", "metrics"], input=page, text=True, capture_output=True, check=False)
    said = {line.split()[0] for line in checked.stderr.splitlines()}
    energy = {"orchestrator_limit_excess_watt_hours_total", "orchestrator_site_energy_watt_hours_total"}
    assert said <= energy, checked.stderr

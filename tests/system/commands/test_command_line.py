"""`orchestrator run` and `release` against the virtual site: how they start, what they say, how they end."""

from __future__ import annotations

import json
import re
import signal
import socket
import urllib.request
from pathlib import Path

import pytest

from orchestrator.cli.main import main
from orchestrator.config.file import load_config
from orchestrator.config.sections import SiteConfig
from orchestrator.simulation.network.faults import Fault, FaultKind
from orchestrator.simulation.server import RunningSite, serve
from tests.support.command_line import example_site, orchestrator
from tests.support.servers.brokers import mqtt_client
from tests.support.servers.required import wait_until

SHOWS_A_CYCLE = "| limits export limit 5000 W (fixed)"
RELEASED = ("east: released", "west: released", "roof: released")


def commanded(site: RunningSite) -> list[str]:
    """The inverters that are not as they are when nobody commands them."""
    return site.call(
        lambda virtual: [name for name, each in virtual.inverters.items() if each.controls != each.default_controls()]
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_the_plant_and_exits_0(tmp_path: Path, number: signal.Signals) -> None:
    site = example_site(tmp_path)
    with orchestrator(tmp_path, "run", str(site), "--demo") as running:
        running.wait_for_output(SHOWS_A_CYCLE)
        code = running.end(number)

        assert code == 0
        assert "stopping: handing the devices back" in running.err


def test_a_second_signal_does_not_wait_for_devices_that_are_silent(tmp_path: Path) -> None:
    path = example_site(tmp_path, ("name: west,", "name: west, timeout_s: 20,"))
    with serve(load_config(path)) as site, orchestrator(tmp_path, "run", str(path), "--broker") as running:
        running.wait_for_output(SHOWS_A_CYCLE)
        site.set_fault("west", Fault(FaultKind.SILENT))
        running.process.send_signal(signal.SIGINT)
        wait_until(lambda: "stopping: handing the devices back" in running.err, "the first signal")

        assert running.end(signal.SIGTERM) == 128 + signal.SIGTERM
        assert "ended by force" in running.err


def test_a_small_terminal_shows_the_whole_table(tmp_path: Path) -> None:
    site = example_site(tmp_path)
    with orchestrator(tmp_path, "run", str(site), "--demo", terminal=True) as running:
        running.wait_for_output("Ctrl-C")
        running.wait_for_output("command and reason")
        running.wait_for_output(" roof ")

        assert running.end(signal.SIGINT) == 0


def test_the_demo_tells_a_newcomer_how_to_go_on_and_each_hint_works(tmp_path: Path) -> None:
    site = example_site(tmp_path)
    broker = load_config(site).setpoints.mqtt[0]
    with orchestrator(tmp_path, "run", str(site), "--demo") as running:
        running.wait_for_output(SHOWS_A_CYCLE)
        assert main(["set", str(site), '{"opModExpLimW": 0}']) == 0
        running.wait_for_output("| limits export limit 0 W (mqtt)")
        metrics = re.search(r"http://\S+/metrics", running.out)
        assert metrics is not None
        with urllib.request.urlopen(metrics[0], timeout=60) as reply:
            assert b'orchestrator_limit_watts{limit="export",site="home",source="mqtt"} 0.0' in reply.read()
        with mqtt_client(broker.host, broker.port) as client:
            client.subscribe("site/home/#")
            assert json.loads(client.wait_for("site/home/limits").payload)["export_limit_watts"]["source"] == "mqtt"
        assert main(["set", str(site), ""]) == 0
        wait_until(lambda: running.out.splitlines()[-1].find(SHOWS_A_CYCLE) > 0, "the fixed limit")


def test_a_port_that_is_taken_is_said_and_exits_1(tmp_path: Path) -> None:
    site = example_site(tmp_path)
    taken = socket.create_server(("127.0.0.1", load_config(site).meter.port))
    with taken, orchestrator(tmp_path, "run", str(site), "--demo") as running:
        assert running.exit_code() == 1

    last = running.err.splitlines()[-1]
    assert last.startswith("the virtual site cannot start: ")
    assert "address already in use" in last


def test_a_site_with_a_real_device_is_never_simulated(tmp_path: Path) -> None:
    site = example_site(
        tmp_path, ("name: roof, driver: sunspec, host: 127.0.0.1", "name: roof, driver: sunspec, host: 10.0.0.9")
    )
    with orchestrator(tmp_path, "run", str(site), "--simulate") as running:
        assert running.exit_code() == 2

    assert "roof is at 10.0.0.9: only a site on this machine (127.0.0.1) can be simulated" in running.err


def test_a_wrong_site_exits_2(tmp_path: Path) -> None:
    site = example_site(tmp_path, ("revert_s: 60", "revert_s: 1"))
    with orchestrator(tmp_path, "run", str(site), "--demo") as running:
        assert running.exit_code() == 2

    assert "control.revert_s: must be a whole number from 10 to 3600 (got 1)" in running.err


def test_shadow_mode_shows_commands_and_writes_nothing(tmp_path: Path) -> None:
    path = example_site(tmp_path, ("control:\n", "control:\n  enabled: false\n"))
    with serve(load_config(path)) as site, orchestrator(tmp_path, "run", str(path), "--broker") as running:
        running.wait_for_output("[limit ")
        wait_until(lambda: running.out.count("shadow mode") >= 2, "a second line of shadow mode")

        assert commanded(site) == []
        assert running.end(signal.SIGTERM) == 0
        assert commanded(site) == []


def test_release_hands_back_what_a_killed_orchestrator_left(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = example_site(tmp_path)
    with serve(load_config(path)) as site:
        with orchestrator(tmp_path, "run", str(path), "--broker") as running:
            running.wait_for_output(SHOWS_A_CYCLE)
            wait_until(lambda: len(commanded(site)) == 3, "commands at every inverter")
            running.process.kill()
            running.process.wait()
        assert len(commanded(site)) == 3

        assert main(["release", str(path)]) == 0
        assert capsys.readouterr().out.splitlines() == list(RELEASED)
        assert commanded(site) == []
        assert not list((tmp_path / "state").rglob("*.json"))


def test_release_is_refused_while_the_orchestrator_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = example_site(tmp_path)
    with orchestrator(tmp_path, "run", str(path), "--demo") as running:
        running.wait_for_output(SHOWS_A_CYCLE)

        assert main(["release", str(path)]) == 2
        assert f"the orchestrator runs (process {running.process.pid})" in capsys.readouterr().err


def test_release_names_the_inverter_that_cannot_be_reached(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = example_site(tmp_path)
    config: SiteConfig = load_config(path)
    with serve(config) as site:
        site.stop_device("west")

        assert main(["release", str(path)]) == 1

    out, err = capsys.readouterr()
    assert out.splitlines() == ["east: released", "roof: released"]
    assert err.startswith(f"west: not released: 127.0.0.1:{config.inverter('west').port} refuses the connection: ")


def test_release_leaves_alone_what_is_not_controlled(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = example_site(tmp_path, ("{name: roof,", "{name: roof, control: false,"))
    with serve(load_config(path)):
        assert main(["release", str(path)]) == 0

    assert "roof: left alone (control: false)" in capsys.readouterr().out

"""Waiting for the end of a run, and what is drawn until then."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from actors.commands.run.display import LineDisplay, TableDisplay, hints, make_display
from actors.commands.run.run import require_local, wait_for_end
from actors.files.signals import Flag
from orchestrator.errors import UsageError
from tests.support.records.cycles import cycle_result, site_config

BROKER = {"host": "10.0.0.5", "port": 1884}


class Counting:
    """A display that counts how often it is drawn, and calls back."""

    def __init__(self, on_draw: threading.Event | Flag, draws: int) -> None:
        self.drawn = 0
        self._on_draw = on_draw
        self._draws = draws

    def tell(self, message: object) -> None: ...

    def start(self, hints: tuple[str, ...]) -> None: ...

    def refresh(self) -> None:
        self.drawn += 1
        if self.drawn == self._draws:
            self._on_draw.set()

    def stop(self) -> None: ...


def test_a_signal_ends_the_waiting_well() -> None:
    ended = Flag()
    display = Counting(ended, draws=2)

    assert wait_for_end(ended, threading.Event(), display)
    assert display.drawn == 2


def test_a_plant_that_cannot_go_on_ends_the_waiting_badly(caplog: pytest.LogCaptureFixture) -> None:
    failed = threading.Event()

    assert not wait_for_end(Flag(), failed, Counting(failed, draws=1))
    assert "the plant cannot go on" in caplog.text


@pytest.mark.parametrize("where", ["meter", "east"])
def test_a_site_with_a_device_by_mqtt_is_never_simulated(where: str) -> None:
    by_mqtt = {"driver": "mqtt", "host": "127.0.0.1", "topic": "a"}
    inverter = {"name": "east", **(by_mqtt if where == "east" else {"host": "127.0.0.1"})}
    config = site_config(meter=by_mqtt if where == "meter" else {"host": "127.0.0.2"}, inverters=(inverter,))

    with pytest.raises(UsageError, match=f"{where} has driver 'mqtt'"):
        require_local(config)


def test_a_site_on_a_real_serial_port_is_never_simulated(tmp_path: Path) -> None:
    port = tmp_path / "port"
    line = {"serial": {"port": str(port)}, "unit_id": 1}
    config = site_config(meter={"host": "127.0.0.2"}, inverters=({"name": "east", **line},))
    require_local(config)
    port.touch()

    with pytest.raises(UsageError, match=f"east is at {port}, which is a real port"):
        require_local(config)


def test_lines_are_printed_seldom(capsys: pytest.CaptureFixture[str]) -> None:
    display = LineDisplay(site_config())
    display.start(("stop  Ctrl-C",))
    display.refresh()
    for site_watts in (-500.0, -600.0):
        display.tell(cycle_result(site_watts))
        display.refresh()

    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "stop  Ctrl-C"
    assert len(lines) == 2
    assert "site export 500 W" in lines[1]


def test_what_is_no_cycle_is_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    display = LineDisplay(site_config())
    display.tell("an event")
    display.refresh()

    assert capsys.readouterr().out == ""


def test_without_a_terminal_lines_are_shown() -> None:
    with make_display(site_config()) as display:
        assert isinstance(display, LineDisplay)
        assert not isinstance(display, TableDisplay)


def test_hints_name_the_program_the_site_and_its_addresses() -> None:
    config = site_config(
        setpoints={"mqtt": {**BROKER, "topic": "a/set"}},
        publish={"mqtt": {**BROKER, "topic": "a"}},
        metrics={"port": 9999},
    )

    assert hints(config, "orchestrator", "my.yaml") == (
        "the page      http://127.0.0.1:9999/",
        "set a limit   orchestrator set my.yaml '{\"opModExpLimW\": 0}'",
        "withdraw it   orchestrator set my.yaml ''",
        "state         mosquitto_sub -h 10.0.0.5 -p 1884 -t 'a/#' -v",
        "metrics       http://127.0.0.1:9999/metrics",
        "stop          Ctrl-C",
    )


def test_a_site_without_mqtt_metrics_and_page_has_only_one_hint() -> None:
    config = site_config(metrics=None, page={"enabled": False})

    assert hints(config, "orchestrator", "my.yaml") == ("stop          Ctrl-C",)


def test_the_address_of_the_page_is_one_that_a_browser_can_open() -> None:
    everywhere = site_config(metrics={"host": "0.0.0.0", "certificate_file": "c", "key_file": "k"})
    without_metrics = site_config(metrics=None, page={"host": "::1", "port": 8080})

    assert hints(everywhere, "orchestrator", "my.yaml")[0] == "the page      https://127.0.0.1:9464/"
    assert hints(without_metrics, "orchestrator", "my.yaml")[0] == "the page      http://[::1]:8080/"

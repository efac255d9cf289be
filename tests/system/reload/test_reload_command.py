"""`orchestrator reload` and SIGHUP, on the example site as it runs."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from orchestrator.cli.main import main
from orchestrator.config.file import load_config
from orchestrator.simulation.server import serve
from tests.support.command_line import Running, example_site, orchestrator
from tests.support.servers.required import wait_until

SHOWS_A_CYCLE = "| limits export limit 5000 W (fixed)"


def change(path: Path, *changes: tuple[str, str]) -> None:
    """Replace texts in a site.yaml."""
    text = path.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text)


def without_roof(path: Path) -> tuple[str, str]:
    """The change that takes the third inverter out."""
    line = next(line for line in path.read_text().splitlines() if "name: roof" in line)
    return line + "\n", ""


def started(running: Running) -> None:
    running.wait_for_output(SHOWS_A_CYCLE)


def test_reload_takes_a_changed_limit_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = example_site(tmp_path)
    with orchestrator(tmp_path, "run", str(path), "--demo") as running:
        started(running)
        change(path, ("export_limit_watts: 5000", "export_limit_watts: 1234"))

        assert main(["reload", str(path)]) == 0
        assert capsys.readouterr().out == "reloaded: control, setpoints or site: changed\n"
        running.wait_for_output("| limits export limit 1234 W (fixed)")
        assert "reloaded: control, setpoints or site: changed" in running.err
        assert running.end(signal.SIGTERM) == 0


def test_a_hangup_takes_an_inverter_out_and_hands_it_back(tmp_path: Path) -> None:
    path = example_site(tmp_path)
    with serve(load_config(path)) as site, orchestrator(tmp_path, "run", str(path), "--broker") as running:
        started(running)
        change(path, without_roof(path), ("    roof: {pv_peak_watts: 8000, ac_rating_watts: 8000}\n", ""))
        running.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "reloaded: inverter roof: removed, handed back" in running.err, "the reload")

        assert site.call(lambda it: it.inverters["roof"].controls == it.inverters["roof"].default_controls())
        assert running.process.poll() is None


def test_a_wrong_file_is_refused_with_all_its_mistakes_and_the_plant_runs_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = example_site(tmp_path)
    with orchestrator(tmp_path, "run", str(path), "--demo") as running:
        started(running)
        change(path, ("revert_s: 60", "revert_s: 1"), ("export_limit_watts: 5000", "export_limit_watts: -1"))

        assert main(["reload", str(path)]) == 2
        assert capsys.readouterr().err.count(str(path)) == 2

        running.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "the plant runs on with the former one" in running.err, "the refusal")
        assert "control.revert_s: must be a whole number from 10 to 3600 (got 1)" in running.err
        assert "setpoints.fixed.export_limit_watts: must be a number from 0" in running.err
        lines = len(running.out.splitlines())
        wait_until(lambda: len(running.out.splitlines()) > lines, "another line")
        assert SHOWS_A_CYCLE in running.out.splitlines()[-1]


def test_a_real_device_is_refused_while_the_site_is_simulated(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = example_site(tmp_path)
    with orchestrator(tmp_path, "run", str(path), "--demo") as running:
        started(running)
        change(path, ("name: roof, driver: sunspec, host: 127.0.0.1", "name: roof, driver: sunspec, host: 10.0.0.9"))

        assert main(["reload", str(path)]) == 2
        assert "roof is at 10.0.0.9: only a site on this machine" in capsys.readouterr().err


def test_reload_without_a_running_orchestrator_exits_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = example_site(tmp_path)

    assert main(["reload", str(path)]) == 1
    assert capsys.readouterr().err.startswith("no orchestrator runs with control.state_dir '")


def test_a_pid_that_a_killed_process_left_behind_is_not_signalled(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = example_site(tmp_path)
    with orchestrator(tmp_path, "run", str(path), "--demo") as running:
        started(running)
        running.process.kill()
        running.process.wait()

    assert (tmp_path / "state/orchestrator.pid").read_text().splitlines()[0] == str(running.process.pid)
    assert main(["reload", str(path)]) == 1
    assert "no orchestrator runs" in capsys.readouterr().err


@pytest.mark.long
def test_a_second_orchestrator_on_the_same_state_is_refused(tmp_path: Path) -> None:
    path = example_site(tmp_path)
    (tmp_path / "second").mkdir()
    with orchestrator(tmp_path, "run", str(path), "--demo") as running:
        started(running)
        with orchestrator(tmp_path / "second", "run", str(path)) as second:
            assert second.exit_code() == 1
        assert f"another orchestrator (process {running.process.pid}) works with control.state_dir" in second.err


def test_a_second_orchestrator_with_a_state_of_its_own_is_refused_the_same_devices(tmp_path: Path) -> None:
    path = example_site(tmp_path)
    (tmp_path / "second").mkdir()
    second_path = tmp_path / "second/site.yaml"
    second_path.write_text(path.read_text().replace(str(tmp_path / "state"), "./state"))
    with orchestrator(tmp_path, "run", str(path), "--demo") as running:
        started(running)
        with orchestrator(tmp_path / "second", "run", str(second_path)) as second:
            assert second.process.wait(30) == 1
        assert f"another orchestrator (process {running.process.pid}) commands east at 127.0.0.1" in second.err


def test_a_reload_with_another_file_than_the_one_that_runs_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = example_site(tmp_path)
    other = tmp_path / "other.yaml"
    other.write_text(path.read_text())
    with orchestrator(tmp_path, "run", str(path), "--demo") as running:
        started(running)

        assert main(["reload", str(other)]) == 1
        assert f"was started with {path}, not with {other}" in capsys.readouterr().err
        assert "reloaded" not in running.err

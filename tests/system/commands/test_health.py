"""`orchestrator health` beside a running plant, and what an open port says of itself."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from orchestrator.cli.main import main
from orchestrator.config.file import load_config
from tests.support.command_line import example_site, orchestrator
from tests.support.servers.required import listening_addresses, wait_until

ASKED_EVERY_S = 1.5


def test_health_follows_the_plant(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = example_site(tmp_path)
    assert main(["health", str(path)]) == 1
    with orchestrator(tmp_path, "run", str(path), "--demo") as running:
        wait_until(lambda: main(["health", str(path)]) == 0, "health")
        assert capsys.readouterr().out.endswith("it runs and decides\n")
        running.process.send_signal(signal.SIGSTOP)
        assert main(["health", str(path)]) == 1
        running.process.send_signal(signal.SIGCONT)
        assert running.end(signal.SIGTERM) == 0


def test_health_says_which_device_is_away_and_why_and_misses_the_meter(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = example_site(tmp_path)
    with orchestrator(tmp_path, "run", str(path), "--broker") as running:
        wait_until(lambda: _said(path, capsys).count("refuses") == 4, "a try at each")
        decided = "it runs, and not everything that it needs is known\n"
        wait_until(lambda: _said(path, capsys).startswith(decided), "the first decision")

        said = _said(path, capsys)
        assert said.startswith(decided)
        assert "the meter does not answer: 127.0.0.1:" in said
        assert said.count("refuses the connection: is `port` right") == 4
        wait_until(lambda: "east] does not answer; the others take its share: 127.0.0.1:" in running.err, "the log")
        assert "the meter does not answer: 127.0.0.1:" in running.err


def _said(path: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """What `health` says, no more often than the server answers one who asks again and again."""
    time.sleep(ASKED_EVERY_S)
    assert main(["health", str(path)]) == 1
    return capsys.readouterr().err


def test_health_of_another_file_than_the_one_that_runs_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = example_site(tmp_path)
    same_state, other_state = tmp_path / "same.yaml", tmp_path / "other.yaml"
    same_state.write_text(path.read_text())
    other_state.write_text(path.read_text().replace(str(tmp_path / "state"), str(tmp_path / "elsewhere")))
    with orchestrator(tmp_path, "run", str(path), "--demo"):
        wait_until(lambda: main(["health", str(path)]) == 0, "health")
        capsys.readouterr()

        assert main(["health", str(same_state)]) == 1
        assert f"was started with {path}, not with {same_state}" in capsys.readouterr().err
        assert main(["health", str(other_state)]) == 1
        assert "the orchestrator of this file does not run: at 127.0.0.1" in capsys.readouterr().err


def test_without_metrics_health_sees_the_process(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = example_site(tmp_path)
    port = load_config(path).metrics.port  # type: ignore[union-attr]
    path.write_text(
        path.read_text().replace(f"metrics: {{host: 127.0.0.1, port: {port}}}", "metrics: null\npage: {enabled: false}")
    )
    with orchestrator(tmp_path, "run", str(path), "--demo") as running:
        wait_until(lambda: main(["health", str(path)]) == 0, "health")
        assert f"process {running.process.pid} runs" in capsys.readouterr().out
        assert running.end(signal.SIGTERM) == 0
    assert main(["health", str(path)]) == 1


@pytest.mark.long
def test_an_open_port_without_token_or_tls_is_said_loudly(tmp_path: Path) -> None:
    path = example_site(tmp_path, ("metrics: {host: 127.0.0.1", "metrics: {host: 0.0.0.0"))
    with orchestrator(tmp_path, "run", str(path), "--demo") as running:
        running.wait_for_output("limits export limit")
        assert "WARNING metrics.host: 0.0.0.0 can be read from other machines: OPEN, without a password" in running.err
        wait_until(lambda: main(["health", str(path)]) == 0, "health")
        assert running.end(signal.SIGTERM) == 0


@pytest.mark.long
def test_the_example_site_listens_on_this_machine_only(tmp_path: Path) -> None:
    path = example_site(tmp_path)
    with orchestrator(tmp_path, "run", str(path), "--demo") as running:
        running.wait_for_output("limits export limit")
        wait_until(lambda: main(["health", str(path)]) == 0, "health")
        assert listening_addresses(running.process.pid) == {"127.0.0.1"}

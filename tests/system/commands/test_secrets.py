"""No password is ever written anywhere: not in a good run, not in a failing one."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from tests.support.command_line import REPOSITORY, Running, example_site, orchestrator
from tests.support.devices.quick_cases import quick_cases
from tests.support.servers.brokers import mosquitto
from tests.support.servers.required import wait_until

IN_FILE = "s3cret-in-the-file"
IN_ENVIRONMENT = "s3cret-in-the-environment"
SECRETS = (IN_FILE, IN_ENVIRONMENT)


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROKER_PASSWORD", IN_ENVIRONMENT)


def site_with_passwords(folder: Path, *changes: tuple[str, str]) -> Path:
    """The example site, with one password in the file and one in the environment."""
    path = example_site(folder)
    text = path.read_text()
    for topic, password in (("site/home/setpoints}", f'"{IN_FILE}"'), ("site/home}", '"${BROKER_PASSWORD}"')):
        assert topic in text
        text = text.replace(topic, f"{topic[:-1]}, username: plant, password: {password}}}")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text)
    return path


def all_files(folder: Path) -> str:
    return "".join(path.read_text(errors="replace") for path in folder.rglob("*") if path.is_file())


def written(running: Running, folder: Path) -> str:
    """Everything the run has left behind, its site.yaml excepted."""
    return running.out + running.err + all_files(folder / "state")


def assert_no_secret(text: str) -> None:
    assert text
    assert [secret for secret in SECRETS if secret in text] == []


@pytest.mark.parametrize("log_format", ["human", "json"])
def test_a_run_whose_broker_refuses_the_passwords_shows_none(tmp_path: Path, log_format: str) -> None:
    with mosquitto(tmp_path, "allow_anonymous false") as broker:
        path = site_with_passwords(tmp_path)
        site = path.read_text()
        port = site.split("setpoints:", 1)[1].split("port: ", 1)[1].split(",", 1)[0]
        path.write_text(site.replace(f"port: {port}", f"port: {broker.port}"))
        arguments = ("run", str(path), "--simulate", "--log-format", log_format)
        with orchestrator(tmp_path, *arguments) as running:
            wait_until(lambda: "refuses" in running.err, "the refusal")
            path.write_text(path.read_text().replace("revert_s: 60", "revert_s: 1"))
            running.process.send_signal(signal.SIGHUP)
            wait_until(lambda: "the plant runs on with the former one" in running.err, "the refused reload")
            assert running.end(signal.SIGTERM) == 0

    assert_no_secret(written(running, tmp_path))
    if log_format == "json":
        assert all(json.loads(line)["message"] for line in running.err.splitlines())
        assert running.out == ""


@pytest.mark.parametrize(
    "change",
    [
        (f'password: "{IN_FILE}"', f"password: [{IN_FILE}]"),
        (f'password: "{IN_FILE}"', f'pasword: "{IN_FILE}"'),
        ('password: "${BROKER_PASSWORD}"', 'password: ["${BROKER_PASSWORD}"]'),
        ('password: "${BROKER_PASSWORD}"', 'pasword: "${BROKER_PASSWORD}"'),
        ("unit_id: 1", "unit_id: -1"),
    ],
    ids=["list", "typo", "variable in a list", "variable behind a typo", "another mistake"],
)
@pytest.mark.parametrize("command", quick_cases(("check", "run", "release", "reload"), ("check", "run")))
def test_a_wrong_site_shows_no_password(tmp_path: Path, change: tuple[str, str], command: str) -> None:
    path = site_with_passwords(tmp_path)
    text = path.read_text()
    assert change[0] in text
    path.write_text(text.replace(*change))
    with orchestrator(tmp_path, command, str(path)) as running:
        assert running.exit_code() == 2

    assert_no_secret(running.out + running.err)


def test_set_shows_no_password_when_nobody_answers(tmp_path: Path) -> None:
    path = site_with_passwords(tmp_path)
    with orchestrator(tmp_path, "set", str(path), "{}") as running:
        assert running.exit_code() == 1

    assert_no_secret(running.out + running.err)


def test_the_processes_are_started_with_the_environment_that_is_meant() -> None:
    assert os.environ["BROKER_PASSWORD"] == IN_ENVIRONMENT
    assert (REPOSITORY / "site.yaml").exists()

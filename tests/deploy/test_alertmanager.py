"""The worked receiver of docs/alerts.md: taken by Alertmanager, and a mail that says what to do comes of an alert."""

from __future__ import annotations

import contextlib
import email
import json
import re
import socketserver
import subprocess
import threading
import urllib.request
from collections.abc import Iterator
from email import policy
from pathlib import Path

import pytest
import yaml

from tests.support.servers.required import PATIENCE_S, free_port, require_server, wait_until

REPOSITORY = Path(__file__).parents[2]
CONFIGURATION = REPOSITORY / "deploy/prometheus/alertmanager.yml"
ALERT = {
    "labels": {"alertname": "OrchestratorMeterSilent", "severity": "critical", "instance": "home"},
    "annotations": {"summary": "The meter is silent.", "action": "Look at it.", "runbook": "docs/alerts.md"},
}


class MailServer(socketserver.ThreadingTCPServer):
    """Takes every mail, and keeps it."""

    allow_reuse_address = daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.mails: list[bytes] = []

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class _Conversation(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        server = self.server
        assert isinstance(server, MailServer)
        self.wfile.write(b"220 here\r\n")
        while line := self.rfile.readline():
            if line.upper().startswith(b"DATA"):
                self.wfile.write(b"354 go on\r\n")
                server.mails.append(b"".join(iter(self.rfile.readline, b".\r\n")))
            self.wfile.write(b"250 fine\r\n")
            if line.upper().startswith(b"QUIT"):
                return


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    with MailServer() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@contextlib.contextmanager
def alertmanager(folder: Path, mail_port: int) -> Iterator[str]:
    """A running one with our configuration, that sends to `mail_port` of this machine; its address."""
    program = require_server("prometheus-alertmanager")
    settings = yaml.safe_load(CONFIGURATION.read_text())
    settings["global"] = {
        "smtp_smarthost": f"127.0.0.1:{mail_port}",
        "smtp_from": "plant@example.com",
        "smtp_require_tls": False,
    }
    settings["route"]["routes"][0]["group_wait"] = "0s"
    (folder / "alertmanager.yml").write_text(yaml.safe_dump(settings))
    port = free_port()
    command = [program, f"--config.file={folder}/alertmanager.yml", f"--storage.path={folder}/data"]
    with (folder / "output.log").open("wb") as output:
        process = subprocess.Popen(
            [*command, f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address="],
            stdout=output,
            stderr=output,
        )
    try:
        url = f"http://127.0.0.1:{port}"
        wait_until(lambda: _answers(f"{url}/-/ready"), "Alertmanager's start")
        yield url
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except OSError:
        return False


def test_alertmanager_takes_the_configuration() -> None:
    check = subprocess.run(
        [require_server("amtool"), "check-config", str(CONFIGURATION)], check=False, capture_output=True, text=True
    )

    assert check.returncode == 0, check.stdout + check.stderr


def test_a_critical_alert_becomes_a_mail_that_says_what_to_do(mail_server: MailServer, tmp_path: Path) -> None:
    with alertmanager(tmp_path, mail_server.port) as url:
        body = json.dumps([ALERT]).encode()
        request = urllib.request.Request(f"{url}/api/v2/alerts", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=PATIENCE_S):
            wait_until(lambda: mail_server.mails, "a mail")

    mail = email.message_from_bytes(mail_server.mails[0], policy=policy.default)
    assert mail["Subject"] == "critical: The meter is silent."
    part = mail.get_body(("plain",))
    assert part is not None
    assert "What to do: Look at it." in part.get_content()


def test_the_page_names_the_file_and_its_yaml_is_a_part_of_prometheus() -> None:
    page = (REPOSITORY / "docs/alerts.md").read_text()
    (block,) = re.findall(r"```yaml\n(.+?)```", page, re.DOTALL)

    assert "deploy/prometheus/alertmanager.yml" in page
    assert list(yaml.safe_load(block)) == ["alerting"]

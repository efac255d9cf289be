"""A real Home Assistant on this machine, and a client of its API that is not ours.

`.ci/home_assistant` installs it into an environment of its own.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from tests.support.servers.brokers import Mosquitto
from tests.support.servers.required import PATIENCE_S, free_port, wait_until

FOLDER: Final = Path(__file__).parents[3] / ".home-assistant"
PYTHON: Final = FOLDER / "venv/bin/python"
INSTALLED: Final = FOLDER / "installed"
START_WITHIN_S: Final = 120.0
CONFIGURATION: Final = """
homeassistant:
  name: Test
  time_zone: UTC
  unit_system: metric
  country: DE
http:
  server_host: 127.0.0.1
  server_port: {port}
frontend:
history:
energy:
"""
ASKED_ALREADY: Final = {
    "version": 4,
    "key": "onboarding",
    "data": {"done": ["core_config", "analytics", "integration"]},
}
"""Steps of its first start that set up what asks the internet."""
WEBSOCKET: Final = """
import asyncio, json, sys
import aiohttp

async def ask(url, token, command):
    async with aiohttp.ClientSession() as session, session.ws_connect(url, max_msg_size=0) as socket:
        await socket.receive_json()
        await socket.send_json({"type": "auth", "access_token": token})
        await socket.receive_json()
        await socket.send_json({"id": 1, **command})
        while (answer := await socket.receive_json()).get("type") != "result":
            pass
        print(json.dumps(answer))

asyncio.run(ask(sys.argv[1], sys.argv[2], json.loads(sys.argv[3])))
"""


def require_home_assistant() -> None:
    """Skip where it is not installed; with ORCHESTRATOR_REQUIRE_SERVERS=1 fail."""
    if INSTALLED.exists():
        return
    reason = "Home Assistant is not installed: .ci/home_assistant does it"
    if os.environ.get("ORCHESTRATOR_REQUIRE_SERVERS") == "1":
        pytest.fail(f"{reason}, and ORCHESTRATOR_REQUIRE_SERVERS=1 wants it")
    pytest.skip(reason)


class HomeAssistant:
    """It runs in `folder`, has one user, and is connected to a broker by its own dialogue."""

    def __init__(self, folder: Path) -> None:
        require_home_assistant()
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.token = ""
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "configuration.yaml").write_text(CONFIGURATION.format(port=self.port))
        (folder / ".storage").mkdir(exist_ok=True)
        (folder / ".storage/onboarding").write_text(json.dumps(ASKED_ALREADY))

    def start(self) -> None:
        """Return when it answers and has its user."""
        command = [PYTHON, "-m", "homeassistant", "--config", self.folder, "--skip-pip"]
        output = (self.folder / "output.log").open("ab")
        self._process = subprocess.Popen(command, stdout=output, stderr=output, cwd=self.folder)
        output.close()
        wait_until(self._answers, "Home Assistant's start", START_WITHIN_S)

    def onboard(self) -> None:
        """Make the first user, as its first page does, and get a token."""
        client = f"{self.url}/"
        user = {"client_id": client, "name": "Test", "username": "test", "password": "test-test", "language": "en"}
        code = self._post("/api/onboarding/users", user)["auth_code"]
        self.token = self._token({"grant_type": "authorization_code", "code": code, "client_id": client})

    def connect(self, broker: Mosquitto) -> None:
        """Set up its MQTT integration, as its settings page does."""
        flow = self._post("/api/config/config_entries/flow", {"handler": "mqtt", "show_advanced_options": False})
        answer = self._post(
            f"/api/config/config_entries/flow/{flow['flow_id']}", {"broker": broker.host, "port": broker.port}
        )
        assert answer["type"] == "create_entry", answer

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(PATIENCE_S)
            self._process = None

    def states(self) -> dict[str, dict[str, Any]]:
        """Every entity as it is now, by its id."""
        return {state["entity_id"]: state for state in self._get("/api/states")}

    def state(self, entity: str) -> str | None:
        """The state of an entity; None where there is none."""
        found = self.states().get(entity)
        return None if found is None else str(found["state"])

    def number(self, entity: str) -> float | None:
        """The same as a number; None where it shows none."""
        try:
            return float(self.state(entity) or "")
        except ValueError:
            return None

    def call(self, service: str, entity: str, **data: object) -> None:
        """Do what a tap on an entity does, such as `number/set_value`."""
        self._post(f"/api/services/{service}", {"entity_id": entity, **data})

    def ask(self, **command: object) -> Any:
        """The result of a command by its WebSocket."""
        url = f"ws://127.0.0.1:{self.port}/api/websocket"
        call = [PYTHON, "-c", WEBSOCKET, url, self.token, json.dumps(command)]
        answer = json.loads(subprocess.run(call, check=True, capture_output=True, timeout=PATIENCE_S).stdout)
        assert answer["success"], answer
        return answer["result"]

    def add_an_hour(self, entity: str) -> None:
        """Give an energy sensor its first hour of statistics: by itself it would take five minutes to have any."""
        metadata = {"has_mean": False, "has_sum": True, "name": None, "source": "recorder", "statistic_id": entity}
        hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
        stats = [{"start": hour.isoformat(), "state": 0, "sum": 0}]
        self.ask(type="recorder/import_statistics", metadata={**metadata, "unit_of_measurement": "Wh"}, stats=stats)

    def troubles(self) -> list[str]:
        """The warnings and errors of its log."""
        text = (self.folder / "home-assistant.log").read_text()
        return [line for line in text.splitlines() if re.search(r" (WARNING|ERROR|CRITICAL) ", line)]

    def _answers(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            pytest.fail(f"Home Assistant ended: {(self.folder / 'output.log').read_text()[-2000:]}")
        try:  # the first only exists until there is a user
            self._get("/api/states" if self.token else "/api/onboarding")
        except OSError:
            return False
        return True

    def _token(self, form: dict[str, str]) -> str:
        request = urllib.request.Request(f"{self.url}/auth/token", urllib.parse.urlencode(form).encode())
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return str(json.load(answer)["access_token"])

    def _get(self, path: str) -> Any:
        return self._ask(urllib.request.Request(self.url + path))

    def _post(self, path: str, body: object) -> Any:
        return self._ask(urllib.request.Request(self.url + path, json.dumps(body).encode()))

    def _ask(self, request: urllib.request.Request) -> Any:
        request.add_header("Content-Type", "application/json")
        if self.token:
            request.add_header("Authorization", f"Bearer {self.token}")
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return json.load(answer)


@contextlib.contextmanager
def home_assistant(folder: Path, broker: Mosquitto) -> Iterator[HomeAssistant]:
    """A running one that is connected to `broker`."""
    server = HomeAssistant(folder)
    try:
        server.start()
        server.onboard()
        server.connect(broker)
        yield server
    finally:
        server.stop()

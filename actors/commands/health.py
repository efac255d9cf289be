"""`orchestrator health`: whether the orchestrator of a site.yaml runs and decides, as seen from outside."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final

from actors.files.process import Running, may_be_hidden, running
from orchestrator.config.sections import MetricsSection, SiteConfig
from orchestrator.errors import OrchestratorError
from orchestrator.telemetry.api.endpoints import HEALTH_PATH, JSON
from orchestrator.telemetry.health import Health, judge

TIMEOUT_S: Final = 3.0
MOST_BYTES: Final = 1_000_000


class Unhealthy(OrchestratorError):
    """It does not run, or it is another one that runs."""


def look(config: SiteConfig, site_file: str) -> Health:
    """How the plant of `site_file` is. Raises Unhealthy, and OtherSite.

    It asks the HTTP server. Without one it can only see that the process runs.
    """
    state_dir = Path(config.control.state_dir)
    ours = running(state_dir)
    if ours is not None:
        ours.require(site_file)
    server = config.server
    if server is not None:
        return _judged(_ask(server), server, ours, may_be_hidden(state_dir))
    if ours is None:
        raise Unhealthy(f"no orchestrator runs with control.state_dir {config.control.state_dir!r}")
    return Health(True, (f"process {ours.pid} runs; whether it decides cannot be seen without page and metrics",))


def _judged(said: Mapping[str, Any], metrics: MetricsSection, ours: Running | None, hidden: bool) -> Health:
    """`hidden`: whose it is cannot be seen, because another user keeps the state. `said` is empty without details."""
    if not said:
        return Health(True, ("it runs and decides; more is told on its own machine, or with metrics.token",))
    is_another = (ours is None and not hidden) or (ours is not None and ours.token != said.get("token"))
    if is_another:
        raise Unhealthy(
            f"the orchestrator of this file does not run: at {metrics.host}:{metrics.port} another one answers, "
            f"of the site {said.get('site')!r}"
        )
    return judge(said)


def _ask(metrics: MetricsSection) -> Mapping[str, Any]:
    """What it says of itself, empty where it says no more than that it decides. Raises Unhealthy."""
    host = _reachable(metrics.host)
    connection = _connection(metrics, host)
    token = {"Authorization": f"Bearer {metrics.token.get_secret_value()}"} if metrics.token else {}
    try:
        connection.request("GET", HEALTH_PATH, headers={"Accept": JSON, **token})
        response = connection.getresponse()
        status, content = response.status, response.read(MOST_BYTES)
    except (OSError, http.client.HTTPException) as trouble:
        raise Unhealthy(f"nobody answers at {host}:{metrics.port} ({trouble})") from trouble
    finally:
        connection.close()
    said = _object(content)
    if status != http.client.OK:
        raise Unhealthy(f"it runs, and no cycle was decided lately (status {status})")
    return said


def _object(content: bytes) -> Mapping[str, Any]:
    try:
        said = json.loads(content)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _connection(metrics: MetricsSection, host: str) -> http.client.HTTPConnection:
    if metrics.certificate_file is None:
        return http.client.HTTPConnection(host, metrics.port, timeout=TIMEOUT_S)
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # nothing secret is sent, to this machine
    return http.client.HTTPSConnection(host, metrics.port, timeout=TIMEOUT_S, context=context)


def _reachable(host: str) -> str:
    """Where to ask one that listens everywhere."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if not address.is_unspecified:
        return host
    return "127.0.0.1" if address.version == 4 else "::1"

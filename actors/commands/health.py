"""`orchestrator health`: whether the orchestrator of a site.yaml runs and decides, as seen from outside."""

from __future__ import annotations

import http.client
import ssl
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from actors.files.process import running_pid
from actors.wire.http_server import HEALTH_PATH
from orchestrator.config.sections import MetricsSection, SiteConfig
from orchestrator.errors import OrchestratorError

TIMEOUT_S: Final = 3.0


class Unhealthy(OrchestratorError):
    """It does not run, or it runs and does not decide."""


def look(config: SiteConfig) -> str:
    """A line that says that all is well. Raises Unhealthy.

    It asks at the metrics' port. Without metrics it can only see that the process runs.
    """
    if config.metrics is not None:
        return _ask(config.metrics)
    pid = running_pid(Path(config.control.state_dir))
    if pid is None:
        raise Unhealthy(f"no orchestrator runs with control.state_dir {config.control.state_dir!r}")
    return f"process {pid} runs; whether it decides cannot be seen without metrics"


def _ask(metrics: MetricsSection) -> str:
    host = _reachable(metrics.host)
    connection = _connection(metrics, host)
    try:
        connection.request("GET", HEALTH_PATH)
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as trouble:
        raise Unhealthy(f"nobody answers at {host}:{metrics.port} ({trouble})") from trouble
    finally:
        connection.close()
    if status != http.client.OK:
        raise Unhealthy(f"it runs, and no cycle was decided lately (status {status})")
    return "it runs and decides"


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

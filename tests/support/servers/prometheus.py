"""A real Prometheus on loopback, with the configuration of deploy/ but a quicker clock and another target."""

from __future__ import annotations

import contextlib
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import yaml

from tests.support.servers.required import free_port, require_server, wait_until

DEPLOYED = Path(__file__).parents[3] / "deploy/prometheus"


@contextlib.contextmanager
def prometheus(folder: Path, target: str) -> Iterator[str]:
    """Prometheus reads `target` (host:port) and evaluates the deployed rules every second; yields its URL."""
    program = require_server("prometheus")
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    arguments = [f"--config.file={_configuration(folder, target)}", f"--storage.tsdb.path={folder / 'data'}"]
    arguments += [f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn"]
    with (folder / "prometheus.log").open("w") as log, subprocess.Popen([program, *arguments], stderr=log) as process:
        try:
            wait_until(lambda: _is_ready(url), "a ready Prometheus")
            yield url
        finally:
            process.kill()


def _configuration(folder: Path, target: str) -> Path:
    configuration = yaml.safe_load((DEPLOYED / "prometheus.yml").read_text())
    configuration["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    configuration["rule_files"] = [str(DEPLOYED / pattern) for pattern in configuration["rule_files"]]
    configuration["scrape_configs"][0]["static_configs"] = [{"targets": [target]}]
    path = folder / "prometheus.yml"
    path.write_text(yaml.safe_dump(configuration))
    return path


def _is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/-/ready", timeout=10) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False

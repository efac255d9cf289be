"""What this machine knows that saves a question: its own network, its time zone, and what a meter shows now."""

from __future__ import annotations

import ipaddress
import os
import socket
from pathlib import Path
from typing import Final

from actors.clock import RealClock
from actors.commands.commission.grid_meter import grid_meter
from actors.link import LinkNeeds, LinkPool
from actors.observer import NoObserver
from orchestrator.commissioning.drafts.answers import timezone
from orchestrator.commissioning.scan_report import FoundDevice
from orchestrator.commissioning.scan_targets import LineEndpoint
from orchestrator.config.sections import MeterConfig
from orchestrator.errors import UsageError

USUAL_NETWORK: Final = "192.168.1.0/24"
_NOWHERE: Final = ("192.0.2.1", 9)
"""An address of documentation. Nothing is sent there: a UDP socket only learns which of our addresses it would use."""
_ZONES: Final = "/zoneinfo/"


def own_network() -> str:
    """The 256 addresses around our own, as NETWORK/24; the most usual network where we have none."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(_NOWHERE)
            own = ipaddress.ip_interface(f"{probe.getsockname()[0]}/24")
    except OSError:
        return USUAL_NETWORK
    return USUAL_NETWORK if own.ip.is_loopback or own.ip.is_unspecified else str(own.network)


def own_timezone(localtime: Path = Path("/etc/localtime")) -> str:
    """The time zone of this machine, UTC where it does not say one."""
    said = os.environ.get("TZ", "").removeprefix(":") or os.path.realpath(localtime).rpartition(_ZONES)[2]
    try:
        return timezone(said)
    except UsageError:
        return "UTC"


def meter_watts(device: FoundDevice) -> float | None:
    """What a meter shows now in W, in its own sign; None where it cannot be read."""
    config = _config(device)
    links = LinkPool(RealClock(), NoObserver())
    links.expect(config.way, LinkNeeds(config.timeout_s, config.min_gap_s))
    meter = grid_meter(config, links, RealClock())
    try:
        return meter.site_watts()
    finally:
        meter.close()
        links.close()


def _config(device: FoundDevice) -> MeterConfig:
    section: dict[str, object] = {"driver": device.driver, "unit_id": device.unit_id, "sign": "import_positive"}
    if isinstance(device.endpoint, LineEndpoint):
        way = device.endpoint.way
        line = {"port": way.port, "baud_rate": way.baud_rate, "parity": way.parity, "stop_bits": way.stop_bits}
        return MeterConfig.model_validate({**section, "serial": line})
    return MeterConfig.model_validate({**section, "host": device.endpoint.host, "port": device.endpoint.port})

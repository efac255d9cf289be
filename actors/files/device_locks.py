"""One orchestrator commands a device, whatever folder it keeps its state in: a lock for each address and unit.

The lock is a name in the kernel's table of local sockets ("abstract" names, of Linux only): it needs no folder that
every user may write to, it is the same for a service with a /tmp of its own, and it ends with the process. Containers
with a network of their own do not see each other's. Elsewhere than on Linux there are no such locks.
"""

from __future__ import annotations

import os
import socket
import struct
import sys
from collections.abc import Iterable
from typing import Final

from orchestrator.config.sections import AnyInverterConfig, InverterConfig, MqttInverterConfig, SiteConfig
from orchestrator.errors import OrchestratorError

PREFIX: Final = "\0orchestrator.device/"
HAS_LOCKS: Final = sys.platform == "linux"
_CREDENTIALS: Final = struct.Struct("iII")


class DeviceTaken(OrchestratorError):
    """Another orchestrator commands the same device."""


def commanded(config: SiteConfig) -> dict[str, str]:
    """The places of all devices that `config` lets us write to, with the names of their inverters."""
    if not config.control.enabled:
        return {}
    sites = {each.name for each in config.sites}  # two portfolios of one site are told by its answers
    return {_place(each): each.name for each in config.inverters if each.control and each.name not in sites}


class DeviceLocks:
    """The devices that this process commands. `hold` and `release` are for one thread."""

    def __init__(self) -> None:
        self._held: dict[str, socket.socket] = {}

    def hold(self, config: SiteConfig) -> None:
        """Lock every device of `config` that is written to. Raises DeviceTaken, and then holds what it held before."""
        new: dict[str, socket.socket] = {}
        try:
            for place, name in commanded(config).items():
                if place not in self._held and HAS_LOCKS:
                    new[place] = _lock(place, name)
        except DeviceTaken:
            _close(new.values())
            raise
        self._held |= new

    def hold_only(self, config: SiteConfig) -> None:
        """Let go of what `config` does not write to."""
        wanted = commanded(config)
        gone = [place for place in self._held if place not in wanted]
        _close(self._held.pop(place) for place in gone)

    def release(self) -> None:
        """Let go of all."""
        _close(self._held.values())
        self._held.clear()


def _place(inverter: AnyInverterConfig) -> str:
    if isinstance(inverter, InverterConfig) and inverter.line is not None:
        return f"{os.path.realpath(inverter.line.port)}/{inverter.unit_id}"  # a port has several names
    host = (inverter.host or "").lower()
    host = "127.0.0.1" if host == "localhost" else host
    unit = inverter.topic if isinstance(inverter, MqttInverterConfig) else str(inverter.unit_id)
    return f"{host}:{inverter.port}/{unit}"


def _lock(place: str, name: str) -> socket.socket:
    holder = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        holder.bind(_address(place))
        holder.listen(8)
    except OSError as trouble:
        holder.close()
        who = _holder(place)
        raise DeviceTaken(
            f"another orchestrator{who} commands {name} at {place}; two of them would work against each other "
            "(control: false, or control.enabled: false, only reads it)"
        ) from trouble
    return holder


def _address(place: str) -> bytes:
    """A name in the kernel's table; it is at most 107 bytes long."""
    return f"{PREFIX}{place}".encode()[:107]


def _holder(place: str) -> str:
    """` (process 123)`, empty where that cannot be found out."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        asking.settimeout(0.5)
        try:
            asking.connect(_address(place))
            credentials = asking.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        except OSError:
            return ""
        pid = _CREDENTIALS.unpack(credentials)[0]
        return f" (process {pid})" if pid else ""


def _close(sockets: Iterable[socket.socket]) -> None:
    for each in sockets:
        each.close()

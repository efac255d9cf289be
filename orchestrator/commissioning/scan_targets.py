"""What `orchestrator scan` looks at: addresses, ports and units, out of what was typed."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Final

from orchestrator.errors import UsageError

PORTS: Final = (502, 1502)
"""The port of the standard, and that of SolarEdge and Kostal."""
UNITS: Final = (1, 2, 3, 17, 71, 85, 100, 126, 200, 201, 202, 203, 204, 240, 247)
"""Inverters (3, 126 SMA, 17 GivEnergy, 71 Kostal, 85 AlphaESS, 100 Victron, 247 GoodWe), and the meters of Fronius."""
ADDRESSES_MAX: Final = 65536
LARGE_FROM: Final = 1024
"""A network with more addresses than this (a /22) is scanned only when it is really meant."""

_HOST: Final = re.compile(r"[A-Za-z0-9_.-]+|[0-9A-Fa-f.:]+(?:%[A-Za-z0-9_.-]+)?")
_NUMBERS: Final = re.compile(r"([0-9]{1,9})(?:-([0-9]{1,9}))?")
PORT_RANGE: Final = range(1, 65536)
UNIT_RANGE: Final = range(256)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One host and port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def endpoints(target: str, ports: tuple[int, ...]) -> tuple[Endpoint, ...]:
    """Every host and port of `target`: HOST, HOST:PORT (then `ports` do not matter) or NETWORK/BITS.

    Raises UsageError for anything else, and for a network of more than 65536 addresses.
    """
    if "/" in target:
        return tuple(Endpoint(host, port) for host in _hosts(target) for port in ports)
    host, port = split_host(target)
    return tuple(Endpoint(host, each) for each in ((port,) if port else ports))


def addresses(target: str) -> int:
    """How many addresses `target` has: 1 for a host. Raises UsageError."""
    return _network(target).num_addresses if "/" in target else 1


def split_host(target: str) -> tuple[str, int | None]:
    """HOST, HOST:PORT, an IPv6 address, or [IPv6]:PORT, as host and port (None: not given). Raises UsageError."""
    if target.startswith("["):
        host, bracket, rest = target[1:].partition("]")
        rest = rest if bracket else "]"
    elif target.count(":") > 1:  # an IPv6 address without a port
        host, rest = target, ""
    else:
        host, colon, port = target.partition(":")
        rest = colon + port
    if _HOST.fullmatch(host) is None or (rest and not rest.startswith(":")):
        raise UsageError(f"{target!r} is no host: say HOST, HOST:PORT or NETWORK/BITS, such as 192.168.1.0/24")
    return host, _port(target, rest[1:]) if rest else None


def numbers(text: str, allowed: range, what: str) -> tuple[int, ...]:
    """Numbers and ranges such as `1,2,200-204`, in this order, each once. Raises UsageError."""
    found: dict[int, None] = {}
    for part in text.split(","):
        typed = _NUMBERS.fullmatch(part.strip())
        if typed is None:
            raise UsageError(f"{part.strip()!r} is no {what}: say numbers such as 1,2,200-204")
        low, high = int(typed[1]), int(typed[2] or typed[1])
        if low not in allowed or high not in allowed or low > high:
            raise UsageError(f"{part.strip()!r} is no {what}: they go from {allowed[0]} to {allowed[-1]}")
        found.update(dict.fromkeys(range(low, high + 1)))
    return tuple(found)


def _hosts(target: str) -> list[str]:
    network = _network(target)
    if network.num_addresses > ADDRESSES_MAX:
        raise UsageError(f"{target} has {network.num_addresses} addresses; scan a smaller network")
    return [str(address) for address in network.hosts()]


def _network(target: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        return ipaddress.ip_network(target, strict=False)
    except ValueError:
        raise UsageError(f"{target!r} is no network: say it such as 192.168.1.0/24") from None


def _port(target: str, text: str) -> int:
    if not text.isdecimal() or int(text) not in PORT_RANGE:
        raise UsageError(f"{target!r}: the port must be a number from 1 to 65535")
    return int(text)

"""Virtual sites for tests: configurations in one line each, and a client that speaks raw Modbus."""

from __future__ import annotations

import socket
import struct
from typing import Any

from orchestrator.config.sections import SiteConfig
from orchestrator.config.simulation import BatterySimulation, InverterSimulation

BATTERY = BatterySimulation(capacity_wh=10000, charge_watts=5000, discharge_watts=4000, soc_percent=50)
HYBRID = InverterSimulation(pv_peak_watts=6000, ac_rating_watts=5000, battery=BATTERY)
PV_ONLY = InverterSimulation(pv_peak_watts=8000, ac_rating_watts=8000)
BATTERY_ONLY = InverterSimulation(ac_rating_watts=5000, battery=BATTERY)


def site_config(inverters: dict[str, InverterSimulation] | None = None, **simulation: Any) -> SiteConfig:
    """A site of these inverters (east, west and roof where none are given), each on a port of its own.

    `simulation` takes the other keys of that section. The ports are placeholders: serve it with `new_port`.
    """
    simulated = inverters or {"east": HYBRID, "west": HYBRID, "roof": PV_ONLY}
    sections = {
        "site": {"name": "test"},
        "meter": {"host": "127.0.0.1", "port": 5020, "unit_id": 200},
        "inverters": [
            {"name": name, "host": "127.0.0.1", "port": 5021 + index, "unit_id": 1}
            for index, name in enumerate(simulated)
        ],
        "control": {"battery_power_flow": True},
        "simulation": {"inverters": simulated, **simulation},
    }
    return SiteConfig.model_validate(sections)


class RawClient:
    """One TCP connection that sends and receives whole Modbus frames, right or wrong ones."""

    def __init__(self, port: int, timeout_s: float = 60.0) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout_s)
        self._transaction = 0

    def __enter__(self) -> RawClient:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def wait_at_most(self, timeout_s: float) -> None:
        """How long a reply is waited for; without one in time `TimeoutError` is raised."""
        self._socket.settimeout(timeout_s)

    def send(self, pdu: bytes, unit: int = 1) -> int:
        """Send a request without waiting; the number of its transaction."""
        self._transaction += 1
        self.send_bytes(struct.pack(">HHHB", self._transaction, 0, len(pdu) + 1, unit) + pdu)
        return self._transaction

    def send_bytes(self, data: bytes) -> None:
        """Send bytes as they are."""
        self._socket.sendall(data)

    def receive(self) -> tuple[int, int, bytes]:
        """The next reply: transaction, unit, PDU. Raises ConnectionError where the connection has ended."""
        transaction, _, length, unit = struct.unpack(">HHHB", self.receive_bytes(7))
        return transaction, unit, self.receive_bytes(length - 1)

    def receive_bytes(self, count: int) -> bytes:
        """So many bytes. Raises ConnectionError where the connection has ended."""
        data = b""
        while len(data) < count:
            part = self._socket.recv(count - len(data))
            if not part:
                raise ConnectionError("closed by the peer")
            data += part
        return data

    def ask(self, pdu: bytes, unit: int = 1) -> bytes:
        """Send a request and return the PDU of its reply, which must be a reply to this request."""
        transaction = self.send(pdu, unit)
        answered, answering, reply = self.receive()
        assert (transaction, unit) == (answered, answering)
        return reply

    def read(self, address: int, count: int, unit: int = 1) -> tuple[int, ...]:
        """Words from `address`; the reply must not be an exception."""
        reply = self.ask(struct.pack(">BHH", 3, address, count), unit)
        assert reply[:2] == bytes([3, 2 * count]), f"refused: {reply!r}"
        return struct.unpack(f">{count}H", reply[2:])

    def write(self, address: int, *words: int, unit: int = 1) -> bytes:
        """Write words from `address` with FC16; the PDU of the reply, which may be an exception."""
        head = struct.pack(">BHHB", 16, address, len(words), 2 * len(words))
        return self.ask(head + struct.pack(f">{len(words)}H", *words), unit)

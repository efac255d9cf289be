"""The virtual site on the network: one Modbus TCP server per host and port, a pseudo-terminal per serial line, and one
thread for all of them.

The only module of the simulation with a thread, sockets and a clock, beside `network.served_line`. Physics moves on by
the time that really passes.

    with serve(config) as running:
        running.stop_device("east")
        running.call(lambda site: site.set_load(3000))
"""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Callable, Coroutine, Mapping
from ipaddress import ip_address
from types import TracebackType
from typing import Any, Self, TypeVar, cast

from orchestrator.config.sections import AnyDeviceConfig, MeterConfig, SiteConfig, SumMeterConfig
from orchestrator.devices.link.ways import SerialWay, Way
from orchestrator.simulation.devices.plain.map import PlainDevice
from orchestrator.simulation.devices.sunspec.register_map import Device, Registers
from orchestrator.simulation.network.faults import Fault, FaultKind, Reply
from orchestrator.simulation.network.line import LineTroubles
from orchestrator.simulation.network.modbus import NotModbus, take_request
from orchestrator.simulation.network.served_line import ServedLine
from orchestrator.simulation.network.unit import Unit, no_such_unit
from orchestrator.simulation.site import METER, VirtualSite

TICK_S = 0.05
STOP_WITHIN_S = 5.0
TURNS_TO_ACCEPT = 3
"""Turns of the loop from an accepted socket to `connection_made`."""
ResultT = TypeVar("ResultT")


def serve(config: SiteConfig, *, new_port: Callable[[], int] | None = None) -> RunningSite:
    """Start the virtual site of `config` and serve every device of it at its host, port and unit.

    With `new_port` each port is one that it gives, 0 for any; `RunningSite.config` says which. Raises OSError where one
    is taken, ValueError where there is nothing to simulate or a host is not this machine.
    """
    running = RunningSite(config, new_port)
    running.start()
    return running


class RunningSite:
    """A virtual site that is being served. Its methods may be called from any thread but its own.

    A device that is stopped, silent or frozen goes on working as a plant: only the way to it is lost.
    """

    def __init__(self, config: SiteConfig, new_port: Callable[[], int] | None = None) -> None:
        self.config = config
        self._site = VirtualSite(config)
        self._units = _make_units(self._site)
        self._ports = _group_by_port(config, self._units, new_port)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="virtual-site", daemon=True)
        self._advanced_to_s = 0.0

    def start(self) -> None:
        """Open the ports and let time pass. Raises OSError where a port is taken; then nothing is left running."""
        self._thread.start()
        try:
            self._await(self._open())
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Close every port and end the thread. Harmless when it is stopped already."""
        if self._loop.is_closed():
            return
        self._await(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(STOP_WITHIN_S)
        self._loop.close()

    def call(self, function: Callable[[VirtualSite], ResultT]) -> ResultT:
        """Run `function` on the site between two steps of its physics, and return what it returns."""

        async def run() -> ResultT:
            self._advance()
            return function(self._site)

        return self._await(run())

    def replace_device(self, name: str, make: Callable[[Device], Device]) -> None:
        """Serve what `make` makes of a device in its place, from now on: another behaviour over the same plant."""

        def replace(site: VirtualSite) -> None:
            site.devices[name] = self._units[name].device = make(site.devices[name])

        self.call(replace)

    def stop_device(self, name: str) -> None:
        """Take a device off the network: its port is closed once no unit behind it is left."""
        self._await(self._set_running(name, running=False))

    def start_device(self, name: str) -> None:
        """Bring a stopped device back at its old address."""
        self._await(self._set_running(name, running=True))

    def set_fault(self, name: str, fault: Fault | None) -> None:
        """Make a fault of a device (METER is the meter); None heals it."""
        self.call(lambda _site: self._units[name].set_fault(fault))

    def line(self, port: str) -> ServedLine:
        """The serial line at `port`. Raises KeyError where there is none."""
        return {each.way.port: each for each in self._ports if isinstance(each, ServedLine)}[port]

    def set_line_troubles(self, port: str, troubles: LineTroubles) -> None:
        """From now on this is wrong with the serial line at `port`."""
        line = self.line(port).line
        self.call(lambda _site: setattr(line, "troubles", troubles))

    def pull(self, port: str) -> None:
        """Pull the adapter of a serial line out."""
        self._await(self.line(port).close())

    def plug(self, port: str) -> None:
        """Plug it in again."""
        self._await(self.line(port).open(self._now_s))

    def freeze(self, name: str) -> None:
        """Let a device answer every read with the same words from now on, until `set_fault(name, None)`."""
        self.set_fault(name, Fault(FaultKind.FROZEN))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _await(self, work: Coroutine[Any, Any, ResultT]) -> ResultT:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _open(self) -> None:
        for port in self._ports:
            await port.open(self._now_s)
        self.config = _with_ports(self.config, self._ports)
        self._advanced_to_s = self._loop.time()
        self._tick()

    async def _close(self) -> None:
        for port in self._ports:
            await port.close()
        await asyncio.sleep(0)  # the aborted connections end in the next turn of the loop

    async def _set_running(self, name: str, *, running: bool) -> None:
        unit = self._units[name]
        port = next(port for port in self._ports if unit in port.units.values())
        unit.running = running
        if isinstance(port, ServedLine):
            return  # a line is there without devices
        if not any(other.running for other in port.units.values()):
            await port.close()
        elif not port.is_open:
            await port.open(self._now_s)

    def _now_s(self) -> float:
        return self._site.now_s

    def _tick(self) -> None:
        self._advance()
        self._loop.call_later(TICK_S, self._tick)

    def _advance(self) -> None:
        now_s = self._loop.time()
        self._site.advance(now_s - self._advanced_to_s)
        self._advanced_to_s = now_s


class ServedPort:
    """One listening port and the units behind it. A port number of 0 is replaced by the one the system chose."""

    def __init__(self, host: str, config_port: int, *, bind_port: int) -> None:
        self.host = host
        self.config_port = config_port
        self.bind_port = bind_port
        self.units: dict[int, Unit] = {}
        self.transports: set[asyncio.Transport] = set()
        self._server: asyncio.Server | None = None

    @property
    def is_open(self) -> bool:
        return self._server is not None

    async def open(self, now_s: Callable[[], float]) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self, now_s), self.host, self.bind_port)
        self.bind_port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        if self._server is not None:
            await self._finish_accepting(self._server)
            self._server.close()
            self._server = None
        for transport in tuple(self.transports):
            transport.abort()

    async def _finish_accepting(self, server: asyncio.Server) -> None:
        """Take no more connections, and let those that are half made become known.

        A connection that is being accepted while its server closes would be lost by asyncio and stay open, unserved.
        """
        for listening in server.sockets:
            asyncio.get_running_loop().remove_reader(listening.fileno())
        for _ in range(TURNS_TO_ACCEPT):
            await asyncio.sleep(0)


class _Connection(asyncio.Protocol):
    """One client. Replies leave in the order of their delays, each with the transaction of its own request."""

    def __init__(self, port: ServedPort, now_s: Callable[[], float]) -> None:
        self._port = port
        self._now_s = now_s
        self._buffer = bytearray()
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._port.transports.add(self._transport)

    def connection_lost(self, _exc: Exception | None) -> None:
        self._port.transports.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        try:
            while (request := take_request(self._buffer)) is not None:
                unit = self._port.units.get(request.unit)
                self._send(no_such_unit(request) if unit is None else unit.reply(request, self._now_s()))
        except NotModbus:
            self._transport.abort()

    def _send(self, reply: Reply) -> None:
        if reply.delay_s > 0:
            asyncio.get_running_loop().call_later(reply.delay_s, self._put, reply)
        else:
            self._put(reply)

    def _put(self, reply: Reply) -> None:
        if self._transport.is_closing():
            return
        self._transport.write(reply.data)
        if reply.resets:
            _reset(self._transport)


def _reset(transport: asyncio.Transport) -> None:
    """End the connection with a TCP reset in place of an orderly end."""
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


def _make_units(site: VirtualSite) -> dict[str, Unit]:
    latencies = {name: inverter.settings.latency_s for name, inverter in site.inverters.items()}
    latencies[METER] = site.simulation.meter.latency_s
    return {name: Unit(name, device, latencies[name]) for name, device in site.devices.items()}


def _group_by_port(
    config: SiteConfig, units: dict[str, Unit], new_port: Callable[[], int] | None
) -> list[ServedPort | ServedLine]:
    """One port for every host:port, one line for every serial port; several units may share it.

    Raises ValueError for an address used twice.
    """
    ports: dict[Way, ServedPort | ServedLine] = {}
    for address in config.modbus_devices():
        name = METER if isinstance(address, MeterConfig) else address.name
        if name not in units:
            continue
        if address.way not in ports:
            ports[address.way] = _served(address.way, new_port)
        port = ports[address.way]
        if address.unit_id in port.units:
            raise ValueError(f"{name} has the address of another device: {address.way}")
        port.units[address.unit_id] = units[name]
        port.units |= dict.fromkeys(_other_ids(units[name].device), units[name])
    return list(ports.values())


def _served(way: Way, new_port: Callable[[], int] | None) -> ServedPort | ServedLine:
    if isinstance(way, SerialWay):
        return ServedLine(way)
    _require_loopback(way.host)
    if way.framing != "tcp":
        raise ValueError(f"{way}: a gateway that passes frames of a line on cannot be simulated")
    return ServedPort(way.host, way.port, bind_port=way.port if new_port is None else new_port())


def _other_ids(device: Registers) -> Mapping[int, Registers]:
    """The other unit ids that a device answers to."""
    return device.others if isinstance(device, PlainDevice) else {}


def _require_loopback(host: str) -> None:
    try:
        loopback = host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise ValueError(f"only a loopback address such as 127.0.0.1 can be simulated, not {host!r}")


def _with_ports(config: SiteConfig, ports: list[ServedPort | ServedLine]) -> SiteConfig:
    """The same configuration with the ports that are really open."""
    bound = {(port.host, port.config_port): port.bind_port for port in ports if isinstance(port, ServedPort)}
    at_modbus = config.modbus_devices()

    def moved(device: AnyDeviceConfig) -> AnyDeviceConfig:
        if isinstance(device, SumMeterConfig):
            return device
        port = bound.get((device.host or "", device.port), device.port) if device in at_modbus else device.port
        return device.model_copy(update={"port": port})

    inverters = tuple(moved(inverter) for inverter in config.inverters)
    return config.model_copy(update={"meter": moved(config.meter), "inverters": inverters})

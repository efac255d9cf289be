"""One device as it is reached behind a port: its registers, the time it takes, and the fault that is made of it."""

from __future__ import annotations

from orchestrator.simulation.devices.plain.map import PlainDevice
from orchestrator.simulation.devices.sunspec.register_map import ExceptionCode, Registers
from orchestrator.simulation.network.faults import Fault, FaultKind, FrozenReads, Reply, spoil
from orchestrator.simulation.network.modbus import Request, answer, exception_reply, frame


class Unit:
    """A device behind a unit id. While not `running` a gateway would answer for it: exception 0x0B."""

    def __init__(self, name: str, device: Registers, latency_s: float) -> None:
        self.name = name
        self.device = device
        self.running = True
        self._latency_s = latency_s
        self._fault: Fault | None = None
        self._frozen = FrozenReads()

    @property
    def fault_kind(self) -> FaultKind | None:
        """What is wrong with it, if anything is."""
        return self._fault.kind if self._fault else None

    def set_fault(self, fault: Fault | None) -> None:
        """Make this fault from now on; None heals the device."""
        self._fault = fault
        self._frozen = FrozenReads()

    def reply(self, request: Request, now_s: float) -> Reply:
        """What goes on the wire for `request`, and when."""
        if not self.running:
            return no_such_unit(request)
        fault = self._fault if self._fault and self._fault.spoils(request) else None
        pdu = b"" if fault and fault.withholds else answer(self._registers(request.unit), request, now_s)
        if fault is None:
            return Reply(frame(request, pdu), self._latency_s)
        if fault.kind is FaultKind.FROZEN:
            pdu = self._frozen.replay(request, pdu)
        spoiled = spoil(fault, request, pdu)
        return Reply(spoiled.data, spoiled.delay_s + self._latency_s, spoiled.resets)

    def _registers(self, unit_id: int) -> Registers:
        """A gateway of several parts shows each under a unit id of its own."""
        return self.device.others.get(unit_id, self.device) if isinstance(self.device, PlainDevice) else self.device


def no_such_unit(request: Request) -> Reply:
    """What a gateway answers for a unit that it does not reach."""
    return Reply(frame(request, exception_reply(request, ExceptionCode.NO_TARGET)))

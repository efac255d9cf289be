"""A driver and the virtual device of its make without sockets, so that writes can be given to it one by one."""

from __future__ import annotations

from typing import Any

from orchestrator.commands import InverterCommand
from orchestrator.config.simulation import InverterSimulation
from orchestrator.devices.addresses import place_of
from orchestrator.devices.base import ReadRequest, Refused, RegisterWrite, Words
from orchestrator.devices.drivers import DriverLibrary
from orchestrator.simulation.devices.plain.map import PlainDevice
from orchestrator.simulation.devices.sunspec.register_map import ExceptionCode, Registers
from orchestrator.simulation.physics import Controls
from orchestrator.simulation.site import VirtualSite
from tests.support.plants.made_site import made_site

DRIVERS = DriverLibrary()
STEP_S = 0.5


class CutBench:
    """One device in the sun. Writes are taken as on the wire; none of them may be refused."""

    def __init__(self, make: str, plant: InverterSimulation) -> None:
        self.make = make
        self.driver: Any = DRIVERS[make]
        self.site = VirtualSite(made_site(make, plant))
        self.site.set_load(500.0)
        self.site.set_pv_available("east", 4000.0 if plant.pv_peak_watts else 0.0)
        self._registers = self.site.devices["east"]
        self.device = self._discover()

    @property
    def controls(self) -> Controls:
        """What the device obeys now."""
        return self.site.inverters["east"].controls

    def obeying(self, command: InverterCommand) -> CutBench:
        """Have it take the whole command, in cycles, and give it time to follow."""
        for _ in range(3):
            self.take(self.planned(command))
            self.site.advance(STEP_S)
        return self

    def planned(self, command: InverterCommand) -> tuple[RegisterWrite, ...]:
        """All requests that a command needs now, in their order; one for each word where the device takes no more."""
        shown = self.read()
        groups = self.driver.encode(self.device, command, shown)
        writes = (write for group in groups for write in group.writes)
        needed = (write for write in writes if not (write.flash and _shows(write, shown)))
        return tuple(part for write in needed for part in _requests(write))

    def take(self, writes: tuple[RegisterWrite, ...]) -> None:
        """Give it these writes, one request each."""
        for write in writes:
            place = place_of(write.address)
            refusal = self._at(place.unit_id).write(place.address, write.values, self.site.now_s)
            assert refusal is None, f"{write} is refused with {refusal!r}"

    def read(self) -> dict[int, int]:
        """All words of a cycle, and those that can be written."""
        words: dict[int, int] = {}
        for request in (*self.driver.plan_readback(self.device), *self.driver.plan_reads(self.device)):
            words |= self._words(request)
        return words

    def _words(self, request: ReadRequest) -> dict[int, int]:
        answer = self._answer(request)
        if not isinstance(answer, Refused):
            return dict(enumerate(answer, request.address))
        parts = self.driver.parts(self.device, request)
        return {at: word for part in parts for at, word in self._words(part).items()}

    def _discover(self) -> Any:
        steps, answer = self.driver.discover("inverter"), None
        while True:
            try:
                request = next(steps) if answer is None else steps.send(answer)
            except StopIteration as end:
                return end.value
            answer = self._answer(request)

    def _answer(self, request: ReadRequest) -> Words | Refused:
        place = place_of(request.address)
        device = self._at(place.unit_id)
        reads = device.read_inputs if place.inputs and isinstance(device, PlainDevice) else device.read
        words = reads(place.address, request.count)
        return Refused(int(words)) if isinstance(words, ExceptionCode) else words

    def _at(self, unit_id: int | None) -> Registers:
        device = self._registers
        if unit_id is None or not isinstance(device, PlainDevice):
            return device
        return device.others.get(unit_id, device)


def _shows(write: RegisterWrite, shown: dict[int, int]) -> bool:
    return all(shown.get(at) == word for at, word in enumerate(write.values, write.address))


def _requests(write: RegisterWrite) -> tuple[RegisterWrite, ...]:
    if not write.one_by_one:
        return (write,)
    return tuple(RegisterWrite(at, (word,), write.register) for at, word in enumerate(write.values, write.address))

"""Every delivered make as its driver and the registers of its virtual device, without a network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from orchestrator.config.simulation import InverterSimulation
from orchestrator.devices.addresses import place_of
from orchestrator.devices.base import Discovery, ReadRequest, Refused, Role, Words
from orchestrator.devices.makes.library import load_profile, profile_names
from orchestrator.devices.profiles.device import ProfileDevice
from orchestrator.devices.profiles.driver import ProfileDriver
from orchestrator.simulation.devices.catalogue import MAKES
from orchestrator.simulation.devices.sunspec.der import SunSpecDer
from orchestrator.simulation.devices.sunspec.inverter import SunSpecInverter
from orchestrator.simulation.plant.inverter import SimulatedInverter
from tests.orchestrator.devices.sunspec.images import Image
from tests.support.plants.virtual_site import BATTERY

NAMES = profile_names()
PLANT = InverterSimulation(pv_peak_watts=8000, ac_rating_watts=6000, battery=BATTERY)
DRIVERS = {name: ProfileDriver(load_profile(name)) for name in NAMES}


class Recorder(Image):
    """Reads a virtual device and keeps every word that it answered, by its place."""

    def __init__(self, device: Any) -> None:
        super().__init__({})
        self._device = device

    def answer(self, request: ReadRequest) -> Words | Refused:
        place = place_of(request.address)
        others = getattr(self._device, "others", {})
        if place.unit_id and others and place.unit_id not in others:
            return Refused(0x0B)
        unit = others.get(place.unit_id, self._device)
        read = unit.read_inputs if place.inputs else unit.read
        words = read(place.address, request.count)
        if not isinstance(words, tuple):
            return Refused(2)
        self.words |= dict(enumerate(words, request.address))
        return words


def virtual_device(name: str) -> Any:
    """The virtual device of a make, in the sun, with a battery that charges."""
    plant = PLANT if name != "sunspec-7xx" else PLANT.model_copy(update={"pv_peak_watts": 0.0})
    inverter = SimulatedInverter("east", plant)
    if name == "sunspec-7xx":
        device: Any = SunSpecDer(inverter)
    else:
        make = load_profile(name).like or name
        device = MAKES[make](inverter) if make in MAKES else SunSpecInverter(inverter)
    for _ in range(40):
        device.advance(0.5)
        inverter.advance(0.5, 4000.0)
    return device


def found(name: str, image: Image, role: Role | None = "inverter") -> ProfileDevice:
    """What the make's driver takes an image for. Raises DeviceError."""
    return carried_out(DRIVERS[name].discover(role), image)


def carried_out(steps: Discovery[ProfileDevice], image: Image) -> ProfileDevice:
    """Answer the reads of a discovery."""
    answer: Words | Refused | None = None
    while True:
        try:
            request = next(steps) if answer is None else steps.send(answer)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        answer = image.answer(request)


def words_of(image: Image, requests: Iterable[ReadRequest]) -> dict[int, int]:
    """The words of these reads; what is refused is left out."""
    words: dict[int, int] = {}
    for request in requests:
        answer = image.answer(request)
        if not isinstance(answer, Refused):
            words |= dict(enumerate(answer, request.address))
    return words


def cycle_of(name: str, device: ProfileDevice, image: Image) -> dict[int, int]:
    """The words of a cycle, and of what can be written."""
    driver = DRIVERS[name]
    return words_of(image, driver.plan_readback(device)) | words_of(image, driver.plan_reads(device))


@cache
def words_of_make(name: str) -> Mapping[int, int]:
    """Every word that its driver ever asks of the virtual device."""
    image = Recorder(virtual_device(name))
    cycle_of(name, found(name, image), image)
    if load_profile(name).meter is not None:
        device = found(name, image, "meter")
        words_of(image, DRIVERS[name].plan_reads(device))
    return image.words


@cache
def device_of_make(name: str) -> ProfileDevice:
    """What the driver finds there."""
    return found(name, image_of(name))


@cache
def cycle_of_make(name: str) -> Mapping[int, int]:
    """The words of a cycle, and of what can be written."""
    return cycle_of(name, device_of_make(name), image_of(name))


def image_of(name: str) -> Image:
    """An image of its own, that may be changed."""
    return Image(dict(words_of_make(name)))

"""All registers of a make as a file: what is in it reads as the device did, without its serial number."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.devices.base import Refused, Words
from orchestrator.devices.makes.image import MakeImage, NoMakeImage, from_json, read_make, to_json, without_serial
from orchestrator.devices.makes.library import profile_names
from orchestrator.samples import InverterSample
from tests.orchestrator.devices.profiles.makes import DRIVERS, Recorder, cycle_of, found, virtual_device
from tests.orchestrator.devices.sunspec.images import Image

OWN = [name for name in profile_names() if DRIVERS[name].profile.sunspec is None]
"""Makes that are known by their own registers alone."""


def captured(name: str, device: Image) -> MakeImage:
    steps = read_make(DRIVERS[name].profile)
    answer: Words | Refused | None = None
    while True:
        try:
            request = next(steps) if answer is None else steps.send(answer)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        answer = device.answer(request)


def sample_of(name: str, image: Image) -> InverterSample:
    device = found(name, image)
    return DRIVERS[name].decode_inverter(device, "east", cycle_of(name, device, image), 0.0)


@pytest.mark.parametrize("name", OWN)
def test_a_file_of_a_device_is_read_as_the_device_itself(name: str) -> None:
    device = Recorder(virtual_device(name))
    image = from_json(to_json(captured(name, device)))

    assert sample_of(name, Image(dict(image.words))) == sample_of(name, device)


@pytest.mark.parametrize("name", OWN)
def test_without_its_serial_number_it_is_still_of_its_make_and_says_the_same(name: str) -> None:
    device = Recorder(virtual_device(name))
    image = without_serial(DRIVERS[name].profile, captured(name, device))
    shown, told = sample_of(name, device), sample_of(name, Image(dict(image.words)))

    # Of a GoodWe the first half tells the series; a virtual one has no more than that.
    assert (told.nameplate.serial != shown.nameplate.serial) or name == "goodwe-et"
    assert (told.ac_watts, told.battery, told.pv_watts) == (shown.ac_watts, shown.battery, shown.pv_watts)
    assert "serial number zeroed" in to_json(image)


def test_what_is_refused_is_named_and_the_rest_is_read() -> None:
    device = Image(dict(captured("sungrow-sh", Recorder(virtual_device("sungrow-sh"))).words))
    place = DRIVERS["sungrow-sh"].profile.registers["battery_power"].place
    for at in (place, place + 1):
        del device.words[at]
    image = captured("sungrow-sh", device)

    assert "battery_power" in image.refused
    assert from_json(to_json(image)) == replace(image, words=dict(image.words))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"blocks": [{}]}', '{"blocks": [{"address_0based": 1}]}'])
def test_anything_else_is_no_such_file(text: str) -> None:
    with pytest.raises(NoMakeImage, match="not the registers of a make"):
        from_json(text)

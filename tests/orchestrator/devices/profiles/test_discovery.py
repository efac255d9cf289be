"""Finding a device of a make: who it is, what it has, and when it is another one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from msgspec import structs

from orchestrator.commands import BatteryCommand, BatteryMode, InverterCommand
from orchestrator.devices.addresses import place_of
from orchestrator.devices.base import ReadRequest
from orchestrator.devices.makes.file import parse_profile
from orchestrator.devices.makes.registers import to_words
from orchestrator.devices.profiles.driver import ProfileDriver
from orchestrator.devices.profiles.location import placed
from orchestrator.errors import DeviceError, WrongDevice
from orchestrator.simulation.devices.makes.victron.gx import VictronGx
from orchestrator.simulation.plant.inverter import SimulatedInverter
from tests.orchestrator.devices.profiles.makes import (
    DRIVERS,
    NAMES,
    PLANT,
    Recorder,
    carried_out,
    device_of_make,
    found,
    image_of,
    words_of,
)
from tests.orchestrator.devices.sunspec.images import Image

pytestmark = pytest.mark.no_cover  # whole plants over time: tracing them takes several times as long

WITH_IDENTITY = [name for name in NAMES if DRIVERS[name].profile.identity]

WITHOUT_RATING = ("alphaess-smile", "givenergy-gen3", "saj-h2", "sofar-hyd", "solis-hybrid", "victron-gx")


def put(name: str, image: Image, key: str, *words: int) -> None:
    image.words |= dict(enumerate(words, DRIVERS[name].profile.registers[key].place))


def drop(name: str, image: Image, *keys: str) -> None:
    for key in keys:
        it = DRIVERS[name].profile.registers[key]
        for at in range(it.place, it.end):
            image.words.pop(at, None)


@pytest.mark.parametrize("name", NAMES)
def test_a_make_is_found_with_its_nameplate(name: str) -> None:
    plate = device_of_make(name).nameplate

    assert plate.serial
    assert plate.manufacturer
    assert plate.ac_max_watts == (None if name in WITHOUT_RATING else pytest.approx(6000.0))
    assert device_of_make(name).has_battery
    assert not device_of_make(name).doubtful


@pytest.mark.parametrize("unit_id", [227, 228, 242, 246])
def test_a_unit_is_found_where_it_answers_and_is_read_and_written_there(unit_id: int) -> None:
    gx = VictronGx(SimulatedInverter("east", PLANT), vebus_unit=unit_id)
    image = Recorder(gx)
    device = found("victron-gx", image)
    driver = DRIVERS["victron-gx"]
    asked = BatteryCommand(BatteryMode.CHARGE, 900.0, 900.0, 900.0)
    shown = words_of(image, driver.plan_readback(device)) | words_of(image, driver.plan_reads(device))
    groups = driver.encode(device, InverterCommand("x", 60.0, battery=asked), shown)

    assert device.capabilities.battery
    assert not device.doubtful
    assert {place_of(write.address).unit_id for group in groups for write in group.writes} == {None, unit_id}
    assert driver.decode_inverter(device, "x", shown, 0.0).ac_watts == 0


@pytest.mark.parametrize("number", [0x0D0D, 0x0D1B, 0x0E00, 0x0E0F, 0x0E10, 0x0E13, 0x0E20, 0x0E28])
def test_every_series_of_sungrow_hybrids_is_known_by_its_number(number: int) -> None:
    image = image_of("sungrow-sh")
    put("sungrow-sh", image, "device_type", number)

    assert found("sungrow-sh", image).nameplate.model == str(number)


@pytest.mark.parametrize("number", [0x0D0C, 0x0D1C, 0x0DFF, 0x0E14, 0x0E1F, 0x0E29])
def test_other_numbers_are_no_sungrow_hybrid(number: int) -> None:
    image = image_of("sungrow-sh")
    put("sungrow-sh", image, "device_type", number)

    with pytest.raises(WrongDevice):
        found("sungrow-sh", image)


@pytest.mark.parametrize(
    ("serial", "is_known"), [("9025KETC12345678", True), ("9029K9ETC1234567", True), ("SG25KTL123456789", False)]
)
def test_a_goodwe_without_a_model_is_known_by_its_serial(serial: str, is_known: bool) -> None:
    image = image_of("goodwe-et")
    put("goodwe-et", image, "model", *([0] * 5))
    put("goodwe-et", image, "serial", *(int.from_bytes(serial[at : at + 2].encode(), "big") for at in range(0, 16, 2)))

    if is_known:
        assert found("goodwe-et", image).nameplate.serial == serial
    else:
        with pytest.raises(WrongDevice, match="SG25KTL"):
            found("goodwe-et", image)


@pytest.mark.parametrize(("when_silent", "reverts"), [(2506, False), (2507, True)])
def test_a_make_whose_fallback_is_a_setting_says_what_this_device_is_set_to(when_silent: int, reverts: bool) -> None:
    image = image_of("sma")
    put("sma", image, "limit_when_silent", 0, when_silent)
    limit = found("sma", image).capabilities.limit_ac

    assert limit is not None
    assert limit.reverts is reverts


def test_where_no_unit_answers_for_the_converter_the_battery_is_not_commanded() -> None:
    device = found("victron-gx", Recorder(VictronGx(SimulatedInverter("east", PLANT), vebus_unit=9)))

    assert device.has_battery
    assert device.capabilities.battery is None
    assert device.doubtful


def test_a_unit_that_is_said_is_the_one_that_is_asked() -> None:
    image = Recorder(VictronGx(SimulatedInverter("east", PLANT), vebus_unit=9))
    driver = ProfileDriver(placed(DRIVERS["victron-gx"].profile, {"vebus": 9}))
    device = carried_out(driver.discover(), image)

    assert device.capabilities.battery is not None
    assert {place_of(request.address).unit_id for request in driver.plan_readback(device)} == {None, 9}


@pytest.mark.parametrize("name", WITH_IDENTITY)
def test_a_device_that_says_something_else_is_a_wrong_device(name: str) -> None:
    profile = DRIVERS[name].profile
    for identity in profile.identity:
        image = image_of(name)
        it = profile.registers[identity.register_]
        put(name, image, identity.register_, *([0x5858] * it.size))

        with pytest.raises(WrongDevice, match="says"):
            found(name, image)
        drop(name, image, identity.register_, *filter(None, [identity.or_register]))
        with pytest.raises(WrongDevice, match="cannot be read"):
            found(name, image)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("other", NAMES)
def test_no_make_is_taken_for_another(name: str, other: str) -> None:
    """But every make with models of that generation is one of the generation 1xx as well."""
    if name in (other, "sunspec-1xx") or (DRIVERS[name].profile.like or name) == (DRIVERS[other].profile.like or other):
        return
    with pytest.raises(DeviceError):
        found(name, image_of(other))


def test_a_make_without_a_meter_is_the_wrong_device_for_one() -> None:
    with pytest.raises(WrongDevice, match="victron-gx: no meter is known of this make"):
        found("victron-gx", image_of("victron-gx"), "meter")


def test_a_meter_beside_a_sunspec_map_without_one_is_found() -> None:
    device = found("kostal-plenticore", image_of("kostal-plenticore"), "meter")

    assert device.reads == (ReadRequest(252, 2),)


def test_a_block_that_is_refused_is_read_in_parts_when_the_device_is_found() -> None:
    name = "huawei-luna"
    image = image_of(name)
    drop(name, image, "serial")
    device = found(name, image)

    assert device.nameplate.model.startswith("SUN2000")
    assert device.nameplate.serial == ""
    assert device.nameplate.ac_max_watts == 6000.0
    assert device.doubtful


@pytest.mark.parametrize("word", [0xFFFF, 0])
def test_a_battery_that_says_nothing_at_night_is_found_in_the_morning(word: int) -> None:
    name = "huawei-luna"
    image = image_of(name)
    put(name, image, "storage_capacity", word, word)
    night = found(name, image)
    morning = carried_out(DRIVERS[name].look_again(night), image_of(name))

    assert (night.has_battery, night.doubtful) == (False, True)
    assert not night.capabilities.battery
    assert (morning.has_battery, morning.doubtful) == (True, False)
    assert morning.capabilities.battery


def test_a_device_of_which_all_is_known_is_not_asked_again() -> None:
    for name in NAMES:
        image = image_of(name)

        assert carried_out(DRIVERS[name].look_again(device_of_make(name)), image) is device_of_make(name)
        assert image.reads == 0


def test_a_device_that_still_says_nothing_is_the_same_whatever_is_measured() -> None:
    name = "victron-gx"
    image = image_of(name)
    drop(name, image, "phases")
    device = found(name, image)
    put(name, image, "battery_voltage", *to_words(DRIVERS[name].profile.registers["battery_voltage"], 531, "big"))

    assert device.doubtful
    assert carried_out(DRIVERS[name].look_again(device), image) is device
    assert carried_out(DRIVERS[name].look_again(device), image_of(name)) is not device


def test_another_device_at_the_same_address_is_seen_when_it_is_looked_at_again() -> None:
    name = "sma"
    image = image_of(name)
    drop(name, image, "device_type")
    device = found(name, image)
    put(name, image, "serial", 1, 2)

    again = carried_out(DRIVERS[name].look_again(device), image)

    assert again.nameplate.serial == str(0x10002)
    put(name, image, "vendor", 0, 99)
    with pytest.raises(WrongDevice):
        carried_out(DRIVERS[name].look_again(device), image)


def test_a_rating_that_is_not_known_takes_the_ac_limit_away() -> None:
    for name, key in (("huawei-luna", "largest_power"), ("sma", "rated_power"), ("sungrow-sh", "nominal_power")):
        image = image_of(name)
        drop(name, image, key)
        device = found(name, image)

        assert device_of_make(name).capabilities.limit_ac
        assert not device.capabilities.limit_ac
        assert device.doubtful


def test_what_cannot_be_commanded_is_no_capability() -> None:
    kostal = image_of("kostal-plenticore")
    put("kostal-plenticore", kostal, "battery_management", 0)
    sungrow = image_of("sungrow-sh")
    put("sungrow-sh", sungrow, "limit_enabled", 0xFFFF)

    assert not found("kostal-plenticore", kostal).capabilities.battery
    assert found("kostal-plenticore", kostal).has_battery
    assert not found("sungrow-sh", sungrow).capabilities.limit_ac


def test_only_a_device_that_falls_back_in_all_it_is_told_reverts_by_itself() -> None:
    reverts = {name for name in NAMES if device_of_make(name).capabilities.reverts_by_itself}

    assert reverts == {
        *("foxess-h3", "foxess-h3-smart", "fronius-gen24", "sma", "sofar-hyd", "solaredge-storedge", "solax-gen4"),
        *("solis-hybrid", "sunspec-1xx", "sunspec-7xx", "victron-gx"),
    }


SMALL = """
name: small
make: Small
devices: one
documents: [{title: "a list", covers: "all"}]
registers: {rating: {address: 1, type: i32, scale: 10}, power: {address: 3}}
nameplate: {manufacturer: Small, ac_max_watts: [rating]}
inverter: {ac_watts: [power]}
commands: {ac_limit: {set: [{register: power, to: limit_watts}], clear: [{register: power, to: ac_max_watts}]}}
"""


@pytest.mark.parametrize(("raw", "watts"), [(500, 5000.0), (0, None), (-1, None), (0x7FFFFFFF, None)])
def test_a_rating_beyond_reason_is_unknown(raw: int, watts: float | None) -> None:
    driver = ProfileDriver(parse_profile(SMALL, "small.yaml"))
    image = Image({1: raw >> 16 & 0xFFFF, 2: raw & 0xFFFF, 3: 0})
    device = carried_out(driver.discover("inverter"), image)

    assert device.nameplate.ac_max_watts == device.rated_watts == watts
    assert (device.capabilities.limit_ac is None) == (watts is None)


def test_a_rating_of_zero_is_none_to_compare_with() -> None:
    device = device_of_make("solaredge-storedge")

    assert replace(device, nameplate=structs.replace(device.nameplate, ac_max_watts=0.0)).rated_watts is None

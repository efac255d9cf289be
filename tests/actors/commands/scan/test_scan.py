"""A scan of a loopback network with virtual devices: everything is found, nothing is written."""

from __future__ import annotations

from datetime import date

import pytest

from actors.commands.image_server import ImageServer
from actors.commands.progress import watch
from actors.commands.scan.scan import ScanOptions, scan
from orchestrator.commissioning.drafts.draft_site import draft_site
from orchestrator.commissioning.register_image import Chain, RegisterImage
from orchestrator.commissioning.scan_report import FoundDevice, Kind, ScanReport, models_text
from orchestrator.commissioning.scan_targets import UNITS, Endpoint, endpoints
from orchestrator.config.file import parse_config
from orchestrator.devices.makes.library import profile_names
from orchestrator.samples import Nameplate
from orchestrator.simulation.devices.catalogue import MAKES, METERS
from orchestrator.simulation.devices.sunspec.register_map import ExceptionCode
from orchestrator.simulation.devices.sunspec.words import Words
from orchestrator.simulation.server import RunningSite, serve
from orchestrator.simulation.site import METER
from tests.orchestrator.devices.sunspec.images import COMMON, INVERTER, NAMEPLATE, image_of, model_words
from tests.support.devices.defects import Wrapped
from tests.support.devices.made_meter import metered_site
from tests.support.faults import BROKEN, GARBAGE, SILENT, fault
from tests.support.servers.networks import NETWORK, network, network_of_makes, writes_of
from tests.support.servers.required import free_port

BYTE_ORDER = 5


class OtherByteOrder(Wrapped):
    """A PLENTICORE whose installer has changed the byte order."""

    def read(self, address: int, count: int) -> Words | ExceptionCode:
        return (1,) if (address, count) == (BYTE_ORDER, 1) else super().read(address, count)


class SilentElsewhere(Wrapped):
    """Says nothing, by its gateway, where it has no registers."""

    def read(self, address: int, count: int) -> Words | ExceptionCode:
        words = super().read(address, count)
        return ExceptionCode.NO_TARGET if words is ExceptionCode.ILLEGAL_ADDRESS else words


QUICK = ScanOptions((1, 2, 200), timeout_s=3.0, connections=4)


def scanned(site: RunningSite, options: ScanOptions = QUICK) -> ScanReport:
    with watch("scanning", 6) as progress:
        return scan(endpoints(NETWORK, (site.config.meter.port,)), options, progress)


def test_every_device_of_a_network_is_found_with_its_kind() -> None:
    with network() as site:
        found = scanned(site)

    assert [(device.endpoint.host, device.unit_id, device.kind) for device in found.devices] == [
        ("127.0.0.1", 200, Kind.METER),
        ("127.0.0.2", 1, Kind.HYBRID),
        ("127.0.0.3", 1, Kind.HYBRID),
        ("127.0.0.4", 1, Kind.INVERTER),
    ]
    assert [device.nameplate.serial for device in found.devices[1:]] == ["SIM-east", "SIM-west", "SIM-roof"]
    assert models_text(found.devices[1].models) == "1 103 120-124 160"
    assert found.remarks == ()


def test_a_scan_writes_to_no_device() -> None:
    with network() as site:
        scanned(site, ScanOptions(UNITS, timeout_s=3.0))

        assert writes_of(site) == {"east": 0, "west": 0, "roof": 0, "meter": 0}


@pytest.mark.long  # each make is asked for in turn, and each silence is waited for
def test_what_answers_and_is_of_no_use_is_said_and_hides_nothing() -> None:
    with network() as site, fault(site, "west", BROKEN), fault(site, "roof", GARBAGE), fault(site, "east", SILENT):
        found = scanned(site)

    assert [device.kind for device in found.devices] == [Kind.METER]
    texts = [str(remark) for remark in found.remarks]
    port = found.devices[0].endpoint.port
    assert texts[0] == f"127.0.0.2:{port}: the port is open, but none of the units answers Modbus"
    assert texts[1].startswith(f"127.0.0.3:{port} unit 1: the device refuses to be read for now (Modbus exception 4)")


def test_a_meter_behind_an_inverter_is_found_in_the_same_map() -> None:
    meter = model_words(203, {"W": 100, "W_SF": 0, "Hz": 50, "Hz_SF": 0})
    words = image_of(
        *(model_words(1, COMMON), model_words(103, INVERTER), model_words(120, NAMEPLATE)),
        *(model_words(1, COMMON | {"Opt": "Export+Import", "SN": "M-1"}), meter),
    ).words
    image = RegisterImage(Chain(min(words), (), 0), tuple(words[at] for at in sorted(words)), unit_id=1)
    with ImageServer(image, host="127.0.0.1", port=0) as server, watch("scanning", 1) as progress:
        found = scan([Endpoint("127.0.0.1", server.port)], QUICK, progress)

    assert [(each.unit_id, each.kind, each.nameplate.serial) for each in found.devices] == [
        (1, Kind.INVERTER, "SN-1"),
        (1, Kind.METER, "M-1"),
    ]
    draft = parse_config(draft_site(found, target="here", day=date(2030, 1, 31)), environ={})
    assert draft.meter.unit_id == draft.inverters[0].unit_id


def test_each_make_is_found_with_its_own_driver_and_without_a_write() -> None:
    with network_of_makes(tuple(name for name in MAKES if name in profile_names())) as site:
        where = endpoints("127.0.0.0/27", (site.config.meter.port,))
        with watch("scanning", len(where)) as progress:
            found = scan(where, ScanOptions(UNITS, timeout_s=3.0, connections=16), progress)

        assert set(writes_of(site).values()) == {0}

    draft = parse_config(draft_site(found, target="here", day=date(2030, 1, 31)), environ={})
    expected = {each.host: (each.driver, each.unit_id) for each in site.config.inverters}
    assert {each.host: (each.driver, each.unit_id) for each in draft.inverters} == expected
    assert {each.kind for each in found.devices} == {Kind.HYBRID, Kind.METER}
    assert all(each.nameplate.serial for each in found.devices)
    behind_a_plant = next(each.host for each in site.config.inverters if each.driver == "sigenergy")
    assert found.again == ()
    assert [(each.endpoint.host, each.units) for each in found.remarks] == [(behind_a_plant, (1,))]


SAYS_ITS_MODEL = {
    "carlo-gavazzi-em24": 7,
    "carlo-gavazzi-em24-e1": 1,
    "carlo-gavazzi-em340": 1,
    "schneider-iem3000": 1,
    "shelly-pro-3em": 1,
}
"""Meters that say what they are, each with a unit that its installer may have given it."""


def scanned_meter(make: str, unit_id: int, **setting: object) -> ScanReport:
    """A scan of a site whose meter is of this make, set like this."""
    config = metered_site(make)
    meter = config.meter.model_copy(update={"unit_id": unit_id})
    with (
        serve(config.model_copy(update={"meter": meter}), new_port=free_port) as site,
        watch("scanning", 1) as progress,
    ):
        for name, value in setting.items():
            site.call(lambda virtual, name=name, value=value: setattr(virtual.devices[METER], name, value))
        return scan([Endpoint("127.0.0.1", site.config.meter.port)], ScanOptions((unit_id,), timeout_s=3.0), progress)


@pytest.mark.parametrize(("make", "unit_id"), SAYS_ITS_MODEL.items())
def test_a_meter_that_says_what_it_is_is_found_with_its_driver(make: str, unit_id: int) -> None:
    found = scanned_meter(make, unit_id)

    assert [(each.kind, each.driver, each.unit_id) for each in found.devices] == [(Kind.METER, make, unit_id)]
    east = FoundDevice(Endpoint("10.0.0.9", 502), 1, Kind.INVERTER, Nameplate(serial="SN-1"), (1, 103))
    text = draft_site(ScanReport((*found.devices, east)), target="here", day=date(2030, 1, 31))
    meter = parse_config(text, environ={}).meter
    assert (meter.driver, meter.unit_id) == (make, unit_id)
    assert f"docs/meters.md, {make}" in text


@pytest.mark.parametrize("make", [make for make in METERS if make not in SAYS_ITS_MODEL])
def test_a_meter_that_does_not_say_what_it_is_is_never_guessed(make: str) -> None:
    """What passes a meter on is found as the inverter that it is, where it is one."""
    found = scanned_meter(make, 1)

    assert [each for each in found.devices if each.kind is Kind.METER] == []
    assert {each.driver for each in found.devices} <= {make}


SUGGESTED_BY = {
    "eastron-sdm630": "50.00 Hz",
    "janitza-umg": "50.00 Hz",
    "kostal-ksem": "50.00 Hz",
    "siemens-pac2200": "50.00 Hz",
    "eastron-sdm72": "its counters add up to their total",
    "sma-home-manager": "one of its two directions is 0",
}


@pytest.mark.parametrize(("make", "what"), SUGGESTED_BY.items())
def test_a_meter_that_does_not_say_what_it_is_is_suggested_by_what_it_shows_and_never_taken(
    make: str, what: str
) -> None:
    found = scanned_meter(make, 7)

    (remark,) = found.remarks
    assert remark.perhaps == (make,)
    assert f"read by driver {make} it has" in str(remark)
    assert what in str(remark)
    east = FoundDevice(Endpoint("10.0.0.9", 502), 1, Kind.INVERTER, Nameplate(serial="SN-1"), (1, 103))
    text = draft_site(ScanReport((east,), (), found.remarks), target="here", day=date(2030, 1, 31))
    assert f"# perhaps this one, compare its power with its display: meter: {{driver: {make}, " in text
    assert parse_config(text, environ={}).meter.host == "192.0.2.1"


def test_a_meter_that_is_set_wrong_is_named_with_what_to_do() -> None:
    found = scanned_meter("carlo-gavazzi-em24", 1, setting=0)

    assert found.devices == ()
    assert "application says 0: only in application H it shows export as negative power" in str(found.remarks[0])


def test_a_make_that_is_silent_where_sunspec_would_be_is_found_all_the_same() -> None:
    with network_of_makes(("goodwe-et",)) as site:
        site.replace_device("goodwe-et", SilentElsewhere)
        with watch("scanning", 1) as progress:
            where = [Endpoint("127.0.0.2", site.config.meter.port)]
            found = scan(where, ScanOptions((1, 247), timeout_s=3.0), progress)

    assert [(each.driver, each.unit_id) for each in found.devices] == [("goodwe-et", 247)]


def test_a_make_that_is_of_no_use_yet_is_drafted_as_what_it_is_by_the_standard() -> None:
    """Its byte order is not that of the profile; by SunSpec it can be read all the same."""
    with network_of_makes(("kostal-plenticore",)) as site:
        site.replace_device("kostal-plenticore", OtherByteOrder)
        with watch("scanning", 1) as progress:
            where = [Endpoint("127.0.0.2", site.config.meter.port)]
            found = scan(where, ScanOptions((71,), timeout_s=3.0), progress)

    assert [(each.driver, each.nameplate.manufacturer) for each in found.devices] == [("sunspec", "KOSTAL")]


def test_a_closed_port_is_nothing_to_speak_of() -> None:
    with watch("scanning", 1) as progress:
        assert scan([Endpoint("127.0.0.7", 1)], QUICK, progress) == ScanReport()


def test_without_a_terminal_the_progress_is_lines(capsys: pytest.CaptureFixture[str]) -> None:
    with network() as site:
        scanned(site)

    lines = capsys.readouterr().err.splitlines()
    assert "scanning: 6 of 6" in lines
    assert any(line.endswith("unit 1: Virtual Hybrid") for line in lines)

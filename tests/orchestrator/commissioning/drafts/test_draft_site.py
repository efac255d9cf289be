"""Whatever a scan finds, its draft is a site.yaml that `check` accepts."""

from __future__ import annotations

import re
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.commissioning.drafts.draft_site import draft_site, unique_names
from orchestrator.commissioning.scan_report import FoundDevice, Kind, report
from orchestrator.commissioning.scan_targets import Endpoint
from orchestrator.config.file import parse_config
from orchestrator.config.sections import SiteConfig
from orchestrator.documents.section import INVERTERS_MAX
from orchestrator.samples import Nameplate

DAY = date(2030, 1, 31)


def device(
    unit_id: int = 1,
    kind: Kind = Kind.INVERTER,
    *,
    host: str = "10.0.0.5",
    maker: str = "Maker",
    model: str = "Model 5",
    serial: str = "SN-1",
    driver: str = "sunspec",
) -> FoundDevice:
    plate = Nameplate(manufacturer=maker, model=model, version="1.0", serial=serial, ac_max_watts=5000.0)
    return FoundDevice(Endpoint(host, 502), unit_id, kind, plate, (1, 103, 120), driver)


def draft(*devices: FoundDevice) -> tuple[str, SiteConfig]:
    text = draft_site(report(devices, ()), target="10.0.0.0/24", day=DAY)
    return text, parse_config(text, environ={})


def test_the_draft_is_in_shadow_mode_with_the_meter_and_the_serial_numbers() -> None:
    text, config = draft(device(1), device(2, serial="SN-2"), device(200, Kind.METER))

    assert not config.control.enabled
    assert (config.meter.host, config.meter.unit_id) == ("10.0.0.5", 200)
    assert [(each.name, each.serial) for each in config.inverters] == [
        ("maker-model-5", "SN-1"),
        ("maker-model-5-2", "SN-2"),
    ]
    assert "scan 10.0.0.0/24` on 2030-01-31" in text


def test_without_a_meter_the_draft_says_so_and_is_still_accepted() -> None:
    text, config = draft(device())

    assert "No meter was found" in text
    assert config.meter.host == "192.0.2.1"


def test_further_meters_are_named_in_comments() -> None:
    text, config = draft(device(), device(200, Kind.METER, serial="M-1"), device(201, Kind.METER, serial="M-2"))

    assert config.meter.unit_id == 200
    assert (
        '# another meter, if this is the one at the grid connection: host: "10.0.0.5", port: 502, unit_id: 201' in text
    )


def test_a_device_that_answers_at_every_unit_is_drafted_once() -> None:
    text, config = draft(device(1), device(2), device(126))

    assert [each.unit_id for each in config.inverters] == [1]
    assert "10.0.0.5:502 unit 126 is one of the devices above once more" in text


def test_devices_without_a_serial_number_are_all_kept_with_a_warning() -> None:
    text, config = draft(device(1, serial=""), device(2, serial=""))

    assert len(config.inverters) == 2
    assert text.count("it says no serial number") == 2


@pytest.mark.parametrize("serial", ["${HOME}", "\U00010000", "a\tb"])
def test_a_serial_number_that_the_file_cannot_say_is_left_out(serial: str) -> None:
    _, config = draft(device(serial=serial))

    assert config.inverters[0].serial is None


def test_more_inverters_than_a_site_may_have_are_comments() -> None:
    many = (device(host=f"10.0.{n // 200}.{n % 200 + 1}", serial=f"SN-{n}") for n in range(INVERTERS_MAX + 2))
    text, config = draft(*many)

    assert len(config.inverters) == INVERTERS_MAX == 300
    assert text.count("more than 300 inverters") == 2


def test_a_make_is_drafted_with_its_driver_and_with_what_it_does_not_say() -> None:
    text, config = draft(device(247, Kind.HYBRID, driver="goodwe-et"))

    assert (config.inverters[0].driver, config.inverters[0].unit_id) == ("goodwe-et", 247)
    assert "not yet tried on hardware; what the installer must switch on: docs/makes/goodwe-et.md" in text
    assert "it does not say the capacity of its battery" in text
    assert "it does not say its AC rating" not in text


def test_the_meter_that_a_make_reads_itself_is_offered_where_no_other_was_found() -> None:
    goodwe = device(247, driver="goodwe-et")

    assert '# the meter that it reads, if it has one: {driver: goodwe-et, host: "10.0.0.5"' in draft(goodwe)[0]
    assert "the meter that it reads" not in draft(goodwe, device(200, Kind.METER))[0]
    assert "the meter that it reads" not in draft(device(100, driver="victron-gx"))[0]


def test_an_inverter_that_answers_in_its_own_way_and_in_sunspec_is_drafted_once_in_its_own_way() -> None:
    by_make = device(3, Kind.HYBRID, maker="SMA", model="19050", driver="sma")
    text, config = draft(device(1, maker="SMA", model="STP5.0"), by_make, device(126, maker="SMA", model="STP5.0"))

    assert [(each.driver, each.unit_id) for each in config.inverters] == [("sma", 3)]
    assert text.count("once more") == 2


def test_the_same_serial_number_at_another_host_is_another_inverter() -> None:
    _, config = draft(device(1, maker="Else"), device(3, host="10.0.0.6", driver="sma"))

    assert len(config.inverters) == 2


def test_without_an_inverter_there_is_no_draft() -> None:
    with pytest.raises(ValueError, match="no inverter"):
        draft(device(200, Kind.METER))


texts = st.text(max_size=40)


@settings(max_examples=30)
@given(st.lists(st.tuples(texts, texts, texts, st.sampled_from(Kind)), max_size=4))
def test_no_text_of_a_device_can_break_the_draft(found: list[tuple[str, str, str, Kind]]) -> None:
    devices = [device(unit, kind, maker=m, model=o, serial=s) for unit, (m, o, s, kind) in enumerate(found, start=1)]
    _, config = draft(*devices, device(100, serial="the last one, to have an inverter"))

    for inverter, drafted in zip(config.inverters, report(devices, ()).devices, strict=False):
        assert inverter.host == drafted.endpoint.host


@given(st.lists(texts, min_size=1, max_size=30))
def test_names_are_unique_and_allowed(models: list[str]) -> None:
    names = unique_names([device(model=model) for model in models])

    assert len(set(names)) == len(models)
    assert all(re.fullmatch(r"[a-z0-9_-]{1,32}", name) and name != "meter" for name in names)

"""Whatever is chosen, the file says just that, `check` accepts it, and each line has its comment."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

import orchestrator.page
from orchestrator.commissioning.drafts.chosen_site import (
    ChosenInverter,
    ChosenMeter,
    ChosenSite,
    Limits,
    Served,
    Sign,
    site_text,
)
from orchestrator.commissioning.drafts.comments import COMMENTS, Language
from orchestrator.commissioning.scan_report import FoundDevice, Kind
from orchestrator.commissioning.scan_targets import Endpoint, LineEndpoint
from orchestrator.config.file import parse_config
from orchestrator.config.sections import InverterConfig, MeterConfig, SiteConfig
from orchestrator.devices.link.ways import SerialWay
from orchestrator.samples import Nameplate

DAY = date(2030, 1, 31)
LANGUAGES_OF_THE_PAGE = [path.stem for path in (Path(orchestrator.page.__file__).parent / "texts").glob("*.json")]
PLATE = Nameplate(manufacturer="Maker", model="M 5", serial="SN-1", ac_max_watts=5000.0, capacity_wh=8000.0)
HYBRID = FoundDevice(Endpoint("10.0.0.5", 1502), 71, Kind.HYBRID, PLATE, (), "kostal-plenticore")
SILENT = replace(HYBRID, nameplate=Nameplate(manufacturer="Maker", model="Silent"), driver="solis-hybrid")
MUTE = replace(SILENT, unit_id=72, kind=Kind.INVERTER)
METER = FoundDevice(Endpoint("10.0.0.9", 502), 200, Kind.METER, PLATE, (1, 203))
LINE = LineEndpoint(SerialWay("/dev/ttyUSB0", 9600, "E", 1))
SITE = ChosenSite("home", (ChosenInverter("east", HYBRID),), ChosenMeter(METER, "export_positive"))


def read(site: ChosenSite) -> SiteConfig:
    return parse_config(site_text(site, day=DAY), environ={})


def test_the_file_says_what_was_chosen() -> None:
    config = read(replace(SITE, limits=Limits(0.0, 12000.0, 10.0), timezone="Europe/Berlin", commands_batteries=True))

    east, meter, fixed = config.inverters[0], config.meter, config.setpoints.fixed
    assert isinstance(east, InverterConfig)
    assert isinstance(meter, MeterConfig)
    assert (east.name, east.driver, east.host, east.port, east.unit_id) == (
        "east",
        "kostal-plenticore",
        "10.0.0.5",
        1502,
        71,
    )
    assert east.expected_serial == "SN-1"
    assert (meter.driver, meter.host, meter.unit_id, meter.sign) == ("sunspec", "10.0.0.9", 200, "export_positive")
    assert (fixed.export_limit_watts, fixed.import_limit_watts, fixed.battery_soc_min_percent) == (0, 12000, 10)
    assert (config.control.enabled, config.control.battery_power_flow) == (False, True)
    assert config.site.timezone == "Europe/Berlin"


def test_where_the_page_is_stands_there_where_it_is_not_the_usual_place() -> None:
    assert "metrics:" not in site_text(SITE, day=DAY)
    metrics = read(replace(SITE, served=Served("127.0.0.1", 9500))).metrics
    assert metrics is not None
    assert (metrics.host, metrics.port) == ("127.0.0.1", 9500)


def test_what_a_device_does_not_say_stands_there_or_is_named_as_missing() -> None:
    unknown = ChosenInverter("barn", SILENT)
    known = ChosenInverter("barn", SILENT, ac_max_watts=5000.0, capacity_wh=10000.0)

    assert "does not say its AC rating; write it here" in site_text(replace(SITE, inverters=(unknown,)), day=DAY)
    assert "capacity of its battery; write it here" in site_text(replace(SITE, inverters=(unknown,)), day=DAY)
    config = read(replace(SITE, inverters=(known,)))
    assert (config.inverters[0].ac_max_watts, config.inverters[0].battery.capacity_wh) == (5000, 10000)


def test_a_missing_meter_cannot_be_overlooked() -> None:
    text = site_text(replace(SITE, meter=None), day=DAY)

    assert "THE METER IS MISSING" in text
    assert parse_config(text, environ={}).meter.host == "192.0.2.1"


def test_devices_on_a_line_are_written_with_it() -> None:
    on_line = replace(HYBRID, endpoint=LINE, driver="sunspec")
    config = read(
        replace(SITE, inverters=(ChosenInverter("east", on_line),), meter=ChosenMeter(replace(METER, endpoint=LINE)))
    )

    assert [str(each.way) for each in config.modbus_devices()] == [str(LINE.way)] * 2
    assert isinstance(config.inverters[0], InverterConfig)
    assert config.inverters[0].expected_serial == "SN-1"


def test_every_line_that_says_something_hard_has_its_comment() -> None:
    lines = site_text(SITE, day=DAY).splitlines()

    for key in ("timezone", "sign", "serial", "enabled", "battery_power_flow", "state_dir", "fixed"):
        assert all("  # " in line for line in lines if line.strip().startswith(f"{key}:")), key
    assert max(map(len, lines)) <= 120


@given(
    name=st.text(st.characters(blacklist_categories=["C", "Z"], blacklist_characters="$"), min_size=1, max_size=64),
    serial=st.text(max_size=20),
    maker=st.text(max_size=40),
    export=st.none() | st.floats(0, 1e6),
    sign=st.sampled_from(["auto", "import_positive", "export_positive"]),
)
def test_whatever_a_device_says_the_file_is_fine(
    name: str, serial: str, maker: str, export: float | None, sign: Sign
) -> None:
    device = replace(HYBRID, nameplate=Nameplate(manufacturer=maker, serial=serial))
    site = ChosenSite(name, (ChosenInverter("east", device),), ChosenMeter(device, sign), limits=Limits(export))
    config = read(site)

    assert config.site.name == name
    assert isinstance(config.meter, MeterConfig)
    assert config.meter.sign == sign


SITES = (
    SITE,
    replace(SITE, meter=None, limits=Limits(0.0, 12000.0, 10.0), controls=True),
    replace(SITE, inverters=(ChosenInverter("mute", MUTE),), served=Served("0.0.0.0", 80)),
    replace(SITE, inverters=(ChosenInverter("quiet", SILENT, 5000.0, 8000.0), ChosenInverter("mute", MUTE))),
)


def test_in_every_language_the_file_says_the_same_and_only_its_comments_differ() -> None:
    for site in SITES:
        english, german = (site_text(replace(site, language=each), day=DAY) for each in get_args(Language))

        assert [bare(line) for line in english.splitlines()] == [bare(line) for line in german.splitlines()]
        assert parse_config(english, environ={}) == parse_config(german, environ={})
        assert [line for line in english.splitlines() if "# " in line and line in german.splitlines()] == []


def bare(line: str) -> str:
    return line.partition("# ")[0].rstrip()


def test_every_comment_has_words_and_the_same_facts_in_every_language() -> None:
    assert set(COMMENTS) == set(get_args(Language)) == set(LANGUAGES_OF_THE_PAGE)
    english, german = COMMENTS["en"], COMMENTS["de"]
    assert english.keys() == german.keys()
    for about, said in english.items():
        assert german[about] != said
        assert re.findall(r"\{\w+\}", german[about]) == re.findall(r"\{\w+\}", said)
    assert {f"sign_{each}" for each in get_args(Sign)} | {f"kind_{each}" for each in Kind} <= set(COMMENTS["en"])

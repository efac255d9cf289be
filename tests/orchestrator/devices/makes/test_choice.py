"""`driver:` of site.yaml: the name of a make brings what the make needs of its connection."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.config.file import parse_config
from orchestrator.config.sections import InverterConfig, MeterConfig
from orchestrator.devices.makes.choice import has_meter, known_driver, link_defaults
from orchestrator.devices.makes.library import load_profile, meter_profile_names, profile_names
from orchestrator.errors import ConfigError

SITE = """
site: {{name: home}}
meter: {{host: 10.0.0.1, unit_id: 200{meter}}}
inverters:
  - {{name: east, host: 10.0.0.2{east}}}
  - {{name: west, host: 10.0.0.3}}
"""
KEYS = ("port", "unit_id", "timeout_s", "min_gap_s", "write_single", "interval_s")


def east(extra: str) -> InverterConfig:
    inverter = parse_config(SITE.format(meter="", east=extra), environ={}).inverter("east")
    assert isinstance(inverter, InverterConfig)
    return inverter


def mistakes(**sections: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse_config(SITE.format(**{"meter": "", "east": ""} | sections), environ={})
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize("name", profile_names())
def test_a_make_brings_what_it_needs_of_the_connection(name: str) -> None:
    inverter, link = east(f", driver: {name}"), load_profile(name).link

    assert inverter.driver == name
    assert {key: getattr(inverter, key) for key in KEYS} == {key: getattr(link, key) for key in KEYS}


def test_a_make_is_not_as_the_standard() -> None:
    inverter = east(", driver: kostal-plenticore")

    assert (inverter.port, inverter.unit_id, inverter.timeout_s) == (1502, 71, 3.0)
    assert (east("").port, east("").unit_id, east("").timeout_s, east("").min_gap_s) == (502, 1, 1.0, 0.0)
    assert east(", driver: huawei-luna").min_gap_s == 0.05


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("port", 1234),
        ("unit_id", 9),
        ("timeout_s", 0.5),
        ("min_gap_s", 0.0),
        ("write_single", True),
        ("interval_s", 3.0),
    ],
)
def test_site_yaml_has_the_last_word(key: str, value: Any) -> None:
    inverter = east(f", driver: goodwe-et, {key}: {str(value).lower()}")
    others = {other: getattr(inverter, other) for other in KEYS if other != key}

    assert getattr(inverter, key) == value
    assert others == {other: getattr(load_profile("goodwe-et").link, other) for other in others}


def test_a_meter_behind_a_make_is_reached_in_its_way_and_polled_as_a_meter() -> None:
    text = SITE.replace(", unit_id: 200", "").format(meter=", driver: goodwe-et", east="")
    meter = parse_config(text, environ={}).meter

    assert isinstance(meter, MeterConfig)
    assert (meter.port, meter.unit_id, meter.timeout_s, meter.min_gap_s) == (502, 247, 3.0, 0.1)
    assert meter.interval_s == 0.25


def test_an_unknown_driver_is_told_with_the_nearest_or_with_all() -> None:
    near = mistakes(east=", driver: huawei-luma")
    far = mistakes(east=", driver: xyz")

    assert near == [
        "5:34: inverters[0].driver: must be a driver that there is, not 'huawei-luma'; did you mean 'huawei-luna'?"
    ]
    assert far[0].startswith(
        "5:34: inverters[0].driver: must be a driver that there is, not 'xyz'; there are sunspec, mqtt"
    )
    assert all(name in far[0] for name in profile_names())
    assert mistakes(meter=", driver: [sma]")[0].startswith("3:39: meter.driver: must be")


def test_two_inverters_at_one_address_by_the_defaults_of_their_makes_are_told() -> None:
    taken = "host, port and unit_id must be unique; inverters[0] is at 10.0.0.3 port 1502 unit 71 already"
    text = SITE.replace("host: 10.0.0.2", "host: 10.0.0.3").replace("host: 10.0.0.3}}", "host: 10.0.0.3{west}}}")

    def told(west: str) -> list[str]:
        try:
            parse_config(text.format(meter="", east=", driver: kostal-plenticore", west=west), environ={})
        except ConfigError as error:
            return [problem.message for problem in error.problems]
        return []

    assert told(", driver: kostal-plenticore") == [taken]
    assert told(", port: 1502, unit_id: 71") == [taken]
    assert told(", driver: kostal-plenticore, unit_id: 72") == []
    assert told("") == []


def test_a_make_without_a_meter_is_refused_for_the_meter() -> None:
    for name in profile_names():
        assert has_meter(name) == (not mistakes_of_meter(name))
    assert not has_meter("victron-gx")
    assert has_meter("sungrow-sh")
    assert mistakes_of_meter("victron-gx") == ["3:39: meter.driver: no meter is known of 'victron-gx'"]


def test_a_meter_is_refused_as_an_inverter() -> None:
    for name in meter_profile_names():
        assert mistakes(east=f", driver: {name}") == [
            f"5:34: inverters[0].driver: {name!r} is a meter; it may stand below 'meter' only"
        ]


def test_a_meter_brings_how_often_it_is_to_be_read_and_site_yaml_has_the_last_word() -> None:
    def read_every_s(extra: str) -> float:
        text = SITE.replace(", unit_id: 200", "").format(meter=f", driver: {extra}", east="")
        return parse_config(text, environ={}).meter.interval_s

    assert read_every_s("eastron-sdm630") == 1.0
    assert read_every_s("eastron-sdm630, interval_s: 0.3") == 0.3
    assert read_every_s("janitza-umg") == 0.25
    assert read_every_s("huawei-luna") == 2.0


def mistakes_of_meter(name: str) -> list[str]:
    try:
        parse_config(SITE.format(meter=f", driver: {name}", east=""), environ={})
    except ConfigError as error:
        return [str(problem) for problem in error.problems]
    return []


def test_what_is_no_make_has_no_defaults() -> None:
    assert known_driver("sunspec") == "sunspec"
    assert known_driver("mqtt") == "mqtt"
    for section in ({}, {"driver": "sunspec"}, {"driver": "nothing"}, {"driver": 5}, {"driver": None}):
        assert link_defaults(section) == {}
    with pytest.raises(ValueError, match="did you mean 'sunspec'"):
        known_driver("sunspek")


@pytest.mark.parametrize("name", ["solax-hybrid", "growatt-sph", "deye-gen24", "sma-ish"])
def test_a_driver_of_another_brand_is_never_suggested(name: str) -> None:
    with pytest.raises(ValueError, match="must be a driver") as caught:
        known_driver(name)

    suggested = str(caught.value).partition("did you mean '")[2].partition("'")[0]
    assert suggested.partition("-")[0] in ("", name.partition("-")[0])

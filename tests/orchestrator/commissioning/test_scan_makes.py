"""Which makes a scan tries: the one that asks for most first, and others only where they may answer."""

from __future__ import annotations

import pytest

from orchestrator.commissioning.scan_makes import identity_only, makes_at, makes_like, meters_that_say_so
from orchestrator.commissioning.scan_targets import PORTS, UNITS
from orchestrator.devices.makes.library import load_profile, profile_names
from orchestrator.devices.profiles.plan import cycle_names, fixed_names, identity_names, written_names
from orchestrator.samples import Nameplate

AT_UNIT_1 = [
    "deye-3p-hv",
    "deye-3p-lv",
    "growatt-mod",
    "huawei-luna",
    "saj-h2",
    "sofar-hyd",
    "solax-gen4",
    "solis-hybrid",
    "sungrow-sh",
    "sunsynk-1p",
]
AT_UNIT_247 = ["foxess-h3", "foxess-h3-smart", "goodwe-et", "sigenergy"]


def like(manufacturer: str, model: str = "") -> list[str]:
    return [profile.name for profile in makes_like(Nameplate(manufacturer=manufacturer, model=model))]


def at(port: int, unit_id: int) -> list[str]:
    return [profile.name for profile in makes_at(port, unit_id)]


def test_a_device_is_of_the_make_whose_patterns_fit() -> None:
    assert like("Fronius", "Symo Hybrid 5.0-3-S") == ["fronius-symo-hybrid"]
    assert like("Fronius", "Symo GEN24 10.0") == ["fronius-gen24"]
    assert like("SolarEdge", "SE10K-RWS48") == ["solaredge-storedge"]
    assert like("KOSTAL", "PLENTICORE plus 8.5") == ["kostal-plenticore"]


@pytest.mark.parametrize("maker", ["", "SunSpecTest", "Unknown"])
def test_a_maker_without_a_profile_is_none_of_them(maker: str) -> None:
    assert like(maker, "Hybrid") == []


def test_makes_without_sunspec_are_tried_at_their_own_port_and_unit() -> None:
    assert at(502, 1) == AT_UNIT_1
    assert (at(502, 3), at(502, 100), at(502, 247)) == (["sma"], ["victron-gx"], AT_UNIT_247)
    assert (at(502, 2), at(1502, 1)) == ([], [])


def test_behind_a_port_that_was_asked_for_any_make_of_the_unit_may_be() -> None:
    assert at(10502, 1) == AT_UNIT_1


def test_only_meters_that_say_their_model_are_looked_for() -> None:
    """Of the others it could only be guessed what they are."""
    asked = [profile.name for profile in meters_that_say_so()]

    assert asked == [
        *("carlo-gavazzi-em24", "carlo-gavazzi-em24-e1", "carlo-gavazzi-em340"),
        *("schneider-iem3000", "shelly-pro-3em"),
    ]


@pytest.mark.parametrize("name", profile_names())
def test_every_make_is_looked_for_by_default(name: str) -> None:
    link = load_profile(name).link

    assert link.port in PORTS
    assert link.unit_id in UNITS


@pytest.mark.parametrize("name", profile_names())
def test_a_device_that_may_be_of_another_make_is_asked_for_its_identity_only(name: str) -> None:
    profile = load_profile(name)
    asked = identity_only(profile)

    assert set(fixed_names(asked)) == set(identity_names(profile))
    assert (cycle_names(asked), written_names(asked)) == ((), ())

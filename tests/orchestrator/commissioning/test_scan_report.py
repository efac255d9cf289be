"""What a scan tells: devices in one table, and text of devices that cannot spoil it."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from orchestrator.commissioning.scan_report import FoundDevice, Kind, ScanReport, likeness, models_text, table
from orchestrator.commissioning.scan_targets import Endpoint
from orchestrator.devices.makes.library import load_profile
from orchestrator.devices.makes.registers import to_words
from orchestrator.devices.profiles.device import ProfileDevice
from orchestrator.explain.words import say
from orchestrator.samples import MeterSample, Nameplate


@pytest.mark.parametrize(
    ("models", "text"),
    [([], ""), ([1], "1"), ([1, 103, 120, 121, 122, 160], "1 103 120-122 160"), ([1, 2], "1-2"), ([1, 1], "1 1")],
)
def test_models_that_follow_each_other_are_joined(models: list[int], text: str) -> None:
    assert models_text(models) == text


def test_a_name_of_a_device_is_shown_as_it_is_and_changes_nothing_else() -> None:
    plate = Nameplate(manufacturer="[red]Acme", model="PV\x1b[2J8", version="1.0", serial="S[1]")
    device = FoundDevice(Endpoint("192.168.1.20", 1502), 3, Kind.INVERTER, plate, (1, 103))
    page = io.StringIO()

    Console(file=page, width=200, force_terminal=False).print(table(ScanReport((device,), (), ())))

    assert "[red]Acme PV?[2J8" in page.getvalue()
    assert "S[1]" in page.getvalue()
    assert "\x1b" not in page.getvalue()
    assert [word in page.getvalue() for word in ("192.168.1.20", "1502", "inverter", "sunspec")] == [True] * 4


def found_words(driver: str, **raw: float) -> ProfileDevice:
    """A device read by this driver, whose registers had these raw numbers when it was found."""
    profile = load_profile(driver)
    words = {
        profile.registers[name].place + at: word
        for name, number in raw.items()
        for at, word in enumerate(to_words(profile.registers[name], number, profile.word_order))
    }
    return ProfileDevice(profile, fixed=words)


@pytest.mark.parametrize(
    ("imported", "exported", "both", "is_like"),
    [
        (4321.5, 1234.25, 5555.75, True),
        (98765.43, 99876.54, 198641.97, True),
        (4321.5, 1234.25, 5556.75, False),
        (4321.5, 0.0, 4321.5, True),
        (0.25, 0.25, 0.5, False),
        (0.0, 0.0, 0.0, False),
    ],
)
def test_counters_that_add_up_speak_for_a_meter_once_they_have_run(
    imported: float, exported: float, both: float, is_like: bool
) -> None:
    device = found_words("eastron-sdm72", imported=imported, exported=exported, both=both)

    said = likeness(device, MeterSample(at_s=0.0, site_watts=812.0))

    assert (None if said is None else say(said)) == (
        "read by driver eastron-sdm72 it has 812 W, and its counters add up to their total" if is_like else None
    )


@pytest.mark.parametrize(
    ("imported", "exported", "is_like"), [(812, 0, True), (0, 5, True), (0, 0, False), (7, 5, False)]
)
def test_one_direction_that_is_0_speaks_for_a_meter_that_shows_both(
    imported: int, exported: int, is_like: bool
) -> None:
    device = found_words("sma-home-manager", imported_power=imported, exported_power=exported)

    said = likeness(device, MeterSample(at_s=0.0, site_watts=float(imported - exported)))

    assert (said is not None) == is_like


def test_what_could_not_be_read_when_it_was_found_speaks_for_nothing() -> None:
    sample = MeterSample(at_s=0.0, site_watts=812.0)

    assert likeness(found_words("eastron-sdm72", imported=4321.5, exported=0.0), sample) is None
    assert likeness(found_words("sma-home-manager", imported_power=812), sample) is None

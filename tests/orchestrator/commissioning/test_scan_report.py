"""What a scan tells: devices in one table, and text of devices that cannot spoil it."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from orchestrator.commissioning.scan_report import FoundDevice, Kind, ScanReport, models_text, table
from orchestrator.commissioning.scan_targets import Endpoint
from orchestrator.samples import Nameplate


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

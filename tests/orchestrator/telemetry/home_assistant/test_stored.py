"""What is remembered for Home Assistant: written and read again, and nothing else is believed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from orchestrator.telemetry.home_assistant.energy import Counter, EnergyTotals
from orchestrator.telemetry.home_assistant.stored import Remembered, from_json, to_json

REMEMBERED = Remembered(
    EnergyTotals({"pv": 12.5, "east/pv": 12.5}, {"import": Counter(7000.0, 1.0, 2.0), "export": Counter(1.0, 1.0)}),
    frozenset({"east"}),
    "127.0.0.1:1883",
    frozenset({"homeassistant/sensor/a/b/config"}),
)


@pytest.mark.parametrize("remembered", [REMEMBERED, Remembered()])
def test_what_was_written_is_read_again(remembered: Remembered) -> None:
    assert from_json(to_json(remembered)) == remembered


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"energy_wh": {"pv": -1}},
        {"energy_wh": {"pv": "NaN"}},
        {"energy_wh": []},
        {"counters": {"import": {}}},
        {"told": 5},
        {"counters": None},
    ],
)
def test_anything_else_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        from_json(json.dumps(json.loads(to_json(REMEMBERED)) | change))


@pytest.mark.parametrize("text", ["", "[]", "null", "{"])
def test_what_is_not_even_an_object_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        from_json(text)

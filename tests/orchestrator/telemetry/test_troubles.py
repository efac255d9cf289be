"""Why a device does not answer is said in the same words in the table, the log, MQTT and `explain`."""

from __future__ import annotations

import io

import pytest
from msgspec.structs import replace
from rich.console import Console

from orchestrator.decide.records import CycleResult
from orchestrator.explain.words import say
from orchestrator.reason import Reason, because
from orchestrator.reason.troubles import as_said
from orchestrator.telemetry.explanation import View, explain, inverter_names
from orchestrator.telemetry.log.events import entries
from orchestrator.telemetry.payloads import state_payloads
from orchestrator.telemetry.table import plain_line, render
from tests.support.records.cycles import cycle_result

REFUSED = because("refuses_connection", where="10.0.0.2:502")
UNHEARD = because("no_answer", where="10.0.0.9:502", unit_id=200)
REFUSES, SILENT = say(REFUSED), say(UNHEARD)


def troubled(roof: Reason = REFUSED, meter: Reason | None = UNHEARD) -> CycleResult:
    cycle = cycle_result(site_watts=None if meter else -500.0, away=("roof",))
    troubles = {"roof": roof} | ({"meter": meter} if meter else {})
    return replace(cycle, snapshot=replace(cycle.snapshot, troubles=troubles))


@pytest.mark.parametrize("width", [160, 300])
def test_the_table_says_why(width: int) -> None:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(render(troubled(), "home"))
    assert isinstance(console.file, io.StringIO)
    text = " ".join(console.file.getvalue().split())

    assert f"does not answer {REFUSES}" in text
    assert f"meter does not answer: {SILENT}" in text


def test_a_line_says_why() -> None:
    assert f"roof away ({REFUSES})" in plain_line(troubled())


def test_mqtt_and_explain_say_why() -> None:
    payloads = state_payloads(troubled(), "2026-06-01T12:00:00.000Z")

    assert payloads["inverters/roof"]["trouble"] == REFUSES
    assert payloads["inverters/roof"]["trouble_why"] == {
        "code": "refuses_connection",
        "values": {"where": "10.0.0.2:502"},
    }
    assert payloads["site"]["meter_trouble"] == SILENT
    assert payloads["site"]["meter_trouble_why"]["code"] == "no_answer"
    text = explain(View("home", payloads, inverter_names(payloads)))
    assert f"The meter does not answer: {SILENT}" in text
    assert f"roof: does not answer; the others take its share, and it is tried again: {REFUSES}" in text


def test_the_log_says_why_once_and_again_when_the_reason_changes() -> None:
    first = [entry.message for entry in entries(cycle_result(), troubled())]

    assert f"does not answer; the others take its share: {REFUSES}" in first
    assert f"the meter does not answer: {SILENT}" in first
    assert list(entries(troubled(), troubled())) == []
    again = list(entries(troubled(), troubled(roof=as_said("no way to it"), meter=as_said("another"))))
    assert [(entry.event, entry.message, entry.inverter) for entry in again] == [
        ("inverter_trouble", "still does not answer: no way to it", "roof"),
        ("meter_trouble", "the meter does not answer: another", None),
    ]


def test_a_meter_that_answers_has_no_trouble() -> None:
    assert state_payloads(troubled(meter=None), "")["site"]["meter_trouble"] is None

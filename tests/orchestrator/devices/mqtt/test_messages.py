"""A state message becomes a sample or is refused with a reason, and a command says what to do and until when."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.commands import BatteryCommand, BatteryMode, InverterCommand
from orchestrator.devices.mqtt.messages import (
    BatteryState,
    InverterState,
    MeterState,
    read_inverter,
    read_meter,
    write_command,
)
from orchestrator.errors import PayloadError
from orchestrator.reason import because
from orchestrator.samples import MeterSample
from orchestrator.setpoints.intake import Arrival
from orchestrator.telemetry.payloads import reasons_payload

NOW = datetime(2030, 1, 31, 12, tzinfo=UTC)
AT_S = 1000.0
PAGE = Path(__file__).parents[4] / "docs/driver-mqtt.md"


def arrival(message: object, *, redelivered: bool = False) -> Arrival:
    payload = message if isinstance(message, bytes) else json.dumps(message).encode()
    return Arrival(payload, redelivered, AT_S, NOW)


def meter(message: object, *, redelivered: bool = False) -> MeterSample:
    return read_meter(arrival(message, redelivered=redelivered))


def ago(seconds: float) -> str:
    return (NOW - timedelta(seconds=seconds)).isoformat()


def test_a_meter_is_read_in_its_own_sign() -> None:
    sample = meter({"site_watts": -1250.5, "phase_watts": [-400, -450, -400.5], "import_wh": 7, "export_wh": 8})

    assert (sample.site_watts, sample.at_s, sample.orientation) == (-1250.5, AT_S, 1)
    assert (sample.phase_watts, sample.import_wh, sample.export_wh) == ((-400, -450, -400.5), 7, 8)


def test_a_meter_may_show_its_voltages() -> None:
    assert meter({"site_watts": 1, "phase_volts": [231.5, None, 0]}).phase_volts == (231.5, None, None)
    assert meter({"site_watts": 1}).phase_volts == ()


def test_an_inverter_says_its_battery() -> None:
    battery = {"watts": 1000, "soc_percent": 61.5, "charge_max_watts": 4000, "capacity_wh": 9600}
    sample = read_inverter(
        arrival({"ac_watts": 2100, "battery": battery, "ac_max_watts": 5000, "model": "X"}), "garage"
    )

    assert (sample.name, sample.ac_watts, sample.nameplate.ac_max_watts, sample.nameplate.model) == (
        *("garage", 2100, 5000),
        "X",
    )
    assert sample.battery is not None
    assert (sample.battery.watts, sample.battery.soc_percent, sample.battery.discharge_max_watts) == (1000, 61.5, None)
    assert sample.battery_controllable
    assert sample.ac_limit_controllable


def test_an_inverter_without_a_battery_has_none_to_command() -> None:
    sample = read_inverter(arrival({"ac_watts": 0, "battery": None}), "garage")

    assert sample.battery is None
    assert not sample.battery_controllable


@pytest.mark.parametrize(("time", "age_s"), [(ago(2.5), 2.5), (ago(-3), 0.0), ("2030-01-31T13:00:00+01:00", 0.0)])
def test_a_message_is_as_old_as_it_says(time: str, age_s: float) -> None:
    assert meter({"site_watts": 0, "time": time}).at_s == AT_S - age_s
    assert meter({"site_watts": 0, "time": time}, redelivered=True).at_s == AT_S - age_s


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (b"\xff", "not UTF-8"),
        (b"{", "not JSON"),
        (b"[]", "must be a JSON object"),
        (b'{"site_watts": 1, "site_watts": 2}', "given twice"),
        (b'{"site_watts": NaN}', "site_watts: input should be a finite number"),
        ({}, "site_watts: missing"),
        ({"site_watts": None}, "site_watts: input should be a valid number"),
        ({"site_watts": "100"}, "site_watts: input should be a valid number"),
        ({"site_watts": True}, "site_watts: input should be a valid number"),
        ({"site_watts": 1e9}, "site_watts: input should be less than or equal to"),
        ({"site_watts": 1, "watts": 2}, "watts: unknown field"),
        ({"site_watts": 1, "phase_watts": [1, 2, 3, 4]}, "phase_watts: "),
        ({"site_watts": 1, "phase_watts": ["1"]}, "phase_watts.0: "),
        ({"site_watts": 1, "phase_volts": [-1]}, "phase_volts.0: "),
        ({"site_watts": 1, "time": 1893456000}, "time: "),
        ({"site_watts": 1, "time": "2030-01-31T12:00:00"}, "time: "),
        ({"site_watts": 1, "time": ago(-60)}, "time is 60 s in the future; here it is 2030-01-31T12:00:00.000Z"),
        (b"{" + b" " * 70000 + b"}", "longer than 65536 bytes"),
    ],
)
def test_what_is_no_state_of_a_meter_is_refused(message: object, reason: str) -> None:
    with pytest.raises(PayloadError) as caught:
        meter(message)

    assert reason in str(caught.value)


def test_a_retained_message_without_a_time_is_of_unknown_age() -> None:
    with pytest.raises(PayloadError, match="nobody knows how old it is"):
        meter({"site_watts": 1}, redelivered=True)


@pytest.mark.parametrize(
    "fields",
    [
        {"pv_watts": -1},
        {"ac_limit_watts": -1},
        {"battery": {"soc_percent": 101}},
        {"battery": {"charge_max_watts": -1}},
        {"battery": {"soc": 50}},
        {"battery": 5},
        {"ac_max_watts": 0},
        {"connected": 1},
        {"serial": "x" * 65},
    ],
)
def test_what_an_inverter_cannot_be_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(PayloadError, match=next(iter(fields))):
        read_inverter(arrival({"ac_watts": 0, **fields}), "garage")


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)
fields = st.sampled_from([*MeterState.model_fields, *InverterState.model_fields])


@given(st.dictionaries(fields, json_values, max_size=6) | json_values | st.binary(max_size=40))
def test_any_message_is_a_sample_of_finite_numbers_or_refused(message: object) -> None:
    for read in (meter, lambda one: read_inverter(arrival(one), "garage")):
        try:
            sample = read(message)
        except PayloadError:
            continue
        powers = (sample.site_watts,) if isinstance(sample, MeterSample) else (sample.ac_watts, sample.pv_watts)
        assert all(watts is None or abs(watts) <= 1e8 for watts in powers)
        assert sample.at_s <= AT_S


def command(**values: Any) -> dict[str, Any]:
    window = BatteryCommand(BatteryMode.CHARGE, 1500.0, 1500.0, 1500.0)
    asked = InverterCommand("garage", 60.0, **({"battery": window} | values))
    return write_command(asked, NOW, reasons_payload(asked.reasons))


def test_a_command_says_what_until_when_and_what_then() -> None:
    why = because("ac_limit", watts=2500.0, why=because("rising_to_no_limit"))
    message = command(ac_limit_watts=2500.0, ac_limit_after_watts=800.0, reasons=(why,))

    assert message == {
        "time": "2030-01-31T12:00:00.000Z",
        "valid_for_s": 60.0,
        "valid_until": "2030-01-31T12:01:00.000Z",
        "connect": None,
        "ac_limit_watts": 2500,
        "ac_limit_after_watts": 800,
        "battery_mode": "charge",
        "battery_target_watts": 1500,
        "battery_low_watts": 1500,
        "battery_high_watts": 1500,
        "battery_grid_charging": None,
        "reasons": ["AC limit 2500 W: rising step by step to no limit"],
        "reason_codes": ["ac_limit/rising_to_no_limit"],
    }


def test_a_limit_that_does_not_revert_stays_after_the_command() -> None:
    message = command(ac_limit_watts=2500.0, ac_limit_reverts=False, ac_limit_after_watts=800.0)

    assert message["ac_limit_after_watts"] == 2500


def test_every_field_is_documented() -> None:
    named = set(re.findall(r"`(\w+)`", PAGE.read_text()))
    states = {*MeterState.model_fields, *InverterState.model_fields, *BatteryState.model_fields}

    assert {*states, *command()} - named == set()


def test_every_message_in_the_docs_is_one() -> None:
    blocks = re.findall(r"(?:^    .*\n)+", PAGE.read_text(), re.MULTILINE)
    messages = [json.loads(block) for block in blocks if block.strip().startswith("{")]

    assert len(messages) == 3
    assert meter({**messages[0], "time": ago(1)}).site_watts == messages[0]["site_watts"]
    assert read_inverter(arrival(messages[1]), "garage").battery is not None
    assert set(messages[2]) == set(command())

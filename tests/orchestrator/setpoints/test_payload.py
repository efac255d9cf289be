"""MQTT messages as setpoints: what is accepted, and the reason for everything that is not."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from orchestrator.errors import PayloadError
from orchestrator.setpoints.fields import ROWS, SetpointFields
from orchestrator.setpoints.merge import Setpoint
from orchestrator.setpoints.payload import HasPassedError, parse_setpoint, to_payload
from orchestrator.setpoints.values import PriorityMode
from tests.support.records.setpoint_fields import any_fields

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)

LONGEST_REASON = 1000


def parse(payload: bytes | str, validity_s: float | None = None) -> Setpoint:
    data = payload.encode() if isinstance(payload, str) else payload
    return parse_setpoint(data, source="mqtt", received_at_s=100.0, wall_now=NOW, validity_s=validity_s)


def reason(payload: bytes | str) -> str:
    with pytest.raises(PayloadError) as refused:
        parse(payload)
    return str(refused.value)


EVERYTHING = {
    "opModConnect": True,
    "opModEnergize": False,
    "opModExpLimW": 1,
    "opModImpLimW": 2.5,
    "opModGenLimW": 3,
    "opModLoadLimW": 4,
    "batteryChargeRatePercent": 5,
    "batteryDischargeRatePercent": 6,
    "batteryStorageMode": 3,
    "batteryTargetSocPercent": 7,
    "batterySocMinPercent": 8,
    "batterySocMaxPercent": 100,
    "batteryChargeMaxWatts": 10,
    "batteryDischargeMaxWatts": 11,
    "batteryTargetWatts": -12.5,
    "batteryImportTargetWatts": 12,
    "batteryExportTargetWatts": 13,
    "batteryPriorityMode": "export_first",
    "batteryGridChargingEnabled": True,
    "batteryGridChargingMaxWatts": 1e9,
}


def test_every_field_is_read_into_its_own_place() -> None:
    assert parse(json.dumps(EVERYTHING)).fields == SetpointFields(
        connect=True,
        energize=False,
        export_limit_watts=1.0,
        import_limit_watts=2.5,
        generation_limit_watts=3.0,
        load_limit_watts=4.0,
        battery_charge_rate_percent=5.0,
        battery_discharge_rate_percent=6.0,
        battery_storage_mode=3,
        battery_target_soc_percent=7.0,
        battery_soc_min_percent=8.0,
        battery_soc_max_percent=100.0,
        battery_charge_max_watts=10.0,
        battery_discharge_max_watts=11.0,
        battery_target_watts=-12.5,
        battery_import_target_watts=12.0,
        battery_export_target_watts=13.0,
        battery_priority_mode=PriorityMode.EXPORT_FIRST,
        battery_grid_charging_enabled=True,
        battery_grid_charging_max_watts=1e9,
    )
    assert {row.wire for row in ROWS} == set(EVERYTHING)


def test_an_empty_object_is_a_setpoint_that_asks_for_nothing() -> None:
    assert parse("{}") == Setpoint("mqtt", SetpointFields(), received_at_s=100.0)


def test_the_alias_of_the_target_soc_is_read() -> None:
    assert parse('{"batterySocTargetPercent": 60}').fields.battery_target_soc_percent == 60.0


def test_name_and_alias_may_agree() -> None:
    both = '{"batterySocTargetPercent": 60, "batteryTargetSocPercent": 60.0}'

    assert parse(both).fields.battery_target_soc_percent == 60.0


def test_a_storage_mode_written_with_a_decimal_point_is_the_same_integer() -> None:
    mode = parse('{"batteryStorageMode": 2.0}').fields.battery_storage_mode

    assert (mode, type(mode)) == (2, int)


def test_a_setpoint_ends_at_its_valid_until() -> None:
    setpoint = parse('{"opModExpLimW": 0, "validUntil": "2026-06-01T22:00:30+10:00"}')

    assert ends_after_s(setpoint) == 30.0
    assert setpoint.expires_at_s is None
    assert setpoint.valid_until == "2026-06-01T22:00:30+10:00"


def test_a_setpoint_ends_after_the_validity_of_its_source() -> None:
    setpoint = parse("{}", validity_s=90)

    assert setpoint.expires_at_s == 190.0
    assert setpoint.valid_until == "2026-06-01T12:01:30Z"


@pytest.mark.parametrize(("validity_s", "ends_s"), [(10, 10.0), (3600, 60.0)])
def test_the_earlier_of_both_ends_counts(validity_s: float, ends_s: float) -> None:
    setpoint = parse('{"validUntil": "2026-06-01T12:01:00Z"}', validity_s=validity_s)

    assert ends_after_s(setpoint) == ends_s


def test_an_end_that_the_message_names_is_judged_by_the_wall_clock_of_each_moment() -> None:
    setpoint, noon = parse('{"validUntil": "2026-06-01T12:01:00Z"}'), NOW.timestamp()

    assert setpoint.is_valid(1e6, noon + 59)
    assert not setpoint.is_valid(100.0, noon + 60)


@pytest.mark.parametrize("text", ['{"validUntil": "2026-06-01T11:59:59Z"}', '{"validUntil": "2026-06-01T12:00:00Z"}'])
def test_what_is_refused_for_its_time_alone_is_told_from_what_is_wrong(text: str) -> None:
    with pytest.raises(HasPassedError):
        parse(text)
    with pytest.raises(PayloadError) as wrong:
        parse(text.replace("{", '{"opModExpLimW": "off", '))
    assert not isinstance(wrong.value, HasPassedError)


def ends_after_s(setpoint: Setpoint) -> float:
    """How long after its arrival at 100 s it ends, both clocks going on."""
    return setpoint.end_s(100.0, NOW.timestamp()) - 100.0


WATTS = "a number from 0 to 1000000000 (W)"
PERCENT = "a number from 0 to 100 (%)"
UNTIL = 'validUntil must be a time with its offset such as "2030-01-31T12:00:00Z", not'
NULL = "null (leave the field out to ask for nothing)"

REFUSED: list[tuple[bytes | str, str]] = [
    (b"\xff{}", "the message is not UTF-8 (byte 0)"),
    ('{"opModExpLimW": 0}'.encode("utf-16"), "the message is not UTF-8 (byte 0)"),
    ("", "the message is not JSON: Expecting value (line 1, column 1)"),
    ("off", "the message is not JSON: Expecting value (line 1, column 1)"),
    ('{"opModExpLimW": 0', "the message is not JSON: Expecting ',' delimiter (line 1, column 19)"),
    (
        "{'opModExpLimW': 0}",
        "the message is not JSON: Expecting property name enclosed in double quotes (line 1, column 2)",
    ),
    ("{} {}", "the message is not JSON: Extra data (line 1, column 4)"),
    ("0", "the message must be a JSON object such as {}, not 0"),
    ("[]", "the message must be a JSON object such as {}, not a list"),
    ("null", "the message must be a JSON object such as {}, not null (leave the field out to ask for nothing)"),
    ('"opModExpLimW"', 'the message must be a JSON object such as {}, not "opModExpLimW"'),
    ("NaN", "the message must be a JSON object such as {}, not NaN"),
    ('{"opModExpLimW": NaN}', f"opModExpLimW must be {WATTS}, not NaN"),
    ('{"opModImpLimW": Infinity}', f"opModImpLimW must be {WATTS}, not Infinity"),
    ('{"opModGenLimW": -Infinity}', f"opModGenLimW must be {WATTS}, not -Infinity"),
    ('{"opModExpLimW": 1e999}', f"opModExpLimW must be {WATTS}, not Infinity"),
    ('{"opModExpLimW": -1}', f"opModExpLimW must be {WATTS}, not -1"),
    ('{"opModLoadLimW": 1000000001}', f"opModLoadLimW must be {WATTS}, not 1000000001"),
    ('{"opModExpLimW": ' + "9" * 5000 + "}", f"opModExpLimW must be {WATTS}, not Infinity"),
    ('{"opModExpLimW": 1' + "0" * 25 + "}", f"opModExpLimW must be {WATTS}, not 1e+25"),
    ('{"opModExpLimW": true}', f"opModExpLimW must be {WATTS}, not true"),
    ('{"opModExpLimW": "5000"}', f'opModExpLimW must be {WATTS}, not "5000"'),
    ('{"opModExpLimW": null}', f"opModExpLimW must be {WATTS}, not {NULL}"),
    ('{"opModExpLimW": [0]}', f"opModExpLimW must be {WATTS}, not a list"),
    ('{"opModExpLimW": {"value": 0}}', f"opModExpLimW must be {WATTS}, not an object"),
    ('{"batteryChargeRatePercent": 100.5}', f"batteryChargeRatePercent must be {PERCENT}, not 100.5"),
    ('{"batterySocMinPercent": -0.1}', f"batterySocMinPercent must be {PERCENT}, not -0.1"),
    ('{"batterySocTargetPercent": 101}', f"batterySocTargetPercent must be {PERCENT}, not 101"),
    ('{"opModConnect": 1}', "opModConnect must be true or false, not 1"),
    ('{"opModEnergize": "false"}', 'opModEnergize must be true or false, not "false"'),
    ('{"batteryGridChargingEnabled": null}', f"batteryGridChargingEnabled must be true or false, not {NULL}"),
    ('{"batteryStorageMode": 1.5}', "batteryStorageMode must be 0, 1, 2 or 3, not 1.5"),
    ('{"batteryStorageMode": 4}', "batteryStorageMode must be 0, 1, 2 or 3, not 4"),
    ('{"batteryStorageMode": true}', "batteryStorageMode must be 0, 1, 2 or 3, not true"),
    (
        '{"batteryPriorityMode": "Export_First"}',
        'batteryPriorityMode must be "battery_first" or "export_first", not "Export_First"',
    ),
    ('{"batteryPriorityMode": 1}', 'batteryPriorityMode must be "battery_first" or "export_first", not 1'),
    ('{"opModExpLim": 0}', 'unknown field "opModExpLim": did you mean "opModExpLimW"?'),
    ('{"opmodexplimw": 0}', 'unknown field "opmodexplimw": did you mean "opModExpLimW"?'),
    ('{"export_limit_watts": 0}', 'unknown field "export_limit_watts": in a message it is "opModExpLimW"'),
    ('{"qqq": 0}', 'unknown field "qqq"'),
    ('{"\\ud800": 0}', 'unknown field "\\ud800"'),
    ('{"' + "q" * 50 + '": 0}', f'unknown field "{"q" * 40}..."'),
    ('{"opModExpLimW": 0, "opModExpLimW": 0}', '"opModExpLimW" is given twice'),
    (
        '{"batterySocTargetPercent": 60, "batteryTargetSocPercent": 61}',
        "batteryTargetSocPercent and batterySocTargetPercent are the same field and have different values",
    ),
    ('{"opModExpLimW": 0, "validUntil": "2026-06-01T12:00:30"}', f'{UNTIL} "2026-06-01T12:00:30"'),
    ('{"validUntil": "2026-13-01T12:00:00Z"}', f'{UNTIL} "2026-13-01T12:00:00Z"'),
    ('{"validUntil": "2026-06-02"}', f'{UNTIL} "2026-06-02"'),
    ('{"validUntil": 1790000000}', f"{UNTIL} 1790000000"),
    ('{"validUntil": null}', f"{UNTIL} {NULL}"),
    (
        '{"validUntil": "2026-06-01T11:59:59Z"}',
        "validUntil 2026-06-01T11:59:59Z has passed; here it is 2026-06-01T12:00:00Z",
    ),
    (
        '{"validUntil": "2026-06-01T12:00:00Z"}',
        "validUntil 2026-06-01T12:00:00Z has passed; here it is 2026-06-01T12:00:00Z",
    ),
    ("[" * 60000, "the message is nested too deeply; an object of plain values is wanted"),
    ('{"a":' * 10000, "the message is nested too deeply; an object of plain values is wanted"),
    (" " * 65535 + "{}", "the message is longer than 65536 bytes"),
    ("1" * 1_000_000, "the message is longer than 65536 bytes"),
]


@pytest.mark.parametrize(("payload", "told"), REFUSED, ids=[str(told)[:60] for _, told in REFUSED])
def test_a_wrong_message_is_refused_with_its_reason(payload: bytes | str, told: str) -> None:
    assert reason(payload) == told


def test_at_least_25_kinds_of_wrong_messages_are_tried() -> None:
    assert len(REFUSED) >= 25


def test_a_message_with_one_wrong_field_is_refused_as_a_whole() -> None:
    assert reason('{"opModExpLimW": 0, "opModImpLimW": -5}') == f"opModImpLimW must be {WATTS}, not -5"


def test_the_first_three_mistakes_are_named() -> None:
    assert reason('{"a": 1, "b": 2, "c": 3, "d": 4}') == 'unknown field "a"; unknown field "b"; unknown field "c"'


@pytest.mark.parametrize(
    "payload", [b"[" * 1_000_000, b'{"a":1,' * 9000, b"{" + b'"opModExpLimV":1,' * 3800 + b'"a":1}']
)
def test_a_message_made_to_cost_time_is_refused_in_few_words(payload: bytes) -> None:
    assert len(reason(payload)) <= LONGEST_REASON


def test_of_many_unknown_fields_only_the_first_are_named() -> None:
    message = json.dumps({f"opModExpLim{number}": 0 for number in range(2500)})
    assert reason(message).count("unknown field") == 3


@given(any_fields)
def test_what_is_written_is_read_back(asked: SetpointFields) -> None:
    assert parse(json.dumps(to_payload(asked))).fields == asked


def parses_or_refuses(payload: bytes) -> None:
    try:
        told = parse(payload).source
    except PayloadError as error:
        told = str(error)

    assert told.isascii()
    assert len(told) <= LONGEST_REASON


@given(st.binary())
@example(b"[" * 995 + b"]" * 995)
def test_any_bytes_are_a_setpoint_or_are_refused(payload: bytes) -> None:
    parses_or_refuses(payload)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from([*EVERYTHING, "validUntil", "batterySocTargetPercent"]) | st.text(), anything))
def test_any_object_is_a_setpoint_or_is_refused(message: dict[str, Any]) -> None:
    parses_or_refuses(json.dumps(message).encode())


@given(st.datetimes(timezones=st.timezones()))
def test_any_time_is_an_end_or_is_refused(until: datetime) -> None:
    text = until.isoformat()
    try:
        setpoint = parse(json.dumps({"validUntil": text}))
    except PayloadError:
        assert until <= NOW or until.utcoffset() % timedelta(minutes=1)  # type: ignore[operator]
    else:
        assert ends_after_s(setpoint) == pytest.approx((until - NOW).total_seconds(), abs=1e-3)

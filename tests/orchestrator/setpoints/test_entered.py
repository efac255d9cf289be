"""Fields that are entered one at a time: what is taken, what is refused, and what is shown."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from orchestrator.errors import PayloadError
from orchestrator.setpoints.entered import ENTRIES, NOT_SET, as_message, entered, newest_entry, with_entered
from orchestrator.setpoints.fields import ROWS, SetpointFields
from orchestrator.setpoints.intake import Arrival
from orchestrator.setpoints.payload import parse_setpoint

WALL = datetime(2026, 6, 1, tzinfo=UTC)
LIMITED = SetpointFields(export_limit_watts=3000.0, battery_grid_charging_enabled=False)


def arrival(payload: bytes, *, redelivered: bool = False) -> Arrival:
    return Arrival(payload, redelivered, 5.0, WALL)


def test_a_field_is_entered_and_the_others_stay() -> None:
    assert with_entered(LIMITED, "import_limit_watts", b"4500.0") == SetpointFields(
        export_limit_watts=3000.0, import_limit_watts=4500.0, battery_grid_charging_enabled=False
    )


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.field)
def test_every_field_can_be_set_shown_and_cleared(entry: object) -> None:
    name = entry.field  # type: ignore[attr-defined]
    words = [word for word, meant in entry.words if meant is not None]  # type: ignore[attr-defined]
    for text in words or ["20"]:
        fields = with_entered(SetpointFields(), name, text.encode())
        assert list(fields.asked()) == [name]
        assert entered(fields)[name] == (text if words else 20.0)
        assert with_entered(fields, name, NOT_SET.encode()) == SetpointFields()


def test_only_what_can_be_asked_for_can_be_entered() -> None:
    assert {entry.field for entry in ENTRIES} <= {row.name for row in ROWS}


@pytest.mark.parametrize(
    ("name", "payload", "reason"),
    [
        ("export_limit_watts", b"much", "export_limit_watts must be a number from 0 to 1000000000 (W) or 'not set'"),
        ("export_limit_watts", b"-1", "must be a number from 0"),
        ("export_limit_watts", b"nan", "must be a number from 0"),
        ("battery_soc_min_percent", b"101", "must be a number from 0 to 100 (%)"),
        ("battery_priority_mode", b"me first", "must be one of 'not set', 'batteries first', 'export first'"),
        ("energize", b"true", "must be one of 'on', 'off'"),
        ("export_limit_watts", b"\xff" * 1000, "must be a number"),
        ("connect", b"off", "no field 'connect' that is entered by hand"),
    ],
)
def test_anything_else_is_refused_with_its_reason(name: str, payload: bytes, reason: str) -> None:
    with pytest.raises(PayloadError) as refused:
        with_entered(SetpointFields(), name, payload)

    assert reason in str(refused.value)


def test_what_is_entered_is_a_message_like_any_other() -> None:
    message = as_message(LIMITED)

    read = parse_setpoint(message, source="x", received_at_s=0.0, wall_now=WALL, validity_s=None)
    assert read.fields == LIMITED
    assert as_message(SetpointFields()) == b""


def test_the_newest_good_message_counts_and_a_bad_one_after_it_is_refused() -> None:
    good, bad = arrival(b"100"), arrival(b"x")

    fields, taken, reason = newest_entry(SetpointFields(), "export_limit_watts", [arrival(b"1"), good, bad])

    assert (fields.export_limit_watts, taken) == (100.0, good)
    assert reason is not None


def test_a_retained_message_is_refused() -> None:
    fields, taken, reason = newest_entry(LIMITED, "export_limit_watts", [arrival(b"9000", redelivered=True)])

    assert (fields, taken) == (LIMITED, None)
    assert reason is not None
    assert "retained" in reason

"""An MQTT message as a setpoint, and back. A message that is not exactly a setpoint is refused as a whole.

The names in a message are those of docs/mqtt.md (`opModExpLimW`), the names of the record are those of site.yaml
(`export_limit_watts`). Every reason names the field, what was given and what is allowed, in plain ASCII.
"""

from __future__ import annotations

import difflib
import json
import re
from datetime import datetime, timedelta
from typing import Any, Final

from orchestrator.errors import PayloadError
from orchestrator.reason import Reason, because
from orchestrator.reason.refusals import say_refusal
from orchestrator.setpoints.fields import ROWS, SetpointFields
from orchestrator.setpoints.merge import Setpoint
from orchestrator.setpoints.values import WrongValue


class HasPassedError(PayloadError):
    """A message that would be a setpoint, had its `validUntil` not passed: the clock may be wrong."""


MAX_PAYLOAD_BYTES: Final = 65536
MAX_PROBLEMS_NAMED: Final = 3
VALID_UNTIL: Final = "validUntil"

_BY_WIRE: Final = {wire: row for row in ROWS for wire in row.wire_names}
_WIRE: Final = {row.name: row.wire for row in ROWS}


def parse_setpoint(
    payload: bytes, *, source: str, received_at_s: float, wall_now: datetime, validity_s: float | None
) -> Setpoint:
    """The setpoint that `payload` (a JSON object) asks for. Raises PayloadError with the reason when it is not one.

    `received_at_s` is monotonic, `wall_now` the same moment with its time zone. The setpoint ends at `validUntil` by
    the wall clock, or `validity_s` (seconds, None: no end) after its arrival, whichever is first. Raises HasPassedError
    when `validUntil` is all that is wrong with it.
    """
    message = read_object(payload)
    has_end = VALID_UNTIL in message
    text = message.pop(VALID_UNTIL, None)
    until = moment_of(text) if has_end else None
    fields = _read_fields(message)
    if until is not None and until <= wall_now:
        raise HasPassedError(f"{VALID_UNTIL} {text} has passed; here it is {_rfc3339(wall_now, 0)}")
    ends = [] if validity_s is None else [(validity_s, _rfc3339(wall_now, validity_s))]
    ends += [] if until is None else [((until - wall_now).total_seconds(), str(text))]
    return Setpoint(
        source,
        fields,
        received_at_s,
        None if validity_s is None else received_at_s + validity_s,
        min(ends, default=(0.0, None))[1],
        until_wall_s=None if until is None else until.timestamp(),
    )


def to_payload(fields: SetpointFields) -> dict[str, object]:
    """The message that asks for exactly these fields, by the names that `parse_setpoint` reads."""
    asked = fields.asked()
    return {wire: asked[name] for name, wire in _WIRE.items() if name in asked}


def message_of(fields: SetpointFields, until: datetime | None = None) -> bytes:
    """The same as the bytes of a message that ends at `until` (with its zone; None: without an end)."""
    end = {} if until is None else {VALID_UNTIL: until.isoformat(timespec="milliseconds").replace("+00:00", "Z")}
    return json.dumps({**to_payload(fields), **end}).encode()


def read_object(payload: bytes) -> dict[str, Any]:
    """The JSON object in `payload`. Refuses what no sender means: huge, nested without end, the same key twice."""
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise PayloadError(because("message_too_long", bytes=MAX_PAYLOAD_BYTES))
    try:
        text = payload.decode("utf-8")
    except UnicodeDecodeError as error:
        raise PayloadError(because("message_not_text", byte=error.start)) from None
    try:
        message = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise PayloadError(
            because("message_not_json", words=error.msg, line=error.lineno, column=error.colno)
        ) from None
    except RecursionError:
        raise PayloadError(because("message_too_deep")) from None
    if not isinstance(message, dict):
        raise PayloadError(because("message_no_object", example="{}", shown=_given(message)))
    return message


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for key, value in pairs:
        if key in members:
            raise PayloadError(because("member_twice", name=_shown(key)))
        members[key] = value
    return members


def _read_int(text: str) -> int | float:
    """An integer; one with very many digits as a float, because Python refuses to read it and its field will too."""
    return int(text) if len(text) <= 20 else float(text)


_DECODER: Final = json.JSONDecoder(object_pairs_hook=_without_duplicates, parse_int=_read_int)
"""Made once: `json.loads` with hooks makes one for each message."""


def _read_fields(message: dict[str, Any]) -> SetpointFields:
    values: dict[str, Any] = {}
    problems: list[str] = []
    for name, value in message.items():
        problem = _read_field(name, value, values)
        if problem is not None:
            problems.append(problem)
        if len(problems) == MAX_PROBLEMS_NAMED:  # looking further costs time and tells the sender little
            break
    if problems:
        raise PayloadError("; ".join(problems))
    return SetpointFields(**values)


def _read_field(name: str, value: object, values: dict[str, Any]) -> str | None:
    """Put one field into `values`; what is wrong with it, or None."""
    row = _BY_WIRE.get(name)
    if row is None:
        return _unknown(name)
    try:
        read = row.value.read(value)
    except WrongValue as wrong:
        return f"{name} must be {wrong}, not {_shown(value)}"
    if values.setdefault(row.name, read) != read:
        return f"{' and '.join(row.wire_names)} are the same field and have different values"
    return None


def _unknown(name: str) -> str:
    """What to say of a field that does not exist, with the one that was probably meant."""
    if name in _WIRE:  # the site.yaml name, easily taken for the MQTT name
        return f'unknown field "{name}": in a message it is "{_WIRE[name]}"'
    by_lower = {known.lower(): known for known in (*_BY_WIRE, VALID_UNTIL)}
    nearest = difflib.get_close_matches(name[:64].lower(), by_lower, n=1)
    return f"unknown field {_shown(name)}" + (f': did you mean "{by_lower[nearest[0]]}"?' if nearest else "")


def _shown(value: object) -> str:
    """A value for people: short, and ASCII whatever the sender put in."""
    given = _given(value)
    return say_refusal(given) if isinstance(given, Reason) else given


def _given(value: object) -> Reason | str:
    """The same; what is no plain value as a reason of its own."""
    if isinstance(value, list):
        return because("list_given")
    if isinstance(value, dict):
        return because("object_given")
    if isinstance(value, str):
        return json.dumps(value if len(value) <= 40 else value[:40] + "...")
    return because("null_given") if value is None else json.dumps(value)


_RFC3339: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)


def moment_of(text: object, name: str = VALID_UNTIL) -> datetime:
    """The moment that the RFC 3339 `text` names. Raises PayloadError where it names none."""
    wanted = because("time_wrong", name=name, example='"2030-01-31T12:00:00Z"', shown=_given(text))
    if not isinstance(text, str) or not _RFC3339.fullmatch(text):
        raise PayloadError(wanted)
    try:
        moment = datetime.fromisoformat(text.upper())
        moment.timestamp()
    except (ValueError, OverflowError):
        raise PayloadError(wanted) from None
    return moment


def _rfc3339(wall_now: datetime, seconds_ahead: float) -> str:
    return (wall_now + timedelta(seconds=seconds_ahead)).isoformat(timespec="seconds").replace("+00:00", "Z")

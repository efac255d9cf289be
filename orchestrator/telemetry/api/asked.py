"""What a request asks for, read from its body and its query: exactly that, or refused with the field that is wrong."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import get_close_matches
from typing import Any, Final

from orchestrator.documents.json_values import rfc3339
from orchestrator.errors import PayloadError
from orchestrator.reason import Reason, because
from orchestrator.reason.refusals import say_refusal
from orchestrator.setpoints.fields import ROWS, SetpointFields
from orchestrator.setpoints.payload import moment_of, read_object
from orchestrator.setpoints.values import WrongValue
from orchestrator.telemetry.api.endpoints import Query

LONGEST_S: Final = 31 * 86400.0
"""A month. Who means longer writes it into site.yaml, where others find it."""
UNTIL, FOR_S = "valid_until", "for_s"
_BY_NAME: Final = {row.name: row for row in ROWS}


class Invalid(Exception):
    """A request asks for something that cannot be; `field` is what is wrong with it, None: the body as a whole.

    `why` says it as a value; None where only the text does.
    """

    def __init__(self, why: Reason | None, field: str | None = None, text: str | None = None) -> None:
        super().__init__(text if why is None or text is not None else say_refusal(why))
        self.why, self.field = why, field


@dataclass(frozen=True, slots=True)
class Asked:
    """A setpoint by hand: its fields, and its end."""

    fields: SetpointFields
    until: datetime


def setpoint_asked(body: bytes, wall: datetime) -> Asked:
    """The setpoint that `body` asks for at `wall` (with its zone). Raises Invalid."""
    values = _object(body)
    until = _until(values, wall)
    read: dict[str, Any] = {name: _read(name, value) for name, value in values.items()}
    if not read:
        raise Invalid(because("asks_for_nothing", example="export_limit_watts"))
    return Asked(SetpointFields(**read), until)


def end_asked(body: bytes, wall: datetime) -> datetime:
    """When what `body` asks for ends: `{"for_s": seconds}`. Raises Invalid."""
    values = _object(body)
    until = _until(values, wall)
    if values:
        name = next(iter(values))[:64]
        raise Invalid(because("field_not_wanted", name=json.dumps(name), wanted=FOR_S), name)
    return until


def password_asked(body: bytes) -> str:
    """The password in `body`. Raises Invalid."""
    values = _object(body)
    password = values.get("password")
    if not isinstance(password, str) or set(values) != {"password"}:
        raise Invalid(because("body_wanted", example='{"password": "..."}'), "password")
    return password


def number_asked(query: Query, given: Mapping[str, str]) -> int:
    """The number that a query gives, or its default. Raises Invalid."""
    text = given.get(query.name)
    if text is None:
        return query.default
    if not (text.isascii() and text.isdigit() and len(text) < 9 and query.least <= int(text) <= query.most):
        why = because("whole_number_wanted", name=query.name, least=query.least, most=query.most)
        raise Invalid(why, query.name)
    return int(text)


def _object(body: bytes) -> dict[str, Any]:
    try:
        return read_object(body)
    except PayloadError as error:
        raise Invalid(error.why, text=str(error).replace("the message", "the body")) from None


def _until(values: dict[str, Any], wall: datetime) -> datetime:
    """Takes the end out of `values`."""
    text, seconds = values.pop(UNTIL, None), values.pop(FOR_S, None)
    if (text is None) == (seconds is None):
        raise Invalid(because("end_needed", time=UNTIL, length=FOR_S), FOR_S)
    if text is not None:
        return _moment(text, wall)
    is_number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    if not is_number or not 1 <= seconds <= LONGEST_S:
        raise Invalid(because("length_wrong", name=FOR_S, most=LONGEST_S), FOR_S)
    return wall + timedelta(seconds=seconds)


def _moment(text: object, wall: datetime) -> datetime:
    try:
        until = moment_of(text, UNTIL)
    except PayloadError as error:
        raise Invalid(error.why, UNTIL, str(error)) from None
    if not timedelta() < until - wall <= timedelta(seconds=LONGEST_S):
        raise Invalid(because("end_out_of_range", name=UNTIL, now=rfc3339(wall)), UNTIL)
    return until


def _read(name: str, value: object) -> object:
    """The value of the field `name` of site.yaml. Raises Invalid."""
    row = _BY_NAME.get(name)
    if row is None:
        near = next(iter(get_close_matches(name[:64], _BY_NAME, n=1)), None)
        raise Invalid(because("field_unknown", name=json.dumps(name[:64]), nearest=near), name[:64])
    try:
        return row.value.read(value)
    except WrongValue as wrong:
        raise Invalid(because("value_wrong", field=name, allowed=wrong.wanted), name) from None

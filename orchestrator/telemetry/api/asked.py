"""What a request asks for, read from its body and its query: exactly that, or refused with the field that is wrong."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from orchestrator.documents.json_values import rfc3339
from orchestrator.documents.words import nearest
from orchestrator.errors import PayloadError
from orchestrator.setpoints.fields import ROWS, SetpointFields
from orchestrator.setpoints.payload import moment_of, read_object
from orchestrator.setpoints.values import WrongValue
from orchestrator.telemetry.api.endpoints import Query

LONGEST_S: Final = 31 * 86400.0
"""A month. Who means longer writes it into site.yaml, where others find it."""
UNTIL, FOR_S = "valid_until", "for_s"
_BY_NAME: Final = {row.name: row for row in ROWS}


class Invalid(Exception):
    """A request asks for something that cannot be; `field` is what is wrong with it, None: the body as a whole."""

    def __init__(self, text: str, field: str | None = None) -> None:
        super().__init__(text)
        self.field = field


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
        raise Invalid("it asks for nothing: name at least one field, such as export_limit_watts")
    return Asked(SetpointFields(**read), until)


def end_asked(body: bytes, wall: datetime) -> datetime:
    """When what `body` asks for ends: `{"for_s": seconds}`. Raises Invalid."""
    values = _object(body)
    until = _until(values, wall)
    if values:
        name = next(iter(values))[:64]
        raise Invalid(f"unknown field {json.dumps(name)}; for_s is wanted, and nothing else", name)
    return until


def password_asked(body: bytes) -> str:
    """The password in `body`. Raises Invalid."""
    values = _object(body)
    password = values.get("password")
    if not isinstance(password, str) or set(values) != {"password"}:
        raise Invalid('a body such as {"password": "..."} is wanted, and nothing else', "password")
    return password


def number_asked(query: Query, given: Mapping[str, str]) -> int:
    """The number that a query gives, or its default. Raises Invalid."""
    text = given.get(query.name)
    if text is None:
        return query.default
    if not (text.isascii() and text.isdigit() and len(text) < 9 and query.least <= int(text) <= query.most):
        raise Invalid(f"{query.name} must be a whole number from {query.least} to {query.most}", query.name)
    return int(text)


def _object(body: bytes) -> dict[str, Any]:
    try:
        return read_object(body)
    except PayloadError as error:
        raise Invalid(str(error).replace("the message", "the body")) from None


def _until(values: dict[str, Any], wall: datetime) -> datetime:
    """Takes the end out of `values`."""
    text, seconds = values.pop(UNTIL, None), values.pop(FOR_S, None)
    if (text is None) == (seconds is None):
        raise Invalid(f"an end is needed: either {UNTIL} (a time) or {FOR_S} (seconds)", FOR_S)
    if text is not None:
        return _moment(text, wall)
    is_number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    if not is_number or not 1 <= seconds <= LONGEST_S:
        raise Invalid(f"{FOR_S} must be a number from 1 to {LONGEST_S:.0f} (seconds)", FOR_S)
    return wall + timedelta(seconds=seconds)


def _moment(text: object, wall: datetime) -> datetime:
    try:
        until = moment_of(text, UNTIL)
    except PayloadError as error:
        raise Invalid(str(error), UNTIL) from None
    if not timedelta() < until - wall <= timedelta(seconds=LONGEST_S):
        raise Invalid(f"{UNTIL} must be after now ({rfc3339(wall)}), and no more than 31 days ahead", UNTIL)
    return until


def _read(name: str, value: object) -> object:
    """The value of the field `name` of site.yaml. Raises Invalid."""
    row = _BY_NAME.get(name)
    if row is None:
        raise Invalid(f"unknown field {json.dumps(name[:64])}; {nearest(name[:64], _BY_NAME)}", name[:64])
    try:
        return row.value.read(value)
    except WrongValue:
        raise Invalid(f"{name} must be {row.value.words}", name) from None

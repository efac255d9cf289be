"""Setpoints that are entered one field at a time, by people at a screen: which fields, and what a screen may send.

Each field takes its value as text, or `NOT_SET`: then it asks for nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from orchestrator.errors import PayloadError
from orchestrator.setpoints.fields import ROWS, Row, SetpointFields
from orchestrator.setpoints.intake import Arrival
from orchestrator.setpoints.payload import message_of
from orchestrator.setpoints.values import Number, WrongValue

NOT_SET: Final = "not set"
ON: Final = "on"
OFF: Final = "off"
MAX_TEXT_BYTES: Final = 64
"""No value is longer; what is longer is refused unread."""


@dataclass(frozen=True, slots=True)
class Entry:
    """How one field is entered. `words` are what a screen offers, with the value of each; empty for numbers.

    `switches`: there are only two words, and "off" is `NOT_SET` by another name. `needs_battery`: of no use to a site
    without one.
    """

    field: str
    title: str
    words: tuple[tuple[str, Any], ...] = ()
    needs_battery: bool = True

    @property
    def row(self) -> Row:
        """What may be asked for with this field."""
        return _ROWS[self.field]

    @property
    def is_number(self) -> bool:
        """Whether it is entered as a number."""
        return isinstance(self.row.value, Number)

    @property
    def is_switch(self) -> bool:
        """Whether it is entered as on or off."""
        return [word for word, _ in self.words] == [ON, OFF]


_ROWS: Final = {row.name: row for row in ROWS}

ENTRIES: Final = (
    Entry("export_limit_watts", "Export limit", needs_battery=False),
    Entry("import_limit_watts", "Import limit", needs_battery=False),
    Entry("generation_limit_watts", "Generation limit", needs_battery=False),
    Entry("battery_soc_min_percent", "Minimum SoC"),
    Entry("battery_soc_max_percent", "Maximum SoC"),
    Entry("battery_target_soc_percent", "Target SoC"),
    Entry("battery_charge_max_watts", "Charge limit"),
    Entry("battery_discharge_max_watts", "Discharge limit"),
    Entry("battery_import_target_watts", "Import target"),
    Entry("battery_export_target_watts", "Export target"),
    Entry("battery_grid_charging_max_watts", "Grid charge limit"),
    Entry(
        "battery_priority_mode",
        "Priority",
        ((NOT_SET, None), ("batteries first", "battery_first"), ("export first", "export_first")),
    ),
    Entry("battery_grid_charging_enabled", "Grid charging", ((NOT_SET, None), ("allowed", True), ("forbidden", False))),
    Entry("energize", "Standstill", ((ON, False), (OFF, None)), needs_battery=False),
)
"""What people set by hand, in the order in which it is shown. Everything else is for programs, by setpoint messages."""

_ENTRIES: Final = {entry.field: entry for entry in ENTRIES}


def can_be_entered(name: str) -> bool:
    """Whether there is a field `name` that is entered by hand."""
    return name in _ENTRIES


def with_entered(fields: SetpointFields, name: str, payload: bytes) -> SetpointFields:
    """`fields` once the text of `payload` was entered for the field `name`. Raises PayloadError, with the reason."""
    entry = _ENTRIES.get(name)
    if entry is None:
        raise PayloadError(f"there is no field {name[:64]!a} that is entered by hand")
    text = payload[: MAX_TEXT_BYTES + 1].decode("utf-8", "replace").strip()
    change: dict[str, Any] = {name: _value(entry, text)}
    return replace(fields, **change)


def newest_entry(
    fields: SetpointFields, name: str, arrivals: Sequence[Arrival]
) -> tuple[SetpointFields, Arrival | None, str | None]:
    """`fields` with what the newest message for the field `name` says that can be taken, and that message.

    The third is why the newest of those after it was refused. None: there is none.
    """
    reason: str | None = None
    for arrival in reversed(arrivals):
        try:
            if arrival.redelivered:
                raise PayloadError(f"{name} was sent retained, so nobody knows when it was entered")
            return with_entered(fields, name, arrival.payload), arrival, reason
        except PayloadError as error:
            reason = reason or str(error)
    return fields, None, reason


def entered(fields: SetpointFields) -> dict[str, object]:
    """What a screen shows of `fields`, by field: numbers (None: not set) and words."""
    return {entry.field: _shown(entry, getattr(fields, entry.field)) for entry in ENTRIES}


def as_message(fields: SetpointFields) -> bytes:
    """The setpoint message that asks for `fields`; empty, which withdraws it, where nothing is asked for."""
    return message_of(fields) if fields.asked() else b""


def _value(entry: Entry, text: str) -> object:
    if text == NOT_SET:
        return None
    if not entry.is_number:
        return _value_of_word(entry, text)
    try:
        number = float(text)
    except ValueError:
        raise PayloadError(f"{entry.field} must be {entry.row.value.words} or {NOT_SET!r}, not {text[:40]!a}") from None
    return _read(entry, number)


def _value_of_word(entry: Entry, text: str) -> object:
    offered = dict(entry.words)
    if text not in offered:
        raise PayloadError(f"{entry.field} must be one of {', '.join(map(repr, offered))}, not {text[:40]!a}")
    return None if offered[text] is None else _read(entry, offered[text])


def _read(entry: Entry, value: object) -> object:
    try:
        return entry.row.value.read(value)
    except WrongValue as wrong:
        raise PayloadError(f"{entry.field} must be {wrong}, not {value}") from None


def _shown(entry: Entry, value: object) -> object:
    if entry.is_number:
        return value
    off = OFF if entry.is_switch else NOT_SET
    return next((word for word, meant in entry.words if meant is not None and meant == value), off)

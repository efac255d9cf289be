"""A line of the log: for people, or as one JSON object. Secrets are taken out of whatever is written."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from pydantic import BaseModel, SecretStr

HIDDEN: Final = "***"
SHORTEST_SECRET: Final = 4
"""Shorter ones would tear ordinary words apart; as passwords they protect nothing anyway."""


@dataclass(frozen=True, slots=True)
class Line:
    """One entry. `details` are further values by name; `traceback` is text of many lines, empty without one."""

    at: datetime
    level: str
    source: str
    message: str
    inverter: str | None = None
    cycle: int | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    traceback: str = ""


def human(line: Line) -> str:
    """`2026-01-01 12:00:00.000 WARNING [cycle 12, east] message`, in the time zone of `line.at`."""
    at = f"{line.at:%Y-%m-%d %H:%M:%S}.{line.at.microsecond // 1000:03d}"
    text = f"{at} {line.level} {where(line)}{_on_one_line(line.message)}"
    return f"{text}\n{line.traceback}" if line.traceback else text


def _on_one_line(text: str) -> str:
    """Without what would begin another line or command a terminal: whoever sends a message may have chosen it."""
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)


def where(line: Line) -> str:
    """`[cycle 12, east] `, as far as it is known."""
    known = [f"cycle {line.cycle}"] if line.cycle is not None else []
    known += [line.inverter] if line.inverter else []
    return f"[{', '.join(known)}] " if known else ""


def as_json(line: Line) -> str:
    """One JSON object without line breaks; keys that have no value are left out."""
    known = {
        "time": line.at.isoformat(timespec="milliseconds"),
        "level": line.level.lower(),
        "message": line.message,
        "inverter": line.inverter,
        "cycle": line.cycle,
        "source": line.source,
        "traceback": line.traceback or None,
    }
    values = {**line.details, **{key: value for key, value in known.items() if value is not None}}
    return json.dumps(values, ensure_ascii=False, default=str)


def secrets_of(config: BaseModel) -> frozenset[str]:
    """Every secret of a configuration that is long enough to be looked for."""
    return frozenset(secret for secret in _secrets(config) if len(secret) >= SHORTEST_SECRET)


def _secrets(value: object) -> Iterator[str]:
    if isinstance(value, SecretStr):
        yield value.get_secret_value()
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _secrets(getattr(value, name))
    elif isinstance(value, tuple):
        for item in value:
            yield from _secrets(item)


def hidden(line: Line, secrets: Iterable[str]) -> Line:
    """`line` with every secret taken out of what it says."""
    message, traceback = without(line.message, secrets), without(line.traceback, secrets)
    return replace(line, message=message, traceback=traceback)


def without(text: str, secrets: Iterable[str]) -> str:
    """`text` with every secret hidden, also as a `repr` writes it; the longer ones first, so that no end is left."""
    written = {each for secret in secrets for each in (secret, repr(secret)[1:-1])}
    for each in sorted(written, key=len, reverse=True):
        text = text.replace(each, HIDDEN)
    return text

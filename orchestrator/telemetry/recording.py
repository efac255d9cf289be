"""A recording: one line of JSON for each cycle, with what is published of it (see `telemetry`) under its topics.

{"time": "2026-06-01T12:00:00.000Z", "site": {...}, "limits": {...}, "inverters/east": {...}, ...}
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from orchestrator.config.sections import SiteConfig
from orchestrator.decide.records import CycleResult
from orchestrator.documents.json_values import without_time
from orchestrator.errors import UsageError
from orchestrator.telemetry.explanation import View, inverter_names
from orchestrator.telemetry.payloads import state_payloads


@dataclass(frozen=True, slots=True)
class Recorded:
    """One cycle of a recording: its time (RFC 3339), and what was published, by topic."""

    time: str
    payloads: Mapping[str, Mapping[str, Any]]

    @property
    def at(self) -> datetime:
        """Its time. Raises ValueError where that is none."""
        return datetime.fromisoformat(self.time)


def to_line(result: CycleResult, time: str) -> str:
    """One cycle as a line, with its end."""
    payloads = {topic: without_time(payload) for topic, payload in state_payloads(result, time).items()}
    return json.dumps({"time": time, **payloads}, allow_nan=False, separators=(",", ":")) + "\n"


def read_cycles(lines: Iterable[str]) -> Iterator[Recorded]:
    """The cycles of a recording. A line that is none (cut by a kill) is skipped."""
    for line in lines:
        try:
            content = json.loads(line)
        except ValueError:
            continue
        if not isinstance(content, dict) or not isinstance(content.get("time"), str):
            continue
        time = content.pop("time")
        payloads = {topic: payload | {"time": time} for topic, payload in content.items() if isinstance(payload, dict)}
        recorded = Recorded(time, payloads)
        if "site" in payloads and _has_time(recorded):
            yield recorded


def cycle_at(lines: Iterable[str], moment: datetime | None = None) -> Recorded:
    """The last cycle, or the last one at or before `moment` (with time zone). Raises UsageError where there is none."""
    found, first = None, None
    for recorded in read_cycles(lines):
        first = first or recorded
        if moment is None or recorded.at <= moment:
            found = recorded
    if found is not None:
        return found
    if first is not None and moment is not None:
        raise UsageError(f"the recording begins at {first.time}, after {moment.isoformat()}")
    raise UsageError("there is no cycle in this recording")


def recorded_view(config: SiteConfig, file: str, moment: str | None) -> View:
    """The cycle of a recording that is to be explained. Raises UsageError for a file or a time that will not do."""
    at = None if moment is None else _moment(moment, config)
    try:
        with open(file, encoding="utf-8", errors="replace") as lines:
            recorded = cycle_at(lines, at)
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror or error}") from error
    except UsageError as error:
        raise UsageError(f"{file}: {error}") from error
    zone = ZoneInfo(config.site.timezone)
    return View(config.site.name, recorded.payloads, inverter_names(recorded.payloads), zone=zone)


def _moment(text: str, config: SiteConfig) -> datetime:
    """A time as people type it; without an offset it is of the site's time zone."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"--at must be a time such as 2026-06-01T12:00:00Z (got {text!r})") from error
    return at if at.tzinfo is not None else at.replace(tzinfo=ZoneInfo(config.site.timezone))


def _has_time(recorded: Recorded) -> bool:
    try:
        return recorded.at.tzinfo is not None
    except ValueError:
        return False

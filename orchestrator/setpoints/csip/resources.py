"""The resources of a server as records: what an event or a default control asks for, and where things are.

Powers are in W, times in seconds since 1970 by the clock of the server. Limits are magnitudes; a storage target is what
the batteries give (positive: discharging).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Final

from msgspec import Struct, field

from orchestrator.setpoints.csip.documents import DocumentError, Node
from orchestrator.setpoints.fields import ROWS

LIMITS: Final = {
    "opModExpLimW": "export_limit_watts",
    "opModImpLimW": "import_limit_watts",
    "opModGenLimW": "generation_limit_watts",
    "opModLoadLimW": "load_limit_watts",
}
SWITCHES: Final = {"opModConnect": "connect", "opModEnergize": "energize"}
STORAGE_TARGET: Final = "storage_target_watts"
RAMPED: Final = tuple(LIMITS.values())
"""What changes along a ramp. Switches change at once, and so does a storage target, which is no limit."""
assert {*LIMITS, *SWITCHES} <= {row.wire for row in ROWS}

LONGEST_S: Final = 10 * 365 * 86400
"""No event is longer: a server that means "without end" writes the largest number that there is."""

Asks = Mapping[str, float | bool]
"""What is asked for, by the names of setpoint fields, and STORAGE_TARGET."""


class Status(IntEnum):
    """EventStatus.currentStatus."""

    SCHEDULED = 0
    ACTIVE = 1
    CANCELLED = 2
    CANCELLED_AT_RANDOM = 3
    SUPERSEDED = 4


class Control(Struct, frozen=True):
    """One DERControl. `program` is where its program is, `primacy` of that (the lower the stronger).

    `randomize_start_s` and `randomize_duration_s` bound a random shift (-3600 to 3600; the sign is its direction).
    `ramp_s`: how long the way to its values takes; None: as the default control says. `response_required` are bits:
    1 that it was received, 2 what became of it.
    """

    mrid: str
    program: str
    primacy: int
    created_s: int
    start_s: int
    duration_s: int
    asks: dict[str, float | bool] = field(default_factory=dict)
    randomize_start_s: int = 0
    randomize_duration_s: int = 0
    ramp_s: float | None = None
    status: int = Status.SCHEDULED
    reply_to: str | None = None
    response_required: int = 0


class Default(Struct, frozen=True):
    """One DefaultDERControl. `gradient` is setGradW as a share of the rated power per second; None: not given."""

    program: str
    primacy: int
    asks: dict[str, float | bool] = field(default_factory=dict)
    gradient: float | None = None


class Program(Struct, frozen=True):
    """One DERProgram, and where its default control and its events are."""

    href: str
    primacy: int
    default_href: str | None
    controls_href: str | None


def program(node: Node) -> Program:
    """A DERProgram. Raises DocumentError."""
    href, primacy = node.attribute("href"), node.whole("primacy")
    if not href or primacy is None:
        raise DocumentError("a DERProgram without href or primacy")
    return Program(href, primacy, node.link("DefaultDERControlLink"), node.link("DERControlListLink"))


def control(node: Node, of: Program) -> Control:
    """A DERControl of a program. Raises DocumentError."""
    interval, mrid = node.child("interval"), node.text("mRID")
    if interval is None or not mrid:
        raise DocumentError("a DERControl without mRID or interval")
    start_s, duration_s = interval.whole("start"), interval.whole("duration")
    if start_s is None or duration_s is None or duration_s < 0:
        raise DocumentError(f"DERControl {mrid[:40]} has no start or no duration")
    base, status = node.child("DERControlBase"), node.child("EventStatus")
    ramp = base.whole("rampTms") if base is not None else None
    return Control(
        mrid=mrid.lower(),
        program=of.href,
        primacy=of.primacy,
        created_s=node.whole("creationTime") or 0,
        start_s=start_s,
        duration_s=min(duration_s, LONGEST_S),
        asks=asks(base),
        randomize_start_s=_within_an_hour(node.whole("randomizeStart")),
        randomize_duration_s=_within_an_hour(node.whole("randomizeDuration")),
        ramp_s=None if ramp is None else ramp / 100,
        status=(status.whole("currentStatus") if status is not None else None) or 0,
        reply_to=node.attribute("replyTo") or None,
        response_required=node.attribute_bits("responseRequired"),
    )


def default(node: Node, of: Program) -> Default:
    """A DefaultDERControl of a program. setGradW is in hundredths of a percent per second. Raises DocumentError."""
    gradient = node.whole("setGradW")
    return Default(of.href, of.primacy, asks(node.child("DERControlBase")), gradient / 10_000 if gradient else None)


def asks(base: Node | None) -> dict[str, float | bool]:
    """What a DERControlBase asks for. A limit below 0 is 0: it cannot be meant as more. Raises DocumentError."""
    if base is None:
        return {}
    found: dict[str, float | bool] = {}
    for wire, name in LIMITS.items():
        if (watts := base.watts(wire)) is not None:
            found[name] = max(0.0, watts)
    for wire, name in SWITCHES.items():
        if (on := base.switch(wire)) is not None:
            found[name] = on
    if (target := base.watts("opModStorageTargetW")) is not None:
        found[STORAGE_TARGET] = target
    return found


def _within_an_hour(seconds: int | None) -> int:
    return max(-3600, min(3600, seconds or 0))

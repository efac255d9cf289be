"""What of a cycle is worth a line in the log: only what is not as it was in the cycle before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from orchestrator.cycle import CycleResult
from orchestrator.explain.words import say_all
from orchestrator.samples import METER
from orchestrator.setpoints.merge import OperatingEnvelope

Level = Literal["info", "warning"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened. `event` is a bounded word."""

    level: Level
    event: str
    message: str
    inverter: str | None = None


def entries(former: CycleResult | None, result: CycleResult) -> Iterator[Entry]:
    """What `result` has that `former` had not. The first cycle says which limits hold, and who is missing."""
    yield from _mode(former, result)
    yield from _presences(former, result)
    yield from _meter(former, result)
    yield from _limits(former.envelope if former else OperatingEnvelope(), result.envelope)


def _mode(former: CycleResult | None, result: CycleResult) -> Iterator[Entry]:
    before = former.mode if former else "waiting"
    if result.mode == before:
        return
    because = f": {', '.join(say_all(result.reasons))}" if result.reasons else ""
    level: Level = "warning" if result.mode == "failsafe" else "info"
    yield Entry(level, f"mode_{result.mode}", f"mode {result.mode}, before {before}{because}")


def _presences(former: CycleResult | None, result: CycleResult) -> Iterator[Entry]:
    if result.mode == "waiting":
        return
    before = set(former.snapshot.away) if former and former.mode != "waiting" else set()
    now = set(result.snapshot.away)
    told, troubles = former.snapshot.troubles if former else {}, result.snapshot.troubles
    for name in sorted(now - before):
        why = f": {troubles[name]}" if name in troubles else ""
        yield Entry("warning", "inverter_away", f"does not answer; the others take its share{why}", name)
    for name in sorted(now & before):
        if name in troubles and troubles[name] != told.get(name):
            yield Entry("warning", "inverter_trouble", f"still does not answer: {troubles[name]}", name)
    for name in sorted(before - now):
        if result.snapshot.inverter(name) is not None:  # one that was taken out of site.yaml is not back
            yield Entry("info", "inverter_back", "answers again", name)


def _meter(former: CycleResult | None, result: CycleResult) -> Iterator[Entry]:
    told = former.snapshot.troubles.get(METER) if former and former.mode != "waiting" else None
    trouble = result.snapshot.troubles.get(METER)
    if result.mode != "waiting" and trouble is not None and trouble != told:
        yield Entry("warning", "meter_trouble", f"the meter does not answer: {trouble}")


def _limits(former: OperatingEnvelope, envelope: OperatingEnvelope) -> Iterator[Entry]:
    before, now = former.fields.asked(), envelope.fields.asked()
    for name in sorted({*before, *now}):
        if name not in now:
            yield Entry("info", "setpoint", f"{name}: nobody asks any more, before {_value(before[name])}")
        elif before.get(name) != now[name] or former.whose(name) != envelope.whose(name):
            yield Entry("info", "setpoint", f"{name}: {_value(now[name])} ({envelope.whose(name)})")


def _value(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)

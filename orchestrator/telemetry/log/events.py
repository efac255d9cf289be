"""What of a cycle is worth a line in the log: only what is not as it was in the cycle before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from orchestrator.decide.records import CycleResult
from orchestrator.explain.words import say
from orchestrator.reason import Reason, as_fact, because
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
    why: Reason | None = None

    @classmethod
    def of(cls, level: Level, event: str, why: Reason, inverter: str | None = None) -> Entry:
        """One whose words are those of `why`."""
        return cls(level, event, say(why), inverter, why)


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
    level: Level = "warning" if result.mode == "failsafe" else "info"
    changed = because("mode_changed", mode=result.mode, before=before, why=result.reasons or None)
    yield Entry.of(level, f"mode_{result.mode}", changed)


def _presences(former: CycleResult | None, result: CycleResult) -> Iterator[Entry]:
    if result.mode == "waiting":
        return
    before = set(former.snapshot.away) if former and former.mode != "waiting" else set()
    now = set(result.snapshot.away)
    told, troubles = former.snapshot.troubles if former else {}, result.snapshot.troubles
    for name in sorted(now - before):
        yield Entry.of("warning", "inverter_away", because("went_away", trouble=troubles.get(name)), name)
    for name in sorted(now & before):
        if name in troubles and troubles[name] != told.get(name):
            yield Entry.of("warning", "inverter_trouble", because("stays_away", trouble=troubles[name]), name)
    for name in sorted(before - now):
        if result.snapshot.inverter(name) is not None:  # one that was taken out of site.yaml is not back
            yield Entry.of("info", "inverter_back", because("came_back"), name)


def _meter(former: CycleResult | None, result: CycleResult) -> Iterator[Entry]:
    told = former.snapshot.troubles.get(METER) if former and former.mode != "waiting" else None
    trouble = result.snapshot.troubles.get(METER)
    if result.mode != "waiting" and trouble is not None and trouble != told:
        yield Entry.of("warning", "meter_trouble", because("meter_away", trouble=trouble))


def _goes_on(former: OperatingEnvelope, envelope: OperatingEnvelope, name: str) -> bool:
    """Whether a ramp has taken one stair more: a line each would be hundreds. Its begin and its end have theirs."""
    before, now = former.origins.get(name), envelope.origins.get(name)
    return before is not None and now is not None and before.source == now.source and before.is_moving and now.is_moving


def _limits(former: OperatingEnvelope, envelope: OperatingEnvelope) -> Iterator[Entry]:
    before, now = former.fields.asked(), envelope.fields.asked()
    for name in sorted({*before, *now}):
        if name not in now:
            yield Entry.of("info", "setpoint", because("asked_no_more", field=name, value=as_fact(before[name])))
        elif _goes_on(former, envelope, name):
            continue
        elif before.get(name) != now[name] or former.whose(name) != envelope.whose(name):
            asked = because("asked_now", field=name, value=as_fact(now[name]), source=envelope.whose(name))
            yield Entry.of("info", "setpoint", asked)

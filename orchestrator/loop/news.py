"""What people hear of once, when it begins: a fault of the meter, a battery that does not follow."""

from __future__ import annotations

from orchestrator.cycle import CycleResult
from orchestrator.decide.memory import MeterFault
from orchestrator.explain.limit import FAULTS
from orchestrator.explain.words import say
from orchestrator.loop.messages import Event
from orchestrator.loop.meter_sign import MeterSign
from orchestrator.reason import because

METER = "meter"
METER_REVERSED = "meter_reversed"


METER_CONTRADICTS = "meter_contradicts"


def meter_reversed(sign: MeterSign) -> Event:
    """What an installer should do once the plant's own moves spoke against the meter; `sign` is what came of it."""
    name, other = _named(export_positive=sign.export_positive), _named(export_positive=not sign.export_positive)
    if sign.contradicted:
        detail = (
            "the plant's own moves contradict the sign that they had proven before: the failsafe lasts until site.yaml "
            "says how the meter counts now; write meter.sign: import_positive or export_positive, and reload it"
        )
        return Event(METER_CONTRADICTS, METER, detail)
    if sign.automatic:
        detail = (
            "the plant's own moves show that it counts the wrong way round: its sign is turned, and the plant goes on; "
            f"write meter.sign: {name}, or swap the transformers' direction and write meter.sign: {other}"
        )
    else:
        detail = (
            "the plant's own moves show that it counts the wrong way round: failsafe, as site.yaml names its sign; "
            f"swap the transformers' direction, or write meter.sign: {other}"
        )
    return Event(METER_REVERSED, METER, detail)


def _named(*, export_positive: bool) -> str:
    return "export_positive" if export_positive else "import_positive"


class News:
    """Compares each decision with the one before."""

    def __init__(self) -> None:
        self._meter_fault: MeterFault | None = None
        self._not_following: frozenset[str] = frozenset()

    def of(self, result: CycleResult) -> list[Event]:
        """What has begun with this decision."""
        fault, names = result.meter_fault, frozenset(result.not_following)
        events = []
        if fault is not None and fault != self._meter_fault:
            events.append(Event(f"meter_{fault}", METER, say(because("failsafe", why=FAULTS[fault]))))
        for name in sorted(names - self._not_following):
            events.append(Event("battery_not_following", name, "its battery has not followed its command for 30 s"))
        self._meter_fault, self._not_following = fault, names
        return events

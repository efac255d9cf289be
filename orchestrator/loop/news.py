"""What people hear of once, when it begins: a fault of the meter, a battery or an inverter that does not follow."""

from __future__ import annotations

from orchestrator.decide.following import DEAF_AFTER_S
from orchestrator.decide.memory import MeterFault
from orchestrator.decide.records import CycleResult
from orchestrator.explain.limit import FAULTS
from orchestrator.loop.messages import Event
from orchestrator.loop.meter_sign import MeterSign
from orchestrator.reason import Reason, because

METER = "meter"
METER_REVERSED = "meter_reversed"


METER_CONTRADICTS = "meter_contradicts"


def meter_reversed(sign: MeterSign) -> Event:
    """What an installer should do once the plant's own moves spoke against the meter; `sign` is what came of it."""
    name, other = _named(export_positive=sign.export_positive), _named(export_positive=not sign.export_positive)
    if sign.contradicted:
        return Event.of(METER_CONTRADICTS, METER, because("sign_contradicted"))
    turned = because("sign_turned", sign=name, other_sign=other)
    return Event.of(METER_REVERSED, METER, turned if sign.automatic else because("sign_named_wrong", other_sign=other))


def _named(*, export_positive: bool) -> str:
    return "export_positive" if export_positive else "import_positive"


def has_not_followed() -> Reason:
    """What is said of a battery that does not do what it is told."""
    return because("has_not_followed", seconds=DEAF_AFTER_S)


class News:
    """Compares each decision with the one before."""

    def __init__(self) -> None:
        self._meter_fault: MeterFault | None = None
        self._not_following: frozenset[str] = frozenset()
        self._above_limit: frozenset[str] = frozenset()

    def of(self, result: CycleResult) -> list[Event]:
        """What has begun with this decision."""
        fault, names = result.meter_fault, frozenset(result.not_following)
        events = []
        if fault is not None and fault != self._meter_fault:
            events.append(Event.of(f"meter_{fault}", METER, because("failsafe", why=FAULTS[fault])))
        for name in sorted(names - self._not_following):
            events.append(Event.of("battery_not_following", name, has_not_followed()))
        for name in sorted(result.above_limit.keys() - self._above_limit):
            events.append(Event.of("inverter_not_following", name, result.above_limit[name]))
        self._meter_fault, self._not_following = fault, names
        self._above_limit = frozenset(result.above_limit)
        return events

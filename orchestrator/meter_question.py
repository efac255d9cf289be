"""A question to the meter: a plant at rest proves nothing, so its AC power is lowered a little for a moment.

It is asked where a wrong meter could do harm, and only by lowering AC limits, which can never raise an export. A real
meter is hardly ever asked: its value moves all the time, and so do the inverters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import fsum, inf
from typing import TYPE_CHECKING

from orchestrator.setpoints import SetpointFields

if TYPE_CHECKING:
    from orchestrator.meter_trust import MeterTrust
    from orchestrator.plant import Plant

QUIET_S = 10.0
"""A meter is asked that has shown one value for so long, or that has proved nothing since the start of the loop."""

REST_VALUES = 2
"""One with a vote against it is asked as soon as AC power has rested for so many of its values."""

STEP_PART_OF_RATING = 0.02
"""How much less AC power is made while the question is open; twice as much for each vote against the meter."""

PATIENCE_S = 6.0
AFTERMATH_S = 3.0
AGAIN_AFTER_S = 30.0
SUSPECT_AGAIN_AFTER_S = 5.0


@dataclass(frozen=True, slots=True)
class Question:
    """Asked at `asked_at_s` by making `step_watts` less, with `against` votes against the meter, over at `ended_at_s`.

    While it `is_open`, no inverter makes more than it was left then.
    """

    is_open: bool = False
    asked_at_s: float = -inf
    ended_at_s: float = -inf
    step_watts: float = 0.0
    against: int = 0

    def disturbs(self, now_s: float) -> bool:
        """Whether AC limits hold the plant back for the question's sake, or have just begun to rise again."""
        return self.is_open or now_s - self.ended_at_s < AFTERMATH_S


def ask_meter(trust: MeterTrust, plant: Plant, wanted: SetpointFields, *, running_s: float, now_s: float) -> MeterTrust:
    """The same evidence, with a question where it is needed. The loop has been running for `running_s`."""
    before, against = trust.question, trust.sign.against
    if before.is_open:
        answered = trust.sign.count > 0 and not _is_quiet(trust, now_s)
        if answered or trust.fault is not None or now_s - before.asked_at_s > PATIENCE_S:
            return replace(trust, question=replace(before, is_open=False, ended_at_s=now_s))
        if against <= before.against:
            return trust
    elif not _has_doubt(trust, running_s, now_s):
        return trust
    step_watts = STEP_PART_OF_RATING * plant.rating_watts * 2.0**against
    if not _may_ask(trust, wanted, plant.generated_watts, step_watts):
        return trust
    return replace(trust, question=Question(True, now_s, step_watts=step_watts, against=against))


def lowered(question: Question, limits_watts: Mapping[str, float], plant: Plant, now_s: float) -> Mapping[str, float]:
    """The AC limits while a question is open: at first each a little below what it makes, then none above that.

    Inverters whose flash a change of the limit wears are left out of it.
    """
    if not question.is_open:
        return limits_watts
    asked = [u for u in plant.units if u.limitable and not u.sample.ac_limit_wears]
    held = {u.name: u.limit_watts for u in asked}
    if question.asked_at_s == now_s:
        made = {u.name: max(u.ac_watts, 0.0) for u in asked}
        part = 1.0 - min(question.step_watts / (fsum(made.values()) or inf), 1.0)
        held = {name: part * watts for name, watts in made.items()}
    return {name: min(watts, held.get(name, watts)) for name, watts in limits_watts.items()}


def _has_doubt(trust: MeterTrust, running_s: float, now_s: float) -> bool:
    if trust.fault is not None or running_s < QUIET_S:
        return False
    since_s = now_s - trust.question.asked_at_s
    if trust.sign.against and trust.sign.rests >= REST_VALUES:
        return since_s >= SUSPECT_AGAIN_AFTER_S
    return since_s >= AGAIN_AFTER_S and (trust.sign.count == 0 or _is_quiet(trust, now_s))


def _is_quiet(trust: MeterTrust, now_s: float) -> bool:
    return trust.changed_at_s is not None and now_s - trust.changed_at_s >= QUIET_S


def _may_ask(trust: MeterTrust, wanted: SetpointFields, made_watts: float, step_watts: float) -> bool:
    """Whether an export limit could be exceeded unseen, and the import limit leaves room for the step."""
    export, most_import = wanted.export_limit_watts, wanted.import_limit_watts
    if export is None or made_watts <= export:
        return False
    return most_import is None or trust.site_watts + step_watts <= most_import

"""A question to the meter: a plant at rest proves nothing, so its AC power is lowered a little for a moment.

It is asked where a wrong meter could do harm, and only by lowering AC limits, which can never raise an export. It is
asked when it has shown one value, or has proved nothing, for as long as site.yaml says (`ask_meter_after_s`), and much
sooner when its value has never rested before. A real meter's value never does, so it is hardly ever asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import fsum, inf
from typing import TYPE_CHECKING

from msgspec.structs import replace

from orchestrator.decide.memory import Question
from orchestrator.setpoints.fields import SetpointFields

if TYPE_CHECKING:
    from orchestrator.decide.memory import MeterTrust
    from orchestrator.decide.plant.units import Plant

QUIET_S = 10.0
"""Before this time the plant has not settled yet."""

REST_VALUES = 2
"""One with a vote against it is asked as soon as AC power has rested for so many of its values."""

STEP_PART_OF_RATING = 0.02
"""How much less AC power is made while the question is open; twice as much for each vote against the meter."""

UNUSUAL_LEAST_S = 5.0
UNUSUAL_TIMES = 3.0
"""A meter that shows one value for so long, and for so many times the longest recent gap between its values, has
stopped fluttering."""

PATIENCE_S = 6.0
"""A question is open for no longer: two periods of a slow meter, and the time that inverters need to follow."""

AGAIN_AFTER_S = 30.0
SUSPECT_AGAIN_AFTER_S = 5.0
"""The next question comes no sooner, because each costs some PV; sooner where there is a vote against the meter."""


def ask_meter(
    trust: MeterTrust, plant: Plant, wanted: SetpointFields, *, after_s: float, running_s: float, now_s: float
) -> MeterTrust:
    """The same evidence, with a question where it is needed.

    `after_s` is for how long a meter may show nothing, `running_s` for how long the loop has been running.
    """
    before, against = trust.question, trust.sign.against
    if before.is_open:
        answered = trust.sign.count > 0 and (trust.changed_at_s or 0.0) > before.asked_at_s
        needed = _is_above_import_limit(trust, wanted)
        if answered or needed or trust.fault is not None or now_s - before.asked_at_s > PATIENCE_S:
            return replace(trust, question=replace(before, is_open=False, ended_at_s=now_s))
        if against <= before.against:
            return trust
    elif not _has_doubt(trust, after_s, running_s, now_s):
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


def _has_doubt(trust: MeterTrust, after_s: float, running_s: float, now_s: float) -> bool:
    if trust.fault is not None or running_s < QUIET_S:
        return False
    since_s = now_s - trust.question.asked_at_s
    if trust.sign.against and trust.sign.rests >= REST_VALUES:
        return since_s >= SUSPECT_AGAIN_AFTER_S
    unusual_s = min(max(UNUSUAL_TIMES * trust.longest_gap_s, UNUSUAL_LEAST_S), after_s)
    if since_s >= max(AGAIN_AFTER_S, unusual_s) and running_s >= unusual_s and _is_quiet(trust, unusual_s, now_s):
        return True
    return trust.sign.count == 0 and running_s >= after_s and since_s >= max(AGAIN_AFTER_S, after_s)


def _is_quiet(trust: MeterTrust, for_s: float, now_s: float) -> bool:
    return trust.changed_at_s is not None and now_s - trust.changed_at_s >= for_s


def _may_ask(trust: MeterTrust, wanted: SetpointFields, made_watts: float, step_watts: float) -> bool:
    """Whether an export limit could be exceeded unseen, there is a step to make, and the import limit leaves room."""
    export, most_import = wanted.export_limit_watts, wanted.import_limit_watts
    if export is None or made_watts <= max(export, step_watts):
        return False
    return most_import is None or trust.site_watts + step_watts <= most_import


def _is_above_import_limit(trust: MeterTrust, wanted: SetpointFields) -> bool:
    """What the question holds back is needed: a limit goes before it."""
    return wanted.import_limit_watts is not None and trust.site_watts > wanted.import_limit_watts

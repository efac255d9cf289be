"""What a site answers to a command: what it took of it, and why not the rest.

It is known with the first decision that has the command in it: what holds of each field then, and who has bounded it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct, ValidationError, convert, to_builtins

from orchestrator.config.audience import PORTFOLIO
from orchestrator.decide.records import CycleResult
from orchestrator.documents.json_values import Payload
from orchestrator.errors import PayloadError
from orchestrator.explain.words import say, say_all
from orchestrator.setpoints.fields import HIGHEST_WINS, LAST_WINS, SetpointFields
from orchestrator.setpoints.payload import read_object

CLOSE_WATTS: Final = 100.0
CLOSE_PART: Final = 0.02
"""A battery target that is met as nearly as this is taken as it was asked."""

Sequence = Annotated[int, Meta(ge=0, le=2**53 - 1)]


class Clip(Struct, frozen=True):
    """One field that was not taken as asked: what holds in its place (None: nothing), and what has bounded it."""

    field: str
    asked: float | bool
    taken: float | bool | None
    bound: str


class Answer(Struct, frozen=True, forbid_unknown_fields=True):
    """`sequence` is that of the command (None: it had none), `newest` that of the newest command that counted.

    `reason` says why it was refused.
    """

    time: str
    answer: Literal["accepted", "clipped", "refused"]
    sequence: Sequence | None = None
    newest: Sequence | None = None
    clipped: tuple[Clip, ...] = ()
    reason: str | None = None


def answer_payload(answer: Answer) -> Payload:
    """As it is published."""
    payload: Payload = to_builtins(answer)
    return payload


def read_answer(payload: bytes) -> Answer:
    """The answer in a message. Raises PayloadError where it is none."""
    try:
        return convert(read_object(payload), Answer)
    except ValidationError as error:
        raise PayloadError(str(error)) from None


def clips(asked: SetpointFields, not_allowed: tuple[Clip, ...], result: CycleResult) -> tuple[Clip, ...] | None:
    """What of `asked` was not taken, by a decision; None where the command is not in that decision yet.

    `not_allowed` is what site.yaml did not let through.
    """
    found = list(not_allowed)
    for name, value in asked.asked().items():
        holds = getattr(result.envelope.fields, name)
        if holds is None or _is_wider(name, holds, value):
            return None
        source = result.envelope.whose(name) or "the site"
        if name in LAST_WINS and holds != value and result.envelope.source(name) == PORTFOLIO:
            return None
        if holds != value:
            found.append(Clip(name, value, holds, source))  # type: ignore[arg-type]
    return (*found, *_of_battery(asked, result))


def _is_wider(name: str, holds: float, asked: object) -> bool:
    """Whether what holds leaves more than what was asked: then the command is not in it."""
    if name in LAST_WINS:
        return False
    return bool(holds < asked) if name in HIGHEST_WINS else bool(holds > asked)  # type: ignore[operator]


def _of_battery(asked: SetpointFields, result: CycleResult) -> Iterator[Clip]:
    """The power of the batteries, where it is wanted as it was asked and is still another."""
    wanted = result.envelope.fields.battery_target_watts
    if asked.battery_target_watts is None or wanted != asked.battery_target_watts:
        return
    if result.flow is None:
        yield Clip("battery_target_watts", wanted, None, "; ".join(say_all(result.reasons)) or result.mode)
        return
    taken = result.flow.target_battery_power_watts
    if abs(taken - wanted) > max(CLOSE_WATTS, CLOSE_PART * abs(wanted)):
        yield Clip("battery_target_watts", wanted, taken, _bound_of_battery(result))


def _bound_of_battery(result: CycleResult) -> str:
    """What keeps the batteries from it, in words: the bound in the first reason, else all of that reason."""
    if not result.reasons:
        return result.mode
    first = result.reasons[0]
    asked = first.cause("why")
    bound = None if asked is None else asked.cause("bound")
    return say(bound or first)

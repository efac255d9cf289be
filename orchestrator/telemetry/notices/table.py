"""What people are written to about: what each kind means. What has happened and what to do is in `HAPPENINGS`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from orchestrator.config.audience import NoticeKind
from orchestrator.explain.happenings import HAPPENINGS, Happening


@dataclass(frozen=True, slots=True)
class Notice:
    """One message. `is_over`: what was written about before has ended."""

    kind: NoticeKind
    subject: str
    title: str
    body: str
    is_over: bool = False


@dataclass(frozen=True, slots=True)
class Words:
    """How a kind is told: what has `happened`, unless an event of the kind says it more exactly, and what that means.

    `over` is the title once it has ended; empty where it does not end.
    """

    happened: Happening
    means: str
    over: str = ""


WORDS: Final[Mapping[NoticeKind, Words]] = {
    "failsafe": Words(
        HAPPENINGS["mode_failsafe"],
        "PV is limited as if there were no load, and batteries hold. No limit is broken, but PV is lost.",
        "The meter is relied on again",
    ),
    "limit_exceeded": Words(
        Happening(
            "A limit was exceeded",
            (
                "Is an inverter away, or does one not obey? That is the usual cause.",
                "If the load alone was above the import limit, only a smaller load can keep it.",
            ),
        ),
        "This is what a grid operator may ask about. It is in the ledger: orchestrator report.",
    ),
    "meter_sign": Words(
        HAPPENINGS["meter_reversed"], "It shows import where there is export, or changed its direction."
    ),
    "inverter_away": Words(
        HAPPENINGS["inverter_away"],
        "The others take its share. What it does meanwhile is what its own timers say.",
        HAPPENINGS["inverter_back"].title,
    ),
    "battery_not_following": Words(
        HAPPENINGS["battery_not_following"],
        "The others do its part, as far as they can.",
        "The battery does what it is told again",
    ),
    "command_ignored": Words(
        HAPPENINGS["command_ignored"], "A register shows another value than was written, or a write was refused."
    ),
    "flash": Words(HAPPENINGS["flash_budget_spent"], "Commands to it are held back, so that its flash memory lives."),
    "setpoint_refused": Words(HAPPENINGS["rejected"], "The message was not understood as a whole."),
}

KINDS_OF_EVENTS: Final[Mapping[str, NoticeKind]] = {
    "meter_reversed": "meter_sign",
    "meter_contradicts": "meter_sign",
    "command_ignored": "command_ignored",
    "command_lost": "command_ignored",
    "inverter_not_following": "command_ignored",
    "command_refused": "command_ignored",
    "flash_overspent": "flash",
    "flash_budget_spent": "flash",
}
"""Events of the site by name that are written about at once, and as which kind. The others are only in the log."""


def notice(kind: NoticeKind, site: str, subject: str, detail: str, event: str | None = None) -> Notice:
    """The message of what has begun, or happened, at `subject` (an inverter, `meter`, a limit or a source).

    `event` is the name of the event that says it, where there is one.
    """
    words = WORDS[kind]
    happened = words.happened if event is None else HAPPENINGS[event]
    todo = "\n".join(f"{number}. {text}" for number, text in enumerate(happened.todo, 1))
    what = f"{subject}: {detail}" if detail else subject
    return Notice(kind, subject, f"{site}: {happened.title}", f"{what}\n\n{words.means}\n\nWhat to do:\n{todo}")


def over(kind: NoticeKind, site: str, subject: str) -> Notice:
    """The message of what has ended."""
    return Notice(kind, subject, f"{site}: {WORDS[kind].over}", f"{subject}: it is over.", is_over=True)

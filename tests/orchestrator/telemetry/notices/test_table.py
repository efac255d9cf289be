"""The words of messages to people: every kind has them, each says what to do."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from orchestrator.config.audience import NoticeKind
from orchestrator.explain.happenings import HAPPENINGS
from orchestrator.telemetry.notices.table import KINDS_OF_EVENTS, WORDS, notice, over


def test_every_kind_has_its_words_and_every_event_a_kind() -> None:
    assert set(WORDS) == set(get_args(NoticeKind))
    assert set(KINDS_OF_EVENTS.values()) <= set(WORDS)


@pytest.mark.parametrize("kind", WORDS)
def test_a_message_says_where_what_and_what_to_do(kind: NoticeKind) -> None:
    message = notice(kind, "Home", "east", "refuses the connection")

    assert message.title.startswith("Home: ")
    assert message.body.startswith("east: refuses the connection\n")
    assert "What to do:\n1. " in message.body
    assert len(message.title) < 80


def test_every_kind_is_on_the_page() -> None:
    page = (Path(__file__).parents[4] / "docs/notify.md").read_text()

    assert [kind for kind, words in WORDS.items() if f"| `{kind}` | {words.happened.title}" not in page] == []


def test_an_event_is_called_by_its_own_name() -> None:
    for event, kind in KINDS_OF_EVENTS.items():
        message = notice(kind, "Home", "east", "code 2", event)
        assert message.title == f"Home: {HAPPENINGS[event].title}"
        assert f"1. {HAPPENINGS[event].todo[0]}" in message.body


def test_the_end_of_something_is_told_too() -> None:
    message = over("inverter_away", "Home", "east")

    assert (message.title, message.is_over) == ("Home: An inverter answers again", True)

from __future__ import annotations

import json
from datetime import UTC, datetime

from hypothesis import example, given
from hypothesis import strategies as st

from orchestrator.config.sections import SiteConfig
from orchestrator.telemetry.log.format import HIDDEN, Line, as_json, hidden, human, secrets_of
from tests.support.records.cycles import site_config

AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


def with_passwords(*passwords: str) -> SiteConfig:
    sources = [
        {"name": f"s{number}", "host": "h", "topic": f"t{number}", "username": "u", "password": password}
        for number, password in enumerate(passwords)
    ]
    return site_config(setpoints={"mqtt": sources})


def test_a_line_for_people_says_when_how_bad_where_and_what() -> None:
    line = Line(AT, "WARNING", "journal", "does not answer", "east", 12)

    assert human(line) == "2026-01-02 03:04:05.678 WARNING [cycle 12, east] does not answer"
    assert human(Line(AT, "INFO", "x", "started")) == "2026-01-02 03:04:05.678 INFO started"


@given(st.text())
def test_a_message_is_one_line_and_commands_no_terminal(text: str) -> None:
    assert human(Line(AT, "INFO", "x", text)).isprintable()


def test_what_looks_like_another_entry_stays_in_its_own() -> None:
    forged = "refused\n2026-01-02 03:04:05.678 INFO all is well\x1b[2J"

    assert human(Line(AT, "INFO", "x", forged)).endswith(
        r" INFO refused\n2026-01-02 03:04:05.678 INFO all is well\x1b[2J"
    )


def test_a_line_for_machines_is_one_object() -> None:
    line = Line(AT, "WARNING", "journal", "does not\nanswer", "east", 12, {"event": "inverter_away"}, "Traceback\n ...")

    assert "\n" not in as_json(line)
    assert json.loads(as_json(line)) == {
        "event": "inverter_away",
        "time": "2026-01-02T03:04:05.678+00:00",
        "level": "warning",
        "message": "does not\nanswer",
        "inverter": "east",
        "cycle": 12,
        "source": "journal",
        "traceback": "Traceback\n ...",
    }


def test_what_is_not_known_is_left_out() -> None:
    assert set(json.loads(as_json(Line(AT, "INFO", "x", "started")))) == {"time", "level", "message", "source"}


def test_every_secret_of_a_configuration_is_found() -> None:
    publish = {"mqtt": {"host": "h", "topic": "t", "password": "of publishing"}}
    config = with_passwords("first one", "second one").model_copy(
        update={"publish": site_config(publish=publish).publish}
    )

    assert secrets_of(config) == {"first one", "second one", "of publishing"}


@example("ends in \\", "", "")
@given(st.text(min_size=4).filter(lambda secret: "*" not in secret), st.text(), st.text())
def test_a_secret_is_hidden_in_what_is_said_and_in_tracebacks(secret: str, before: str, after: str) -> None:
    text = before + secret + after
    line = hidden(Line(AT, "INFO", "x", text, traceback=f"ValueError: {secret!r}"), {secret})

    assert HIDDEN in line.message
    assert secret not in line.message
    assert line.traceback == f"ValueError: {repr(secret)[0]}{HIDDEN}{repr(secret)[0]}"
    assert secret not in json.loads(as_json(line))["message"]

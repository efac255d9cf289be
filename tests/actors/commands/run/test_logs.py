"""The log as it is written: what repeats, what is hidden, and what of a plant gets a line."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from actors.commands.run.logs import Journal, Log, logging_to
from actors.messages import Acknowledged, Event
from orchestrator.telemetry.log.repetition import WINDOW_S
from tests.support.records.cycles import cycle_result, site_config

SECRET = "correct horse"
WITH_SECRET = {"setpoints": {"mqtt": {"host": "h", "topic": "t", "username": "u", "password": SECRET}}}


class Written:
    """A log whose lines are kept, with a clock that stands still."""

    def __init__(self, **sections: Any) -> None:
        self.now_s = 0.0
        self.lines: list[str] = []
        self.handler = Log(lambda _level, text: self.lines.append(text), now_s=lambda: self.now_s)
        self.config = site_config(**sections)

    @property
    def objects(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines]


@pytest.fixture
def written() -> Iterator[Written]:
    log = Written(logging={"format": "json"}, **WITH_SECRET)
    with logging_to(log.handler, log.config):
        yield log


def test_a_fault_that_repeats_is_summarised(written: Written) -> None:
    for number in range(38):
        logging.warning("no answer within %d s", number)
    written.now_s = WINDOW_S
    written.handler.flush()

    assert [line["message"] for line in written.objects] == [
        "no answer within 0 s",
        "the same 37 times in 60 s: no answer within 37 s",
    ]
    assert written.objects[1]["repeated"] == 37


def test_the_same_of_another_inverter_is_not_the_same(written: Written) -> None:
    for name in ("east", "west", "east"):
        logging.warning("does not answer", extra={"inverter": name})

    assert [line["inverter"] for line in written.objects] == ["east", "west"]


def test_what_is_no_fault_is_never_held_back(written: Written) -> None:
    for _ in range(3):
        logging.info("export_limit_watts: 0 (mqtt)")

    assert len(written.lines) == 3


def test_the_end_tells_what_was_held_back() -> None:
    log = Written()
    with logging_to(log.handler, log.config):
        logging.warning("no answer")
        logging.warning("no answer")

    assert log.lines[-1].endswith("the same 1 times in 0 s: no answer")


def test_a_secret_is_hidden_wherever_it_comes_from(written: Written) -> None:
    logging.error("refused: %s", SECRET)
    try:
        raise ValueError(f"bad password {SECRET}")
    except ValueError:
        logging.exception("a bug")

    assert SECRET not in "".join(written.lines)
    assert "***" in written.lines[0]
    assert "ValueError: bad password ***" in written.objects[1]["traceback"]


def test_the_secrets_of_the_former_configuration_stay_hidden(written: Written) -> None:
    written.handler.configure(site_config())
    logging.error("refused: %s", SECRET)

    assert SECRET not in written.lines[-1]


def test_a_reload_changes_level_and_format(written: Written) -> None:
    written.handler.configure(site_config(logging={"level": "warning", "format": "human"}))
    logging.info("not important")
    logging.warning("important")

    assert len(written.lines) == 1
    assert written.lines[0].endswith("WARNING important")


def test_the_command_line_decides_the_format() -> None:
    log = Written(logging={"format": "human"})
    log.handler = Log(lambda _level, text: log.lines.append(text), log_format="json")
    with logging_to(log.handler, log.config):
        logging.warning("important")

    assert log.objects[0]["message"] == "important"


def test_a_record_that_cannot_be_formatted_stops_nothing_and_shows_nothing(written: Written) -> None:
    written.handler.handle(logging.LogRecord("root", logging.WARNING, "file", 1, "%d", (SECRET,), None))

    assert written.lines == ["a line of root cannot be logged: TypeError"]


def test_the_journal_names_inverter_and_cycle(written: Written) -> None:
    journal = Journal(written.handler)
    journal.tell(cycle_result(away=("roof",)))
    journal.tell(Event("command_ignored", "roof", "124.InWRte shows another value"))
    journal.tell(Event("meter_frozen", "meter", "the meter is frozen"))
    journal.tell(Acknowledged("east", 1.0, 2.0, 0, fault="timeout", detail="no answer within 1 s"))
    journal.tell(Acknowledged("east", 2.0, 3.0, 1))

    told = [(line["event"], line.get("inverter"), line["cycle"]) for line in written.objects if line["level"] != "info"]
    assert told == [
        ("inverter_away", "roof", 0),
        ("command_ignored", "roof", 0),
        ("meter_frozen", None, 0),
        ("command_failed", "east", 0),
    ]

"""The place where paho's threads leave messages."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest

from actors.wire.mailbox import MAX_WAITING, Mailbox
from orchestrator.setpoints.intake import Arrival, Intake

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def arrival(number: int) -> Arrival:
    return Arrival(str(number).encode(), False, float(number), NOW)


def test_the_bell_rings_once_until_somebody_looks() -> None:
    mailbox = Mailbox()

    assert [mailbox.put("mqtt", arrival(1)), mailbox.put("utility", arrival(2))] == [True, False]
    mailbox.take()
    assert mailbox.put("mqtt", arrival(3))


def test_messages_come_out_by_source_and_in_order() -> None:
    mailbox = Mailbox()
    for source, number in [("mqtt", 1), ("utility", 2), ("mqtt", 3)]:
        mailbox.put(source, arrival(number))

    assert mailbox.take() == {"mqtt": (arrival(1), arrival(3)), "utility": (arrival(2),)}
    assert mailbox.take() == {}


def test_a_storm_keeps_only_the_newest() -> None:
    mailbox = Mailbox()
    for number in range(1000):
        mailbox.put("mqtt", arrival(number))

    waiting = mailbox.take()["mqtt"]

    assert len(waiting) == MAX_WAITING
    assert waiting[-1] == arrival(999)


@pytest.mark.parametrize("bad", [MAX_WAITING, 10 * MAX_WAITING])
def test_a_valid_limit_survives_a_storm_of_bad_messages(bad: int) -> None:
    intake = Intake("mqtt", None)
    mailbox = Mailbox(lambda _source, arrival: intake.is_sound(arrival))
    mailbox.put("mqtt", Arrival(b'{"opModExpLimW": 5000}', False, 0.0, NOW))
    mailbox.put("mqtt", Arrival(b'{"opModExpLimW": 0}', False, 0.0, NOW))
    for number in range(bad):
        mailbox.put("mqtt", arrival(number))

    waiting = mailbox.take()["mqtt"]
    outcome = intake.take(waiting)

    assert len(waiting) == MAX_WAITING + 1
    assert outcome.setpoint is not None
    assert outcome.setpoint.fields.export_limit_watts == 0
    assert mailbox.take() == {}


def test_a_withdrawal_survives_a_storm_too() -> None:
    intake = Intake("mqtt", None)
    mailbox = Mailbox(lambda _source, arrival: intake.is_sound(arrival))
    intake.take((Arrival(b'{"opModExpLimW": 0}', False, 0.0, NOW),))
    mailbox.put("mqtt", Arrival(b"", False, 0.0, NOW))
    for number in range(2 * MAX_WAITING):
        mailbox.put("mqtt", arrival(number))

    assert intake.take(mailbox.take()["mqtt"]).withdrawn


def test_of_many_threads_exactly_one_rings() -> None:
    mailbox, rings = Mailbox(), []
    threads = [threading.Thread(target=lambda: rings.append(mailbox.put("mqtt", arrival(1)))) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(rings) == 1

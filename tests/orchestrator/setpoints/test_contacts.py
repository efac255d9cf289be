"""The words of a contact: what they mean, and that a word that was said before counts again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from orchestrator.errors import PayloadError
from orchestrator.setpoints.contacts import least_import_watts, parse_word
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.setpoints.intake import Arrival, Intake, Language

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
WORDS = {"1": SetpointFields(), "2": SetpointFields(generation_limit_watts=6000.0)}
CONTACT = Language(partial(parse_word, WORDS), repeats=True)


def arrival(word: bytes, at_s: float = 0.0, *, redelivered: bool = False) -> Arrival:
    return Arrival(word, redelivered, at_s, NOW + timedelta(seconds=at_s))


def contact(validity_s: float = 60.0) -> Intake:
    return Intake("ripple", validity_s, "", CONTACT)


def test_a_word_asks_for_what_its_row_says_and_for_how_long() -> None:
    setpoint = parse_word(WORDS, b" 2\n", source="ripple", received_at_s=5.0, wall_now=NOW, validity_s=60.0)

    assert setpoint.fields == WORDS["2"]
    assert (setpoint.expires_at_s, setpoint.valid_until) == (65.0, "2026-06-01T12:01:00Z")


@pytest.mark.parametrize("word", [b"3", b"\xff", b"{}", b"1" * 10000])
def test_an_unknown_word_is_refused_and_the_known_ones_are_named(word: bytes) -> None:
    with pytest.raises(PayloadError, match=r'known are "1", "2"$'):
        parse_word(WORDS, word, source="ripple", received_at_s=0.0, wall_now=NOW, validity_s=60.0)


def test_a_word_that_comes_again_is_news_each_time() -> None:
    intake = contact()

    for at_s, word in enumerate((b"1", b"2", b"1", b"1")):
        setpoint = intake.take([arrival(word, float(at_s))]).setpoint
        assert setpoint is not None
        assert setpoint.fields == WORDS[word.decode()]


def test_what_the_broker_hands_over_again_keeps_no_lost_contact_alive() -> None:
    intake = contact()
    intake.take([arrival(b"2")])

    assert intake.take([arrival(b"2", 30.0, redelivered=True)]).setpoint is None
    assert not intake.is_fresh(60.0, NOW + timedelta(seconds=60))


def test_a_contact_that_moved_while_the_broker_was_away_is_seen_by_what_it_retained() -> None:
    intake = contact()
    intake.take([arrival(b"2")])
    intake.take([arrival(b"1", 1.0)])

    setpoint = intake.take([arrival(b"2", 9.0, redelivered=True)]).setpoint
    assert setpoint is not None
    assert setpoint.fields == WORDS["2"]


def test_what_was_said_last_outlives_a_restart_and_its_time_goes_on() -> None:
    before = contact()
    before.take([arrival(b"2")])
    wall = NOW + timedelta(seconds=40)
    after = Intake.restored("ripple", 60.0, "", before.kept(), now_s=1000.0, wall=wall, language=CONTACT)

    assert after.setpoint is not None
    assert (after.setpoint.fields, after.setpoint.expires_at_s) == (WORDS["2"], 1020.0)


@pytest.mark.parametrize(
    ("devices", "heat_pump", "air_conditioning", "watts"),
    [
        (1, 0.0, 0.0, 4200.0),
        (2, 0.0, 0.0, 7560.0),  # the example that is public
        (3, 14000.0, 0.0, 5600.0 + 2 * 0.75 * 4200.0),
        (4, 12000.0, 20000.0, 8000.0 + 3 * 0.7 * 4200.0),
        (5, 0.0, 0.0, 4200.0 + 4 * 0.65 * 4200.0),
        (6, 0.0, 0.0, 4200.0 + 5 * 0.6 * 4200.0),
        (7, 0.0, 0.0, 4200.0 + 6 * 0.55 * 4200.0),
        (8, 0.0, 0.0, 4200.0 + 7 * 0.5 * 4200.0),
        (9, 0.0, 0.0, 4200.0 + 8 * 0.45 * 4200.0),
        (20, 0.0, 0.0, 4200.0 + 19 * 0.45 * 4200.0),
    ],
)
def test_the_least_power_of_several_devices(
    devices: int, heat_pump: float, air_conditioning: float, watts: float
) -> None:
    assert least_import_watts(devices, heat_pump, air_conditioning) == pytest.approx(watts)
